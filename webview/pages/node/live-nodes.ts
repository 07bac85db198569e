/** Where the nodes of a run stand; pure. */
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord } from '../../../runner/records.ts';
import type { LiveNodes, PartCounts } from '../../graph/faces.ts';
import type { ShownState } from '../../parts/states.ts';
import { nodeHistories } from '../../timeline/nodes.ts';

export function liveNodes(details: RunDetailsRecord): LiveNodes {
  const latest = new Map<string, NodeRunRecord>();
  const states = new Map<string, ShownState>();
  const counts = new Map<string, PartCounts>();
  const histories = nodeHistories(details);
  const over = new Set(
    histories
      .filter(({ state }) => !['running', 'queued', 'waiting'].includes(state))
      .map(({ path }) => formatPath(path)),
  );
  /** What is in a pipeline that has ended gets no turn any more. */
  const isOver = (path: NodePath): boolean =>
    path.some((_, index) => over.has(formatPath(path.slice(0, index))));
  for (const { path, kind, attempts, state } of histories) {
    const key = formatPath(path);
    states.set(key, state === 'queued' && isOver(path) ? 'skipped' : state);
    const last = attempts.at(-1);
    if (last !== undefined) latest.set(key, last);
    if (kind === 'pipeline' || last === undefined) continue;
    for (let length = 0; length < path.length; length += 1) {
      const above = formatPath(path.slice(0, length));
      const before = counts.get(above) ?? { finished: 0, running: 0, failed: 0 };
      const isRunning = state === 'running' || state === 'waiting';
      counts.set(above, {
        finished: before.finished + (isRunning ? 0 : 1),
        running: before.running + (state === 'running' ? 1 : 0),
        failed: before.failed + (state === 'failed' ? 1 : 0),
      });
    }
  }
  return { latest, states, counts, expected: details.expected };
}
