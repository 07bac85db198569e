/** Everything that the editor shows about one project, as one value that is replaced whenever something changes. */
import { formatPath, type NodePath, type Outcome } from '../../runner/model.ts';
import type {
  NodeFiguresRecord,
  NodeRunRecord,
  RunList,
  RunQuery,
  StoreState,
} from '../../runner/records.ts';
import type { PipelineIndex } from './pipeline-index.ts';
import { noPipelines } from './pipeline-index.ts';
import { isGoingOn, isSelected, type LiveRun } from './live-run.ts';

/** How it stands with the language server that analyses the files. */
export type AnalysisState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  /** The folder is not on a disk. */
  | { readonly kind: 'virtual' };

/** How it stands with the process that reads the history. */
export type ServiceState =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly runnerVersion: string }
  /** It ended and is started again in a moment. */
  | { readonly kind: 'waiting'; readonly message: string }
  /** It does not start; somebody has to do something. */
  | { readonly kind: 'broken'; readonly message: string };

/** A run that was asked for and has no row yet. */
export interface RequestedRun {
  readonly key: number;
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
}

export interface ProjectState {
  /** URI of the workspace folder. */
  readonly folder: string;
  readonly name: string;
  /** Where `millrace` is started, absolute. */
  readonly directory: string;
  readonly trusted: boolean;
  readonly analysis: AnalysisState;
  readonly pipelines: PipelineIndex;
  /** What could not be loaded after the last save, as the runner says it. */
  readonly loadErrors: readonly string[];
  readonly service: ServiceState;
  readonly store: StoreState;
  /** By path as `a/b`. */
  readonly figures: ReadonlyMap<string, NodeFiguresRecord>;
  /** Nodes with a task at or below them whose last outcome is a failure. */
  readonly failing: ReadonlySet<string>;
  /** By run id. */
  readonly live: ReadonlyMap<number, LiveRun>;
  readonly requested: readonly RequestedRun[];
  /** The newest runs that fit {@link runsQuery}; `null` before they were read. */
  readonly runs: RunList | null;
  readonly runsQuery: RunQuery;
}

export function newProjectState(
  folder: string,
  name: string,
  directory: string,
  trusted: boolean,
): ProjectState {
  return {
    folder,
    name,
    directory,
    trusted,
    analysis: { kind: 'starting' },
    pipelines: noPipelines,
    loadErrors: [],
    service: { kind: 'stopped' },
    store: { kind: 'closed' },
    figures: new Map(),
    failing: new Set(),
    live: new Map(),
    requested: [],
    runs: null,
    runsQuery: {},
  };
}

/** How a node is doing, or did when it last had its turn. */
export type NodeStatus =
  /** It never ran, or nobody can tell. */
  | { readonly kind: 'none' }
  | { readonly kind: 'queued'; readonly runId: number | null }
  | {
      readonly kind: 'running';
      readonly runId: number;
      readonly startedAt: number;
      readonly attempt: number;
      /** Sub-tasks of a parallel task that have an outcome. */
      readonly finished: number | null;
      /** 0 to 1, of a run whose pipeline this is. */
      readonly fraction: number | null;
    }
  | {
      readonly kind: 'ended';
      readonly outcome: Outcome;
      readonly runId: number;
      readonly nodeRunId: number;
      /** Milliseconds since the epoch. */
      readonly at: number | null;
      /** Seconds. */
      readonly duration: number | null;
      readonly attempt: number;
      readonly error: string | null;
      readonly reason: string | null;
      /** The run that it belongs to goes on. */
      readonly isLive: boolean;
    };

export function nodeStatus(state: ProjectState, path: NodePath): NodeStatus {
  const key = formatPath(path);
  let newest = state.figures.get(key)?.last ?? undefined;
  let of: LiveRun | undefined;
  let waitsIn: LiveRun | undefined;
  for (const live of state.live.values()) {
    const nodeRun = live.latest.get(key);
    if (nodeRun !== undefined && (newest === undefined || nodeRun.nodeRunId >= newest.nodeRunId)) {
      newest = nodeRun;
      of = live;
    }
    if (nodeRun === undefined && isGoingOn(live) && isSelected(live.run, path)) waitsIn = live;
  }
  // The end of a run is told before the ends of its last nodes are read: until then they go on. Only a dead runner's do not.
  if (newest?.status === 'running' && of !== undefined && of.run.status !== 'lost')
    return runningStatus(key, newest, of);
  if (waitsIn !== undefined) {
    return isWholeRun(waitsIn, path) ? wholeRunStatus(waitsIn) : { kind: 'queued', runId: waitsIn.run.runId };
  }
  if (state.requested.some(run => isSelected(run, path))) return { kind: 'queued', runId: null };
  return newest === undefined ? { kind: 'none' } : endedStatus(state, key, newest, of);
}

/** The run that goes on in which a node takes part, if there is one: what Stop is about. */
export function runOf(
  state: ProjectState,
  path: NodePath,
  status = nodeStatus(state, path),
): number | undefined {
  if (status.kind === 'running') return status.runId;
  if (status.kind === 'queued') return status.runId ?? undefined;
  for (const live of state.live.values())
    if (isGoingOn(live) && (isSelected(live.run, path) || live.latest.has(formatPath(path))))
      return live.run.runId;
  return undefined;
}

/** The top-level pipelines that runs are about, by state; `null` when they are about all. */
const tops = new WeakMap<ProjectState, ReadonlySet<string> | null>();

/**
 * Whether a run that goes on or was asked for may be about a node: without one, history alone says how it stands. Asked of
 * thousands of nodes with every change, so it looks no further than their top-level pipeline.
 */
export function mayBeActive(state: ProjectState, [top]: NodePath): boolean {
  let active = tops.get(state);
  if (active === undefined) tops.set(state, (active = activeTops(state)));
  return active === null || top === undefined || active.has(top);
}

function activeTops({ live, requested }: ProjectState): ReadonlySet<string> | null {
  const active = new Set<string>();
  for (const { pipelinePath, nodePaths } of [...requested, ...[...live.values()].map(({ run }) => run)])
    for (const [top] of nodePaths.length === 0 ? [pipelinePath] : nodePaths) {
      if (top === undefined) return null;
      active.add(top);
    }
  for (const { latest } of live.values())
    for (const { nodePath } of latest.values()) if (nodePath[0] !== undefined) active.add(nodePath[0]);
  return active;
}

/** Top-level pipelines in which something that failed has not been made good. */
export function unresolvedFailures(state: ProjectState): number {
  return state.pipelines.roots.filter(({ path }) => state.failing.has(formatPath(path))).length;
}

/** Nodes that count as failing by what history says about tasks; a later success makes good for all above. */
export function failingNodes(figures: Iterable<NodeFiguresRecord>): Set<string> {
  const failing = new Set<string>();
  for (const { path, last } of figures) {
    if (last === null || last.kind === 'pipeline' || last.status !== 'failed') continue;
    for (let length = path.length; length > 0; length -= 1) failing.add(formatPath(path.slice(0, length)));
  }
  return failing;
}

function isWholeRun({ run }: LiveRun, path: NodePath): boolean {
  return run.pipelinePath.length > 0 && formatPath(run.pipelinePath) === formatPath(path);
}

/** A pipeline has no row of its own before one of its tasks begins. */
function wholeRunStatus({ run, progress }: LiveRun): NodeStatus {
  return {
    kind: 'running',
    runId: run.runId,
    startedAt: run.startedAt,
    attempt: 1,
    finished: null,
    fraction: progress?.fraction ?? null,
  };
}

function runningStatus(key: string, nodeRun: NodeRunRecord, live: LiveRun): NodeStatus {
  return {
    kind: 'running',
    runId: nodeRun.runId,
    startedAt: nodeRun.startedAt ?? live.run.startedAt,
    attempt: nodeRun.attempt,
    finished: nodeRun.kind === 'parallel' ? (live.finishedBelow.get(key) ?? null) : null,
    fraction: isWholeRun(live, nodeRun.nodePath) ? (live.progress?.fraction ?? null) : null,
  };
}

function endedStatus(
  state: ProjectState,
  key: string,
  nodeRun: NodeRunRecord,
  live: LiveRun | undefined,
): NodeStatus {
  const { status, startedAt, endedAt, attempt, error, reason, runId, nodeRunId } = nodeRun;
  // What history still calls running belongs to a run that is over: its runner died.
  let outcome: Outcome = status === 'running' ? 'lost' : status;
  // Its tasks were run again since and have succeeded.
  const isMadeGood =
    outcome === 'failed' && nodeRun.kind === 'pipeline' && live === undefined && !state.failing.has(key);
  if (isMadeGood) outcome = 'succeeded';
  // A part of it has succeeded since; what failed before still does.
  const stillFails =
    outcome === 'succeeded' && nodeRun.kind === 'pipeline' && live === undefined && state.failing.has(key);
  if (stillFails) outcome = 'failed';
  return {
    kind: 'ended',
    outcome,
    runId,
    nodeRunId,
    at: stillFails ? null : endedAt,
    duration: startedAt === null || endedAt === null ? null : (endedAt - startedAt) / 1000,
    attempt,
    error: isMadeGood ? null : error,
    reason,
    isLive: live !== undefined && isGoingOn(live),
  };
}
