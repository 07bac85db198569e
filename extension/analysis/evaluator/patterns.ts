/** Giving values to names: declarations, parameters, destructuring, assignments. */
import { unwrapped } from '../source-facts.ts';
import { Kind, quoteSource, type SyntaxNode, ts } from '../syntax.ts';
import { getProperty, setProperty } from './access.ts';
import { callFunction } from './calls.ts';
import { hasPrivate, PrivateAccessor, privatesOf } from './classes.ts';
import { evaluate, evaluateNamed, propertyKey } from './expressions.ts';
import { iterate } from './iteration.ts';
import type { Machine } from './machine.ts';
import type { Scope } from './scope.ts';
import { Coerced, Dyn, Uncertain, Unsupported } from './values.ts';

export function bindParameters(
  machine: Machine,
  parameters: readonly ts.ParameterDeclaration[],
  args: readonly unknown[],
  scope: Scope,
): void {
  let index = 0;
  for (const parameter of parameters) {
    const { name, dotDotDotToken, initializer } = parameter;
    if (ts.isIdentifier(name) && name.text === 'this') continue;
    let value: unknown = dotDotDotToken === undefined ? args[index] : machine.created(args.slice(index));
    if (value === undefined && initializer !== undefined) {
      value = evaluateNamed(machine, initializer, scope, nameFor(name));
    }
    bindPattern(machine, name, value, scope);
    index++;
  }
}

export function nameFor(name: SyntaxNode): string {
  return ts.isIdentifier(name) ? name.text : '';
}

/** Initializes the names of a declaration. */
export function bindPattern(machine: Machine, pattern: ts.BindingName, value: unknown, scope: Scope): void {
  if (ts.isIdentifier(pattern)) {
    scope.initialize(pattern.text, value);
    return;
  }
  if (ts.isObjectBindingPattern(pattern)) {
    checkObject(machine, value, pattern);
    const taken: PropertyKey[] = [];
    for (const { name, propertyName, dotDotDotToken, initializer } of pattern.elements) {
      if (dotDotDotToken !== undefined) {
        bindPattern(machine, name, rest(machine, value, taken, pattern), scope);
        continue;
      }
      const key = propertyName === undefined ? nameFor(name) : propertyKey(machine, propertyName, scope);
      if (!(key instanceof Dyn)) taken.push(key as PropertyKey);
      let item = getProperty(machine, value, key, propertyName ?? name);
      if (item === undefined && initializer !== undefined) {
        item = evaluateNamed(machine, initializer, scope, nameFor(name));
      }
      bindPattern(machine, name, item, scope);
    }
    return;
  }
  const elements = new Elements(machine, value, pattern);
  for (const element of pattern.elements) {
    if (ts.isOmittedExpression(element)) {
      elements.next();
      continue;
    }
    let item = element.dotDotDotToken === undefined ? elements.next() : elements.rest();
    if (item === undefined && element.initializer !== undefined) {
      item = evaluateNamed(machine, element.initializer, scope, nameFor(element.name));
    }
    bindPattern(machine, element.name, item, scope);
  }
  elements.close();
}

/** Assigns to a variable, a property or a pattern of them. */
export function assignTo(machine: Machine, target: ts.Expression, value: unknown, scope: Scope): void {
  const inner = unwrapped(target);
  if (ts.isIdentifier(inner)) {
    assignVariable(machine, inner, value, scope);
  } else if (ts.isPropertyAccessExpression(inner)) {
    if (ts.isPrivateIdentifier(inner.name)) {
      setPrivate(machine, evaluate(machine, inner.expression, scope), inner.name, value);
      return;
    }
    const object =
      inner.expression.kind === Kind.SuperKeyword
        ? scope.frame.thisValue
        : evaluate(machine, inner.expression, scope);
    setProperty(machine, object, inner.name.text, value, inner);
  } else if (ts.isElementAccessExpression(inner)) {
    const object = evaluate(machine, inner.expression, scope);
    setProperty(machine, object, evaluate(machine, inner.argumentExpression, scope), value, inner);
  } else if (ts.isArrayLiteralExpression(inner)) {
    const elements = new Elements(machine, value, inner);
    for (const element of inner.elements) {
      if (ts.isOmittedExpression(element)) elements.next();
      else if (ts.isSpreadElement(element)) assignTo(machine, element.expression, elements.rest(), scope);
      else assignWithDefault(machine, element, elements.next(), scope);
    }
    elements.close();
  } else if (ts.isObjectLiteralExpression(inner)) {
    assignObject(machine, inner, value, scope);
  } else {
    throw new Unsupported(`it assigns to ${quoteSource(inner)}`, inner);
  }
}

function setPrivate(machine: Machine, target: unknown, name: ts.PrivateIdentifier, value: unknown): void {
  if (target instanceof Dyn) return;
  if (
    (typeof target !== 'object' && typeof target !== 'function') ||
    target === null ||
    !hasPrivate(target, name.text)
  ) {
    const message = `Cannot write private member ${name.text} to an object whose class did not declare it`;
    machine.mistake(new TypeError(message), name);
    return;
  }
  const accessor = privatesOf(target).get(name.text);
  if (accessor instanceof PrivateAccessor) {
    if (accessor.set !== undefined) callFunction(machine, accessor.set, target, [value], name);
    return;
  }
  const known = machine.isOutside(target) ? machine.context?.dyn.derive() : undefined;
  privatesOf(target).set(name.text, known ?? value);
  machine.modules.noteMutation(target);
}

function assignObject(
  machine: Machine,
  pattern: ts.ObjectLiteralExpression,
  value: unknown,
  scope: Scope,
): void {
  checkObject(machine, value, pattern);
  const taken: PropertyKey[] = [];
  for (const property of pattern.properties) {
    if (ts.isSpreadAssignment(property)) {
      assignTo(machine, property.expression, rest(machine, value, taken, pattern), scope);
    } else if (ts.isShorthandPropertyAssignment(property)) {
      const { name, objectAssignmentInitializer } = property;
      taken.push(name.text);
      let item = getProperty(machine, value, name.text, property);
      if (item === undefined && objectAssignmentInitializer !== undefined)
        item = evaluateNamed(machine, objectAssignmentInitializer, scope, name.text);
      assignVariable(machine, name, item, scope);
    } else if (ts.isPropertyAssignment(property)) {
      const key = propertyKey(machine, property.name, scope);
      if (!(key instanceof Dyn)) taken.push(key as PropertyKey);
      assignWithDefault(machine, property.initializer, getProperty(machine, value, key, property), scope);
    } else {
      throw new Unsupported(`it assigns to ${quoteSource(property)}`, property);
    }
  }
}

function assignWithDefault(machine: Machine, target: ts.Expression, value: unknown, scope: Scope): void {
  if (ts.isBinaryExpression(target) && target.operatorToken.kind === Kind.EqualsToken) {
    const given =
      value === undefined ? evaluateNamed(machine, target.right, scope, nameFor(target.left)) : value;
    assignTo(machine, target.left, given, scope);
  } else {
    assignTo(machine, target, value, scope);
  }
}

export function assignVariable(machine: Machine, name: ts.Identifier, value: unknown, scope: Scope): void {
  const found = scope.lookup(name.text);
  if (found === undefined) {
    machine.mistake(new ReferenceError(`${name.text} is not defined`), name);
    return;
  }
  const { binding } = found;
  if (!binding.isInitialized && binding.imported === undefined) {
    machine.mistake(new ReferenceError(`Cannot access '${name.text}' before initialization`), name);
    return;
  }
  if (binding.isConstant || binding.imported !== undefined) {
    machine.mistake(new TypeError('Assignment to constant variable.'), name);
    return;
  }
  machine.assignBinding(found.scope, binding, value);
}

function checkObject(machine: Machine, value: unknown, pattern: SyntaxNode): void {
  if (value !== undefined && value !== null) return;
  machine.throwError(
    new TypeError(`Cannot destructure '${quoteSource(pattern)}' as it is ${String(value)}.`),
    pattern,
  );
}

function rest(machine: Machine, value: unknown, taken: readonly PropertyKey[], node: SyntaxNode): unknown {
  if (value instanceof Dyn) return value.derive();
  const opened = machine.opened(value);
  if (opened !== undefined) return opened.derive();
  const others: Record<PropertyKey, unknown> = {};
  const object = Object(value) as object;
  const names = taken.map(key => (typeof key === 'number' ? String(key) : key));
  for (const key of Reflect.ownKeys(object)) {
    const isEnumerable = Reflect.getOwnPropertyDescriptor(object, key)?.enumerable === true;
    if (isEnumerable && !names.includes(key)) others[key] = getProperty(machine, value, key, node);
  }
  return machine.created(others);
}

/** The elements of an array pattern's value, as far as the pattern wants them. */
class Elements {
  readonly #iterator: Generator;
  #unknown: Dyn | undefined;
  #isDone = false;

  constructor(machine: Machine, value: unknown, node: SyntaxNode) {
    this.#iterator = iterate(machine, value, node);
    if (value instanceof Dyn) this.#unknown = value.derive();
  }

  next(): unknown {
    if (this.#unknown !== undefined) return this.#unknown;
    if (this.#isDone) return undefined;
    try {
      const step: IteratorResult<unknown, unknown> = this.#iterator.next();
      const { value } = step;
      this.#isDone = step.done === true;
      if (!(value instanceof Uncertain)) return value;
      // From here on it is not known which element is which.
      this.#unknown = value.context.dyn.derive();
    } catch (error) {
      if (!(error instanceof Coerced)) throw error;
      this.#unknown = error.dyn.derive();
    }
    return this.#unknown;
  }

  rest(): unknown {
    const items: unknown[] = [];
    for (;;) {
      const item = this.next();
      if (this.#unknown !== undefined) return this.#unknown;
      if (this.#isDone) return items;
      items.push(item);
    }
  }

  close(): void {
    if (!this.#isDone && this.#unknown === undefined) this.#iterator.return(undefined);
  }
}
