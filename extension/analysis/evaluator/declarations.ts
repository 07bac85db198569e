/** What a block declares. */
import { boundNames, isDeclaredOnly, isUsing } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { addDisposable } from './disposal.ts';
import { evaluateNamed } from './expressions.ts';
import { makeFunction } from './functions.ts';
import { type Machine } from './machine.ts';
import { hasValues } from './namespaces.ts';
import { bindPattern, nameFor } from './patterns.ts';
import type { Scope } from './scope.ts';
import { type Running } from './statements.ts';
import { evaluateSuspendable, hasSuspension } from './suspension.ts';

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
      case Kind.ModuleDeclaration: {
        // Several declarations of an enum or a namespace make one; it is a variable in what TypeScript emits.
        const { name } = statement as ts.EnumDeclaration | ts.ModuleDeclaration;
        const isMade = ts.isEnumDeclaration(statement) || hasValues(statement as ts.ModuleDeclaration);
        if (isMade && !scope.bindings.has(name.text)) scope.initialize(name.text, undefined);
        break;
      }
      default:
        break;
    }
  }
}

function blockScope(list: ts.VariableDeclarationList): number {
  return list.flags & ts.NodeFlags.BlockScoped;
}

export function isLet(list: ts.VariableDeclarationList): boolean {
  const letFlag: number = ts.NodeFlags.Let;
  return blockScope(list) === letFlag;
}

function isAwaitUsing(list: ts.VariableDeclarationList): boolean {
  const flag: number = ts.NodeFlags.AwaitUsing;
  return blockScope(list) === flag;
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

export function* runDeclarations(
  machine: Machine,
  list: ts.VariableDeclarationList,
  scope: Scope,
): Running<void> {
  const isVar = (list.flags & ts.NodeFlags.BlockScoped) === 0;
  for (const { name, initializer } of list.declarations) {
    if (initializer === undefined) {
      if (!isVar && ts.isIdentifier(name)) scope.initialize(name.text, undefined);
      continue;
    }
    const value = hasSuspension(initializer)
      ? yield* evaluateSuspendable(machine, initializer, scope)
      : evaluateNamed(machine, initializer, scope, nameFor(name));
    if (isUsing(list)) addDisposable(machine, scope, value, isAwaitUsing(list), list);
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

export function functionScope(scope: Scope): Scope {
  let current = scope;
  while (!current.isFunction && current.parent !== undefined && current !== current.module.scope)
    current = current.parent;
  return current;
}
