/** What has not happened yet in a run that goes on: when each node is expected to begin and to end. */
import { formatPath, type NodeGraph } from '../../runner/model.ts';
import type { RunDetailsRecord } from '../../runner/records.ts';
import type { NodeHistory } from './nodes.ts';
import { find } from './planned.ts';

/** When a node is expected to begin and end, in seconds since the beginning of the run. */
export interface Expectation {
  readonly start: number;
  readonly end: number;
  readonly critical: boolean;
}

/** By path, for what goes on and what is queued: each begins when what it waits for has ended. */
export function expectations(
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
