/** Statements of the evaluated program. They are generators, so that functions can be suspended between them. */
import { boundNames, isDeclaredOnly, unwrapped } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { makeClass } from './classes.ts';
import { evaluate, evaluateNamed } from './expressions.ts';
import { makeFunction } from './functions.ts';
import { asyncItems, iterate } from './iteration.ts';
import { asMaybe, type Machine, sequence } from './machine.ts';
import { assignTo, bindPattern, nameFor } from './patterns.ts';
import { Scope } from './scope.ts';
import { evaluateSuspendable, hasSuspension } from './suspension.ts';
import {
  type AbruptCompletion,
  Abandoned,
  Coerced,
  type Completion,
  type Context,
  Dyn,
  type Suspension,
  Uncertain,
  Unsupported,
  UserThrow,
} from './values.ts';

export type Running<T> = Generator<Suspension, T, unknown>;

/** Evaluates the body of a function; its result. */
export function* runBody(
  machine: Machine,
  statements: readonly ts.Statement[],
  scope: Scope,
): Running<unknown> {
  hoist(machine, statements, scope);
  hoistVariables(statements, scope);
  const end = yield* runStatements(machine, statements, 0, scope);
  if (end === undefined) return undefined;
  if (end.type === 'return') return end.value;
  if (end.type === 'maybe' && end.of.type === 'return') {
    return end.of.value === undefined ? undefined : end.dyn.derive();
  }
  return undefined;
}

/** Evaluates statements in a scope of their own. */
export function* runBlock(
  machine: Machine,
  block: { readonly statements: readonly ts.Statement[] },
  outer: Scope,
): Running<Completion> {
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  hoist(machine, block.statements, scope);
  return yield* runStatements(machine, block.statements, 0, scope);
}

export function* runStatements(
  machine: Machine,
  statements: readonly ts.Statement[],
  start: number,
  scope: Scope,
): Running<Completion> {
  for (let index = start; index < statements.length; index++) {
    const statement = statements[index];
    if (statement === undefined) break;
    const end = yield* runStatement(machine, statement, scope);
    if (end === undefined) continue;
    if (end.type !== 'maybe') return end;
    // Something unknown decides whether the rest happens.
    const rest = machine.maybe({ kind: 'conditional', dyn: end.dyn }, () =>
      withoutWaiting(runStatements(machine, statements, index + 1, scope), statement),
    );
    return sequence(end.of, end.dyn, rest);
  }
  return undefined;
}

/** Where it is not known whether something happens, the evaluation cannot stop in the middle of it. */
function withoutWaiting<T>(running: Running<T>, node: SyntaxNode): T {
  const step = running.next();
  if (step.done === true) return step.value;
  throw new Unsupported('it waits in code of which it is not known whether it runs', node);
}

/** Declares what a block declares; functions have their values from the beginning. */
export function hoist(machine: Machine, statements: Iterable<ts.Statement>, scope: Scope): void {
  for (const statement of statements) {
    if (isDeclaredOnly(statement)) continue;
    switch (statement.kind) {
      case Kind.VariableStatement: {
        const list = (statement as ts.VariableStatement).declarationList;
        if ((list.flags & ts.NodeFlags.BlockScoped) === 0) break;
        const isConstant = !isLet(list);
        for (const { name } of list.declarations)
          for (const { text } of boundNames(name)) scope.declare(text, isConstant);
        break;
      }
      case Kind.FunctionDeclaration: {
        const declaration = statement as ts.FunctionDeclaration;
        if (declaration.body === undefined) break;
        const name = declaration.name?.text ?? 'default';
        scope.initialize(
          declaration.name === undefined ? '*default*' : name,
          makeFunction(machine, declaration, scope, { name }),
        );
        break;
      }
      case Kind.ClassDeclaration:
        scope.declare((statement as ts.ClassDeclaration).name?.text ?? '*default*', false);
        break;
      case Kind.EnumDeclaration:
        // Several declarations of an enum make one; it is a variable in what TypeScript emits.
        scope.initialize((statement as ts.EnumDeclaration).name.text, undefined);
        break;
      default:
        break;
    }
  }
}

function blockScope(list: ts.VariableDeclarationList): number {
  return list.flags & ts.NodeFlags.BlockScoped;
}

function isLet(list: ts.VariableDeclarationList): boolean {
  const letFlag: number = ts.NodeFlags.Let;
  return blockScope(list) === letFlag;
}

/** `using` and `await using`, whose flags are those of `let` and `const` together, or more. */
function isUsing(list: ts.VariableDeclarationList): boolean {
  const constFlag: number = ts.NodeFlags.Const;
  return blockScope(list) > constFlag;
}

/** Declares the `var`s anywhere in a function. */
export function hoistVariables(statements: Iterable<SyntaxNode>, scope: Scope): void {
  const visit = (node: SyntaxNode): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isExpressionStatement(node)) return;
    if (ts.isVariableDeclarationList(node)) {
      if ((node.flags & ts.NodeFlags.BlockScoped) === 0) {
        for (const { name } of node.declarations) {
          for (const { text } of boundNames(name)) {
            if (!scope.bindings.has(text)) scope.initialize(text, undefined);
          }
        }
      }
      return;
    }
    ts.forEachChild(node, visit);
  };
  for (const statement of statements) visit(statement);
}

function* expression(machine: Machine, node: ts.Expression, scope: Scope): Running<unknown> {
  return hasSuspension(node)
    ? yield* evaluateSuspendable(machine, node, scope)
    : evaluate(machine, node, scope);
}

export function* runStatement(machine: Machine, node: ts.Statement, scope: Scope): Running<Completion> {
  machine.step(node);
  switch (node.kind) {
    case Kind.ExpressionStatement: {
      yield* expression(machine, (node as ts.ExpressionStatement).expression, scope);
      return undefined;
    }
    case Kind.VariableStatement:
      if (!isDeclaredOnly(node))
        yield* runDeclarations(machine, (node as ts.VariableStatement).declarationList, scope);
      return undefined;
    case Kind.ReturnStatement: {
      const { expression: result } = node as ts.ReturnStatement;
      return {
        type: 'return',
        value: result === undefined ? undefined : yield* expression(machine, result, scope),
      };
    }
    case Kind.IfStatement:
      return yield* runIf(machine, node as ts.IfStatement, scope);
    case Kind.Block:
      return yield* runBlock(machine, node as ts.Block, scope);
    case Kind.ForOfStatement:
      return yield* runForOf(machine, node as ts.ForOfStatement, scope, undefined);
    case Kind.ForInStatement:
      return yield* runForIn(machine, node as ts.ForInStatement, scope, undefined);
    case Kind.ForStatement:
      return yield* runFor(machine, node as ts.ForStatement, scope, undefined);
    case Kind.WhileStatement:
    case Kind.DoStatement:
      return yield* runWhile(machine, node as ts.WhileStatement | ts.DoStatement, scope, undefined);
    case Kind.SwitchStatement:
      return yield* runSwitch(machine, node as ts.SwitchStatement, scope);
    case Kind.BreakStatement:
      return { type: 'break', label: (node as ts.BreakStatement).label?.text };
    case Kind.ContinueStatement:
      return { type: 'continue', label: (node as ts.ContinueStatement).label?.text };
    case Kind.ThrowStatement:
      return yield* runThrow(machine, node as ts.ThrowStatement, scope);
    case Kind.TryStatement:
      return yield* runTry(machine, node as ts.TryStatement, scope);
    case Kind.LabeledStatement:
      return yield* runLabeled(machine, node as ts.LabeledStatement, scope);
    case Kind.ClassDeclaration: {
      if (isDeclaredOnly(node)) return undefined;
      const declaration = node as ts.ClassDeclaration;
      const made = makeClass(machine, declaration, scope, declaration.name?.text ?? 'default');
      scope.initialize(declaration.name?.text ?? '*default*', made);
      return undefined;
    }
    case Kind.EnumDeclaration:
      if (!isDeclaredOnly(node)) runEnum(machine, node as ts.EnumDeclaration, scope);
      return undefined;
    case Kind.ExportAssignment: {
      const { expression: value, isExportEquals } = node as ts.ExportAssignment;
      if (isExportEquals === true) throw new Unsupported('it is written as CommonJS', node);
      const result = hasSuspension(value)
        ? yield* evaluateSuspendable(machine, value, scope)
        : evaluateNamed(machine, value, scope, 'default');
      scope.initialize('*default*', result);
      return undefined;
    }
    case Kind.FunctionDeclaration:
    case Kind.EmptyStatement:
    case Kind.InterfaceDeclaration:
    case Kind.TypeAliasDeclaration:
    case Kind.ImportDeclaration:
    case Kind.ExportDeclaration:
    case Kind.NotEmittedStatement:
    case Kind.DebuggerStatement:
      return undefined;
    case Kind.ModuleDeclaration:
      if (isDeclaredOnly(node) || !hasValues(node as ts.ModuleDeclaration)) return undefined;
      throw new Unsupported('it has a namespace', node);
    default:
      throw new Unsupported(`it has a statement that is not evaluated`, node);
  }
}

function hasValues({ body }: ts.ModuleDeclaration): boolean {
  return (
    body !== undefined &&
    ts.isModuleBlock(body) &&
    body.statements.some(
      statement => !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement),
    )
  );
}

export function* runDeclarations(
  machine: Machine,
  list: ts.VariableDeclarationList,
  scope: Scope,
): Running<void> {
  const isVar = (list.flags & ts.NodeFlags.BlockScoped) === 0;
  if (isUsing(list)) {
    throw new Unsupported('it declares something with "using"', list);
  }
  for (const { name, initializer } of list.declarations) {
    if (initializer === undefined) {
      if (!isVar && ts.isIdentifier(name)) scope.initialize(name.text, undefined);
      continue;
    }
    const value = hasSuspension(initializer)
      ? yield* evaluateSuspendable(machine, initializer, scope)
      : evaluateNamed(machine, initializer, scope, nameFor(name));
    if (isVar) {
      for (const found of boundNames(name)) {
        const target = scope.lookup(found.text);
        // Destructuring into `var` declares in the function's scope.
        if (ts.isIdentifier(name) && target !== undefined)
          machine.assignBinding(target.scope, target.binding, value);
      }
      if (!ts.isIdentifier(name)) bindPattern(machine, name, value, functionScope(scope));
    } else {
      bindPattern(machine, name, value, scope);
    }
  }
}

function functionScope(scope: Scope): Scope {
  let current = scope;
  while (!current.isFunction && current.parent !== undefined && current !== current.module.scope)
    current = current.parent;
  return current;
}

function* runIf(machine: Machine, node: ts.IfStatement, scope: Scope): Running<Completion> {
  const test = yield* expression(machine, node.expression, scope);
  if (!(test instanceof Dyn)) {
    if (test) return yield* runStatement(machine, node.thenStatement, scope);
    return node.elseStatement === undefined
      ? undefined
      : yield* runStatement(machine, node.elseStatement, scope);
  }
  const context: Context = { kind: 'conditional', dyn: test };
  const { thenStatement, elseStatement } = node;
  const first = machine.branch(context, () =>
    withoutWaiting(runStatement(machine, thenStatement, scope), node),
  );
  const second = machine.branch(context, () =>
    elseStatement === undefined
      ? undefined
      : withoutWaiting(runStatement(machine, elseStatement, scope), node),
  );
  machine.merge([first, second], test, true);
  return mergeCompletions(first.result, second.result, test);
}

function mergeCompletions(first: Completion, second: Completion, dyn: Dyn): Completion {
  if (first === undefined) return asMaybe(second, dyn);
  if (second === undefined) return asMaybe(first, dyn);
  const a = first.type === 'maybe' ? first.of : first;
  const merged = sequence(a, dyn, second.type === 'maybe' ? second.of : second);
  if (first.type === 'maybe' || second.type === 'maybe') {
    return merged === undefined || merged.type === 'maybe' ? merged : { type: 'maybe', of: merged, dyn };
  }
  return merged;
}

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

function* runForOf(
  machine: Machine,
  node: ts.ForOfStatement,
  scope: Scope,
  label: string | undefined,
): Running<Completion> {
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

function* runForIn(
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

function* runFor(
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

function* runWhile(
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

function* runSwitch(machine: Machine, node: ts.SwitchStatement, outer: Scope): Running<Completion> {
  const value = yield* expression(machine, node.expression, outer);
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  const { clauses } = node.caseBlock;
  hoist(
    machine,
    clauses.flatMap(clause => [...clause.statements]),
    scope,
  );
  let start: number | undefined;
  let unknown = value instanceof Dyn ? value : undefined;
  for (const [index, clause] of clauses.entries()) {
    if (unknown !== undefined || start !== undefined || ts.isDefaultClause(clause)) continue;
    const candidate = yield* expression(machine, clause.expression, scope);
    if (candidate instanceof Dyn) unknown = candidate;
    else if (candidate === value) start = index;
  }
  if (unknown !== undefined) return switchUnknown(machine, node, unknown, scope);
  start ??= clauses.findIndex(clause => ts.isDefaultClause(clause));
  if (start < 0) return undefined;
  const statements = clauses.slice(start).flatMap(clause => [...clause.statements]);
  return leaveSwitch(yield* runStatements(machine, statements, 0, scope));
}

function switchUnknown(machine: Machine, node: ts.SwitchStatement, dyn: Dyn, scope: Scope): Completion {
  const { clauses } = node.caseBlock;
  const context: Context = { kind: 'conditional', dyn };
  const branches = clauses.map((_, index) =>
    machine.branch(context, () =>
      leaveSwitch(
        withoutWaiting(
          runStatements(
            machine,
            clauses.slice(index).flatMap(clause => [...clause.statements]),
            0,
            scope,
          ),
          node,
        ),
      ),
    ),
  );
  const hasDefault = clauses.some(clause => ts.isDefaultClause(clause));
  machine.merge(branches, dyn, hasDefault);
  const ends = branches.map(branch => branch.result);
  if (!hasDefault) ends.push(undefined);
  const [first, ...others] = ends;
  return others.reduce<Completion>((merged, end) => mergeCompletions(merged, end, dyn), first);
}

function leaveSwitch(end: Completion): Completion {
  if (end === undefined) return undefined;
  if (end.type === 'maybe') {
    const of = leaveSwitch(end.of);
    return of === undefined || of.type === 'maybe' ? of : { ...end, of };
  }
  return end.type === 'break' && end.label === undefined ? undefined : end;
}

function* runThrow(machine: Machine, node: ts.ThrowStatement, scope: Scope): Running<Completion> {
  const value = yield* expression(machine, node.expression, scope);
  throw new UserThrow(value, node);
}

function* runLabeled(machine: Machine, node: ts.LabeledStatement, scope: Scope): Running<Completion> {
  const label = node.label.text;
  const end = yield* runWithLabel(machine, node.statement, label, scope);
  const strip = (completion: Completion): Completion => {
    if (completion === undefined) return undefined;
    if (completion.type === 'maybe') {
      const of = strip(completion.of);
      return of === undefined || of.type === 'maybe' ? of : { ...completion, of };
    }
    return completion.type === 'break' && completion.label === label ? undefined : completion;
  };
  return strip(end);
}

function runWithLabel(
  machine: Machine,
  node: ts.Statement,
  label: string,
  scope: Scope,
): Running<Completion> {
  if (ts.isForOfStatement(node)) return runForOf(machine, node, scope, label);
  if (ts.isForInStatement(node)) return runForIn(machine, node, scope, label);
  if (ts.isForStatement(node)) return runFor(machine, node, scope, label);
  if (ts.isWhileStatement(node) || ts.isDoStatement(node)) return runWhile(machine, node, scope, label);
  return runStatement(machine, node, scope);
}

function* runTry(machine: Machine, node: ts.TryStatement, scope: Scope): Running<Completion> {
  const { tryBlock, catchClause, finallyBlock } = node;
  let end: Completion;
  let pending: { readonly error: unknown } | undefined;
  const outerMayThrow = machine.mayThrow;
  machine.mayThrow = undefined;
  if (catchClause !== undefined) {
    machine.tryDepth++;
    let caught: UserThrow | undefined;
    try {
      end = yield* runTryBlock(machine, tryBlock, scope);
    } catch (error) {
      if (!(error instanceof UserThrow)) throw error;
      caught = error;
    } finally {
      machine.tryDepth--;
    }
    const unknown = machine.takeMayThrow();
    try {
      if (caught !== undefined) {
        end = yield* runCatch(machine, catchClause, caught.value, scope);
      } else if (unknown !== undefined) {
        const possible = machine.maybe({ kind: 'conditional', dyn: unknown }, () =>
          withoutWaiting(runCatch(machine, catchClause, unknown.derive(), scope), node),
        );
        end = mergeCompletions(end, possible, unknown);
      }
    } catch (error) {
      if (finallyBlock === undefined) throw error;
      pending = { error };
    }
  } else {
    try {
      end = yield* runBlock(machine, tryBlock, scope);
    } catch (error) {
      pending = { error };
    }
  }
  machine.mayThrow = outerMayThrow ?? machine.mayThrow;
  if (finallyBlock !== undefined && (pending === undefined || !(pending.error instanceof Unsupported))) {
    const last = yield* runBlock(machine, finallyBlock, scope);
    if (last !== undefined) return last;
  }
  if (pending !== undefined) throw pending.error;
  return end;
}

/** Evaluates a try block; what follows code that may throw is not certain to happen. */
function* runTryBlock(machine: Machine, block: ts.Block, outer: Scope): Running<Completion> {
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  hoist(machine, block.statements, scope);
  for (const [index, statement] of block.statements.entries()) {
    const end = yield* runStatement(machine, statement, scope);
    const dyn = end?.type === 'maybe' ? end.dyn : machine.mayThrow;
    if (end !== undefined && end.type !== 'maybe') return end;
    if (dyn === undefined) continue;
    const rest = machine.maybe({ kind: 'conditional', dyn }, () =>
      withoutWaiting(runStatements(machine, block.statements, index + 1, scope), statement),
    );
    return end?.type === 'maybe' ? sequence(end.of, dyn, rest) : asMaybe(rest, dyn);
  }
  return undefined;
}

function* runCatch(
  machine: Machine,
  { variableDeclaration, block }: ts.CatchClause,
  value: unknown,
  outer: Scope,
): Running<Completion> {
  const scope = new Scope(outer, outer.module, outer.frame, machine.contexts);
  if (variableDeclaration !== undefined) bindPattern(machine, variableDeclaration.name, value, scope);
  return yield* runBlock(machine, block, scope);
}

function runEnum(machine: Machine, node: ts.EnumDeclaration, scope: Scope): void {
  const found = scope.lookup(node.name.text);
  const known = found?.binding.value;
  const values: Record<string, unknown> =
    typeof known === 'object' && known !== null ? (known as Record<string, unknown>) : {};
  const inner = new Scope(scope, scope.module, scope.frame, machine.contexts);
  let next: number | undefined = 0;
  for (const member of node.members) {
    const name = ts.isComputedPropertyName(member.name)
      ? String(evaluate(machine, member.name.expression, inner))
      : member.name.text;
    let value: unknown = next;
    if (member.initializer !== undefined) value = evaluate(machine, member.initializer, inner);
    values[name] = value;
    // Members are known to the later ones by their names alone.
    inner.initialize(name, value);
    if (typeof value === 'number') values[String(value)] = name;
    next = typeof value === 'number' ? value + 1 : undefined;
  }
  if (found === undefined) scope.initialize(node.name.text, values);
  else {
    found.binding.value = values;
    found.binding.isInitialized = true;
  }
}

/** Evaluates the statements of a module; a mistake in one of them does not hide what the others say. */
export function* runModule(
  machine: Machine,
  statements: readonly ts.Statement[],
  scope: Scope,
): Running<void> {
  for (const statement of statements) {
    try {
      yield* runStatement(machine, statement, scope);
    } catch (error) {
      if (error instanceof UserThrow) machine.report(error.value, error.node ?? statement);
      else if (!(error instanceof Abandoned)) throw error;
      leaveUnknown(statement, scope);
    }
  }
}

/** What a statement with a mistake would have declared is there, but unknown. */
function leaveUnknown(statement: ts.Statement, scope: Scope): void {
  const dyn = new Dyn('code with a mistake', statement);
  const names = ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.flatMap(({ name }) =>
        [...boundNames(name)].map(({ text }) => text),
      )
    : ts.isClassDeclaration(statement)
      ? [statement.name?.text ?? '*default*']
      : ts.isExportAssignment(statement)
        ? ['*default*']
        : [];
  for (const name of names) if (scope.bindings.get(name)?.isInitialized !== true) scope.initialize(name, dyn);
}
