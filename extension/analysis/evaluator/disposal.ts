/** `using`: what is disposed of at the end of a block. */
import type { ts } from '../syntax.ts';
import { getProperty } from './access.ts';
import { callFunction } from './calls.ts';
import type { Machine } from './machine.ts';
import type { Scope } from './scope.ts';
import type { Running } from './statements.ts';
import { Abandoned, Dyn, UserThrow } from './values.ts';

interface Disposable {
  readonly value: unknown;
  readonly dispose: unknown;
  readonly isAsync: boolean;
  readonly node: ts.Node;
}

const disposables = new WeakMap<Scope, Disposable[]>();

/** Takes note of the value of a `using` declaration. */
export function addDisposable(
  machine: Machine,
  scope: Scope,
  value: unknown,
  isAsync: boolean,
  node: ts.Node,
): void {
  if (value === null || value === undefined) return;
  let dispose: unknown = isAsync ? getProperty(machine, value, Symbol.asyncDispose, node) : undefined;
  dispose ??= getProperty(machine, value, Symbol.dispose, node);
  if (typeof dispose !== 'function' && !(dispose instanceof Dyn)) {
    machine.throwError(new TypeError(`Object not ${isAsync ? 'async ' : ''}disposable.`), node);
  }
  const known = disposables.get(scope);
  if (known === undefined) disposables.set(scope, [{ value, dispose, isAsync, node }]);
  else known.push({ value, dispose, isAsync, node });
}

/** Runs statements, and disposes of what they have declared with `using`, the last first. */
export function disposing<T>(machine: Machine, scope: Scope, running: Running<T>): Running<T> {
  return scope.module.hasUsing ? runAndDispose(machine, scope, running) : running;
}

function* runAndDispose<T>(machine: Machine, scope: Scope, running: Running<T>): Running<T> {
  let result: T;
  try {
    result = yield* running;
  } catch (error) {
    if (error instanceof UserThrow || error instanceof Abandoned) yield* disposeAll(machine, scope);
    throw error;
  }
  yield* disposeAll(machine, scope);
  return result;
}

function* disposeAll(machine: Machine, scope: Scope): Running<void> {
  const all = disposables.get(scope);
  if (all === undefined) return;
  disposables.delete(scope);
  for (const { value, dispose, isAsync, node } of all.reverse()) {
    const result = callFunction(machine, dispose, value, [], node);
    if (isAsync) yield { kind: 'await', value: result };
  }
}
