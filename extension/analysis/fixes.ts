/** Ways to mend mistakes, as edits of the text. */
import type { Fix, FixEdit } from './analysis.ts';
import type { SourceLocation } from '../../runner/model.ts';
import { locationOf, rangeOf, type SourceFile, type SyntaxNode, ts } from './syntax.ts';

/** Puts another name in the place of a text or a name; nothing where the code says it in another way. */
export function replaceName(node: SyntaxNode, name: string): Fix | undefined {
  const text = replacement(node, name);
  if (text === undefined) return undefined;
  return { title: `Change to "${name}"`, edits: [{ location: locationOf(node), text }] };
}

function replacement(node: SyntaxNode, name: string): string | undefined {
  if (ts.isIdentifier(node)) return name;
  if (!ts.isStringLiteralLike(node)) return undefined;
  const [quote = "'"] = node.getText();
  return `${quote}${name}${quote}`;
}

/** A child of a pipeline, and the call that added it. */
export interface AddedNode {
  readonly id: string;
  readonly addedAt?: SourceLocation;
}

/**
 * Makes a child of a pipeline wait for another one: in the call that adds it or, where that comes too early, after the
 * call that adds the other one. Nothing where the calls are not there, or add other nodes too.
 *
 * @param children of the pipeline, in the order in which they were added
 */
export function addDependency(
  parse: (path: string) => SourceFile | undefined,
  children: readonly AddedNode[],
  upstream: AddedNode,
  downstream: AddedNode,
): Fix | undefined {
  const callOf = ({ addedAt }: AddedNode): ts.CallExpression | undefined => {
    if (addedAt === undefined || children.filter(child => isSame(child.addedAt, addedAt)).length > 1)
      return undefined;
    const file = parse(addedAt.file);
    return file === undefined ? undefined : callAt(file, addedAt);
  };
  const isLater = children.indexOf(upstream) < children.indexOf(downstream);
  const call = callOf(downstream);
  const edit =
    (isLater && call !== undefined ? addUpstream(call, upstream.id) : undefined) ??
    connectAfter(callOf(isLater ? downstream : upstream), upstream.id, downstream.id);
  if (edit === undefined) return undefined;
  return { title: `Let "${downstream.id}" wait for "${upstream.id}"`, edits: [edit] };
}

function isSame(a: SourceLocation | undefined, b: SourceLocation): boolean {
  return (
    a?.file === b.file &&
    a.line === b.line &&
    a.column === b.column &&
    a.endLine === b.endLine &&
    a.endColumn === b.endColumn
  );
}

function callAt(file: SourceFile, location: SourceLocation): ts.CallExpression | undefined {
  const { line, column = 1, endLine = line, endColumn = column } = location;
  const lastLine = file.getLineStarts().length;
  if (line > lastLine || endLine > lastLine) return undefined;
  const start = file.getPositionOfLineAndCharacter(line - 1, column - 1);
  const end = file.getPositionOfLineAndCharacter(endLine - 1, endColumn - 1);
  const find = (node: SyntaxNode): ts.CallExpression | undefined => {
    if (node.pos > start || node.end < end) return undefined;
    if (ts.isCallExpression(node) && node.end === end && node.getStart(file) === start) return node;
    return ts.forEachChild(node, find);
  };
  return find(file);
}

/** Another upstream in a call of `add`. */
function addUpstream(call: ts.CallExpression, upstream: string): FixEdit | undefined {
  const { expression } = call;
  if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== 'add') return undefined;
  const [child, list] = call.arguments;
  if (child === undefined || ts.isSpreadElement(child)) return undefined;
  const text = `'${upstream}'`;
  if (list === undefined) return insertion(child, `, [${text}]`);
  if (!ts.isArrayLiteralExpression(list)) return undefined;
  const last = list.elements.at(-1);
  return last === undefined
    ? { location: locationOf(list), text: `[${text}]` }
    : insertion(last, `, ${text}`);
}

/** A statement after the one that a call is, or ends. */
function connectAfter(
  call: ts.CallExpression | undefined,
  upstream: string,
  downstream: string,
): FixEdit | undefined {
  if (call === undefined) return undefined;
  let receiver: SyntaxNode = call;
  while (ts.isCallExpression(receiver) || ts.isPropertyAccessExpression(receiver))
    receiver = receiver.expression;
  let statement: SyntaxNode = call;
  while (ts.isCallExpression(statement) || ts.isPropertyAccessExpression(statement))
    statement = statement.parent;
  if (!ts.isIdentifier(receiver) || !ts.isExpressionStatement(statement)) return undefined;
  const file = call.getSourceFile();
  const lineStart = file.text.lastIndexOf('\n', statement.getStart(file) - 1) + 1;
  const indent = /^[ \t]*/.exec(file.text.slice(lineStart))?.[0] ?? '';
  return insertion(statement, `\n${indent}${receiver.text}.addDependency('${upstream}', '${downstream}');`);
}

/** Text after a node. */
function insertion(node: SyntaxNode, text: string): FixEdit {
  return { location: rangeOf(node.getSourceFile(), node.end, node.end), text };
}
