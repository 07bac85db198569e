/** `if` and `switch`, also where it is not known which way they go. */
import { ts } from '../syntax.ts';
import { hoist } from './declarations.ts';
import { type Machine, asMaybe, sequence } from './machine.ts';
import { Scope } from './scope.ts';
import { type Running, expression, runStatement, runStatements, withoutWaiting } from './statements.ts';
import { type Completion, type Context, Dyn } from './values.ts';

export function* runIf(machine: Machine, node: ts.IfStatement, scope: Scope): Running<Completion> {
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

export function mergeCompletions(first: Completion, second: Completion, dyn: Dyn): Completion {
  if (first === undefined) return asMaybe(second, dyn);
  if (second === undefined) return asMaybe(first, dyn);
  const a = first.type === 'maybe' ? first.of : first;
  const merged = sequence(a, dyn, second.type === 'maybe' ? second.of : second);
  if (first.type === 'maybe' || second.type === 'maybe') {
    return merged === undefined || merged.type === 'maybe' ? merged : { type: 'maybe', of: merged, dyn };
  }
  return merged;
}

export function* runSwitch(machine: Machine, node: ts.SwitchStatement, outer: Scope): Running<Completion> {
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
