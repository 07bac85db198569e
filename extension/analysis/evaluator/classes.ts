/** Classes of the evaluated program, as classes that the API's constructors and `instanceof` understand. */
import { isDeclaredOnly } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { constructValue } from './calls.ts';
import { evaluate, evaluateNamed, propertyKey } from './expressions.ts';
import { type AnyFunction, type Closure, invoke, makeFunction } from './functions.ts';
import type { Machine } from './machine.ts';
import { type Frame, Scope } from './scope.ts';
import { runBlock } from './statements.ts';
import { Dyn, isSignal, Unsupported, UserThrow } from './values.ts';

type Constructor = abstract new (...args: never[]) => object;

/** What is behind a class of the evaluated program. */
export interface ClassInfo {
  readonly node: ts.ClassLikeDeclaration;
  readonly parent: unknown;
  /** A parent that cannot be known: neither can the objects be, then. */
  readonly dyn: Dyn | undefined;
}

const classes = new WeakMap<object, ClassInfo>();
const privateNames = new WeakMap<object, Map<string, unknown>>();

export function classInfoOf(value: unknown): ClassInfo | undefined {
  return typeof value === 'function' ? classes.get(value) : undefined;
}

export function makeClass(
  machine: Machine,
  node: ts.ClassLikeDeclaration,
  outer: Scope,
  name = node.name?.text ?? '',
): unknown {
  if (ts.canHaveDecorators(node) && (ts.getDecorators(node)?.length ?? 0) > 0) {
    return new Dyn(`the decorators of the class ${name}`, node);
  }
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  if (node.name !== undefined) scope.declare(node.name.text, true);
  const heritage = node.heritageClauses?.find(({ token }) => token === Kind.ExtendsKeyword)?.types[0];
  const parent = heritage === undefined ? undefined : evaluate(machine, heritage.expression, outer);
  if (parent instanceof Dyn) return parent.derive();
  const isDerived = heritage !== undefined;
  if (isDerived && parent !== null && !isConstructor(parent)) {
    return machine.throwError(
      new TypeError(`Class extends value ${describe(parent)} is not a constructor or null`),
      heritage,
    );
  }
  if (parent === null) throw new Unsupported('a class extends null', node);
  const members = new ClassMembers(machine, node, scope);
  const made = isDerived
    ? derivedClass(machine, parent as Constructor, members)
    : baseClass(machine, members);
  Object.defineProperty(made, 'name', { value: name, configurable: true });
  classes.set(made, { node, parent, dyn: undefined });
  machine.created(made);
  machine.created(made.prototype as object);
  members.define(made);
  if (node.name !== undefined) scope.initialize(node.name.text, made);
  members.defineStatics(made);
  return made;
}

function isConstructor(value: unknown): boolean {
  if (typeof value !== 'function') return false;
  try {
    Reflect.construct(Object, [], value as unknown as new () => object);
    return true;
  } catch {
    return false;
  }
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? '#<Object>' : String(value);
}

function baseClass(machine: Machine, members: ClassMembers): Constructor {
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- its members are defined afterwards
  return class {
    constructor(...args: unknown[]) {
      const newTarget: unknown = new.target;
      const frame: Frame = {
        thisValue: machine.created(this),
        hasThis: true,
        newTarget,
        homeObject: members.home,
        isAsync: false,
      };
      members.initializeFields(this, frame);
      // What a constructor returns takes the place of the object.
      return members.construct(frame, args) as this;
    }
  };
}

function derivedClass(machine: Machine, parent: Constructor, members: ClassMembers): Constructor {
  const parentClass = parent as new (...args: unknown[]) => object;
  return class extends parentClass {
    // The object is made by the constructor of the parent, from within the evaluated one.
    // eslint-disable-next-line @typescript-eslint/ban-ts-comment
    // @ts-ignore TS2377: a constructor that returns an object need not call super()
    constructor(...args: unknown[]) {
      const newTarget = new.target as unknown as new () => object;
      const frame: Frame = {
        thisValue: undefined,
        hasThis: false,
        newTarget,
        homeObject: members.home,
        isAsync: false,
        callSuper: superArgs => {
          if (frame.hasThis) {
            return machine.throwError(
              new ReferenceError('Super constructor may only be called once'),
              members.node,
            );
          }
          const made = constructValue(machine, parent, superArgs, newTarget, members.currentNode);
          frame.thisValue = made;
          frame.hasThis = true;
          if (typeof made === 'object' && made !== null) {
            machine.created(made);
            members.initializeFields(made, frame);
          }
          return made;
        },
      };
      return members.construct(frame, args) as object;
    }
  };
}

/** A private accessor, in the place of the value that a private field has. */
export class PrivateAccessor {
  get: AnyFunction | undefined;
  set: AnyFunction | undefined;
}

class ClassMembers {
  readonly node: ts.ClassLikeDeclaration;
  home: object = {};
  /** Where the evaluation stands, for messages of a parent that is native. */
  currentNode: SyntaxNode;
  readonly #machine: Machine;
  readonly #scope: Scope;
  readonly #fields: { readonly member: ts.PropertyDeclaration; readonly key: unknown }[] = [];
  readonly #privateMethods = new Map<string, unknown>();

  constructor(machine: Machine, node: ts.ClassLikeDeclaration, scope: Scope) {
    this.node = node;
    this.currentNode = node;
    this.#machine = machine;
    this.#scope = scope;
  }

  /** Methods and accessors, and the keys of fields. */
  define(made: Constructor): void {
    this.home = made.prototype as object;
    for (const member of this.node.members) {
      if (ts.canHaveDecorators(member) && (ts.getDecorators(member)?.length ?? 0) > 0) {
        throw new Unsupported('a member of a class has decorators', member);
      }
      const isStatic = hasModifier(member, Kind.StaticKeyword);
      const target = isStatic ? made : this.home;
      if (ts.isMethodDeclaration(member)) {
        if (member.body === undefined) continue;
        const key = this.#key(member.name);
        const method = this.#method(member, target, key);
        if (ts.isPrivateIdentifier(member.name)) {
          if (isStatic) privatesOf(made).set(member.name.text, method);
          else this.#privateMethods.set(member.name.text, method);
        } else {
          define(target, key, { value: method, writable: true, enumerable: false });
        }
      } else if (ts.isGetAccessor(member) || ts.isSetAccessor(member)) {
        if (member.body === undefined) continue;
        const key = this.#key(member.name);
        const accessor = this.#method(member, target, key);
        if (ts.isPrivateIdentifier(member.name)) {
          const names = isStatic ? privatesOf(made) : this.#privateMethods;
          const known = names.get(member.name.text);
          const pair = known instanceof PrivateAccessor ? known : new PrivateAccessor();
          if (ts.isGetAccessor(member)) pair.get = accessor;
          else pair.set = accessor;
          names.set(member.name.text, pair);
          continue;
        }
        define(target, key, {
          ...accessorsOf(target, key),
          ...(ts.isGetAccessor(member) ? { get: accessor } : { set: accessor }),
          enumerable: false,
        });
      } else if (ts.isPropertyDeclaration(member) && !isStatic) {
        if (isDeclaredOnly(member) || hasModifier(member, Kind.AbstractKeyword)) continue;
        const key = ts.isPrivateIdentifier(member.name) ? undefined : this.#key(member.name);
        this.#fields.push({ member, key });
      }
    }
  }

  defineStatics(made: Constructor): void {
    const frame: Frame = {
      thisValue: made,
      hasThis: true,
      newTarget: undefined,
      homeObject: made,
      isAsync: false,
    };
    const scope = new Scope(this.#scope, this.#scope.module, frame, this.#machine.contexts, true);
    for (const member of this.node.members) {
      if (ts.isClassStaticBlockDeclaration(member)) {
        const end = runBlock(this.#machine, member.body, scope).next();
        if (end.done !== true) throw new Unsupported('a static block waits', member);
      } else if (ts.isPropertyDeclaration(member) && hasModifier(member, Kind.StaticKeyword)) {
        if (isDeclaredOnly(member)) continue;
        this.#initialize(made, member, undefined, scope);
      }
    }
  }

  initializeFields(object: object, frame: Frame): void {
    const own = privatesOf(object);
    for (const [name, method] of this.#privateMethods) own.set(name, method);
    if (this.#fields.length === 0) return;
    const scope = new Scope(this.#scope, this.#scope.module, frame, this.#machine.contexts, true);
    for (const { member, key } of this.#fields) this.#initialize(object, member, key, scope);
  }

  #initialize(object: object, member: ts.PropertyDeclaration, known: unknown, scope: Scope): void {
    const { name, initializer } = member;
    const key = known ?? (ts.isPrivateIdentifier(name) ? undefined : this.#key(name));
    const keyName = ts.isPrivateIdentifier(name) ? name.text : String(key);
    const value =
      initializer === undefined ? undefined : evaluateNamed(this.#machine, initializer, scope, keyName);
    if (ts.isPrivateIdentifier(name)) privatesOf(object).set(name.text, value);
    else define(object, key, { value, writable: true, enumerable: true });
  }

  /** Evaluates the constructor; what it returns, or else the object. */
  construct(frame: Frame, args: readonly unknown[]): unknown {
    const declared = this.node.members.find(
      (member): member is ts.ConstructorDeclaration =>
        ts.isConstructorDeclaration(member) && member.body !== undefined,
    );
    if (declared === undefined) {
      if (frame.callSuper !== undefined) return frame.callSuper(args);
      return frame.thisValue;
    }
    const closure: Closure = {
      node: declared,
      scope: this.#scope,
      homeObject: this.home,
      isArrow: false,
      isAsync: false,
      isGenerator: false,
    };
    const properties = declared.parameters.filter(parameter =>
      ts.isParameterPropertyDeclaration(parameter, declared),
    );
    const assignProperties = (scope: Scope): void => {
      for (const { name } of properties) {
        if (!ts.isIdentifier(name) || typeof frame.thisValue !== 'object' || frame.thisValue === null)
          continue;
        const value = scope.lookup(name.text)?.binding.value;
        define(frame.thisValue, name.text, { value, writable: true, enumerable: true });
      }
    };
    const result = this.#runConstructor(closure, frame, args, assignProperties);
    if (typeof result === 'object' && result !== null) return result;
    if (!frame.hasThis) {
      return this.#machine.throwError(
        new ReferenceError(
          "Must call super constructor in derived class before accessing 'this' or returning from derived constructor",
        ),
        declared,
      );
    }
    return frame.thisValue;
  }

  #runConstructor(
    closure: Closure,
    frame: Frame,
    args: readonly unknown[],
    assignProperties: (scope: Scope) => void,
  ): unknown {
    constructorHooks.set(frame, assignProperties);
    return invoke(this.#machine, closure, frame, args);
  }

  #method(member: ts.MethodDeclaration | ts.AccessorDeclaration, home: object, key: unknown): AnyFunction {
    const name = typeof key === 'symbol' ? `[${key.description ?? ''}]` : String(key);
    return makeFunction(this.#machine, member, this.#scope, {
      name: ts.isPrivateIdentifier(member.name) ? member.name.text : name,
      homeObject: home,
    });
  }

  #key(name: ts.PropertyName): unknown {
    if (ts.isPrivateIdentifier(name)) return name.text;
    const key = propertyKey(this.#machine, name, this.#scope);
    if (key instanceof Dyn) throw new Unsupported(`the name of a member depends on ${key.reason}`, name);
    return key;
  }
}

/** What happens in a constructor right after `super()`, or at its start: parameter properties get their values. */
const constructorHooks = new WeakMap<Frame, (scope: Scope) => void>();

export function afterSuper(frame: Frame, scope: Scope): void {
  constructorHooks.get(frame)?.(scope);
}

export function privatesOf(object: object): Map<string, unknown> {
  let names = privateNames.get(object);
  if (names === undefined) privateNames.set(object, (names = new Map<string, unknown>()));
  return names;
}

export function hasPrivate(object: object, name: string): boolean {
  return privateNames.get(object)?.has(name) === true;
}

function define(target: object, key: unknown, descriptor: PropertyDescriptor): void {
  try {
    Object.defineProperty(target, key as PropertyKey, { ...descriptor, configurable: true });
  } catch (error) {
    if (isSignal(error)) throw error;
    throw new UserThrow(error, undefined);
  }
}

function accessorsOf(target: object, key: unknown): PropertyDescriptor {
  const { get, set } = Reflect.getOwnPropertyDescriptor(target, key as PropertyKey) ?? {};
  return { ...(get === undefined ? {} : { get }), ...(set === undefined ? {} : { set }) };
}

function hasModifier(node: SyntaxNode, kind: ts.SyntaxKind): boolean {
  return (
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(modifier => modifier.kind === kind) === true
  );
}
