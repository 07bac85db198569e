/** Going through what can be iterated. */
import { quoteSource, type SyntaxNode } from '../syntax.ts';
import { getProperty } from './access.ts';
import { callFunction } from './calls.ts';
import type { Machine } from './machine.ts';
import { Coerced, Dyn, isSignal, Uncertain, UserThrow } from './values.ts';

/** Whether an array holds elements that are there only sometimes. */
export function hasUncertain(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.some(element => element instanceof Uncertain);
}

/**
 * The elements of a value.
 *
 * @throws Coerced when they are not known; elements that are uncertain one by one come as {@link Uncertain}
 */
export function* iterate(machine: Machine, value: unknown, node: SyntaxNode): Generator {
  if (value instanceof Dyn) throw new Coerced(value);
  const opened = machine.opened(value);
  if (opened !== undefined && !hasUncertain(value)) throw new Coerced(opened);
  if (Array.isArray(value)) {
    // It may grow while it is gone through.
    for (const item of value as unknown[]) {
      machine.step(node);
      yield item;
    }
    return;
  }
  if (typeof value !== 'object' && typeof value !== 'string' && typeof value !== 'function') {
    machine.throwError(notIterable(value, node), node);
  }
  const method = value === null ? undefined : getProperty(machine, value, Symbol.iterator, node);
  if (method instanceof Dyn) throw new Coerced(method);
  if (typeof method !== 'function') machine.throwError(notIterable(value, node), node);
  const iterator = callFunction(machine, method, value, [], node);
  if (iterator instanceof Dyn) throw new Coerced(iterator);
  yield* items(machine, iterator, node);
}

function* items(machine: Machine, iterator: unknown, node: SyntaxNode): Generator {
  const next = getProperty(machine, iterator, 'next', node);
  let isDone = false;
  try {
    for (;;) {
      machine.step(node);
      const result = callNext(machine, next, iterator, node);
      if (result instanceof Dyn) throw new Coerced(result);
      const done = getProperty(machine, result, 'done', node);
      if (done instanceof Dyn) throw new Coerced(done);
      if (done) {
        isDone = true;
        return;
      }
      yield getProperty(machine, result, 'value', node);
    }
  } catch (error) {
    isDone = true;
    throw error;
  } finally {
    if (!isDone) {
      const close = getProperty(machine, iterator, 'return', node);
      if (typeof close === 'function') callFunction(machine, close, iterator, [], node);
    }
  }
}

function callNext(machine: Machine, next: unknown, iterator: unknown, node: SyntaxNode): unknown {
  try {
    return callFunction(machine, next, iterator, [], node);
  } catch (error) {
    if (isSignal(error)) throw error;
    throw new UserThrow(error, node);
  }
}

function notIterable(value: unknown, node: SyntaxNode): TypeError {
  const what = typeof value === 'object' && value !== null ? quoteSource(node) : String(value);
  return new TypeError(`${quoteSource(node) === what ? what : quoteSource(node)} is not iterable`);
}

/** Gives promises for the results of an asynchronous iterator, or of a synchronous one over promises. */
export function asyncItems(machine: Machine, value: unknown, node: SyntaxNode): () => unknown {
  const asyncMethod = getProperty(machine, value, Symbol.asyncIterator, node);
  if (typeof asyncMethod === 'function') {
    const iterator = callFunction(machine, asyncMethod, value, [], node);
    const next = getProperty(machine, iterator, 'next', node);
    return () => callFunction(machine, next, iterator, [], node);
  }
  const iterator = iterate(machine, value, node);
  return () => {
    const step: IteratorResult<unknown, unknown> = iterator.next();
    return { done: step.done, value: step.value };
  };
}
