/** What a run's records say about each node: how it stands, what it did when, and what is expected of it. */
import { formatPath, isAtOrBelow, type NodeGraph, type NodePath } from '../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord, RunRecord } from '../../runner/records.ts';
import { plannedNodes } from './planned.ts';
import { type Expectation, expectations } from './expectations.ts';
import type { NodeState, Segment, TimelineNode } from './layout.ts';

/** All that a run did with one node. */
export interface NodeHistory {
  readonly path: NodePath;
  readonly kind: NodeRunRecord['kind'];
  /** In order; none when its turn has not come. */
  readonly attempts: readonly NodeRunRecord[];
  readonly state: NodeState;
  /** Seconds; `null` without history. */
  readonly expected: number | null;
}

/** Nodes of a run in the order in which they began; then those whose turn has not come, in order of declaration. */
export function nodeHistories(details: RunDetailsRecord): NodeHistory[] {
  const { run, expected } = details;
  const attempts = new Map<string, NodeRunRecord[]>();
  for (const record of details.nodeRuns) {
    const key = formatPath(record.nodePath);
    const list = attempts.get(key);
    if (list === undefined) attempts.set(key, [record]);
    else list.push(record);
  }
  const declared = new Map<string, NodeGraph>();
  for (const node of plannedNodes(details)) declared.set(formatPath(node.path), node);
  const histories: NodeHistory[] = [];
  for (const [key, list] of attempts) {
    const [first] = list;
    if (first === undefined) continue;
    list.sort((a, b) => a.attempt - b.attempt || a.nodeRunId - b.nodeRunId);
    histories.push({
      path: first.nodePath,
      kind: first.kind,
      attempts: list,
      state: stateOf(run, list, declared.get(key)?.maxRetries ?? 0),
      expected: expected[key] ?? null,
    });
  }
  if (run.status !== 'running') return histories;
  for (const [key, node] of declared)
    if (!attempts.has(key) && node.kind !== 'dynamic')
      histories.push({
        path: node.path,
        kind: node.kind,
        attempts: [],
        state: 'queued',
        expected: expected[key] ?? null,
      });
  return histories;
}

function stateOf(run: RunRecord, attempts: readonly NodeRunRecord[], maxRetries: number): NodeState {
  const last = attempts.at(-1);
  if (last === undefined) return 'queued';
  const isRetried =
    last.status === 'failed' &&
    last.kind !== 'pipeline' &&
    run.status === 'running' &&
    run.cancelRequestedAt === null &&
    last.attempt <= maxRetries &&
    last.reason === null;
  return isRetried ? 'waiting' : last.status;
}

/** How a node is called on a page of a run: its path below the pipeline that ran. */
export function labelOf(path: NodePath, pipelinePath: NodePath): string {
  const below = isAtOrBelow(path, pipelinePath) ? path.slice(pipelinePath.length) : path;
  return (below.length === 0 ? path : below).join(' / ');
}

export interface TimelineContent {
  readonly nodes: readonly TimelineNode[];
  /** Seconds since the beginning of the run. */
  readonly from: number;
  readonly to: number;
}

/** What the timeline of a run shows at a time (`now` in ms), or of a node and what is below it. */
export function timelineContent(
  details: RunDetailsRecord,
  histories: readonly NodeHistory[],
  now: number,
  scope?: NodePath,
): TimelineContent {
  const { run } = details;
  const shown = histories.filter(
    ({ path }) =>
      path.length > 0 &&
      (scope === undefined
        ? !isAtOrBelow(run.pipelinePath, path) || histories.length === 1
        : isAtOrBelow(path, scope)),
  );
  const plan = expectations(details, histories, now);
  const critical = new Set(details.criticalPath);
  const withChildren = new Set(shown.map(({ path }) => formatPath(path.slice(0, -1))));
  // A pipeline that goes on shows what went wrong in it.
  const failing = new Set(
    shown
      .filter(({ kind, state }) => kind !== 'pipeline' && state === 'failed')
      .flatMap(({ path }) => path.map((_, length) => formatPath(path.slice(0, length)))),
  );
  const nodes: TimelineNode[] = [];
  for (const history of shown) {
    const key = formatPath(history.path);
    const isFailing = history.kind === 'pipeline' && history.state === 'running' && failing.has(key);
    const segments = segmentsOf(run, history, plan.get(key) ?? null, critical, now);
    if (segments.length === 0) continue;
    nodes.push({
      path: history.path,
      label: labelOf(history.path, scope === undefined ? run.pipelinePath : scope.slice(0, -1)),
      short: history.path.at(-1) ?? '',
      state: isFailing ? 'failed' : history.state,
      container: history.kind === 'pipeline' || (history.kind === 'parallel' && withChildren.has(key)),
      segments: isFailing ? segments.map(segment => ({ ...segment, state: 'failed' })) : segments,
    });
  }
  let from = scope === undefined ? 0 : Infinity;
  let to = 0;
  for (const node of nodes)
    for (const segment of node.segments) {
      from = Math.min(from, segment.start);
      to = Math.max(to, segment.end);
    }
  if (scope === undefined) to = Math.max(to, ((run.endedAt ?? now) - run.startedAt) / 1000);
  return { nodes, from: Number.isFinite(from) ? from : 0, to };
}

function segmentsOf(
  run: RunRecord,
  history: NodeHistory,
  plan: Expectation | null,
  critical: ReadonlySet<number>,
  now: number,
): Segment[] {
  const seconds = (at: number): number => Math.max(0, (at - run.startedAt) / 1000);
  const elapsed = seconds(now);
  const segments: Segment[] = [];
  for (const attempt of history.attempts) {
    if (attempt.startedAt === null) continue;
    const start = seconds(attempt.startedAt);
    const previous = segments.at(-1);
    if (previous !== undefined && start > previous.end)
      segments.push({
        kind: 'wait',
        state: 'waiting',
        start: previous.end,
        end: start,
        nodeRunId: null,
        attempt: null,
        critical: false,
      });
    segments.push({
      kind: 'attempt',
      state: attempt.status,
      start,
      end: Math.max(start, attempt.endedAt === null ? elapsed : seconds(attempt.endedAt)),
      nodeRunId: attempt.nodeRunId,
      attempt: attempt.attempt,
      critical: critical.has(attempt.nodeRunId) || (attempt.status === 'running' && plan?.critical === true),
    });
  }
  const last = segments.at(-1);
  if (history.state === 'waiting' && last !== undefined && elapsed > last.end)
    segments.push({
      kind: 'wait',
      state: 'waiting',
      start: last.end,
      end: elapsed,
      nodeRunId: null,
      attempt: null,
      critical: false,
    });
  if (plan !== null && plan.end > elapsed) {
    const isGoingOn = history.state === 'running' && last !== undefined;
    const start = isGoingOn ? last.end : plan.start;
    const state = history.state === 'waiting' ? 'queued' : history.state;
    if (plan.end > start)
      segments.push({
        kind: 'expected',
        state,
        start,
        end: plan.end,
        nodeRunId: isGoingOn ? last.nodeRunId : null,
        attempt: null,
        critical: plan.critical || (isGoingOn && last.critical),
      });
  }
  // A queued node of unknown duration still has its place.
  if (segments.length === 0 && plan !== null)
    segments.push({
      kind: 'expected',
      state: 'queued',
      start: plan.start,
      end: plan.end,
      nodeRunId: null,
      attempt: null,
      critical: plan.critical,
    });
  return segments;
}
