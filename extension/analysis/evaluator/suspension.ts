/** `await` and `yield` inside of expressions. */
import { isSuspending } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { getProperty } from './access.ts';
import { asyncItems, iterate } from './iteration.ts';
import { evaluate } from './expressions.ts';
import type { Machine } from './machine.ts';
import type { Scope } from './scope.ts';
import { Dyn, type Suspension } from './values.ts';

/** Whether a piece of code waits or yields itself, not in a function within it. The facts of its file must be known. */
export function hasSuspension(node: SyntaxNode): boolean {
  return isSuspending(node);
}

/** Values of `await` and `yield` that were computed before the expression around them is evaluated. */
const resumed = new WeakMap<object, Map<SyntaxNode, unknown>>();
/** Most programs never wait inside of an expression: then there is nothing to look up. */
let hasResumed = false;

export function resumedValue(scope: Scope, node: SyntaxNode): { readonly value: unknown } | undefined {
  if (!hasResumed) return undefined;
  const values = resumed.get(scope.frame);
  return values?.has(node) === true ? { value: values.get(node) } : undefined;
}

/**
 * Evaluates an expression in which something waits. The parts that wait are evaluated first, from left to right; the
 * rest of the expression then uses their values.
 */
export function* evaluateSuspendable(
  machine: Machine,
  node: ts.Expression,
  scope: Scope,
): Generator<Suspension, unknown, unknown> {
  if (!hasSuspension(node)) return evaluate(machine, node, scope);
  switch (node.kind) {
    case Kind.AwaitExpression: {
      const value = yield* evaluateSuspendable(machine, (node as ts.AwaitExpression).expression, scope);
      return yield { kind: 'await', value };
    }
    case Kind.YieldExpression:
      return yield* evaluateYield(machine, node as ts.YieldExpression, scope);
    case Kind.ParenthesizedExpression:
    case Kind.AsExpression:
    case Kind.SatisfiesExpression:
    case Kind.NonNullExpression:
      return yield* evaluateSuspendable(machine, (node as ts.ParenthesizedExpression).expression, scope);
    case Kind.ConditionalExpression: {
      const { condition, whenTrue, whenFalse } = node as ts.ConditionalExpression;
      const test = yield* evaluateSuspendable(machine, condition, scope);
      if (test instanceof Dyn) return test.derive();
      return yield* evaluateSuspendable(machine, test ? whenTrue : whenFalse, scope);
    }
    case Kind.BinaryExpression: {
      const { left, operatorToken, right } = node as ts.BinaryExpression;
      const isLogical =
        operatorToken.kind === Kind.AmpersandAmpersandToken ||
        operatorToken.kind === Kind.BarBarToken ||
        operatorToken.kind === Kind.QuestionQuestionToken;
      if (!isLogical) break;
      const value = yield* evaluateSuspendable(machine, left, scope);
      if (value instanceof Dyn) return value.derive();
      const goesOn =
        operatorToken.kind === Kind.AmpersandAmpersandToken
          ? Boolean(value)
          : operatorToken.kind === Kind.BarBarToken
            ? !value
            : value === undefined || value === null;
      return goesOn ? yield* evaluateSuspendable(machine, right, scope) : value;
    }
    default:
      break;
  }
  hasResumed = true;
  let values = resumed.get(scope.frame);
  if (values === undefined) resumed.set(scope.frame, (values = new Map<SyntaxNode, unknown>()));
  const prepared: SyntaxNode[] = [];
  for (const part of waitingParts(node)) {
    values.set(part, yield* evaluateSuspendable(machine, part, scope));
    prepared.push(part);
  }
  try {
    return evaluate(machine, node, scope);
  } finally {
    for (const part of prepared) values.delete(part);
  }
}

/** The outermost expressions within another one that can be evaluated before it. */
function waitingParts(node: SyntaxNode): ts.Expression[] {
  const parts: ts.Expression[] = [];
  ts.forEachChild(node, child => {
    if (!hasSuspension(child)) return;
    const isCallee =
      ts.isCallExpression(node) &&
      child === node.expression &&
      (ts.isPropertyAccessExpression(child) || ts.isElementAccessExpression(child));
    if (isCallee || !isExpression(child)) parts.push(...waitingParts(child));
    else parts.push(child);
  });
  return parts;
}

function isExpression(node: SyntaxNode): node is ts.Expression {
  return ts.isExpression(node) && !ts.isSpreadElement(node);
}

function* evaluateYield(
  machine: Machine,
  { expression, asteriskToken }: ts.YieldExpression,
  scope: Scope,
): Generator<Suspension, unknown, unknown> {
  const value = expression === undefined ? undefined : yield* evaluateSuspendable(machine, expression, scope);
  if (asteriskToken === undefined) return yield { kind: 'yield', value };
  if (value instanceof Dyn || expression === undefined) return yield { kind: 'yield', value };
  const isAsync =
    scope.frame.isAsync && getProperty(machine, value, Symbol.asyncIterator, expression) !== undefined;
  if (isAsync) {
    const iterator = asyncItems(machine, value, expression);
    for (;;) {
      const result = yield { kind: 'await', value: iterator() };
      if (typeof result !== 'object' || result === null || result instanceof Dyn) return result;
      const { done, value: item } = result as IteratorResult<unknown, unknown>;
      if (done === true) return item;
      yield { kind: 'yield', value: item };
    }
  }
  for (const item of iterate(machine, value, expression)) yield { kind: 'yield', value: item };
  return undefined;
}
