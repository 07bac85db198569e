/** Events and things to dispose of, for modules that know no editor; compatible with the editor's own. */

export interface Disposes {
  dispose(): void;
}

export type Listener<Value> = (value: Value) => void;

export class Emitter<Value> implements Disposes {
  readonly #listeners = new Set<Listener<Value>>();
  readonly #onFault: (error: unknown) => void;

  /** @param onFault gets what a listener throws, which keeps no other listener from its turn. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  readonly event = (listener: Listener<Value>): Disposes => {
    this.#listeners.add(listener);
    return {
      dispose: () => {
        this.#listeners.delete(listener);
      },
    };
  };

  fire(value: Value): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

/** Where the extension says what it does; the editor's log channel is one. */
export interface Log {
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * Milliseconds between two changes of a tree view. VS Code draws a change at once, but one that comes within 200 ms of
 * another waits until there was none for 200 ms: during a busy run that would be never.
 */
export const treePause = 220;

/** Calls at once, and then at most once within some milliseconds: what is rare does not wait for what is frequent. */
export class Paced implements Disposes {
  readonly #pause: number;
  readonly #call: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** By `performance.now()`. */
  #next = 0;

  /** @param pause Milliseconds between two calls. */
  constructor(pause: number, call: () => void) {
    this.#pause = pause;
    this.#call = call;
  }

  /** What is wished for within one turn of the event loop is one call. */
  wish(): void {
    if (this.#timer === undefined) this.#wait();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        // Timers count from the start of the turn in which they were set, and so may come too early.
        if (performance.now() < this.#next) {
          this.#wait();
          return;
        }
        this.#timer = undefined;
        try {
          this.#call();
        } finally {
          this.#next = performance.now() + this.#pause;
        }
      },
      Math.max(0, Math.ceil(this.#next - performance.now())),
    );
  }
}

/** Calls once for any number of wishes within some milliseconds, when these are over. */
export class Coalesced implements Disposes {
  readonly #delay: number;
  readonly #call: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(delay: number, call: () => void) {
    this.#delay = delay;
    this.#call = call;
  }

  wish(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#call();
    }, this.#delay);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
