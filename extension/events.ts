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

/** Calls once for any number of wishes within some milliseconds. */
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
