/** Operators on values that may be unknown. */
import { Kind, type SyntaxNode, type ts } from '../syntax.ts';
import { toKey } from './access.ts';
import type { Machine } from './machine.ts';
import { Coerced, Dyn, isSignal, Unsupported } from './values.ts';

/** Whether a value counts as true; an unknown one stays unknown. */
export function truth(value: unknown): boolean | Dyn {
  return value instanceof Dyn ? value : Boolean(value);
}

export function evaluateBinary(
  machine: Machine,
  operator: ts.SyntaxKind,
  left: unknown,
  right: unknown,
  node: SyntaxNode,
): unknown {
  if (left instanceof Dyn || right instanceof Dyn) return unknownBinary(operator, left, right);
  try {
    return compute(machine, operator, left, right, node);
  } catch (error) {
    if (error instanceof Coerced) return error.dyn.derive();
    if (isSignal(error)) throw error;
    return machine.mistake(error, node);
  }
}

function unknownBinary(operator: ts.SyntaxKind, left: unknown, right: unknown): Dyn {
  const dyn = left instanceof Dyn ? left : (right as Dyn);
  if (operator !== Kind.PlusToken && operator !== Kind.PlusEqualsToken) return dyn.derive();
  const [before, after] = [left, right].map(part =>
    part instanceof Dyn
      ? part.pattern
      : typeof part === 'string' || typeof part === 'number'
        ? String(part)
        : '${…}',
  );
  return dyn.derive(`${before ?? ''}${after ?? ''}`);
}

function compute(
  machine: Machine,
  operator: ts.SyntaxKind,
  left: unknown,
  right: unknown,
  node: SyntaxNode,
): unknown {
  // The types are the program's affair: whatever JavaScript does with the values is what happens here.
  const [a, b] = [left as number, right as number];
  switch (operator) {
    case Kind.EqualsEqualsEqualsToken:
      return left === right;
    case Kind.ExclamationEqualsEqualsToken:
      return left !== right;
    case Kind.EqualsEqualsToken:
      // eslint-disable-next-line eqeqeq
      return known(machine, left, right) ?? left == right;
    case Kind.ExclamationEqualsToken:
      // eslint-disable-next-line eqeqeq
      return known(machine, left, right) ?? left != right;
    case Kind.InstanceOfKeyword:
      if (typeof right !== 'function') {
        return machine.mistake(new TypeError("Right-hand side of 'instanceof' is not callable"), node);
      }
      return left instanceof right;
    case Kind.InKeyword: {
      if (typeof right !== 'object' && typeof right !== 'function') {
        const message = `Cannot use 'in' operator to search for '${String(left)}' in ${describePrimitive(right)}`;
        return machine.mistake(new TypeError(message), node);
      }
      const opened = machine.opened(right);
      if (opened !== undefined) return opened.derive();
      return Reflect.has(right ?? {}, toKey(left));
    }
    default:
      break;
  }
  const opened = known(machine, left, right);
  if (opened !== undefined) return opened;
  switch (operator) {
    case Kind.PlusToken:
    case Kind.PlusEqualsToken: {
      if (typeof left === 'function' || typeof right === 'function')
        return new Dyn('the text of a function', node);
      const sum: unknown = a + b;
      if (typeof sum === 'string' && sum.length > 5_000_000)
        throw new Unsupported('it makes a very long text', node);
      return sum;
    }
    case Kind.MinusToken:
    case Kind.MinusEqualsToken:
      return a - b;
    case Kind.AsteriskToken:
    case Kind.AsteriskEqualsToken:
      return a * b;
    case Kind.SlashToken:
    case Kind.SlashEqualsToken:
      return a / b;
    case Kind.PercentToken:
    case Kind.PercentEqualsToken:
      return a % b;
    case Kind.AsteriskAsteriskToken:
    case Kind.AsteriskAsteriskEqualsToken:
      if (typeof left === 'bigint') throw new Unsupported('it raises a large number to a power', node);
      return a ** b;
    case Kind.LessThanToken:
      return a < b;
    case Kind.LessThanEqualsToken:
      return a <= b;
    case Kind.GreaterThanToken:
      return a > b;
    case Kind.GreaterThanEqualsToken:
      return a >= b;
    case Kind.AmpersandToken:
    case Kind.AmpersandEqualsToken:
      return a & b;
    case Kind.BarToken:
    case Kind.BarEqualsToken:
      return a | b;
    case Kind.CaretToken:
    case Kind.CaretEqualsToken:
      return a ^ b;
    case Kind.LessThanLessThanToken:
    case Kind.LessThanLessThanEqualsToken:
      if (typeof left === 'bigint') throw new Unsupported('it shifts a large number', node);
      return a << b;
    case Kind.GreaterThanGreaterThanToken:
    case Kind.GreaterThanGreaterThanEqualsToken:
      return a >> b;
    case Kind.GreaterThanGreaterThanGreaterThanToken:
    case Kind.GreaterThanGreaterThanGreaterThanEqualsToken:
      return a >>> b;
    default:
      throw new Unsupported('it has an operator that is not evaluated', node);
  }
}

/** Objects whose contents are not known cannot be turned into primitive values. */
function known(machine: Machine, left: unknown, right: unknown): Dyn | undefined {
  return (machine.opened(left) ?? machine.opened(right))?.derive();
}

export function evaluateUnary(
  machine: Machine,
  operator: ts.SyntaxKind,
  value: unknown,
  node: SyntaxNode,
): unknown {
  if (value instanceof Dyn) return value.derive();
  try {
    switch (operator) {
      case Kind.ExclamationToken:
        return !value;
      case Kind.MinusToken:
        return -(value as number);
      case Kind.PlusToken:
        if (typeof value === 'bigint') throw new Unsupported('it computes with large numbers', node);
        return Number(value);
      case Kind.TildeToken:
        return ~(value as number);
      default:
        throw new Unsupported('it has an operator that is not evaluated', node);
    }
  } catch (error) {
    if (error instanceof Coerced) return error.dyn.derive();
    if (isSignal(error)) throw error;
    return machine.mistake(error, node);
  }
}

/** As `String()` does; what is no object has a text of its own. */
function describePrimitive(value: unknown): string {
  return typeof value === 'symbol' ? value.toString() : ''.concat(value as string);
}
