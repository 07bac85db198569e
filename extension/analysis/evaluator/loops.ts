/** Loops of the evaluated program. */
import { boundNames, isUsing, unwrapped } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { functionScope, isLet, runDeclarations } from './declarations.ts';
import { asyncItems, iterate } from './iteration.ts';
import { type Machine, asMaybe } from './machine.ts';
import { assignTo, bindPattern } from './patterns.ts';
import { Scope } from './scope.ts';
import { type Running, expression, runStatement, withoutWaiting } from './statements.ts';
import {
  type AbruptCompletion,
  Coerced,
  type Completion,
  type Context,
  Dyn,
  Uncertain,
  Unsupported,
} from './values.ts';

/** What a loop does with the way in which its body ended. */
type LoopStep =
  'next' | { readonly leave: Completion } | { readonly maybeLeave: AbruptCompletion; readonly dyn: Dyn };

function afterIteration(end: Completion, label: string | undefined): LoopStep {
  if (end === undefined) return 'next';
  if (end.type === 'maybe') {
    const inner = afterIteration(end.of, label);
    if (inner === 'next') return 'next';
    if ('leave' in inner) return { maybeLeave: inner.leave === undefined ? BREAK : end.of, dyn: end.dyn };
    return inner;
  }
  if (end.type === 'return') return { leave: end };
  const isOwn = end.label === undefined || end.label === label;
  if (!isOwn) return { leave: end };
  return end.type === 'continue' ? 'next' : { leave: undefined };
}

const BREAK: AbruptCompletion = { type: 'break', label: undefined };

/** Runs the body of a loop for each item; from an uncertain end on, the rest is uncertain too. */
function* runLoop<T>(
  machine: Machine,
  items: Iterable<T>,
  label: string | undefined,
  body: (item: T) => Running<Completion>,
  node: SyntaxNode,
): Running<Completion> {
  let uncertain: { readonly of: AbruptCompletion; readonly dyn: Dyn } | undefined;
  for (const item of items) {
    machine.step(node);
    const context: Context | undefined =
      item instanceof Uncertain
        ? item.context
        : uncertain === undefined
          ? undefined
          : { kind: 'conditional', dyn: uncertain.dyn };
    const end: Completion =
      context === undefined
        ? yield* body(item)
        : asMaybe(
            machine.maybe(context, () => withoutWaiting(body(item), node)),
            context.dyn,
          );
    const step = afterIteration(end, label);
    if (step === 'next') continue;
    if ('leave' in step) {
      return uncertain === undefined || step.leave === undefined
        ? step.leave
        : asMaybe(step.leave, uncertain.dyn);
    }
    uncertain = { of: step.maybeLeave, dyn: step.dyn };
  }
  return uncertain?.of.type === 'return'
    ? { type: 'maybe', of: uncertain.of, dyn: uncertain.dyn }
    : undefined;
}

/** Evaluates the body of a loop once for all its rounds, of which nobody knows how many there are. */
function repeated(
  machine: Machine,
  dyn: Dyn,
  loop: SyntaxNode,
  scope: Scope,
  label: string | undefined,
  body: () => Running<Completion>,
): Completion {
  const branch = machine.branch({ kind: 'repeated', dyn }, () => {
    // Earlier rounds may have changed any variable that the body changes.
    for (const name of assignedNames(loop)) {
      const found = scope.lookup(name);
      if (found?.binding.isInitialized === true && !found.binding.isConstant)
        machine.assignBinding(found.scope, found.binding, dyn.derive());
    }
    return withoutWaiting(body(), loop);
  });
  machine.merge([branch], dyn, false);
  const step = afterIteration(branch.result, label);
  if (step === 'next') return undefined;
  if ('leave' in step) return asMaybe(step.leave, dyn);
  return step.maybeLeave.type === 'return' ? { type: 'maybe', of: step.maybeLeave, dyn } : undefined;
}

function assignedNames(loop: SyntaxNode): Set<string> {
  const names = new Set<string>();
  const addTarget = (target: ts.Expression): void => {
    const inner = unwrapped(target);
    if (ts.isIdentifier(inner)) names.add(inner.text);
    else
      ts.forEachChild(inner, child => {
        if (ts.isIdentifier(child)) names.add(child.text);
      });
  };
  const visit = (node: SyntaxNode): void => {
    if (ts.isBinaryExpression(node)) {
      const { kind } = node.operatorToken;
      if (kind >= Kind.FirstAssignment && kind <= Kind.LastAssignment) addTarget(node.left);
    } else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      if (node.operator === Kind.PlusPlusToken || node.operator === Kind.MinusMinusToken)
        addTarget(node.operand);
    }
    ts.forEachChild(node, visit);
  };
  visit(loop);
  return names;
}

export function* runForOf(
  machine: Machine,
  node: ts.ForOfStatement,
  scope: Scope,
  label: string | undefined,
): Running<Completion> {
  if (ts.isVariableDeclarationList(node.initializer) && isUsing(node.initializer))
    throw new Unsupported('a loop declares something with "using"', node);
  const source = yield* expression(machine, node.expression, scope);
  const body = (item: unknown): Running<Completion> => runWithItem(machine, node, item, scope);
  if (source instanceof Dyn) {
    return repeated(machine, source, node, scope, label, () => body(source.derive()));
  }
  if (node.awaitModifier !== undefined) {
    const next = asyncItems(machine, source, node.expression);
    for (;;) {
      machine.step(node);
      const pending = next() as IteratorResult<unknown> | Promise<unknown>;
      const result = pending instanceof Promise ? yield { kind: 'await', value: pending } : pending;
      if (typeof result !== 'object' || result === null || result instanceof Dyn)
        throw new Unsupported('it waits for something unknown', node);
      const { done, value } = result as IteratorResult<unknown, unknown>;
      if (done === true) return undefined;
      const step = afterIteration(yield* body(yield { kind: 'await', value }), label);
      if (step === 'next') continue;
      if ('leave' in step) return step.leave;
      throw new Unsupported('it may leave a loop that waits', node);
    }
  }
  try {
    return yield* runLoop(
      machine,
      iterate(machine, source, node.expression),
      label,
      item => body(item instanceof Uncertain ? item.value : item),
      node,
    );
  } catch (error) {
    if (!(error instanceof Coerced)) throw error;
    const { dyn } = error;
    return repeated(machine, dyn, node, scope, label, () => body(dyn.derive()));
  }
}

export function* runForIn(
  machine: Machine,
  node: ts.ForInStatement,
  scope: Scope,
  label: string | undefined,
): Running<Completion> {
  const source = yield* expression(machine, node.expression, scope);
  const body = (item: unknown): Running<Completion> => runWithItem(machine, node, item, scope);
  const dyn = source instanceof Dyn ? source : machine.opened(source);
  if (dyn !== undefined) return repeated(machine, dyn, node, scope, label, () => body(dyn.derive()));
  const keys: string[] = [];
  if (source !== null && source !== undefined) for (const key in Object(source) as object) keys.push(key);
  return yield* runLoop(machine, keys, label, body, node);
}

function* runWithItem(
  machine: Machine,
  node: ts.ForOfStatement | ts.ForInStatement,
  item: unknown,
  outer: Scope,
): Running<Completion> {
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  const { initializer } = node;
  if (ts.isVariableDeclarationList(initializer)) {
    const isVar = (initializer.flags & ts.NodeFlags.BlockScoped) === 0;
    const [declaration] = initializer.declarations;
    if (declaration !== undefined) {
      const isConstant = !isLet(initializer);
      if (!isVar) for (const { text } of boundNames(declaration.name)) scope.declare(text, isConstant);
      bindPattern(machine, declaration.name, item, isVar ? functionScope(outer) : scope);
    }
  } else {
    assignTo(machine, initializer, item, scope);
  }
  return yield* runStatement(machine, node.statement, scope);
}

export function* runFor(
  machine: Machine,
  node: ts.ForStatement,
  outer: Scope,
  label: string | undefined,
): Running<Completion> {
  let scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  const { initializer, condition, incrementor, statement } = node;
  const names: string[] = [];
  if (initializer !== undefined && ts.isVariableDeclarationList(initializer)) {
    if ((initializer.flags & ts.NodeFlags.BlockScoped) !== 0) {
      const isConstant = !isLet(initializer);
      for (const { name } of initializer.declarations) {
        for (const { text } of boundNames(name)) {
          names.push(text);
          scope.declare(text, isConstant);
        }
      }
    }
    yield* runDeclarations(machine, initializer, scope);
  } else if (initializer !== undefined) {
    yield* expression(machine, initializer, scope);
  }
  for (;;) {
    machine.step(node);
    if (condition !== undefined) {
      const test = yield* expression(machine, condition, scope);
      if (test instanceof Dyn) {
        return repeated(machine, test, node, scope, label, () => runStatement(machine, statement, scope));
      }
      if (!test) return undefined;
    }
    const step = afterIteration(yield* runStatement(machine, statement, scope), label);
    if (step !== 'next') {
      if ('leave' in step) return step.leave;
      return repeated(machine, step.dyn, node, scope, label, () => runStatement(machine, statement, scope));
    }
    scope = nextRound(machine, scope, outer, names);
    if (incrementor !== undefined) yield* expression(machine, incrementor, scope);
  }
}

/** Functions that a round makes keep the variables of that round. */
function nextRound(machine: Machine, last: Scope, outer: Scope, names: readonly string[]): Scope {
  if (names.length === 0) return last;
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  for (const name of names) {
    const binding = last.bindings.get(name);
    if (binding !== undefined) scope.bindings.set(name, { ...binding });
  }
  return scope;
}

export function* runWhile(
  machine: Machine,
  node: ts.WhileStatement | ts.DoStatement,
  scope: Scope,
  label: string | undefined,
): Running<Completion> {
  let isTested = ts.isWhileStatement(node);
  for (;;) {
    machine.step(node);
    if (isTested) {
      const test = yield* expression(machine, node.expression, scope);
      if (test instanceof Dyn) {
        return repeated(machine, test, node, scope, label, () =>
          runStatement(machine, node.statement, scope),
        );
      }
      if (!test) return undefined;
    }
    isTested = true;
    const step = afterIteration(yield* runStatement(machine, node.statement, scope), label);
    if (step === 'next') continue;
    if ('leave' in step) return step.leave;
    return repeated(machine, step.dyn, node, scope, label, () =>
      runStatement(machine, node.statement, scope),
    );
  }
}
