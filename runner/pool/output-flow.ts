/** Keeps a worker from being faster than the runner can store. */

/** Output in bytes that may be on its way. */
export const window = 1024 * 1024;

/** Counts what has been sent against what has been taken up. */
export class OutputFlow {
  #sent = 0;
  #taken = 0;
  #opened: PromiseWithResolvers<void> | undefined;

  /** Whether nothing more should be produced for now. */
  get full(): boolean {
    return this.#sent - this.#taken >= window;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** @param total bytes taken up since the worker started. */
  taken(total: number): void {
    this.#taken = Math.max(this.#taken, total);
    if (this.#opened === undefined || this.#sent - this.#taken > window / 2) return;
    this.#opened.resolve();
    this.#opened = undefined;
  }

  /** `undefined` when there is room; else a promise for room. */
  wait(): Promise<void> | undefined {
    if (!this.full) return undefined;
    this.#opened ??= Promise.withResolvers();
    return this.#opened.promise;
  }
}
