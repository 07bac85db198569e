/** Where the nodes of a run stand; pure. */
import { formatPath } from '../../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord } from '../../../runner/records.ts';
import type { LiveNodes, PartCounts } from '../../graph/faces.ts';
import type { ShownState } from '../../parts/states.ts';
import { nodeHistories } from '../../timeline/nodes.ts';

export function liveNodes(details: RunDetailsRecord): LiveNodes {
  const latest = new Map<string, NodeRunRecord>();
  const states = new Map<string, ShownState>();
  const counts = new Map<string, PartCounts>();
  for (const { path, kind, attempts, state } of nodeHistories(details)) {
    const key = formatPath(path);
    states.set(key, state);
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
