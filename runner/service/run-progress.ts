/** How far a run is, by what its nodes usually take. Pure. */
import { formatPath } from '../model.ts';
import type { NodeRunRecord, RunProgress } from '../records.ts';
import { CostModel, type AverageDurations } from '../scheduler/cost.ts';
import { isWork, type RunGraph, type RunNode } from '../scheduler/run-graph.ts';
import { RunTally } from '../scheduler/run-tally.ts';

/** What is known about the work of a run before it is looked at. */
export interface ExpectedWork {
  readonly graph: RunGraph | null;
  /** Expected seconds of the tasks of the graph by path as `a/b`; empty without any history. */
  readonly expected: ReadonlyMap<string, number>;
}

export interface ProgressInput {
  /** Attempts in the order in which they began. */
  readonly nodeRuns: Iterable<NodeRunRecord>;
  /** Whether the run is over. */
  readonly ended: boolean;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly now: number;
  /** How many tasks were seen running at once. */
  readonly slots: number;
}

/** What each task of a graph is expected to take: its average, or where it has none the median of the others. */
export function expectedWork(graph: RunGraph | null, averages: AverageDurations): ExpectedWork {
  const expected = new Map<string, number>();
  if (graph === null) return { graph, expected };
  const costs = new CostModel(graph, averages);
  if (costs.hasHistory)
    for (const node of graph.nodes)
      if (isWork(node)) expected.set(formatPath(node.path), costs.duration(node.index));
  return { graph, expected };
}

/** Progress as it is at one moment. */
export function runProgress(work: ExpectedWork, input: ProgressInput): RunProgress {
  const { graph, expected } = work;
  const last = lastAttempts(input.nodeRuns);
  const tally = new RunTally(graph?.taskCount ?? countTasks(last.values()));
  for (const { nodePath, kind, status } of last.values()) {
    if (status === 'running') tally.sees(nodePath, kind);
    else tally.finishes(nodePath, kind);
  }
  const { finished } = tally;
  const total = Math.max(tally.total, finished);
  if (input.ended) return { fraction: 1, finished, total, left: null };
  const byCount = total === 0 ? 0 : finished / total;
  if (graph === null || expected.size === 0) return { fraction: byCount, finished, total, left: null };

  const remaining = new Map<string, number>();
  let sum = 0;
  let rest = 0;
  for (const node of graph.nodes) {
    if (!isWork(node)) continue;
    const name = formatPath(node.path);
    const usual = expected.get(name) ?? 0;
    const left = remainingSeconds(last.get(name), usual, input.now);
    remaining.set(name, left);
    sum += usual;
    rest += left;
  }
  // The longest chain that is left, unless there are too few slots to run everything else beside it.
  const left = Math.max(remainingPath(graph, remaining), rest / Math.max(1, input.slots));
  const fraction = sum === 0 ? byCount : Math.max(0, 1 - rest / sum);
  // Whoever is late is not done.
  return { fraction: finished < total ? Math.min(fraction, 0.99) : fraction, finished, total, left };
}

/** How many tasks ran at the same time at most. */
export function peakConcurrency(nodeRuns: Iterable<NodeRunRecord>): number {
  const steps: [at: number, step: number][] = [];
  for (const { kind, startedAt, endedAt } of nodeRuns) {
    if (kind !== 'task' || startedAt === null) continue;
    steps.push([startedAt, 1]);
    if (endedAt !== null) steps.push([endedAt, -1]);
  }
  // An end makes room for a start at the same moment.
  steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let running = 0;
  let peak = 0;
  for (const [, step] of steps) peak = Math.max(peak, (running += step));
  return peak;
}

function lastAttempts(nodeRuns: Iterable<NodeRunRecord>): Map<string, NodeRunRecord> {
  const last = new Map<string, NodeRunRecord>();
  for (const nodeRun of nodeRuns) last.set(formatPath(nodeRun.nodePath), nodeRun);
  return last;
}

/** Without a graph only what has begun is known; children of parallel tasks count when they are seen. */
function countTasks(nodeRuns: Iterable<NodeRunRecord>): number {
  const parallel = new Set<string>();
  let count = 0;
  for (const { nodePath, kind } of nodeRuns) {
    if (kind === 'pipeline') continue;
    if (kind === 'parallel') parallel.add(formatPath(nodePath));
    if (!nodePath.some((_id, length) => parallel.has(formatPath(nodePath.slice(0, length))))) count += 1;
  }
  return count;
}

function remainingSeconds(nodeRun: NodeRunRecord | undefined, usual: number, now: number): number {
  if (nodeRun === undefined) return usual;
  if (nodeRun.status !== 'running') return 0;
  const elapsed = nodeRun.startedAt === null ? 0 : (now - nodeRun.startedAt) / 1000;
  return Math.min(usual, Math.max(0, usual - elapsed));
}

function remainingPath(graph: RunGraph, remaining: ReadonlyMap<string, number>): number {
  return new CostModel(graph, remaining).cost(graph.root.index);
}

/** Expected seconds by path, pipelines included, as pages get them. */
export function expectedRecord(
  averages: AverageDurations,
  nodes: readonly Pick<RunNode, 'path'>[],
): Record<string, number> {
  const expected: [string, number][] = [];
  for (const { path } of nodes) {
    const name = formatPath(path);
    const seconds = averages.get(name);
    if (seconds !== undefined) expected.push([name, seconds]);
  }
  return Object.fromEntries(expected);
}
