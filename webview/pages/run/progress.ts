/** How far a run is, as a bar that shows how it came about. */
import type { RunProgress } from '../../../runner/records.ts';
import type { NodeHistory } from '../../timeline/nodes.ts';

export interface ProgressSegment {
  readonly state: 'succeeded' | 'failed' | 'running' | 'queued';
  /** Of 100. */
  readonly share: number;
}

/**
 * What is done is shared out among outcomes by expected duration (without one: by the average); it is `fraction` of the
 * whole, and skipped and cancelled nodes have no part in it. Of a run that is over, what did not run is what is left.
 * Times in ms.
 */
export function progressSegments(
  histories: readonly NodeHistory[],
  progress: RunProgress,
  isOver: boolean,
  now: number,
): ProgressSegment[] {
  const tasks = leafHistories(histories);
  const known = tasks.flatMap(({ expected }) => (expected === null ? [] : [expected]));
  const average = known.length === 0 ? 1 : known.reduce((sum, each) => sum + each, 0) / known.length;
  const weights = { succeeded: 0, failed: 0, running: 0, left: 0 };
  for (const { state, attempts, expected } of tasks) {
    // Also what takes no time is something that was done.
    const weight = Math.max(expected ?? average, 0.001);
    switch (state) {
      case 'succeeded':
      case 'unchanged':
        weights.succeeded += weight;
        break;
      case 'failed':
      case 'lost':
        weights.failed += weight;
        break;
      case 'running': {
        const started = attempts.at(-1)?.startedAt ?? now;
        weights.running += Math.min(weight, Math.max(0.001, (now - started) / 1000));
        break;
      }
      default:
        weights.left += weight;
    }
  }
  const sum = weights.succeeded + weights.failed + weights.running;
  // What never got its turn has no history.
  const left = weights.left + Math.max(0, progress.total - tasks.length) * average;
  const fraction = isOver ? sum / Math.max(sum + left, 0.001) : progress.fraction;
  const done = Math.min(1, Math.max(0, fraction)) * 100;
  if (sum === 0)
    return [
      { state: 'running', share: done },
      { state: 'queued', share: 100 - done },
    ];
  const part = (weight: number): number => (weight / sum) * done;
  return [
    { state: 'succeeded', share: part(weights.succeeded) },
    { state: 'failed', share: part(weights.failed) },
    { state: 'running', share: part(weights.running) },
    { state: 'queued', share: 100 - done },
  ];
}

/** Tasks, and parallel tasks: what runs commands. */
export function leafHistories(histories: readonly NodeHistory[]): NodeHistory[] {
  return histories.filter(({ kind }) => kind !== 'pipeline');
}
