/** Statements of the evaluated program. They are generators, so that functions can be suspended between them. */
import { boundNames, isDeclaredOnly } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { runIf, runSwitch } from './branches.ts';
import { makeClass } from './classes.ts';
import { hoist, hoistVariables, runDeclarations } from './declarations.ts';
import { disposing } from './disposal.ts';
import { evaluate, evaluateNamed } from './expressions.ts';
import { runFor, runForIn, runForOf, runWhile } from './loops.ts';
import { type Machine, sequence } from './machine.ts';
import { hasValues, runEnum, runNamespace } from './namespaces.ts';
import { Scope } from './scope.ts';
import { evaluateSuspendable, hasSuspension } from './suspension.ts';
import { runTry } from './try.ts';
import { Abandoned, type Completion, Dyn, type Suspension, Unsupported, UserThrow } from './values.ts';

export type Running<T> = Generator<Suspension, T, unknown>;

/** Evaluates the body of a function; its result. */
export function* runBody(
  machine: Machine,
  statements: readonly ts.Statement[],
  scope: Scope,
): Running<unknown> {
  hoist(machine, statements, scope);
  hoistVariables(statements, scope);
  const end = yield* disposing(machine, scope, runStatements(machine, statements, 0, scope));
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
  return yield* disposing(machine, scope, runStatements(machine, block.statements, 0, scope));
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
    if (runAtOnce(machine, statement, scope)) continue;
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
export function withoutWaiting<T>(running: Running<T>, node: SyntaxNode): T {
  const step = running.next();
  if (step.done === true) return step.value;
  throw new Unsupported('it waits in code of which it is not known whether it runs', node);
}

export function* expression(machine: Machine, node: ts.Expression, scope: Scope): Running<unknown> {
  return hasSuspension(node)
    ? yield* evaluateSuspendable(machine, node, scope)
    : evaluate(machine, node, scope);
}

/** Evaluates a statement of the most frequent kind, if it does not wait: without a generator, which has its price. */
function runAtOnce(machine: Machine, node: ts.Statement, scope: Scope): boolean {
  if (node.kind !== Kind.ExpressionStatement || hasSuspension(node)) return false;
  machine.step(node);
  evaluate(machine, (node as ts.ExpressionStatement).expression, scope);
  return true;
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
      yield* runNamespace(machine, node as ts.ModuleDeclaration, scope);
      return undefined;
    default:
      throw new Unsupported(`it has a statement that is not evaluated`, node);
  }
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

/** Evaluates the statements of a module; a mistake in one of them does not hide what the others say. */
export function* runModule(
  machine: Machine,
  statements: readonly ts.Statement[],
  scope: Scope,
): Running<void> {
  yield* disposing(machine, scope, runTopLevel(machine, statements, scope));
}

function* runTopLevel(machine: Machine, statements: readonly ts.Statement[], scope: Scope): Running<void> {
  for (const statement of statements) {
    try {
      if (!runAtOnce(machine, statement, scope)) yield* runStatement(machine, statement, scope);
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
