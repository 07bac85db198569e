/** Properties of the evaluated program's values. */
import { isNode } from '../../../runner/api/node.ts';
import { quoteSource, type SyntaxNode, ts } from '../syntax.ts';
import type { Machine } from './machine.ts';
import { isProtected } from './built-ins.ts';
import { Dyn, isSignal, Uncertain, Unsupported, UserThrow } from './values.ts';

/** Reads a property as the program does. */
export function getProperty(machine: Machine, target: unknown, key: unknown, node: SyntaxNode): unknown {
  if (target instanceof Dyn) return target.derive();
  if (key instanceof Dyn) return target === null || target === undefined ? key : key.derive();
  if (target === undefined || target === null) {
    const name = typeof key === 'symbol' ? String(key) : `'${String(key)}'`;
    return machine.mistake(
      new TypeError(`Cannot read properties of ${String(target)} (reading ${name})`),
      node,
    );
  }
  if (target instanceof Uncertain) return target.context.dyn.derive();
  const name = toKey(key);
  if (isNode(target)) {
    const answer = machine.host.readNode(machine, target, name, node);
    if (answer !== undefined) return answer.value;
  }
  const opened = machine.opened(target);
  if (opened !== undefined && !isReadableWhenOpen(target, name)) return opened.derive();
  try {
    const value: unknown = Reflect.get(Object(target) as object, name, target);
    return value instanceof Uncertain ? value.context.dyn.derive() : value;
  } catch (error) {
    if (isSignal(error)) throw error;
    throw new UserThrow(error, node);
  }
}

/** Methods can be looked up on what is uncertain; the call then decides. */
function isReadableWhenOpen(target: object, name: PropertyKey): boolean {
  return !Object.hasOwn(target, name) && name !== 'size' && typeof Reflect.get(target, name) === 'function';
}

/** Writes a property as the program does. */
export function setProperty(
  machine: Machine,
  target: unknown,
  key: unknown,
  value: unknown,
  node: SyntaxNode,
): void {
  if (target instanceof Dyn) return;
  if (target === undefined || target === null) {
    const name = key instanceof Dyn ? '…' : String(key);
    machine.mistake(new TypeError(`Cannot set properties of ${String(target)} (setting '${name}')`), node);
    return;
  }
  if (typeof target !== 'object' && typeof target !== 'function') {
    const name = key instanceof Dyn ? '…' : String(key);
    machine.mistake(new TypeError(`Cannot create property '${name}' on ${typeof target}`), node);
    return;
  }
  if (isProtected(machine, target)) {
    throw new Unsupported('it changes what is built in', node);
  }
  if (key instanceof Dyn) {
    machine.open(target, key);
    return;
  }
  const name = toKey(key);
  if (name === '__proto__') throw new Unsupported('it changes the prototype of an object', node);
  if (Array.isArray(target) && name === 'length' && Number(value) > 1_000_000) {
    throw new Unsupported('it makes a very long array', node);
  }
  machine.rememberProperty(target, name, merged => {
    setProperty(machine, target, key, merged, node);
  });
  machine.modules.noteMutation(target);
  try {
    if (Reflect.set(target, name, value, target)) return;
  } catch (error) {
    if (isSignal(error)) throw error;
    throw new UserThrow(error, node);
  }
  const what = Array.isArray(target) ? '[object Array]' : `#<${target.constructor.name}>`;
  const hasSetterOnly = accessorOf(target, name);
  machine.mistake(
    new TypeError(
      hasSetterOnly
        ? `Cannot set property ${String(name)} of ${what} which has only a getter`
        : `Cannot assign to read only property '${String(name)}' of object '${what}'`,
    ),
    node,
  );
}

function accessorOf(target: object, name: PropertyKey): boolean {
  for (let object: object | null = target; object !== null; object = Reflect.getPrototypeOf(object)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(object, name);
    if (descriptor !== undefined) return descriptor.get !== undefined;
  }
  return false;
}

export function deleteProperty(machine: Machine, target: unknown, key: unknown, node: SyntaxNode): unknown {
  if (target instanceof Dyn) return target.derive();
  if (typeof target !== 'object' || target === null) return true;
  if (isProtected(machine, target)) throw new Unsupported('it changes what is built in', node);
  if (key instanceof Dyn || machine.isOutside(target)) {
    machine.open(target, key instanceof Dyn ? key : (machine.context?.dyn ?? new Dyn('a branch', node)));
    return true;
  }
  machine.modules.noteMutation(target);
  if (Reflect.deleteProperty(target, toKey(key))) return true;
  return machine.mistake(new TypeError(`Cannot delete property '${String(key)}' of an object`), node);
}

export function toKey(key: unknown): PropertyKey {
  return typeof key === 'symbol' || typeof key === 'number' ? key : String(key);
}

/** What a message calls the function that is called: `pipeline.ad`. */
export function calleeText(node: SyntaxNode): string {
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return quoteSource(node.expression);
  return quoteSource(node);
}
