/** The functions of `Promise`, for the promises of the evaluated program. */
import type { SyntaxNode } from '../syntax.ts';
import { callFunction } from './calls.ts';
import { iterate } from './iteration.ts';
import type { Machine } from './machine.ts';
import { rejected, resolved, StaticPromise } from './promises.ts';
import { Coerced, Dyn, Uncertain, UserThrow } from './values.ts';

/** Answers a call of one of Promise's functions; `undefined` for any other function. */
export function callPromise(
  machine: Machine,
  fn: unknown,
  thisValue: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): { readonly value: unknown } | undefined {
  switch (fn) {
    case Promise.prototype.then:
    case Promise.prototype.catch:
    case Promise.prototype.finally:
      return thisValue instanceof StaticPromise
        ? { value: chained(machine, fn, thisValue, args, node) }
        : { value: new Dyn('a promise', node) };
    case Promise.resolve:
      return { value: args[0] instanceof Dyn ? args[0] : resolved(machine, args[0]) };
    case Promise.reject:
      return { value: rejected(machine, new UserThrow(args[0], node)) };
    case Promise.all:
    case Promise.allSettled:
    case Promise.race:
    case Promise.any:
      return { value: combined(machine, fn, args[0], node) };
    case Promise.withResolvers: {
      const promise = StaticPromise.make(machine.jobs);
      return { value: { promise, ...settlers(machine, promise, node) } };
    }
    default:
      return undefined;
  }
}

export function constructPromise(machine: Machine, args: readonly unknown[], node: SyntaxNode): unknown {
  const promise = StaticPromise.make(machine.jobs);
  const { resolve, reject } = settlers(machine, promise, node);
  const thrown = caught(machine, () => callFunction(machine, args[0], undefined, [resolve, reject], node));
  if (thrown instanceof UserThrow) promise.fail(thrown);
  return promise;
}

function settlers(
  machine: Machine,
  promise: StaticPromise,
  node: SyntaxNode,
): { readonly resolve: (value: unknown) => void; readonly reject: (reason: unknown) => void } {
  const resolve = (value: unknown): void => {
    promise.fulfil(value);
  };
  const reject = (reason: unknown): void => {
    promise.fail(new UserThrow(reason, node));
  };
  machine.allow(resolve);
  machine.allow(reject);
  return { resolve, reject };
}

function caught(machine: Machine, action: () => unknown): unknown {
  const outer = machine.tryDepth;
  machine.tryDepth = outer + 1;
  try {
    return action();
  } catch (error) {
    if (error instanceof UserThrow) return error;
    throw error;
  } finally {
    machine.tryDepth = outer;
  }
}

function chained(
  machine: Machine,
  fn: unknown,
  promise: StaticPromise,
  args: readonly unknown[],
  node: SyntaxNode,
): StaticPromise {
  const next = StaticPromise.make(machine.jobs);
  const isFinally = fn === Promise.prototype.finally;
  const onValue = fn === Promise.prototype.catch ? undefined : args[0];
  const onError = fn === Promise.prototype.then ? args[1] : args[0];
  const settleWith = (handler: unknown, value: unknown, otherwise: () => void): void => {
    if (typeof handler !== 'function') {
      otherwise();
      return;
    }
    const result = caught(machine, () =>
      callFunction(machine, handler, undefined, isFinally ? [] : [value], node),
    );
    if (result instanceof UserThrow) next.fail(result);
    else if (isFinally) otherwise();
    else next.fulfil(result);
  };
  promise.whenSettled(
    value => {
      settleWith(onValue, value, () => {
        next.fulfil(value);
      });
    },
    error => {
      settleWith(onError, error.value, () => {
        next.fail(error);
      });
    },
  );
  return next;
}

function combined(machine: Machine, fn: unknown, source: unknown, node: SyntaxNode): unknown {
  const promise = StaticPromise.make(machine.jobs);
  const items: unknown[] = [];
  try {
    for (const item of iterate(machine, source, node)) {
      if (item instanceof Uncertain) return item.context.dyn.derive();
      items.push(item);
    }
  } catch (error) {
    if (error instanceof Coerced) return error.dyn.derive();
    throw error;
  }
  const results: unknown[] = items.map(() => undefined);
  let left = items.length;
  const finish = (index: number, value: unknown): void => {
    results[index] = value;
    if (--left === 0) promise.fulfil(results);
  };
  if (left === 0 && fn !== Promise.race) promise.fulfil(results);
  for (const [index, item] of items.entries()) {
    resolved(machine, item).whenSettled(
      value => {
        if (fn === Promise.race || fn === Promise.any) promise.fulfil(value);
        else finish(index, fn === Promise.allSettled ? { status: 'fulfilled', value } : value);
      },
      error => {
        if (fn === Promise.allSettled) finish(index, { status: 'rejected', reason: error.value });
        else if (fn !== Promise.any) promise.fail(error);
        else if (--left === 0)
          promise.fail(new UserThrow(new AggregateError([], 'All promises were rejected'), node));
      },
    );
  }
  return promise;
}
