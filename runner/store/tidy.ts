/** What whoever opens the store does for those that could not do it themselves. */
import { closeLostRuns } from './liveness.ts';
import { replaySpools } from './replay.ts';
import type { Store } from './store.ts';

/**
 * Stores what runs left in files while the store was away, and closes runs whose runner died.
 *
 * @returns for each file that cannot be stored what the user should know.
 */
export async function tidyStore(store: Store): Promise<string[]> {
  const outcomes = await replaySpools(store);
  await closeLostRuns(store);
  return outcomes.flatMap(outcome =>
    outcome.kind === 'failed'
      ? [`What a run left in ${outcome.path} while the store was away cannot be stored: ${outcome.message}`]
      : [],
  );
}
