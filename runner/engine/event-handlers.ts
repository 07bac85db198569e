import { isPromise } from 'node:util/types';
import type { EventHandler } from '../api/config.ts';
import { expandOutput, type OutputBatch, type RunEvent } from '../events.ts';
import type { RunSubscriber } from './subscriber.ts';

export interface EventHandlersOptions {
  /** Gets what goes wrong, once per message. */
  readonly onError: (message: string) => void;
  /** Seconds that handlers which do not end may hold up output, or the end of the run. Default 30. */
  readonly patience?: number;
}

/** Calls that may be pending before output has to wait: a slow handler must not fill the memory. */
const maxPending = 1000;

/**
 * Gives every event to the handlers of the project's configuration, in order. What a handler throws, at once or later,
 * is told to the user once per message and never breaks the run.
 */
export class EventHandlers implements RunSubscriber {
  readonly #handlers: readonly EventHandler[];
  readonly #runId: number | null;
  readonly #options: Required<EventHandlersOptions>;
  readonly #reported = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #room: Promise<void> | undefined;
  #makeRoom: () => void = () => undefined;
  #isStuck = false;

  constructor(handlers: readonly EventHandler[], runId: number | null, options: EventHandlersOptions) {
    this.#handlers = handlers;
    this.#runId = runId;
    this.#options = { patience: 30, ...options };
  }

  onEvent(event: RunEvent): void {
    for (const handler of this.#handlers) {
      try {
        const result: unknown = handler(event);
        if (isPromise(result)) this.#follow(result);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  onOutput(batch: OutputBatch): void {
    for (const event of expandOutput(batch, this.#runId)) this.onEvent(event);
  }

  drained(): Promise<void> | undefined {
    if (this.#isStuck || this.#pending.size < maxPending) return undefined;
    this.#room ??= this.#waitForRoom();
    return this.#room;
  }

  /** Handlers may still be at work when the run is over, for example sending a message. */
  async close(): Promise<void> {
    await this.#withPatience(
      this.#settled(),
      seconds => `was still at work ${seconds} s after the run. It was not waited for any longer.`,
    );
  }

  async #waitForRoom(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#makeRoom = resolve;
    await this.#withPatience(
      promise,
      seconds => `has let ${String(maxPending)} events wait for ${seconds} s. The run goes on without it.`,
    );
    this.#room = undefined;
  }

  async #withPatience(work: Promise<void>, complaint: (seconds: string) => string): Promise<void> {
    if (this.#isStuck) return;
    const { patience, onError } = this.#options;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#isStuck = true;
      onError(`An event handler of millrace.config.ts ${complaint(String(patience))}`);
      over.resolve();
    }, patience * 1000);
    await Promise.race([work, over.promise]);
    clearTimeout(timer);
  }

  async #settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #follow(result: Promise<unknown>): void {
    const followed: Promise<void> = result
      .then(
        () => undefined,
        (error: unknown) => {
          this.#report(error);
        },
      )
      .finally(() => {
        this.#pending.delete(followed);
        if (this.#pending.size < maxPending) this.#makeRoom();
      });
    this.#pending.add(followed);
  }

  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    this.#options.onError(`An event handler of millrace.config.ts failed: ${message}`);
  }
}
