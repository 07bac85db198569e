/** The tree of a project with what its history says about each node: what `list` and `menu` show. */
import { isPipeline, type Node } from '../api/node.ts';
import { masker, secretsOf } from '../engine/masks.ts';
import { planOf } from '../engine/plan.ts';
import type { LoadedProject } from '../loader/load-project.ts';
import { formatPath, type NodeKind, type NodePath, type NodeRunStatus } from '../model.ts';
import { nodeFigures, type NodeFigures } from '../scheduler/cost.ts';
import { flatten } from '../scheduler/run-graph.ts';
import type { NodeRun } from '../store/history.ts';
import type { Store } from '../store/store.ts';

/** A node as `millrace list --json` prints it. Durations are in seconds, times ISO 8601. */
export interface ListedNode {
  readonly id: string;
  readonly path: NodePath;
  readonly kind: NodeKind;
  readonly description: string;
  /** Average time from start to end; `null` without a succeeded run. */
  readonly averageDuration: number | null;
  /** Sum of the average durations of the tasks in it; `null` without history. */
  readonly averageRunTime: number | null;
  /** Average run time plus the highest cost among what follows. */
  readonly cost: number;
  /** The last time that it had its turn; `null` when it never had. */
  readonly last: LastOutcome | null;
  /** Children, in declaration order. */
  readonly nodes: readonly ListedNode[];
}

export interface LastOutcome {
  readonly runId: number;
  readonly status: NodeRunStatus;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly duration: number | null;
}

/** What the store knows about the nodes of a project. */
export interface NodeHistory {
  /** Average seconds by path as `a/b`. */
  readonly averages: ReadonlyMap<string, number>;
  /** The newest attempts by path as `a/b`. */
  readonly last: ReadonlyMap<string, NodeRun>;
}

/** Reads what is known about the nodes at and below a path. */
export async function readNodeHistory(store: Store, path: NodePath): Promise<NodeHistory> {
  const [{ averageDurations, averagePipelineDurations }, { lastOutcomes }] = await Promise.all([
    import('../store/durations.ts'),
    import('../store/history.ts'),
  ]);
  // Costs depend on what follows a node, wherever that is in the tree.
  const [tasks, pipelines, last] = await Promise.all([
    averageDurations(store, []),
    averagePipelineDurations(store, path),
    lastOutcomes(store, path),
  ]);
  return {
    averages: new Map([...pipelines, ...tasks]),
    last: new Map(last.map(nodeRun => [formatPath(nodeRun.nodePath), nodeRun])),
  };
}

/** The node and everything below it. */
export function listNodes(project: LoadedProject, node: Node, history: NodeHistory): ListedNode {
  const graph = flatten(planOf(project.root));
  const figures = nodeFigures(graph, history.averages);
  const mask = masker(secretsOf(project.config));
  const byPath = new Map<string, NodeFigures>();
  for (const { index, path } of graph.nodes) {
    const known = figures[index];
    if (known !== undefined) byPath.set(formatPath(path), known);
  }
  const visit = (at: Node): ListedNode => {
    const path = formatPath(at.path);
    return {
      id: at.id,
      path: at.path,
      kind: at.kind,
      description: mask(at.description),
      averageDuration: history.averages.get(path) ?? null,
      averageRunTime: byPath.get(path)?.averageRunTime ?? null,
      cost: byPath.get(path)?.cost ?? 0,
      last: lastOutcome(history.last.get(path)),
      nodes: isPipeline(at) ? [...at.nodes.values()].map(visit) : [],
    };
  };
  return visit(node);
}

function lastOutcome(nodeRun: NodeRun | undefined): LastOutcome | null {
  if (nodeRun === undefined) return null;
  const { runId, status, startedAt, endedAt } = nodeRun;
  return {
    runId,
    status,
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    duration:
      startedAt === null || endedAt === null ? null : (endedAt.getTime() - startedAt.getTime()) / 1000,
  };
}
