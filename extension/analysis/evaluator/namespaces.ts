/** `enum` and `namespace`: objects that declarations of TypeScript make. */
import { boundNames, isDeclaredOnly } from '../source-facts.ts';
import { Kind, ts } from '../syntax.ts';
import { evaluate } from './expressions.ts';
import type { Machine } from './machine.ts';
import { Scope } from './scope.ts';
import { hoist, hoistVariables } from './declarations.ts';
import { type Running, runStatement } from './statements.ts';
import { Dyn, Unsupported } from './values.ts';

export function runEnum(machine: Machine, node: ts.EnumDeclaration, scope: Scope): void {
  const values = objectOf(scope, node.name.text) as Record<string, unknown>;
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
}

/** The object that declarations of a name make together. */
function objectOf(scope: Scope, name: string): object {
  const found = scope.lookup(name);
  const known = found?.binding.value;
  if (typeof known === 'function' || (typeof known === 'object' && known !== null)) return known;
  const made = {};
  if (found === undefined) scope.initialize(name, made);
  else {
    found.binding.value = made;
    found.binding.isInitialized = true;
  }
  return made;
}

/** Whether a namespace holds anything besides types. */
export function hasValues({ body }: ts.ModuleDeclaration): boolean {
  if (body === undefined) return false;
  if (ts.isModuleDeclaration(body)) return hasValues(body);
  return (
    ts.isModuleBlock(body) &&
    body.statements.some(
      statement =>
        !ts.isInterfaceDeclaration(statement) &&
        !ts.isTypeAliasDeclaration(statement) &&
        !(ts.isModuleDeclaration(statement) && !hasValues(statement)),
    )
  );
}

export function* runNamespace(machine: Machine, node: ts.ModuleDeclaration, scope: Scope): Running<void> {
  const { name, body } = node;
  if (!ts.isIdentifier(name) || body === undefined) throw new Unsupported('it declares a module', node);
  const target = objectOf(scope, name.text);
  if (target instanceof Dyn) throw new Unsupported(`a namespace depends on ${target.reason}`, node);
  const inner = new Scope(scope, scope.module, scope.frame, machine.contexts, true);
  // What an earlier part of it has exported is known by its name.
  for (const [key, value] of Object.entries(target)) inner.initialize(key, value);
  if (ts.isModuleDeclaration(body)) {
    yield* runNamespace(machine, body, inner);
    exportNames([body.name.text], target, inner);
    return;
  }
  if (!ts.isModuleBlock(body)) return;
  const { statements } = body;
  hoist(machine, statements, inner);
  hoistVariables(statements, inner);
  for (const statement of statements) {
    if (ts.isImportEqualsDeclaration(statement) || ts.isExportDeclaration(statement))
      throw new Unsupported('a namespace imports something', statement);
    yield* runStatement(machine, statement, inner);
    if (isExported(statement) && !isDeclaredOnly(statement))
      exportNames(exportedNames(statement), target, inner);
  }
}

function exportNames(names: readonly string[], target: object, scope: Scope): void {
  for (const name of names) Reflect.set(target, name, scope.bindings.get(name)?.value);
}

function exportedNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    const { flags, declarations } = statement.declarationList;
    // It would change in both places.
    if ((flags & ts.NodeFlags.Const) === 0)
      throw new Unsupported('a namespace exports a variable that can change', statement);
    return declarations.flatMap(({ name }) => [...boundNames(name)].map(({ text }) => text));
  }
  if (ts.isModuleDeclaration(statement)) return hasValues(statement) ? [statement.name.text] : [];
  const { name } = statement as ts.Statement & { readonly name?: ts.Node };
  return name !== undefined && ts.isIdentifier(name) && !isTypeOnly(statement) ? [name.text] : [];
}

function isTypeOnly(statement: ts.Statement): boolean {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    (ts.isFunctionDeclaration(statement) && statement.body === undefined)
  );
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === Kind.ExportKeyword) === true
  );
}
