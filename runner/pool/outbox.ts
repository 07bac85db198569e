/**
 * What a worker has to say to the runner. Each message costs a system call and wakes the runner, which for tiny tasks
 * is more than the task: what is said in one turn travels together, and a process group that ends within a few
 * milliseconds is not mentioned at all.
 */
import type { FromWorker, WorkerMail } from './protocol.ts';

/** Milliseconds that a process group may live without the runner hearing of it. */
const unmentioned = 5;

export class Outbox {
  readonly #post: (mail: WorkerMail, done?: () => void) => void;
  #messages: FromWorker[] = [];
  readonly #newGroups = new Map<number, NodeJS.Timeout>();

  /** @param post Sends to the runner; `done` is called when that has happened. */
  constructor(post: (mail: WorkerMail, done?: () => void) => void) {
    this.#post = post;
  }

  send(message: FromWorker): void {
    if (message.type === 'group' && !this.#isWorthMentioning(message)) return;
    this.#messages.push(message);
    if (this.#messages.length === 1) {
      queueMicrotask(() => {
        this.flush();
      });
    }
  }

  /** Sends what waits; `done` is called when it has been sent. */
  flush(done?: () => void): void {
    const messages = this.#messages;
    this.#messages = [];
    if (messages.length > 0) this.#post(messages, done);
    else done?.();
  }

  #isWorthMentioning(message: FromWorker & { readonly type: 'group' }): boolean {
    const { pgid } = message;
    const waiting = this.#newGroups.get(pgid);
    if (waiting !== undefined) {
      clearTimeout(waiting);
      this.#newGroups.delete(pgid);
      return false;
    }
    if (!message.alive) return true;
    const timer = setTimeout(() => {
      this.#newGroups.delete(pgid);
      this.#messages.push(message);
      this.flush();
    }, unmentioned);
    timer.unref();
    this.#newGroups.set(pgid, timer);
    return false;
  }
}
