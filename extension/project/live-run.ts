/** A run that goes on, or whose end the figures of the project do not know yet. */
import { formatPath, isAtOrBelow, type NodePath } from '../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord, RunProgress, RunRecord } from '../../runner/records.ts';

export interface LiveRun {
  readonly run: RunRecord;
  /** The newest attempt of each node, by path as `a/b`. */
  readonly latest: ReadonlyMap<string, NodeRunRecord>;
  /** For parallel tasks: how many of their sub-tasks have an outcome, by path. */
  readonly finishedBelow: ReadonlyMap<string, number>;
  readonly progress: RunProgress | null;
  /** When the progress was told, in milliseconds since the epoch: what was left then is less by now. */
  readonly progressAt: number;
}

/** What the run's row tells, before the details are there. */
export function liveRun(run: RunRecord): LiveRun {
  return { run, latest: new Map(), finishedBelow: new Map(), progress: null, progressAt: 0 };
}

/** @param now When the details were told. */
export function liveRunOf(details: RunDetailsRecord, now: number): LiveRun {
  return withNews(liveRun(details.run), details, now);
}

/**
 * The run as it stands after what is new.
 *
 * @param now When that was told.
 */
export function withNews(
  live: LiveRun,
  news: {
    readonly run: RunRecord;
    readonly nodeRuns: readonly NodeRunRecord[];
    readonly progress: RunProgress;
  },
  now: number,
): LiveRun {
  const latest = new Map(live.latest);
  const finishedBelow = new Map(live.finishedBelow);
  for (const nodeRun of news.nodeRuns) {
    const key = formatPath(nodeRun.nodePath);
    const before = latest.get(key);
    if (before !== undefined && before.nodeRunId > nodeRun.nodeRunId) continue;
    latest.set(key, nodeRun);
    const isNew = nodeRun.status !== 'running' && (before === undefined || before.status === 'running');
    const parent = formatPath(nodeRun.nodePath.slice(0, -1));
    if (isNew && nodeRun.kind === 'task') finishedBelow.set(parent, (finishedBelow.get(parent) ?? 0) + 1);
  }
  return { run: news.run, latest, finishedBelow, progress: news.progress, progressAt: now };
}

export function isGoingOn(live: LiveRun): boolean {
  return live.run.status === 'running';
}

/** Whether a node is among what a run was asked to do, as far as its row tells. */
export function isSelected(run: Pick<RunRecord, 'pipelinePath' | 'nodePaths'>, path: NodePath): boolean {
  if (run.nodePaths.length === 0) return isAtOrBelow(path, run.pipelinePath);
  return run.nodePaths.some(selected => isAtOrBelow(path, selected));
}
