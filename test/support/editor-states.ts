/** States of projects for tests of what the editor shows, without an editor. */
import type { EditorNode } from '../../extension/language/protocol.ts';
import { liveRunOf } from '../../extension/project/live-run.ts';
import { indexPipelines } from '../../extension/project/pipeline-index.ts';
import { failingNodes, newProjectState, type ProjectState } from '../../extension/project/project-state.ts';
import {
  formatPath,
  type NodeKind,
  type NodeRunStatus,
  parsePath,
  type RunStatus,
} from '../../runner/model.ts';
import type { NodeFiguresRecord, NodeRunRecord, RunProgress, RunRecord } from '../../runner/records.ts';

/** Every time of these tests is told from here. */
export const now = new Date(2026, 10, 20, 12, 0, 0).getTime();

export function editorNode(id: string, more: Partial<EditorNode> = {}): EditorNode {
  const nodes = more.nodes ?? [];
  return {
    id,
    kind: nodes.length > 0 ? 'pipeline' : 'task',
    description: '',
    labels: {},
    upstreams: [],
    commands: [],
    origin: 'static',
    ...more,
    nodes,
  };
}

/** A pipeline `shop` with `extract`, then `load`, then `report`. */
export const shop = editorNode('shop', {
  nodes: [
    editorNode('extract', { location: { file: '/project/shop.pipeline.ts', line: 3, column: 1 } }),
    editorNode('load', { upstreams: ['extract'] }),
    editorNode('report', { upstreams: ['load'], description: 'Sums it up' }),
  ],
});

export function nodeRun(
  path: string,
  status: NodeRunStatus,
  more: Partial<NodeRunRecord> & { readonly kind?: NodeKind } = {},
): NodeRunRecord {
  return {
    nodeRunId: 1,
    runId: 1,
    nodePath: parsePath(path),
    kind: 'task',
    attempt: 1,
    status,
    startedAt: now - 65_000,
    endedAt: status === 'running' ? null : now - 60_000,
    cost: 0,
    rowsProcessed: null,
    exitCode: null,
    error: null,
    reason: null,
    ...more,
  };
}

export function figures(last: NodeRunRecord, more: Partial<NodeFiguresRecord> = {}): NodeFiguresRecord {
  return {
    path: last.nodePath,
    averageDuration: 4.1,
    averageRunTime: 4.1,
    cost: 6,
    last,
    recent: [],
    ...more,
  };
}

export function run(status: RunStatus, more: Partial<RunRecord> = {}): RunRecord {
  return {
    runId: 412,
    pipelinePath: ['shop'],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    status,
    startedAt: now - 20_000,
    endedAt: status === 'running' ? null : now - 8000,
    trigger: 'editor',
    startedBy: 'ada',
    host: 'mill',
    codeVersion: null,
    runnerVersion: '0.1.0',
    resumedFrom: null,
    cancelRequestedAt: null,
    failure: null,
    ...more,
  };
}

export interface StateParts {
  readonly nodes?: readonly EditorNode[];
  readonly history?: readonly NodeFiguresRecord[];
  readonly live?: {
    readonly run: RunRecord;
    readonly nodeRuns: readonly NodeRunRecord[];
    readonly progress?: RunProgress;
  };
  readonly change?: Partial<ProjectState>;
}

export function projectState({
  nodes = [shop],
  history = [],
  live,
  change = {},
}: StateParts = {}): ProjectState {
  return {
    ...newProjectState('file:///project', 'project', '/project', true),
    analysis: { kind: 'ready' },
    pipelines: indexPipelines(nodes),
    figures: new Map(history.map(each => [formatPath(each.path), each])),
    failing: failingNodes(history),
    live:
      live === undefined
        ? new Map()
        : new Map([
            [
              live.run.runId,
              liveRunOf(
                {
                  run: live.run,
                  nodeRuns: live.nodeRuns,
                  graph: null,
                  expected: {},
                  progress: live.progress ?? { fraction: 0.63, finished: 1, total: 3, left: 12 },
                  criticalPath: [],
                },
                now,
              ),
            ],
          ]),
    ...change,
  };
}
