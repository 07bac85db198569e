/** Files as they are in the editor: their syntax, and the texts in it. */
import { Kind, type SourceFile, type SyntaxNode, ts } from '../analysis/syntax.ts';
import type { Position, Range } from './protocol.ts';

/** A stretch of a file, as offsets. */
export interface Stretch {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A piece of text that a program can use: a string, or the name of a property. */
export interface Literal {
  readonly node: SyntaxNode;
  /** What it says. */
  readonly text: string;
  /** Where that stands, without quotes. */
  readonly start: number;
  readonly end: number;
}

/** Parses files, and keeps the latest tree of each. */
export class SourceTexts {
  readonly #known = new Map<string, { readonly text: string; readonly source: SourceFile }>();
  readonly #read: (file: string) => string | undefined;

  /** @param read the text of a file as the analysis sees it */
  constructor(read: (file: string) => string | undefined) {
    this.#read = read;
  }

  text(file: string): string | undefined {
    return this.#read(file);
  }

  source(file: string): SourceFile | undefined {
    const text = this.#read(file);
    if (text === undefined) return undefined;
    const known = this.#known.get(file);
    if (known?.text === text) return known.source;
    const source = ts.createSourceFile(
      file,
      text,
      ts.ScriptTarget.ESNext,
      true,
      file.endsWith('.json') ? ts.ScriptKind.JSON : ts.ScriptKind.TS,
    );
    // Files that were only looked at once need not be kept.
    if (this.#known.size > 50) this.#known.clear();
    this.#known.set(file, { text, source });
    return source;
  }
}

export function offsetAt(source: SourceFile, { line, character }: Position): number {
  const starts = source.getLineStarts();
  const start = starts[line];
  if (start === undefined) return source.text.length;
  const next = starts[line + 1] ?? source.text.length + 1;
  return Math.min(start + character, next - 1);
}

export function rangeBetween(source: SourceFile, start: number, end: number): Range {
  const from = source.getLineAndCharacterOfPosition(start);
  const to = source.getLineAndCharacterOfPosition(end);
  return { start: from, end: to };
}

export function rangeOfNode(source: SourceFile, node: SyntaxNode): Range {
  return rangeBetween(source, node.getStart(source), node.end);
}

/** The innermost node that holds an offset. */
export function nodeAt(source: SourceFile, offset: number): SyntaxNode {
  let found: SyntaxNode = source;
  const visit = (node: SyntaxNode): void => {
    if (node.getStart(source) <= offset && offset <= node.end) {
      found = node;
      ts.forEachChild(node, visit);
    }
  };
  ts.forEachChild(source, visit);
  return found;
}

/** The node that stands exactly in a range. */
export function nodeIn(source: SourceFile, range: Range): SyntaxNode | undefined {
  const start = offsetAt(source, range.start);
  const end = offsetAt(source, range.end);
  for (let node = nodeAt(source, start); !ts.isSourceFile(node); node = node.parent) {
    if (node.getStart(source) === start && node.end === end) return node;
    if (node.end > end) return undefined;
  }
  return undefined;
}

/** The text that an offset lies in, or at an end of. */
export function literalAt(source: SourceFile, offset: number): Literal | undefined {
  const literal = literalOf(source, nodeAt(source, offset));
  return literal !== undefined && literal.start <= offset && offset <= literal.end ? literal : undefined;
}

/** Every text in a file. */
export function* literalsIn(source: SourceFile): Generator<Literal> {
  const waiting: SyntaxNode[] = [source];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const literal = literalOf(source, node);
    if (literal !== undefined) yield literal;
    const children: SyntaxNode[] = [];
    ts.forEachChild(node, child => void children.push(child));
    for (const child of children.reverse()) waiting.push(child);
  }
}

function literalOf(source: SourceFile, node: SyntaxNode): Literal | undefined {
  if (ts.isStringLiteralLike(node)) {
    const start = node.getStart(source) + 1;
    const quote = source.text[start - 1];
    const isClosed = node.end > start && source.text[node.end - 1] === quote;
    const end = isClosed ? node.end - 1 : node.end;
    // What is written with escapes is not for editing by others.
    if (source.text.slice(start, end) !== node.text) return undefined;
    return { node, text: node.text, start, end };
  }
  if (!ts.isIdentifier(node)) return undefined;
  const { parent } = node;
  const isName =
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertyAccessExpression(parent) && parent.name === node);
  return isName ? { node, text: node.text, start: node.getStart(source), end: node.end } : undefined;
}

/** The object of a construction that has an option of this name, and its value. */
export function optionOf(node: SyntaxNode, name: string): ts.Expression | undefined {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return undefined;
  for (const argument of node.arguments ?? []) {
    if (!ts.isObjectLiteralExpression(argument)) continue;
    for (const property of argument.properties) {
      if (!ts.isPropertyAssignment(property) || ts.isComputedPropertyName(property.name)) continue;
      if (property.name.text === name) return property.initializer;
    }
  }
  return undefined;
}

/** The nearest node around another one, itself included, that a test holds for. */
export function enclosing<Found extends SyntaxNode>(
  node: SyntaxNode,
  test: (candidate: SyntaxNode) => candidate is Found,
): Found | undefined {
  for (let at: SyntaxNode = node; at.kind !== Kind.SourceFile; at = at.parent) if (test(at)) return at;
  return undefined;
}
