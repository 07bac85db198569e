/** Average durations of all nodes, read once for all pages that show them: they change when a run has ended. */
import { averageDurations, averagePipelineDurations } from '../store/durations.ts';
import type { Store } from '../store/store.ts';

export class AverageCache {
  #averages: Promise<ReadonlyMap<string, number>> | null = null;

  /** Seconds by path as `a/b`, pipelines with their wall time. */
  async read(store: Store): Promise<ReadonlyMap<string, number>> {
    if (this.#averages !== null) return await this.#averages;
    const averages = readAverages(store);
    this.#averages = averages;
    averages.catch(() => {
      if (this.#averages === averages) this.forget(); // the store went away in between
    });
    return await averages;
  }

  /** Runs began, ended or were deleted. */
  forget(): void {
    this.#averages = null;
  }
}

async function readAverages(store: Store): Promise<ReadonlyMap<string, number>> {
  const [tasks, pipelines] = await Promise.all([
    averageDurations(store, []),
    averagePipelineDurations(store, []),
  ]);
  return new Map([...pipelines, ...tasks]);
}
