/** Calls and constructions of the evaluated program: which of them are evaluated, which run natively, which never. */
import { isNode } from '../../../runner/api/node.ts';
import { type SyntaxNode, ts } from '../syntax.ts';
import { calleeText } from './access.ts';
import { afterSuper, classInfoOf } from './classes.ts';
import { callClosure, closureOf, functionSource } from './functions.ts';
import type { Machine } from './machine.ts';
import { callNative, constructNative } from './natives.ts';
import type { Scope } from './scope.ts';
import { Abandoned, Coerced, Dyn, isSignal, UserThrow } from './values.ts';

type Callable = (...args: never[]) => unknown;

const {
  apply: applyMethod,
  bind: bindMethod,
  call: callMethod,
  toString: toStringMethod,
} = Function.prototype;

interface Bound {
  readonly target: unknown;
  readonly thisValue: unknown;
  readonly args: readonly unknown[];
}

const bound = new WeakMap<object, Bound>();

/** Calls a function of any kind, as the program does at `node`. */
export function callFunction(
  machine: Machine,
  fn: unknown,
  thisValue: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): unknown {
  machine.step(node);
  if (fn instanceof Dyn) return callUnknown(machine, fn, thisValue, args, node);
  if (typeof fn !== 'function') {
    return machine.mistake(new TypeError(`${calleeText(node)} is not a function`), node);
  }
  const closure = closureOf(fn);
  if (closure !== undefined) return callClosure(machine, closure, thisValue, args);
  if (classInfoOf(fn) !== undefined) {
    return machine.mistake(
      new TypeError(`Class constructor ${fn.name} cannot be invoked without 'new'`),
      node,
    );
  }
  const binding = bound.get(fn);
  if (binding !== undefined) {
    return callFunction(machine, binding.target, binding.thisValue, [...binding.args, ...args], node);
  }
  if (fn === callMethod) return callFunction(machine, thisValue, args[0], args.slice(1), node);
  if (fn === applyMethod) return applyFunction(machine, thisValue, args[0], args[1], node);
  if (fn === Reflect.apply) return applyFunction(machine, args[0], args[1], args[2], node);
  if (fn === Reflect.construct) {
    const list = args[1];
    return Array.isArray(list) && machine.opened(list) === undefined
      ? construct(machine, args[0], list, node)
      : new Dyn('arguments that are not known', node);
  }
  if (fn === bindMethod) return bindFunction(machine, thisValue, args, node);
  if (fn === toStringMethod) {
    const source = closureOf(thisValue) ?? classInfoOf(thisValue);
    return source === undefined
      ? new Dyn('the text of a function', node)
      : 'scope' in source
        ? functionSource(source)
        : source.node.getText();
  }
  const answer = machine.host.call(machine, fn as Callable, thisValue, args, node);
  if (answer !== undefined) return answer.value;
  return callNative(machine, fn as Callable, thisValue, args, node);
}

function applyFunction(
  machine: Machine,
  fn: unknown,
  thisValue: unknown,
  list: unknown,
  node: SyntaxNode,
): unknown {
  if (list === undefined || list === null) return callFunction(machine, fn, thisValue, [], node);
  if (list instanceof Dyn) return callUnknown(machine, list, thisValue, [], node);
  const opened = machine.opened(list);
  if (opened !== undefined) return callUnknown(machine, opened, thisValue, [], node);
  return callFunction(machine, fn, thisValue, Array.from(list as ArrayLike<unknown>), node);
}

function bindFunction(
  machine: Machine,
  target: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): unknown {
  if (target instanceof Dyn) return target.derive();
  if (typeof target !== 'function') {
    return machine.mistake(new TypeError('Bind must be called on a function'), node);
  }
  const [thisValue, ...given] = args;
  const { wrapper } = {
    wrapper(...rest: unknown[]): unknown {
      return callFunction(machine, target, thisValue, [...given, ...rest], node);
    },
  };
  Object.defineProperty(wrapper, 'name', { value: `bound ${target.name}`, configurable: true });
  Object.defineProperty(wrapper, 'length', {
    value: Math.max(0, target.length - given.length),
    configurable: true,
  });
  bound.set(wrapper, { target, thisValue, args: given });
  return wrapper;
}

/** Calls what cannot be known: what it is given may be changed by it, and functions may be called by it. */
export function callUnknown(
  machine: Machine,
  dyn: Dyn,
  _thisValue: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): Dyn {
  const result = dyn.derive();
  machine.mayThrow ??= result;
  for (const arg of args) escape(machine, arg, result, node);
  return result;
}

/** A value is handed to code that is not evaluated. */
export function escape(machine: Machine, value: unknown, dyn: Dyn, node: SyntaxNode, depth = 0): void {
  if (depth > 3) return;
  if (typeof value === 'function') {
    const closure = closureOf(value);
    if (closure === undefined) return;
    // It may be called, any number of times and with anything.
    const args = closure.node.parameters.map(() => dyn.derive());
    const branch = machine.branch({ kind: 'repeated', dyn }, () => {
      try {
        return machine.deeper(node, () => callClosure(machine, closure, undefined, args));
      } catch (error) {
        if (error instanceof UserThrow || error instanceof Abandoned || error instanceof Coerced)
          return undefined;
        throw error;
      }
    });
    machine.merge([branch], dyn, false);
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof Dyn) return;
  if (isNode(value)) {
    machine.host.escape(machine, value, dyn, node);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 1000)) escape(machine, item, dyn, node, depth + 1);
    machine.open(value, dyn);
  } else if (Reflect.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) escape(machine, item, dyn, node, depth + 1);
    if (!Object.isFrozen(value)) machine.open(value, dyn);
  } else if (value instanceof Map || value instanceof Set) {
    for (const item of value.values()) escape(machine, item, dyn, node, depth + 1);
    machine.open(value, dyn);
  }
}

/** `new` as the program writes it. */
export function construct(
  machine: Machine,
  fn: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): unknown {
  machine.step(node);
  if (fn instanceof Dyn) return callUnknown(machine, fn, undefined, args, node);
  const closure = closureOf(fn);
  if (
    closure !== undefined &&
    (ts.isFunctionDeclaration(closure.node) || ts.isFunctionExpression(closure.node))
  ) {
    return callUnknown(machine, new Dyn('a function that is used as a class', node), undefined, args, node);
  }
  if (typeof fn !== 'function' || closure !== undefined) {
    return machine.mistake(new TypeError(`${calleeText(node)} is not a constructor`), node);
  }
  const made = machine.deeper(node, () => constructValue(machine, fn, args, fn, node));
  if (typeof made === 'object' && made !== null) machine.host.noteMade(machine, made, node);
  return made;
}

/** Makes an object by a class; `newTarget` is the class that the program named. */
export function constructValue(
  machine: Machine,
  fn: unknown,
  args: readonly unknown[],
  newTarget: unknown,
  node: SyntaxNode,
): unknown {
  if (classInfoOf(fn) !== undefined) {
    return Reflect.construct(fn as new (...given: unknown[]) => object, args, newTarget as new () => object);
  }
  const answer = machine.host.construct(machine, fn, args, newTarget, node);
  if (answer !== undefined) return answer.value;
  return constructNative(machine, fn, args, newTarget, node);
}

export function superCall(
  machine: Machine,
  node: ts.CallExpression,
  args: readonly unknown[],
  scope: Scope,
): unknown {
  const { callSuper } = scope.frame;
  if (callSuper === undefined) {
    return machine.mistake(new SyntaxError("'super' keyword unexpected here"), node);
  }
  machine.host.superNode = node;
  let made: unknown;
  try {
    made = callSuper(args);
  } catch (error) {
    if (isSignal(error)) throw error;
    throw new UserThrow(error, node);
  }
  afterSuper(scope.frame, scope);
  return made;
}
