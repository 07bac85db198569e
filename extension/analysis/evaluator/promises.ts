/** Promises of the evaluated program: settled one after the other, in the order in which Node would do it. */
import type { SyntaxNode } from '../syntax.ts';
import type { Machine } from './machine.ts';
import { Dyn, type Suspension, UserThrow } from './values.ts';

type State =
  | { readonly kind: 'pending' }
  | { readonly kind: 'fulfilled'; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly error: UserThrow };

type Job = () => void;

/** Jobs that wait for the code that runs now. */
export class JobQueue {
  readonly #jobs: Job[] = [];
  readonly #rejected: StaticPromise[] = [];

  add(job: Job): void {
    this.#jobs.push(job);
  }

  noteRejected(promise: StaticPromise): void {
    this.#rejected.push(promise);
  }

  /** The promises that were rejected since somebody asked last, and that nothing has waited for. */
  takeUnhandled(): StaticPromise[] {
    return this.#rejected.splice(0).filter(({ isHandled }) => !isHandled);
  }

  /** Does one job; false when there is none. */
  runOne(): boolean {
    const job = this.#jobs.shift();
    job?.();
    return job !== undefined;
  }
}

/** Stands for `Promise`. Its type is that of real promises, so that everybody recognizes it. */
export class StaticPromise extends Promise<unknown> {
  #state: State = { kind: 'pending' };
  #waiting: Job[] = [];
  readonly #queue: JobQueue;
  isHandled = false;

  private constructor(queue: JobQueue) {
    super(() => undefined);
    this.#queue = queue;
  }

  static make(queue: JobQueue): StaticPromise {
    return new StaticPromise(queue);
  }

  get state(): State {
    return this.#state;
  }

  fulfil(value: unknown): void {
    if (this.#state.kind !== 'pending') return;
    if (value instanceof StaticPromise) {
      this.#queue.add(() => {
        value.whenSettled(
          result => {
            this.#settle({ kind: 'fulfilled', value: result });
          },
          error => {
            this.#settle({ kind: 'rejected', error });
          },
        );
      });
      return;
    }
    this.#settle({ kind: 'fulfilled', value });
  }

  fail(error: UserThrow): void {
    this.#settle({ kind: 'rejected', error });
  }

  #settle(state: State): void {
    if (this.#state.kind !== 'pending') return;
    this.#state = state;
    if (state.kind === 'rejected') this.#queue.noteRejected(this);
    for (const job of this.#waiting) this.#queue.add(job);
    this.#waiting = [];
  }

  whenSettled(onValue: (value: unknown) => void, onError: (error: UserThrow) => void): void {
    this.isHandled = true;
    const job: Job = () => {
      if (this.#state.kind === 'fulfilled') onValue(this.#state.value);
      else if (this.#state.kind === 'rejected') onError(this.#state.error);
    };
    if (this.#state.kind === 'pending') this.#waiting.push(job);
    else this.#queue.add(job);
  }
}

export function resolved(machine: Machine, value: unknown): StaticPromise {
  if (value instanceof StaticPromise) return value;
  const promise = StaticPromise.make(machine.jobs);
  promise.fulfil(value);
  return promise;
}

export function rejected(machine: Machine, error: UserThrow): StaticPromise {
  const promise = StaticPromise.make(machine.jobs);
  promise.fail(error);
  return promise;
}

/** Waits for a value where nothing else can go on meanwhile: at the top of a module. */
export function settle(machine: Machine, value: unknown, node: SyntaxNode | undefined): unknown {
  if (value instanceof Dyn) return value.derive();
  const promise = resolved(machine, value);
  let outcome: { value: unknown } | { error: UserThrow } | undefined;
  promise.whenSettled(
    result => {
      outcome = { value: result };
    },
    error => {
      outcome = { error };
    },
  );
  while (outcome === undefined && machine.jobs.runOne()) machine.step(node);
  if (outcome === undefined) return new Dyn('something that it waits for', node);
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/** Runs an asynchronous function until it first waits; the rest follows as jobs. */
export function runAsync(machine: Machine, body: Generator<Suspension, unknown, unknown>): StaticPromise {
  const promise = StaticPromise.make(machine.jobs);
  advance(machine, body, promise, { tryDepth: 1 }, () => body.next());
  return promise;
}

function advance(
  machine: Machine,
  body: Generator<Suspension, unknown, unknown>,
  promise: StaticPromise,
  own: { tryDepth: number },
  resume: () => IteratorResult<Suspension, unknown>,
): void {
  const step = attempt(machine, own, resume);
  if (step instanceof UserThrow) {
    promise.fail(step);
    return;
  }
  if (step.done === true) {
    promise.fulfil(step.value);
    return;
  }
  wait(machine, step.value.value, (value, error) => {
    advance(machine, body, promise, own, () => (error === undefined ? body.next(value) : body.throw(error)));
  });
}

function attempt<T>(machine: Machine, own: { tryDepth: number }, action: () => T): T | UserThrow {
  const outer = machine.tryDepth;
  machine.tryDepth = own.tryDepth;
  try {
    return machine.deeper(undefined, action);
  } catch (error) {
    if (error instanceof UserThrow) return error;
    throw error;
  } finally {
    own.tryDepth = machine.tryDepth;
    machine.tryDepth = outer;
  }
}

function wait(
  machine: Machine,
  value: unknown,
  then: (value: unknown, error: UserThrow | undefined) => void,
): void {
  resolved(machine, value instanceof Dyn ? value.derive() : value).whenSettled(
    result => {
      then(result, undefined);
    },
    error => {
      then(undefined, error);
    },
  );
}

/** The object that an asynchronous generator function gives. */
export function asyncIterator(machine: Machine, body: Generator<Suspension, unknown, unknown>): object {
  const own = { tryDepth: 1 };
  let last: StaticPromise = resolved(machine, undefined);
  const next = (value?: unknown): StaticPromise => {
    const promise = StaticPromise.make(machine.jobs);
    const go = (resume: () => IteratorResult<Suspension, unknown>): void => {
      const step = attempt(machine, own, resume);
      if (step instanceof UserThrow) promise.fail(step);
      else if (step.done === true) promise.fulfil({ value: step.value, done: true });
      else if (step.value.kind === 'yield') {
        wait(machine, step.value.value, (item, error) => {
          if (error === undefined) promise.fulfil({ value: item, done: false });
          else promise.fail(error);
        });
      } else {
        wait(machine, step.value.value, (result, error) => {
          go(() => (error === undefined ? body.next(result) : body.throw(error)));
        });
      }
    };
    if (last.state.kind === 'pending') {
      last.whenSettled(
        () => {
          go(() => body.next(value));
        },
        () => {
          go(() => body.next(value));
        },
      );
    } else {
      go(() => body.next(value));
    }
    last = promise;
    return promise;
  };
  const iterator = {
    next,
    [Symbol.asyncIterator]: () => iterator,
    return: (value?: unknown) => {
      body.return(undefined);
      return resolved(machine, { value, done: true });
    },
  };
  for (const method of [iterator.next, iterator.return, iterator[Symbol.asyncIterator]]) {
    machine.allow(method);
  }
  return iterator;
}
