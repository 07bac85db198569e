/**
 * Tells the thread that analyses, which reads no messages meanwhile, that the text has changed again. The thread that
 * reads the messages counts the edits that arrive, the other one those that it has taken in.
 */

/** The answer would be about a text that is no longer the one in the editor. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}

export class EditClock {
  readonly buffer: SharedArrayBuffer;
  readonly #arrived: Int32Array;
  #taken = 0;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#arrived = new Int32Array(buffer);
  }

  /** By the reader: an edit has arrived. */
  arrive(): void {
    Atomics.add(this.#arrived, 0, 1);
  }

  /** By the thread that analyses: an edit is taken in. */
  take(): void {
    this.#taken++;
  }

  /** Whether edits have arrived that are not taken in. */
  get isBehind(): boolean {
    return Atomics.load(this.#arrived, 0) > this.#taken;
  }

  /**
   * Aborts what begins now as soon as it looks, after any further edit. An event could not reach a thread that is busy.
   */
  signal(): AbortSignal {
    const controller = new AbortController();
    const taken = this.#taken;
    return Object.defineProperty(controller.signal, 'throwIfAborted', {
      value: () => {
        if (Atomics.load(this.#arrived, 0) > taken)
          controller.abort(new StaleError('The text has changed meanwhile.'));
        if (controller.signal.aborted) throw controller.signal.reason;
      },
    });
  }
}
