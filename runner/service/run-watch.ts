/** Tells of every run that begins or ends, wherever that is. */
import type { RunRecord } from '../records.ts';
import { runsGoingOn } from '../store/run-changes.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import { runsById } from '../store/run-search.ts';
import type { Store } from '../store/store.ts';
import { toRunRecord } from './run-records.ts';

/** Milliseconds from one look at changes to the next; what comes after a pause is looked at at once. */
const PERIOD = 40;

export interface RunWatchOptions {
  readonly store: () => Promise<Store>;
  readonly onRuns: (changed: readonly RunRecord[], deleted: readonly number[]) => void;
  /** Whether runs go on has changed. */
  readonly onRunning: (hasRunning: boolean) => void;
  readonly onFailure: (error: unknown) => void;
}

export class RunWatch {
  readonly #options: RunWatchOptions;
  readonly #running = new Set<number>();
  /** The highest id that was seen; `null` before the store was open for the first time. */
  #newest: number | null = null;
  readonly #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = -PERIOD;
  #working: Promise<void> = Promise.resolve();

  constructor(options: RunWatchOptions) {
    this.#options = options;
  }

  /** The store is open: what has happened while it was not is told. */
  onReady(): void {
    this.#enqueue(async store => {
      const { running, newest } = await runsGoingOn(store);
      const before = this.#newest;
      if (before === null) {
        this.#newest = newest;
        for (const id of running) this.#running.add(id);
        this.#options.onRunning(this.#running.size > 0);
        return;
      }
      // Of many only the newest, which are the ones that anybody looks at.
      const missed = Array.from(
        { length: Math.min(100, Math.max(0, newest - before)) },
        (_, i) => newest - i,
      );
      await this.#tell(store, [...new Set([...this.#running, ...running, ...missed])], false);
    });
  }

  onChange({ run, changed }: ChangeNotice): void {
    const isNews = changed.includes('run') || changed.includes('cancel');
    if (!isNews && (this.#running.has(run) || run <= (this.#newest ?? Infinity))) return;
    this.#changed.add(run);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#lookedAt = performance.now();
        const ids = [...this.#changed];
        this.#changed.clear();
        this.#enqueue(store => this.#tell(store, ids, true));
      },
      Math.max(0, this.#lookedAt + PERIOD - performance.now()),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #enqueue(work: (store: Store) => Promise<void>): void {
    this.#working = this.#working.then(async () => {
      try {
        await work(await this.#options.store());
      } catch (error) {
        this.#options.onFailure(error); // when the store is back, everything is looked at anew
      }
    });
  }

  async #tell(store: Store, ids: readonly number[], isNoticed: boolean): Promise<void> {
    const changed = (await runsById(store, ids)).map(toRunRecord);
    const found = new Set(changed.map(run => run.runId));
    for (const { runId, status } of changed) {
      if (status === 'running') this.#running.add(runId);
      else this.#running.delete(runId);
      this.#newest = Math.max(this.#newest ?? 0, runId);
    }
    // Numbers that no run ever got are not told of.
    const deleted = ids.filter(id => !found.has(id) && (isNoticed || this.#running.has(id)));
    for (const id of deleted) this.#running.delete(id);
    this.#options.onRunning(this.#running.size > 0);
    if (changed.length > 0 || deleted.length > 0) this.#options.onRuns(changed, deleted);
  }
}
