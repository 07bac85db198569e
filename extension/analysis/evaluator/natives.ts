/** Calls of JavaScript's own library. What is pure runs natively; everything else is unknown. */
import { quoteSource, type SyntaxNode, type ts } from '../syntax.ts';
import { calleeText } from './access.ts';
import { globalNames, isProtected, isPure, isPureConstructor } from './built-ins.ts';
import { callFunction, callUnknown } from './calls.ts';
import { closureOf } from './functions.ts';
import { hasUncertain } from './iteration.ts';
import type { Machine } from './machine.ts';
import { callPromise, constructPromise } from './promise-calls.ts';
import { StaticPromise } from './promises.ts';
import type { Scope } from './scope.ts';
import { Coerced, Dyn, isSignal, OutOfBounds, Uncertain, Unsupported, UserThrow } from './values.ts';

type Callable = (...args: never[]) => unknown;

/** What a name means that the program does not declare. */
export function globalValue(machine: Machine, node: ts.Identifier, scope: Scope): unknown {
  const name = node.text;
  if (name === 'Promise') return StaticPromise;
  if (globalNames.has(name)) return Reflect.get(globalThis, name) as unknown;
  const own = machine.modules.globalOf(machine, name, scope.module, node);
  if (own !== undefined) return own.value;
  if (name in globalThis) return new Dyn(describeUnknown(name), node);
  return machine.mistake(new ReferenceError(`${name} is not defined`), node);
}

/** A noun phrase for what a piece of code that is not evaluated gives. */
export function describeUnknown(text: string): string {
  if (text === 'fetch') return 'the network';
  return `${text}, which only running can tell`;
}

/** Methods that find things by comparing: with something unknown among them, they know nothing. */
const comparing = new Set<unknown>([
  Array.prototype.includes,
  Array.prototype.indexOf,
  Array.prototype.lastIndexOf,
  Map.prototype.get,
  Map.prototype.has,
  Map.prototype.delete,
  Set.prototype.has,
  Set.prototype.delete,
  Set.prototype.union,
  Set.prototype.difference,
  Set.prototype.intersection,
  Set.prototype.isSubsetOf,
  Set.prototype.isSupersetOf,
  Object.is,
]);

/** Functions that hand unknown values on without looking at them. */
const carrying = new Set<unknown>([
  Array.prototype.push,
  Array.prototype.unshift,
  Array.prototype.with,
  Array.prototype.fill,
  Array.of,
]);

/** Functions of which only the first argument matters. */
const callbackFirst = new Set<unknown>([
  Array.prototype.map,
  Array.prototype.forEach,
  Array.prototype.flatMap,
  Array.prototype.reduce,
  Array.prototype.reduceRight,
  Map.prototype.set,
  Map.prototype.forEach,
  Object.freeze,
]);

const mutating = new Set<unknown>([
  Array.prototype.push,
  Array.prototype.unshift,
  Array.prototype.pop,
  Array.prototype.shift,
  Array.prototype.splice,
  Array.prototype.sort,
  Array.prototype.reverse,
  Array.prototype.fill,
  Array.prototype.copyWithin,
  Map.prototype.set,
  Map.prototype.delete,
  Map.prototype.clear,
  Set.prototype.add,
  Set.prototype.delete,
  Set.prototype.clear,
  WeakMap.prototype.set,
  WeakMap.prototype.delete,
  WeakSet.prototype.add,
  URLSearchParams.prototype.set,
  URLSearchParams.prototype.append,
  URLSearchParams.prototype.delete,
  ...Reflect.ownKeys(Date.prototype)
    .filter(key => typeof key === 'string' && key.startsWith('set'))
    .map(key => Reflect.get(Date.prototype, key) as unknown),
]);

/** Functions that change their first argument. */
const mutatingArgument = new Set<unknown>([
  Object.assign,
  Object.defineProperty,
  Object.defineProperties,
  Object.setPrototypeOf,
  Object.freeze,
  Object.seal,
  Object.preventExtensions,
  Reflect.set,
  Reflect.defineProperty,
  Reflect.deleteProperty,
  Reflect.setPrototypeOf,
]);

export function callNative(
  machine: Machine,
  fn: Callable,
  thisValue: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): unknown {
  const promised = callPromise(machine, fn, thisValue, args, node);
  if (promised !== undefined) return promised.value;
  if (!isPure(fn) && !machine.isAllowed(fn)) {
    const unknown =
      (fn as unknown) === Math.random
        ? 'a random number'
        : (fn as unknown) === Date.now || (fn as unknown) === Date
          ? 'the current time'
          : describeUnknown(`${calleeText(node)}()`);
    return callUnknown(machine, new Dyn(unknown, node), thisValue, args, node);
  }
  if (machine.isAllowed(fn)) return run(machine, fn, thisValue, args, node);
  if (thisValue instanceof Dyn) return callUnknown(machine, thisValue, undefined, args, node);
  if (Array.isArray(thisValue)) {
    const own = callOnArray(machine, fn, thisValue as unknown[], args, node);
    if (own !== undefined) return own.value;
  }
  const blocked = unknownAmong(machine, fn, thisValue, args);
  if (blocked !== undefined) {
    const changed = mutatingArgument.has(fn) ? args[0] : mutating.has(fn) ? thisValue : undefined;
    if (typeof changed === 'object' && changed !== null && !(changed instanceof Dyn))
      machine.open(changed, blocked);
    return callUnknown(machine, blocked, thisValue, args, node);
  }
  const target = mutatingArgument.has(fn) ? args[0] : mutating.has(fn) ? thisValue : undefined;
  if (typeof target === 'object' || typeof target === 'function') {
    if (target !== null && isProtected(machine, target)) {
      throw new Unsupported('it changes what is built in', node);
    }
    if (target !== null && machine.isOutside(target)) return changeOutside(machine, fn, target, args);
    if (target !== null) machine.modules.noteMutation(target);
  }
  checkSize(fn, thisValue, args, node);
  return run(machine, fn, thisValue, strictCallbacks(fn, args), node);
}

/** A change that is seen from where it is not certain that it happens. */
function changeOutside(machine: Machine, fn: Callable, target: object, args: readonly unknown[]): unknown {
  const { context } = machine;
  if (context === undefined) return undefined;
  const isFreezing = [Object.freeze, Object.seal, Object.preventExtensions].some(
    other => other === (fn as unknown),
  );
  if (isFreezing) return target;
  if ((fn as unknown) === Array.prototype.push && Array.isArray(target)) {
    for (const arg of args) target.push(new Uncertain(arg, context));
    machine.open(target, context.dyn);
    return context.dyn.derive();
  }
  machine.open(target, context.dyn);
  return mutatingArgument.has(fn) ? target : context.dyn.derive();
}

/** Array methods whose callbacks may give something unknown, or that meet uncertain elements. */
function callOnArray(
  machine: Machine,
  fn: Callable,
  array: unknown[],
  args: readonly unknown[],
  node: SyntaxNode,
): { readonly value: unknown } | undefined {
  const isUncertain = machine.hasOpened && hasUncertain(array);
  const [callback] = args;
  if ((fn as unknown) === Array.prototype.filter && typeof callback === 'function') {
    return { value: filter(machine, array, callback, args[1], node) };
  }
  if (!isUncertain) return undefined;
  if ((fn as unknown) === Array.prototype.push) {
    return { value: void array.push(...args) };
  }
  const isMapping = (fn as unknown) === Array.prototype.map || (fn as unknown) === Array.prototype.flatMap;
  if (!isMapping && (fn as unknown) !== Array.prototype.forEach) return undefined;
  const result: unknown[] = [];
  for (const [index, element] of array.entries()) {
    if (!(element instanceof Uncertain)) {
      const made = callFunction(machine, callback, args[1], [element, index, array], node);
      if ((fn as unknown) === Array.prototype.flatMap && Array.isArray(made))
        result.push(...(made as unknown[]));
      else result.push(made);
      continue;
    }
    const { context, value } = element;
    const branch = machine.branch(context, () =>
      callFunction(machine, callback, args[1], [value, context.dyn.derive(), array], node),
    );
    machine.merge([branch], context.dyn, false);
    result.push(new Uncertain(branch.result, context));
  }
  machine.open(result, machine.opened(array) ?? new Dyn('a condition', node));
  return { value: isMapping ? result : undefined };
}

function filter(
  machine: Machine,
  array: readonly unknown[],
  callback: unknown,
  thisValue: unknown,
  node: SyntaxNode,
): unknown {
  const opened = machine.opened(array);
  if (opened !== undefined && !hasUncertain(array)) return opened.derive();
  const result: unknown[] = [];
  let dyn: Dyn | undefined;
  for (let index = 0; index < array.length; index++) {
    if (!(index in array)) continue;
    const element = array[index];
    const value = element instanceof Uncertain ? element.value : element;
    const isKept =
      callback === Boolean
        ? value instanceof Dyn
          ? value
          : Boolean(value)
        : callFunction(machine, callback, thisValue, [value, index, array], node);
    if (element instanceof Uncertain) {
      dyn ??= element.context.dyn;
      if (isKept instanceof Dyn || isKept) result.push(element);
    } else if (isKept instanceof Dyn) {
      dyn ??= isKept;
      result.push(new Uncertain(element, { kind: 'conditional', dyn: isKept }));
    } else if (isKept) {
      result.push(element);
    }
  }
  if (dyn !== undefined) machine.open(result, dyn);
  return machine.created(result);
}

/** The unknown value that keeps a native function from knowing its result. */
function unknownAmong(
  machine: Machine,
  fn: Callable,
  thisValue: unknown,
  args: readonly unknown[],
): Dyn | undefined {
  if (machine.hasOpened) {
    for (const value of [thisValue, ...args]) {
      const opened = deepOpened(machine, value, 0);
      if (opened !== undefined && !isKnownEntry(fn, thisValue, args)) return opened;
    }
  }
  if (comparing.has(fn)) {
    const members = Array.isArray(thisValue)
      ? (thisValue as unknown[])
      : thisValue instanceof Set
        ? [...(thisValue as Set<unknown>)]
        : thisValue instanceof Map
          ? [...(thisValue as Map<unknown, unknown>).keys()]
          : [];
    const dyn = [...members, ...args].find(value => value instanceof Dyn);
    if (dyn instanceof Dyn) return dyn;
  }
  if (carrying.has(fn)) return undefined;
  const first = callbackFirst.has(fn) ? args.slice(0, 1) : args;
  return first.find((arg): arg is Dyn => arg instanceof Dyn);
}

/** A node that is certain to be in a map of nodes, though others may be too. */
function isKnownEntry(fn: Callable, thisValue: unknown, args: readonly unknown[]): boolean {
  const looksUp = (fn as unknown) === Map.prototype.get || (fn as unknown) === Map.prototype.has;
  if (!looksUp || !(thisValue instanceof Map)) return false;
  return knownEntries.get(thisValue)?.(args[0]) === true;
}

const knownEntries = new WeakMap<object, (key: unknown) => boolean>();

/** Makes the certain entries of an open map known. */
export function setKnownEntries(map: object, isCertain: (key: unknown) => boolean): void {
  knownEntries.set(map, isCertain);
}

function deepOpened(machine: Machine, value: unknown, depth: number): Dyn | undefined {
  const opened = machine.opened(value);
  if (opened !== undefined || depth > 4 || typeof value !== 'object' || value === null) return opened;
  if (value instanceof Dyn) return undefined;
  const inner = Array.isArray(value)
    ? (value as unknown[])
    : Reflect.getPrototypeOf(value) === Object.prototype
      ? Object.values(value)
      : [];
  if (inner.length > 2000) return undefined;
  for (const item of inner) {
    if (typeof item !== 'object' || item === null) continue;
    const found = deepOpened(machine, item, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const transforming = new Set<unknown>([
  Array.prototype.map,
  Array.prototype.forEach,
  Array.prototype.flatMap,
  Array.prototype.reduce,
  Array.prototype.reduceRight,
  Array.from,
  Map.prototype.forEach,
  Set.prototype.forEach,
]);

/** Callbacks that decide something break the call off when they do not know. */
function strictCallbacks(fn: Callable, args: readonly unknown[]): readonly unknown[] {
  if (transforming.has(fn) || !args.some(arg => closureOf(arg) !== undefined)) return args;
  return args.map(arg => {
    if (closureOf(arg) === undefined || typeof arg !== 'function') return arg;
    return function (this: unknown, ...given: unknown[]): unknown {
      const result: unknown = Reflect.apply(arg, this, given);
      if (result instanceof Dyn) throw new Coerced(result);
      return result;
    };
  });
}

function checkSize(fn: Callable, thisValue: unknown, args: readonly unknown[], node: SyntaxNode): void {
  const native: unknown = fn;
  const [first, second] = args;
  let size = 0;
  if (native === String.prototype.repeat) size = String(thisValue).length * Number(first);
  else if (native === String.prototype.padEnd || native === String.prototype.padStart) size = Number(first);
  else if (native === Array.from && typeof first === 'object' && first !== null && 'length' in first)
    size = Number(first.length);
  else if (native === Array.prototype.flat) size = 0;
  else if (native === Array && args.length === 1) size = typeof first === 'number' ? first : 0;
  if (size > 1_000_000) throw new OutOfBounds('it makes something very long', node);
  const patterns = [thisValue, first, second].filter(value => value instanceof RegExp);
  for (const { source } of patterns) {
    // Nested repetition can take time without end, which nothing could interrupt.
    if (/\([^()]*[+*}][^()]*\)[+*{]/.test(source) && String(thisValue).length > 40) {
      throw new OutOfBounds('a regular expression repeats a repetition', node);
    }
  }
}

function run(
  machine: Machine,
  fn: Callable,
  thisValue: unknown,
  args: readonly unknown[],
  node: SyntaxNode,
): unknown {
  try {
    const result: unknown = machine.deeper(node, () => Reflect.apply(fn, thisValue, args) as unknown);
    if (typeof result === 'string' || Array.isArray(result)) machine.step(node, result.length >> 3);
    return typeof result === 'object' && result !== null && result !== thisValue
      ? machine.created(result)
      : result;
  } catch (error) {
    if (error instanceof Coerced) return callUnknown(machine, error.dyn, thisValue, args, node);
    if (isSignal(error)) throw error;
    if (error instanceof RangeError && error.message.includes('call stack')) {
      throw new OutOfBounds('calls are nested too deeply', node);
    }
    throw new UserThrow(error, node);
  }
}

export function constructNative(
  machine: Machine,
  fn: unknown,
  args: readonly unknown[],
  newTarget: unknown,
  node: SyntaxNode,
): unknown {
  if (fn === StaticPromise || fn === Promise) return constructPromise(machine, args, node);
  if (!isPureConstructor(fn)) {
    const name = typeof fn === 'function' && fn.name !== '' ? fn.name : calleeText(node);
    return callUnknown(machine, new Dyn(describeUnknown(`new ${name}()`), node), undefined, args, node);
  }
  if (fn === Date && args.length === 0) return new Dyn('the current time', node);
  const dyn = args.find(arg => arg instanceof Dyn);
  if (dyn instanceof Dyn && fn !== Array) return dyn.derive();
  for (const arg of args) {
    const opened = machine.hasOpened ? deepOpened(machine, arg, 0) : undefined;
    if (opened !== undefined) return opened.derive();
  }
  if (fn === Array && typeof args[0] === 'number' && args[0] > 1_000_000) {
    throw new OutOfBounds('it makes a very long array', node);
  }
  if (fn === RegExp && typeof args[0] !== 'string' && !(args[0] instanceof RegExp) && args[0] !== undefined) {
    return new Dyn(describeUnknown(quoteSource(node)), node);
  }
  try {
    return machine.created(
      Reflect.construct<unknown[], object>(
        fn as new (...given: unknown[]) => object,
        args,
        newTarget as new () => object,
      ),
    );
  } catch (error) {
    if (error instanceof Coerced) return error.dyn.derive();
    if (isSignal(error)) throw error;
    throw new UserThrow(error, node);
  }
}
