/** Expressions of the evaluated program. */
import { Kind, quoteSource, type SyntaxNode, ts } from '../syntax.ts';
import { calleeText, deleteProperty, getProperty, toKey } from './access.ts';
import { callFunction, construct, escape, superCall } from './calls.ts';
import { hasPrivate, makeClass, PrivateAccessor, privatesOf } from './classes.ts';
import { isAnonymousFunction, makeFunction } from './functions.ts';
import { iterate } from './iteration.ts';
import { type Machine, mergeValues } from './machine.ts';
import { globalValue } from './natives.ts';
import { evaluateBinary, evaluateUnary, truth } from './operators.ts';
import { assignTo } from './patterns.ts';
import { settle } from './promises.ts';
import type { Scope } from './scope.ts';
import { resumedValue } from './suspension.ts';
import { Coerced, type Context, Dyn, Uncertain, Unsupported } from './values.ts';

/** The value of an expression. */
export function evaluate(machine: Machine, node: ts.Expression, scope: Scope): unknown {
  machine.step(node);
  const value = chain(machine, node, scope);
  return value === SHORT ? undefined : value;
}

/** The value of an expression that gives a function or class without a name the name of what it is assigned to. */
export function evaluateNamed(machine: Machine, node: ts.Expression, scope: Scope, name: string): unknown {
  if (!isAnonymousFunction(node)) return evaluate(machine, node, scope);
  machine.step(node);
  if (ts.isClassExpression(node)) return makeClass(machine, node, scope, name);
  return makeFunction(machine, node as ts.ArrowFunction | ts.FunctionExpression, scope, { name });
}

/** An optional chain that ended early. */
const SHORT = Symbol('short');

/** The value of an expression, or {@link SHORT}. */
function chain(machine: Machine, node: ts.Expression, scope: Scope): unknown {
  const known = resumedValue(scope, node);
  if (known !== undefined) return known.value;
  switch (node.kind) {
    case Kind.Identifier:
      return readVariable(machine, node as ts.Identifier, scope);
    case Kind.StringLiteral:
    case Kind.NoSubstitutionTemplateLiteral:
      return (node as ts.StringLiteral).text;
    case Kind.NumericLiteral:
      return Number((node as ts.NumericLiteral).text);
    case Kind.BigIntLiteral:
      return BigInt((node as ts.BigIntLiteral).text.replace(/n$/, ''));
    case Kind.TrueKeyword:
      return true;
    case Kind.FalseKeyword:
      return false;
    case Kind.NullKeyword:
      return null;
    case Kind.ThisKeyword:
      if (!scope.frame.hasThis) {
        return machine.mistake(
          new ReferenceError(
            "Must call super constructor in derived class before accessing 'this' or returning from derived constructor",
          ),
          node,
        );
      }
      return scope.frame.thisValue;
    case Kind.RegularExpressionLiteral:
      return regularExpression(machine, (node as ts.RegularExpressionLiteral).text, node);
    case Kind.TemplateExpression:
      return template(machine, node as ts.TemplateExpression, scope);
    case Kind.TaggedTemplateExpression:
      return taggedTemplate(machine, node as ts.TaggedTemplateExpression, scope);
    case Kind.ArrayLiteralExpression:
      return machine.created(spreadAll(machine, (node as ts.ArrayLiteralExpression).elements, scope, node));
    case Kind.ObjectLiteralExpression:
      return objectLiteral(machine, node as ts.ObjectLiteralExpression, scope);
    case Kind.ArrowFunction:
      return makeFunction(machine, node as ts.ArrowFunction, scope, { name: '' });
    case Kind.FunctionExpression:
      return functionExpression(machine, node as ts.FunctionExpression, scope);
    case Kind.ClassExpression:
      return makeClass(machine, node as ts.ClassExpression, scope);
    case Kind.ParenthesizedExpression:
      return evaluate(machine, (node as ts.ParenthesizedExpression).expression, scope);
    case Kind.AsExpression:
    case Kind.SatisfiesExpression:
    case Kind.TypeAssertionExpression:
    case Kind.ExpressionWithTypeArguments:
      return evaluate(machine, (node as ts.AsExpression).expression, scope);
    case Kind.NonNullExpression:
      return chain(machine, (node as ts.NonNullExpression).expression, scope);
    case Kind.PropertyAccessExpression:
    case Kind.ElementAccessExpression:
      return access(machine, node as ts.PropertyAccessExpression, scope).value;
    case Kind.CallExpression:
      return call(machine, node as ts.CallExpression, scope);
    case Kind.NewExpression:
      return newExpression(machine, node as ts.NewExpression, scope);
    case Kind.ConditionalExpression:
      return conditional(machine, node as ts.ConditionalExpression, scope);
    case Kind.BinaryExpression:
      return binary(machine, node as ts.BinaryExpression, scope);
    case Kind.PrefixUnaryExpression:
    case Kind.PostfixUnaryExpression:
      return unary(machine, node as ts.PrefixUnaryExpression, scope);
    case Kind.TypeOfExpression:
      return typeOf(machine, node as ts.TypeOfExpression, scope);
    case Kind.VoidExpression:
      evaluate(machine, (node as ts.VoidExpression).expression, scope);
      return undefined;
    case Kind.DeleteExpression:
      return deleteExpression(machine, node as ts.DeleteExpression, scope);
    case Kind.AwaitExpression: {
      const known = resumedValue(scope, node);
      if (known !== undefined) return known.value;
      return settle(machine, evaluate(machine, (node as ts.AwaitExpression).expression, scope), node);
    }
    case Kind.YieldExpression: {
      const known = resumedValue(scope, node);
      if (known !== undefined) return known.value;
      throw new Unsupported('it has a yield in a place that is not evaluated', node);
    }
    case Kind.MetaProperty:
      return metaProperty(machine, node as ts.MetaProperty, scope);
    case Kind.SuperKeyword:
    case Kind.OmittedExpression:
      return undefined;
    default:
      throw new Unsupported(`${quoteSource(node)} is not evaluated`, node);
  }
}

function readVariable(machine: Machine, node: ts.Identifier, scope: Scope): unknown {
  const name = node.text;
  const binding = scope.find(name);
  if (binding === undefined) {
    if (name === 'undefined') return undefined;
    // What the parser puts where something is missing: the grammar's mistake is reported elsewhere.
    if (name === '') return new Dyn('code that is not complete', node);
    return globalValue(machine, node, scope);
  }
  if (binding.imported !== undefined) {
    const target = binding.imported();
    if (!('isInitialized' in target)) return target.value;
    if (target.isInitialized) return target.value;
  } else if (binding.isInitialized) {
    return binding.value;
  }
  return machine.mistake(new ReferenceError(`Cannot access '${name}' before initialization`), node);
}

function regularExpression(machine: Machine, text: string, node: SyntaxNode): unknown {
  const end = text.lastIndexOf('/');
  try {
    return machine.created(new RegExp(text.slice(1, end), text.slice(end + 1)));
  } catch (error) {
    throw new Unsupported(error instanceof Error ? error.message : 'a regular expression', node);
  }
}

function template(machine: Machine, node: ts.TemplateExpression, scope: Scope): unknown {
  let text = node.head.text;
  let unknown: Dyn | undefined;
  for (const { expression, literal } of node.templateSpans) {
    const value = evaluate(machine, expression, scope);
    if (value instanceof Dyn) {
      unknown ??= value;
      text += value.pattern;
    } else {
      const part = asText(machine, value, expression);
      if (part instanceof Dyn) unknown ??= part;
      text += part instanceof Dyn ? part.pattern : part;
    }
    text += literal.text;
    checkLength(text, node);
  }
  return unknown === undefined ? text : unknown.derive(text);
}

/** A value as text, as templates and `+` make it. */
function asText(machine: Machine, value: unknown, node: SyntaxNode): string | Dyn {
  if (typeof value === 'string') return value;
  const opened = machine.opened(value);
  if (opened !== undefined) return opened.derive();
  if (typeof value === 'function') return new Dyn('the text of a function', node);
  try {
    if (typeof value === 'symbol')
      return machine.mistake(new TypeError('Cannot convert a Symbol value to a string'), node);
    // Whatever toString() the program has for its own objects is what counts.
    return String(value);
  } catch (error) {
    if (error instanceof Coerced) return error.dyn.derive();
    if (error instanceof TypeError) return machine.mistake(error, node);
    throw error;
  }
}

export function checkLength(text: string, node: SyntaxNode): void {
  if (text.length > 5_000_000) throw new Unsupported('it makes a very long text', node);
}

function taggedTemplate(machine: Machine, node: ts.TaggedTemplateExpression, scope: Scope): unknown {
  const { fn, thisValue } = callee(machine, node.tag, scope);
  if (fn === SHORT) return undefined;
  const { template: parts } = node;
  const texts = ts.isNoSubstitutionTemplateLiteral(parts)
    ? [parts]
    : [parts.head, ...parts.templateSpans.map(({ literal }) => literal)];
  const strings = Object.assign(
    texts.map(({ text }) => text),
    { raw: Object.freeze(texts.map(rawText)) },
  );
  const values = ts.isNoSubstitutionTemplateLiteral(parts)
    ? []
    : parts.templateSpans.map(({ expression }) => evaluate(machine, expression, scope));
  return callFunction(machine, fn, thisValue, [Object.freeze(strings), ...values], node);
}

function rawText(
  node: ts.TemplateLiteralToken | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail,
): string {
  return node
    .getText()
    .slice(1, node.kind === Kind.TemplateHead || node.kind === Kind.TemplateMiddle ? -2 : -1)
    .replace(/\r\n?/g, '\n');
}

/** The values of arguments or elements, with what is spread among them. */
export function spreadAll(
  machine: Machine,
  nodes: readonly ts.Expression[],
  scope: Scope,
  owner: SyntaxNode,
): unknown[] {
  if (!nodes.some(node => ts.isOmittedExpression(node) || ts.isSpreadElement(node))) {
    const all = nodes.map(node => resumedOr(machine, node, scope));
    machine.step(owner, all.length >> 3);
    return all;
  }
  const values: unknown[] = [];
  let isOpen: Dyn | undefined;
  for (const node of nodes) {
    if (ts.isOmittedExpression(node)) {
      values.length++;
    } else if (ts.isSpreadElement(node)) {
      const source = resumedOr(machine, node.expression, scope);
      try {
        for (const item of iterate(machine, source, node.expression)) {
          if (item instanceof Uncertain) isOpen ??= item.context.dyn;
          values.push(item);
        }
      } catch (error) {
        if (!(error instanceof Coerced)) throw error;
        isOpen ??= error.dyn;
        values.push(new Uncertain(error.dyn.derive(), { kind: 'repeated', dyn: error.dyn }));
      }
    } else {
      values.push(resumedOr(machine, node, scope));
    }
  }
  if (values.length > 1_000_000) throw new Unsupported('it makes a very long array', owner);
  machine.step(owner, values.length >> 3);
  if (isOpen !== undefined) machine.open(values, isOpen);
  return values;
}

function resumedOr(machine: Machine, node: ts.Expression, scope: Scope): unknown {
  const known = resumedValue(scope, node);
  return known === undefined ? evaluate(machine, node, scope) : known.value;
}

function objectLiteral(machine: Machine, node: ts.ObjectLiteralExpression, scope: Scope): unknown {
  const object: Record<PropertyKey, unknown> = machine.created({});
  const define = (key: unknown, descriptor: PropertyDescriptor): void => {
    if (key instanceof Dyn) machine.open(object, key);
    else Object.defineProperty(object, toKey(key), { enumerable: true, configurable: true, ...descriptor });
  };
  let hasAccessor = false;
  /** Defines a property like any other, in the way that costs least. */
  const assign = (key: unknown, value: unknown): void => {
    if (hasAccessor || typeof key !== 'string' || key === '__proto__') define(key, { value, writable: true });
    else object[key] = value;
  };
  for (const property of node.properties) {
    if (ts.isPropertyAssignment(property)) {
      const key = propertyKey(machine, property.name, scope);
      const name =
        typeof key === 'symbol' ? `[${key.description ?? ''}]` : key instanceof Dyn ? '' : String(key);
      const resumed = resumedValue(scope, property.initializer);
      const value =
        resumed === undefined ? evaluateNamed(machine, property.initializer, scope, name) : resumed.value;
      if (key === '__proto__' && !ts.isComputedPropertyName(property.name))
        throw new Unsupported('it sets the prototype of an object', property);
      assign(key, value);
    } else if (ts.isShorthandPropertyAssignment(property)) {
      assign(property.name.text, readVariable(machine, property.name, scope));
    } else if (ts.isSpreadAssignment(property)) {
      spreadInto(machine, object, resumedOr(machine, property.expression, scope), property);
    } else if (ts.isMethodDeclaration(property)) {
      const key = propertyKey(machine, property.name, scope);
      const value = makeFunction(machine, property, scope, {
        name: key instanceof Dyn ? '' : String(key),
        homeObject: object,
      });
      define(key, { value, writable: true });
    } else {
      const key = propertyKey(machine, property.name, scope);
      if (key instanceof Dyn) throw new Unsupported('the name of an accessor is not known', property);
      const accessor = makeFunction(machine, property, scope, { name: String(key), homeObject: object });
      const { get, set } = Reflect.getOwnPropertyDescriptor(object, toKey(key)) ?? {};
      hasAccessor = true;
      const given = ts.isGetAccessor(property) ? { get: accessor, set } : { get, set: accessor };
      define(key, given as PropertyDescriptor);
    }
  }
  return object;
}

function spreadInto(
  machine: Machine,
  object: Record<PropertyKey, unknown>,
  source: unknown,
  node: SyntaxNode,
): void {
  const dyn = source instanceof Dyn ? source : machine.opened(source);
  if (dyn !== undefined) {
    // What stands before may be overwritten.
    for (const key of Reflect.ownKeys(object)) object[key] = dyn.derive();
    machine.open(object, dyn);
    return;
  }
  if (source === null || source === undefined) return;
  const from = Object(source) as object;
  for (const key of Reflect.ownKeys(from)) {
    if (Reflect.getOwnPropertyDescriptor(from, key)?.enumerable !== true) continue;
    Object.defineProperty(object, key, {
      value: getProperty(machine, source, key, node),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** The key that the name of a property or member means. */
export function propertyKey(machine: Machine, name: ts.PropertyName, scope: Scope): unknown {
  if (ts.isComputedPropertyName(name)) {
    const key = resumedOr(machine, name.expression, scope);
    return key instanceof Dyn ? key : toKey(key);
  }
  if (ts.isNumericLiteral(name)) return String(Number(name.text));
  if (ts.isPrivateIdentifier(name)) throw new Unsupported('a private name stands where none can', name);
  return name.text;
}

function functionExpression(machine: Machine, node: ts.FunctionExpression, scope: Scope): unknown {
  if (node.name === undefined) return makeFunction(machine, node, scope, { name: '' });
  const own = scope.child(machine.contexts);
  own.declare(node.name.text, true);
  const made = makeFunction(machine, node, own, { name: node.name.text });
  own.initialize(node.name.text, made);
  return made;
}

interface Accessed {
  readonly value: unknown;
  readonly thisValue: unknown;
}

/** A property with the object that it was read from. */
function access(
  machine: Machine,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  scope: Scope,
): Accessed {
  const known = resumedValue(scope, node);
  if (known !== undefined) return { value: known.value, thisValue: undefined };
  if (node.expression.kind === Kind.SuperKeyword) {
    const { homeObject, thisValue } = scope.frame;
    const parent = homeObject === undefined ? undefined : Reflect.getPrototypeOf(homeObject);
    const key = keyOf(machine, node, scope);
    if (key instanceof Dyn) return { value: key.derive(), thisValue };
    const value: unknown =
      parent === null || parent === undefined ? undefined : Reflect.get(parent, toKey(key), thisValue);
    return { value, thisValue };
  }
  const target = chain(machine, node.expression, scope);
  if (target === SHORT) return { value: SHORT, thisValue: undefined };
  if (node.questionDotToken !== undefined && (target === undefined || target === null)) {
    return { value: SHORT, thisValue: undefined };
  }
  if (ts.isPropertyAccessExpression(node) && ts.isPrivateIdentifier(node.name)) {
    return { value: readPrivate(machine, target, node.name, node), thisValue: target };
  }
  const key = keyOf(machine, node, scope);
  return { value: getProperty(machine, target, key, node), thisValue: target };
}

function readPrivate(
  machine: Machine,
  target: unknown,
  name: ts.PrivateIdentifier,
  node: SyntaxNode,
): unknown {
  if (target instanceof Dyn) return target.derive();
  const isObject = (typeof target === 'object' && target !== null) || typeof target === 'function';
  if (isObject && hasPrivate(target, name.text)) {
    const value = privatesOf(target).get(name.text);
    if (!(value instanceof PrivateAccessor)) return value;
    return value.get === undefined ? undefined : callFunction(machine, value.get, target, [], node);
  }
  return machine.mistake(
    new TypeError(`Cannot read private member ${name.text} from an object whose class did not declare it`),
    node,
  );
}

function keyOf(
  machine: Machine,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  scope: Scope,
): unknown {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return resumedOr(machine, node.argumentExpression, scope);
}

function callee(
  machine: Machine,
  node: ts.Expression,
  scope: Scope,
): { readonly fn: unknown; readonly thisValue: unknown } {
  let inner = node;
  while (ts.isNonNullExpression(inner) || ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner)) {
    inner = inner.expression;
  }
  if (ts.isPropertyAccessExpression(inner) || ts.isElementAccessExpression(inner)) {
    const { value, thisValue } = access(machine, inner, scope);
    return { fn: value, thisValue };
  }
  return { fn: chain(machine, inner, scope), thisValue: undefined };
}

function call(machine: Machine, node: ts.CallExpression, scope: Scope): unknown {
  if (node.expression.kind === Kind.SuperKeyword) {
    return superCall(machine, node, spreadAll(machine, node.arguments, scope, node), scope);
  }
  if (node.expression.kind === Kind.ImportKeyword) {
    const [specifier] = spreadAll(machine, node.arguments, scope, node);
    return machine.modules.importDynamically(machine, specifier, scope.module, node);
  }
  const { fn, thisValue } = callee(machine, node.expression, scope);
  if (fn === SHORT) return SHORT;
  if (node.questionDotToken !== undefined && (fn === undefined || fn === null)) return SHORT;
  const args = spreadAll(machine, node.arguments, scope, node);
  const opened = machine.opened(args);
  if (opened !== undefined) {
    for (const arg of args) escape(machine, arg instanceof Uncertain ? arg.value : arg, opened, node);
    escape(machine, thisValue, opened, node);
    return opened.derive();
  }
  if (typeof fn !== 'function' && !(fn instanceof Dyn)) {
    return machine.mistake(new TypeError(`${calleeText(node)} is not a function`), node.expression);
  }
  return callFunction(machine, fn, thisValue, args, node);
}

function newExpression(machine: Machine, node: ts.NewExpression, scope: Scope): unknown {
  const known = resumedValue(scope, node);
  if (known !== undefined) return known.value;
  const fn = resumedOr(machine, node.expression, scope);
  const args = spreadAll(machine, node.arguments ?? [], scope, node);
  const opened = machine.opened(args);
  if (opened !== undefined) return opened.derive();
  return construct(machine, fn, args, node);
}

function conditional(machine: Machine, node: ts.ConditionalExpression, scope: Scope): unknown {
  const test = truth(resumedOr(machine, node.condition, scope));
  if (test instanceof Dyn) {
    return either(machine, test, [
      () => resumedOr(machine, node.whenTrue, scope),
      () => resumedOr(machine, node.whenFalse, scope),
    ]);
  }
  return resumedOr(machine, test ? node.whenTrue : node.whenFalse, scope);
}

/** The value of one of several expressions, of which nobody knows which is evaluated. */
function either(machine: Machine, dyn: Dyn, choices: readonly (() => unknown)[]): unknown {
  const context: Context = { kind: 'conditional', dyn };
  const branches = choices.map(choice => machine.branch(context, choice));
  machine.merge(branches, dyn, true);
  return mergeValues(
    branches.map(branch => branch.result),
    dyn,
  );
}

function binary(machine: Machine, node: ts.BinaryExpression, scope: Scope): unknown {
  const operator = node.operatorToken.kind;
  switch (operator) {
    case Kind.EqualsToken: {
      const known = resumedValue(scope, node.right);
      const name = ts.isIdentifier(node.left) ? node.left.text : '';
      const value = known === undefined ? evaluateNamed(machine, node.right, scope, name) : known.value;
      assignTo(machine, node.left, value, scope);
      return value;
    }
    case Kind.CommaToken:
      resumedOr(machine, node.left, scope);
      return resumedOr(machine, node.right, scope);
    case Kind.AmpersandAmpersandToken:
    case Kind.BarBarToken:
    case Kind.QuestionQuestionToken: {
      const left = resumedOr(machine, node.left, scope);
      return logical(machine, operator, left, () => resumedOr(machine, node.right, scope));
    }
    case Kind.AmpersandAmpersandEqualsToken:
    case Kind.BarBarEqualsToken:
    case Kind.QuestionQuestionEqualsToken: {
      const left = evaluate(machine, node.left, scope);
      const name = ts.isIdentifier(node.left) ? node.left.text : '';
      const plain =
        operator === Kind.AmpersandAmpersandEqualsToken
          ? Kind.AmpersandAmpersandToken
          : operator === Kind.BarBarEqualsToken
            ? Kind.BarBarToken
            : Kind.QuestionQuestionToken;
      return logical(machine, plain, left, () => {
        const value = evaluateNamed(machine, node.right, scope, name);
        assignTo(machine, node.left, value, scope);
        return value;
      });
    }
    case Kind.InKeyword: {
      if (ts.isPrivateIdentifier(node.left)) {
        const target = evaluate(machine, node.right, scope);
        if (target instanceof Dyn) return target.derive();
        return typeof target === 'object' && target !== null && hasPrivate(target, node.left.text);
      }
      break;
    }
    default:
      break;
  }
  if (operator > Kind.FirstAssignment && operator <= Kind.LastAssignment) {
    const left = evaluate(machine, node.left, scope);
    const value = evaluateBinary(machine, operator, left, resumedOr(machine, node.right, scope), node);
    assignTo(machine, node.left, value, scope);
    return value;
  }
  const left = resumedOr(machine, node.left, scope);
  return evaluateBinary(machine, operator, left, resumedOr(machine, node.right, scope), node);
}

function logical(machine: Machine, operator: ts.SyntaxKind, left: unknown, right: () => unknown): unknown {
  if (left instanceof Dyn) {
    const context: Context = { kind: 'conditional', dyn: left };
    const branch = machine.branch(context, right);
    machine.merge([branch], left, false);
    return left.derive();
  }
  const goesOn =
    operator === Kind.AmpersandAmpersandToken
      ? Boolean(left)
      : operator === Kind.BarBarToken
        ? !left
        : left === undefined || left === null;
  return goesOn ? right() : left;
}

function unary(
  machine: Machine,
  node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression,
  scope: Scope,
): unknown {
  const { operator, operand } = node;
  const value = resumedOr(machine, operand, scope);
  if (operator !== Kind.PlusPlusToken && operator !== Kind.MinusMinusToken) {
    return evaluateUnary(machine, operator, value, node);
  }
  const old = evaluateUnary(machine, Kind.PlusToken, value, node);
  const changed =
    old instanceof Dyn
      ? old
      : typeof old === 'bigint'
        ? old
        : Number(old) + (operator === Kind.PlusPlusToken ? 1 : -1);
  assignTo(machine, operand, changed, scope);
  return ts.isPrefixUnaryExpression(node) ? changed : old;
}

function typeOf(machine: Machine, node: ts.TypeOfExpression, scope: Scope): unknown {
  const { expression } = node;
  if (ts.isIdentifier(expression) && scope.lookup(expression.text) === undefined) {
    if (expression.text !== 'undefined' && !(expression.text in globalThis)) return 'undefined';
  }
  const value = resumedOr(machine, expression, scope);
  return value instanceof Dyn ? value.derive() : typeof value;
}

function deleteExpression(machine: Machine, node: ts.DeleteExpression, scope: Scope): unknown {
  const { expression } = node;
  if (ts.isPropertyAccessExpression(expression)) {
    return deleteProperty(
      machine,
      evaluate(machine, expression.expression, scope),
      expression.name.text,
      node,
    );
  }
  if (ts.isElementAccessExpression(expression)) {
    const target = evaluate(machine, expression.expression, scope);
    return deleteProperty(machine, target, evaluate(machine, expression.argumentExpression, scope), node);
  }
  throw new Unsupported(`${quoteSource(node)} is not evaluated`, node);
}

function metaProperty(machine: Machine, node: ts.MetaProperty, scope: Scope): unknown {
  if (node.keywordToken === Kind.ImportKeyword) return machine.modules.importMeta(scope.module);
  return scope.frame.newTarget;
}
