import type { EventHandler } from '../api/config.ts';
import { expandOutput, type OutputBatch, type RunEvent } from '../events.ts';
import type { RunSubscriber } from './subscriber.ts';

/**
 * Gives every event to the handlers of the project's configuration, in order. What a handler throws, at once or later,
 * is told to the user once per message and never breaks the run.
 */
export class EventHandlers implements RunSubscriber {
  readonly #handlers: readonly EventHandler[];
  readonly #runId: number | null;
  readonly #onError: (message: string) => void;
  readonly #reported = new Set<string>();
  readonly #pending = new Set<Promise<void>>();

  constructor(handlers: readonly EventHandler[], runId: number | null, onError: (message: string) => void) {
    this.#handlers = handlers;
    this.#runId = runId;
    this.#onError = onError;
  }

  onEvent(event: RunEvent): void {
    for (const handler of this.#handlers) {
      try {
        const result = handler(event);
        if (result instanceof Promise) this.#follow(result);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  onOutput(batch: OutputBatch): void {
    for (const event of expandOutput(batch, this.#runId)) this.onEvent(event);
  }

  /** Handlers may still be at work when the run is over, for example sending a message. */
  async close(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #follow(result: Promise<void>): void {
    const followed: Promise<void> = result
      .catch((error: unknown) => {
        this.#report(error);
      })
      .finally(() => this.#pending.delete(followed));
    this.#pending.add(followed);
  }

  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#onError(`An event handler of millrace.config.ts failed: ${message}`);
  }
}
