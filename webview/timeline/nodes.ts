/** What a run's records say about each node: how it stands, what it did when, and what is expected of it. */
import { formatPath, isAtOrBelow, type NodeGraph, type NodePath } from '../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord, RunRecord } from '../../runner/records.ts';
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

/** Nodes that the run was to run, as far as its graph tells, without the root; a resumed run leaves out what it need not. */
function plannedNodes({ run, graph }: RunDetailsRecord): NodeGraph[] {
  if (graph === null) return [];
  const top = find(graph, run.pipelinePath);
  if (top === null) return [];
  const all: NodeGraph[] = [];
  const walk = (node: NodeGraph): void => {
    for (const child of node.nodes) {
      all.push(child);
      walk(child);
    }
  };
  walk(top);
  const isWhole = run.nodePaths.length === 0 || run.nodePaths.some(path => isAtOrBelow(top.path, path));
  if (run.resumedFrom !== null) return [];
  if (isWhole) return all;
  const selected = new Set<NodeGraph>(
    all.filter(node => run.nodePaths.some(path => isAtOrBelow(node.path, path))),
  );
  if (run.withUpstreams) addUpstreams(selected, top);
  // Pipelines around what is selected run too.
  return all.filter(
    node => selected.has(node) || [...selected].some(inner => isAtOrBelow(inner.path, node.path)),
  );
}

function addUpstreams(selected: Set<NodeGraph>, pipeline: NodeGraph): boolean {
  const waiting = pipeline.nodes.filter(node => {
    const inside = addUpstreams(selected, node);
    return selected.has(node) || inside;
  });
  const byId = new Map(pipeline.nodes.map(node => [node.id, node]));
  const seen = new Set(waiting);
  for (const node of seen)
    for (const id of node.upstreams) {
      const upstream = byId.get(id);
      if (upstream === undefined || seen.has(upstream)) continue;
      seen.add(upstream);
      const add = (one: NodeGraph): void => {
        selected.add(one);
        one.nodes.forEach(add);
      };
      add(upstream);
    }
  return waiting.length > 0;
}

/** The node at a path of a graph that may begin at the root or at a pipeline. */
export function find(graph: NodeGraph, path: NodePath): NodeGraph | null {
  if (graph.path.length === path.length && isAtOrBelow(graph.path, path)) return graph;
  if (!isAtOrBelow(path, graph.path)) return null;
  for (const child of graph.nodes) {
    if (!isAtOrBelow(path, child.path)) continue;
    return find(child, path);
  }
  return null;
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
  const nodes: TimelineNode[] = [];
  for (const history of shown) {
    const key = formatPath(history.path);
    const segments = segmentsOf(run, history, plan.get(key) ?? null, critical, now);
    if (segments.length === 0) continue;
    nodes.push({
      path: history.path,
      label: labelOf(history.path, scope === undefined ? run.pipelinePath : scope.slice(0, -1)),
      short: history.path.at(-1) ?? '',
      state: history.state,
      container: history.kind === 'pipeline' || (history.kind === 'parallel' && withChildren.has(key)),
      segments,
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

/** When a node is expected to begin and end, in seconds since the beginning of the run. */
interface Expectation {
  readonly start: number;
  readonly end: number;
  readonly critical: boolean;
}

/** By path, for what goes on and what is queued: each begins when what it waits for has ended. */
function expectations(
  details: RunDetailsRecord,
  histories: readonly NodeHistory[],
  now: number,
): Map<string, Expectation> {
  const { run, graph } = details;
  const plan = new Map<string, Expectation>();
  if (run.status !== 'running' || graph === null) return plan;
  const top = find(graph, run.pipelinePath);
  if (top === null) return plan;
  const elapsed = Math.max(0, (now - run.startedAt) / 1000);
  const byPath = new Map(histories.map(history => [formatPath(history.path), history]));
  const because = new Map<string, string>();
  let latest: string | null = null;
  let latestEnd = elapsed;

  /** Fills `plan` for what is in a pipeline and returns when it ends. */
  const visit = (
    pipeline: NodeGraph,
    ready: number,
    reason: string | null,
  ): { end: number; reason: string | null } => {
    const ends = new Map<string, { end: number; reason: string | null }>();
    let result: { end: number; reason: string | null } = { end: ready, reason };
    const children = new Map(pipeline.nodes.map(node => [node.id, node]));
    const endOf = (node: NodeGraph): { end: number; reason: string | null } => {
      const known = ends.get(node.id);
      if (known !== undefined) return known;
      // A cycle cannot have run; against broken graphs this still ends.
      ends.set(node.id, { end: ready, reason });
      let begin = { end: ready, reason };
      for (const id of node.upstreams) {
        const upstream = children.get(id);
        if (upstream === undefined) continue;
        const before = endOf(upstream);
        if (before.end > begin.end) begin = before;
      }
      const end = visitNode(node, begin.end, begin.reason);
      ends.set(node.id, end);
      return end;
    };
    for (const node of pipeline.nodes) {
      const end = endOf(node);
      if (end.end > result.end) result = end;
    }
    return result;
  };

  const visitNode = (
    node: NodeGraph,
    ready: number,
    reason: string | null,
  ): { end: number; reason: string | null } => {
    const key = formatPath(node.path);
    const history = byPath.get(key);
    if (history === undefined || history.state === 'skipped') return { end: ready, reason };
    const last = history.attempts.at(-1);
    const started = last?.startedAt == null ? null : (last.startedAt - run.startedAt) / 1000;
    const isOpen = history.state === 'queued' || history.state === 'running' || history.state === 'waiting';
    if (!isOpen) {
      const end = last?.endedAt == null ? elapsed : (last.endedAt - run.startedAt) / 1000;
      // What began elsewhere may still go on inside of it.
      if (node.kind === 'pipeline') visit(node, end, reason);
      return { end, reason: null };
    }
    const start = history.state === 'running' && started !== null ? started : Math.max(elapsed, ready);
    let outcome: { end: number; reason: string | null };
    if (node.kind === 'pipeline') {
      outcome = visit(node, history.state === 'running' ? Math.min(ready, elapsed) : start, reason);
      outcome = { end: Math.max(outcome.end, elapsed), reason: outcome.reason };
    } else {
      const lasts = history.expected ?? 0;
      outcome = { end: Math.max(elapsed, start + lasts), reason: key };
      if (reason !== null && history.state !== 'running') because.set(key, reason);
      if (outcome.end > latestEnd) {
        latestEnd = outcome.end;
        latest = key;
      }
    }
    plan.set(key, { start, end: outcome.end, critical: false });
    return outcome;
  };

  visit(top, 0, null);
  for (let key: string | null | undefined = latest; key != null; key = because.get(key)) {
    const one = plan.get(key);
    if (one === undefined || one.critical) break;
    plan.set(key, { ...one, critical: true });
  }
  return plan;
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
