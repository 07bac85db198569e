/** JavaScript's own library: what of it is pure, and what must never be changed. */
import type { Machine } from './machine.ts';

interface BuiltIns {
  readonly pure: ReadonlySet<unknown>;
  readonly constructors: ReadonlySet<unknown>;
  readonly all: WeakSet<object>;
}

let built: BuiltIns | undefined;

function builtIns(): BuiltIns {
  return (built ??= collect());
}

/** Constructors whose objects hold nothing but what they are given. */
const pureConstructors = (): readonly (abstract new (...args: never[]) => unknown)[] => [
  Object,
  Array,
  String,
  Number,
  Boolean,
  BigInt as unknown as typeof Object,
  Symbol as unknown as typeof Object,
  Map,
  Set,
  WeakMap,
  WeakSet,
  RegExp,
  Date,
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
  URL,
  URLSearchParams,
  Iterator,
];

function collect(): BuiltIns {
  const pure = new Set<unknown>();
  const all = new WeakSet<object>([globalThis, Function, Function.prototype, Promise, Promise.prototype]);
  const constructors = new Set<unknown>();
  const add = (owner: object): void => {
    all.add(owner);
    for (const key of Reflect.ownKeys(owner)) {
      const value: unknown = Reflect.getOwnPropertyDescriptor(owner, key)?.value;
      if (typeof value !== 'function' || key === 'constructor') continue;
      pure.add(value);
      all.add(value);
    }
  };
  for (const constructor of pureConstructors()) {
    constructors.add(constructor);
    pure.add(constructor);
    add(constructor);
    add(constructor.prototype as object);
  }
  add(Math);
  add(JSON);
  add(Reflect);
  for (const iterator of [
    [].values(),
    new Map().values(),
    new Set().values(),
    ''[Symbol.iterator](),
    'x'.matchAll(/x/g),
    (function* () {
      yield 0;
    })(),
    [].values().map(item => item),
  ]) {
    for (
      let prototype = Reflect.getPrototypeOf(iterator);
      prototype !== null && prototype !== Object.prototype;
      prototype = Reflect.getPrototypeOf(prototype)
    ) {
      add(prototype);
    }
  }
  for (const name of [
    'parseInt',
    'parseFloat',
    'isNaN',
    'isFinite',
    'encodeURIComponent',
    'decodeURIComponent',
    'encodeURI',
    'decodeURI',
    'structuredClone',
    'escape',
    'unescape',
  ]) {
    pure.add(Reflect.get(globalThis, name));
  }
  for (const impure of [Math.random, Date.now, Date, Reflect.get(Array, 'fromAsync')]) pure.delete(impure);
  return { pure, constructors, all };
}

export function isPure(fn: unknown): boolean {
  return builtIns().pure.has(fn);
}

export function isPureConstructor(fn: unknown): boolean {
  return builtIns().constructors.has(fn);
}

/** Whether changing an object would change what the analysis itself, or another file, stands on. */
export function isProtected(machine: Machine, target: object): boolean {
  return builtIns().all.has(target) || machine.host.isOwn(target) || machine.isAllowed(target);
}

/** Globals by the names that programs know; what is not here but in Node is unknown. */
export const globalNames: ReadonlySet<string> = new Set([
  'Object',
  'Array',
  'String',
  'Number',
  'Boolean',
  'BigInt',
  'Symbol',
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'RegExp',
  'Date',
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'AggregateError',
  'URL',
  'URLSearchParams',
  'Iterator',
  'Math',
  'JSON',
  'Reflect',
  'Infinity',
  'NaN',
  'parseInt',
  'parseFloat',
  'isNaN',
  'isFinite',
  'encodeURIComponent',
  'decodeURIComponent',
  'encodeURI',
  'decodeURI',
  'structuredClone',
]);
