/** `try`, `catch` and `finally`. */
import type { ts } from '../syntax.ts';
import { mergeCompletions } from './branches.ts';
import { hoist } from './declarations.ts';
import { disposing } from './disposal.ts';
import { type Machine, asMaybe, sequence } from './machine.ts';
import { bindPattern } from './patterns.ts';
import { Scope } from './scope.ts';
import { type Running, runBlock, runStatement, runStatements, withoutWaiting } from './statements.ts';
import { type Completion, Unsupported, UserThrow } from './values.ts';

export function* runTry(machine: Machine, node: ts.TryStatement, scope: Scope): Running<Completion> {
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
  return yield* disposing(machine, scope, runTryStatements(machine, block, scope));
}

function* runTryStatements(machine: Machine, block: ts.Block, scope: Scope): Running<Completion> {
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
