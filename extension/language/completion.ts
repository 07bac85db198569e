/** Completion inside of strings: ids of siblings where a node is named, aliases where a database is. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver/node';
import { type SourceFile, type SyntaxNode, ts } from '../analysis/syntax.ts';
import type { LanguageProject } from './language-project.ts';
import type { IndexedNode } from './node-index.ts';
import type { Position, Range } from './protocol.ts';
import { enclosing, nodeAt, offsetAt, rangeBetween, rangeOfNode } from './source-text.ts';

const databaseOptions = new Set(['db', 'otherDb']);
/** Options that name databases in some commands and other things elsewhere. */
const copyOptions = new Set(['from', 'to']);
const referring = new Set(['remove', 'replace', 'addDependency', 'removeDependency', 'find']);

export function completions(project: LanguageProject, file: string, position: Position): CompletionItem[] {
  const source = project.texts.source(file);
  if (source === undefined) return [];
  const offset = offsetAt(source, position);
  const literal = nodeAt(source, offset);
  const start = literal.getStart(source) + 1;
  if (!ts.isStringLiteralLike(literal) || offset < start) return [];
  const isClosed = literal.end > start && source.text[literal.end - 1] === source.text[start - 1];
  if (isClosed && offset === literal.end) return [];
  // What an unclosed string swallows is not to be replaced.
  const range = rangeBetween(source, start, isClosed ? literal.end - 1 : offset);
  return databaseItems(project, literal, range) ?? nodeItems(project, file, source, literal, range);
}

function databaseItems(
  project: LanguageProject,
  literal: ts.StringLiteralLike,
  range: Range,
): CompletionItem[] | undefined {
  const { parent } = literal;
  if (!ts.isPropertyAssignment(parent) || parent.initializer !== literal) return undefined;
  const made = parent.parent.parent;
  if (!ts.isNewExpression(made) || ts.isComputedPropertyName(parent.name)) return undefined;
  const option = parent.name.text;
  const isCopy = ts.isIdentifier(made.expression) && made.expression.text.startsWith('Copy');
  if (!databaseOptions.has(option) && !(isCopy && copyOptions.has(option))) return undefined;
  return (project.analysis.databases ?? []).map((alias, index) => ({
    label: alias,
    kind: CompletionItemKind.Constant,
    detail: 'Database',
    sortText: sortKey(index),
    textEdit: { range, newText: alias },
  }));
}

function nodeItems(
  project: LanguageProject,
  file: string,
  source: SourceFile,
  literal: ts.StringLiteralLike,
  range: Range,
): CompletionItem[] {
  const place = callAround(literal);
  if (place === undefined) return [];
  const { call, method, argument } = place;
  const pipelines = receivers(project, file, source, call);
  const own = project.index.addedAt(file, rangeOfNode(source, call));
  const isUpstreamList = (method === 'add' || method === 'addAll') && argument === 1;
  if (!isUpstreamList && !referring.has(method)) return [];
  const taken = new Set(
    ts.isArrayLiteralExpression(literal.parent)
      ? literal.parent.elements.flatMap(element =>
          element !== literal && ts.isStringLiteralLike(element) ? [element.text] : [],
        )
      : [],
  );
  const found = new Map<string, IndexedNode>();
  for (const pipeline of pipelines) {
    const children = project.index.children(pipeline);
    const allowed = isUpstreamList
      ? earlier(children, own, file, rangeOfNode(source, call).start)
      : method === 'addDependency' && argument === 1
        ? withoutUpstreamsOf(children, textOf(call.arguments[0]))
        : children;
    for (const child of allowed) {
      const { id } = child.node;
      if (!id.includes('…') && !taken.has(id)) found.set(id, child);
    }
  }
  // The one that was added last is the likeliest.
  return [...found.values()].reverse().map(({ node }, index) => ({
    label: node.id,
    kind: node.kind === 'pipeline' ? CompletionItemKind.Module : CompletionItemKind.Value,
    detail: node.description === '' ? node.kind : node.description,
    sortText: sortKey(index),
    textEdit: { range, newText: node.id },
  }));
}

interface CallPlace {
  readonly call: ts.CallExpression;
  readonly method: string;
  readonly argument: number;
}

/** The call of a method that a string is an argument of, or an element of an argument. */
function callAround(literal: SyntaxNode): CallPlace | undefined {
  const argument = ts.isArrayLiteralExpression(literal.parent) ? literal.parent : literal;
  const call = argument.parent;
  if (!ts.isCallExpression(call) || !ts.isPropertyAccessExpression(call.expression)) return undefined;
  const index = call.arguments.findIndex(candidate => candidate === argument);
  return index < 0 ? undefined : { call, method: call.expression.name.text, argument: index };
}

/** The pipelines that a method is called on. */
function receivers(
  project: LanguageProject,
  file: string,
  source: SourceFile,
  call: ts.CallExpression,
): readonly IndexedNode[] {
  const { index } = project;
  const owners = index.addedAt(file, rangeOfNode(source, call)).map(({ parent }) => parent);
  const known = [...new Set(owners)].filter(owner => owner !== undefined);
  if (known.length > 0) return known;
  const base = baseOf(call);
  if (ts.isNewExpression(base)) return index.madeAt(file, rangeOfNode(source, base));
  if (ts.isIdentifier(base)) {
    const initializer = initializerOf(base);
    const made = initializer === undefined ? undefined : baseOf(initializer);
    const nodes = made === undefined ? [] : index.madeAt(file, rangeOfNode(source, made));
    if (nodes.length > 0) return nodes;
  }
  // Other calls that look the same add to the same pipelines.
  const text = base.getText(source);
  const similar = index.added(file).flatMap(({ range, nodes }) => {
    const at = enclosing(nodeAt(source, offsetAt(source, range.end)), ts.isCallExpression);
    return at !== undefined && baseOf(at).getText(source) === text ? nodes : [];
  });
  return [...new Set(similar.map(({ parent }) => parent))].filter(owner => owner !== undefined);
}

/** What a chain of calls begins with: `a` in `a.add(…).add(…)`. */
function baseOf(expression: ts.Expression): ts.Expression {
  let at = expression;
  while (ts.isCallExpression(at) && ts.isPropertyAccessExpression(at.expression))
    at = at.expression.expression;
  return at;
}

/** What a variable of an enclosing block is declared with. */
function initializerOf(name: ts.Identifier): ts.Expression | undefined {
  for (let at: SyntaxNode = name.parent; ; at = at.parent) {
    if (ts.isBlock(at) || ts.isSourceFile(at)) {
      for (const statement of at.statements) {
        if (!ts.isVariableStatement(statement)) continue;
        for (const declaration of statement.declarationList.declarations) {
          if (ts.isIdentifier(declaration.name) && declaration.name.text === name.text)
            return declaration.initializer;
        }
      }
    }
    if (ts.isSourceFile(at)) return undefined;
  }
}

/** The children that are there when a call adds its own. */
function earlier(
  children: readonly IndexedNode[],
  own: readonly IndexedNode[],
  file: string,
  start: Position,
): readonly IndexedNode[] {
  const last = children.findLastIndex(child => own.includes(child));
  if (last >= 0) return children.slice(0, last).filter(child => own.length > 1 || !own.includes(child));
  return children.filter(({ node: { addedAt } }) => {
    if (addedAt?.file !== file) return true;
    return (
      addedAt.line - 1 < start.line ||
      (addedAt.line - 1 === start.line && (addedAt.column ?? 1) - 1 < start.character)
    );
  });
}

/** The children that may wait for one without closing a cycle. */
function withoutUpstreamsOf(
  children: readonly IndexedNode[],
  id: string | undefined,
): readonly IndexedNode[] {
  if (id === undefined) return children;
  const byId = new Map(children.map(child => [child.node.id, child]));
  const upstreams = new Set([id]);
  for (const each of upstreams) for (const up of byId.get(each)?.node.upstreams ?? []) upstreams.add(up);
  return children.filter(({ node }) => !upstreams.has(node.id));
}

function textOf(node: SyntaxNode | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

function sortKey(index: number): string {
  return String(index).padStart(5, '0');
}
