/** The text of an SQL script of a task: before and after replacement, and where its parts stand in the source. */
import { placeInText } from '../../../runner/databases/sql-script.ts';
import { replaceText } from '../../../runner/commands/replace.ts';
import type { SourceLocation } from '../../../runner/model.ts';
import type { FixEdit } from '../analysis.ts';
import { UNKNOWN } from './script-facts.ts';
import type { SqlSource, TaskScript } from './task-sql.ts';

export interface Placeholder {
  readonly name: string;
  readonly location: SourceLocation;
}

export class ScriptText {
  readonly #source: SqlSource;
  readonly #original: string;
  readonly #offset: (inText: number) => number;
  /** The SQL as it runs; what is not known has a name of its own in it. */
  readonly text: string;
  /** Placeholders that nothing replaces. */
  readonly unreplaced: readonly Placeholder[];

  constructor({ source, replacements, isIncomplete }: TaskScript, original: string) {
    this.#source = source;
    this.#original = original;
    const found = placeholdersIn(original).filter(
      ({ name }) => !replacements.some(({ text }) => name.includes(text) || text.includes(name)),
    );
    const values = new Map(
      replacements.map(({ text, value }, index) => [text, value ?? `${UNKNOWN}${String(index)}`]),
    );
    for (const { name } of found) values.set(name, `${UNKNOWN}${String(values.size)}`);
    const replaced = replaceText(original, Object.fromEntries(values));
    this.text = replaced.text;
    this.#offset = offset => replaced.offset(offset);
    this.unreplaced = isIncomplete
      ? []
      : found.map(({ name, offset }) => ({ name, location: this.#range(offset, offset + name.length) }));
  }

  /** Whether a text occurs that is to be replaced. */
  has(text: string): boolean {
    return this.#original.includes(text);
  }

  /** Where the word stands that begins at an offset of {@link text}. */
  wordAt(offset: number): SourceLocation {
    const start = Math.min(this.#offset(offset), this.#original.trimEnd().length - 1);
    return this.#range(start, start + (matchAt(/[\w$]+|\\\w+|\S/y, this.#original, start)?.length ?? 1));
  }

  /** Where the qualified name stands that begins at an offset of {@link text}. */
  nameAt(offset: number): SourceLocation {
    const start = this.#offset(offset);
    const name = /(?:"[^"]*"|[\w$@]+)(?:\s*\.\s*(?:"[^"]*"|[\w$@]+))*/y;
    const found = matchAt(name, this.#original, start);
    return this.#range(start, start + (found?.length ?? 0));
  }

  /** Another word in the place of the one that begins at an offset of {@link text}, if it stands there like that. */
  replaceWord(offset: number, word: string, by: string): FixEdit | undefined {
    const start = this.#offset(offset);
    const isThere = this.#original.startsWith(word, start) && this.#isExact;
    return isThere ? { location: this.#range(start, start + word.length), text: by } : undefined;
  }

  get #isExact(): boolean {
    return this.#source.kind === 'file' || this.#source.isLiteral;
  }

  #range(start: number, end: number): Required<SourceLocation> {
    const source = this.#source;
    const from = placeInText(this.#original, start);
    const to = placeInText(this.#original, end);
    if (source.kind === 'file') {
      return { file: source.path, ...from, endLine: to.line, endColumn: to.column };
    }
    const { file, line, column = 1, endLine = line, endColumn = column } = source.location;
    if (!source.isLiteral) return { file, line, column, endLine, endColumn };
    const place = (at: typeof from): typeof from => ({
      line: line + at.line - 1,
      column: at.line === 1 ? column + at.column - 1 : at.column,
    });
    const last = place(to);
    return { file, ...place(from), endLine: last.line, endColumn: last.column };
  }
}

/** `@name@` outside of comments; in texts only where it stands by itself. */
function placeholdersIn(sql: string): { readonly name: string; readonly offset: number }[] {
  const tokens = /--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'|@[a-z_]\w*@/gi;
  const found: { readonly name: string; readonly offset: number }[] = [];
  for (const { 0: token, index } of sql.matchAll(tokens)) {
    if (token.startsWith('@')) found.push({ name: token, offset: index });
    else if (token.startsWith("'")) {
      for (const inner of token.matchAll(/(?<![\w.@-])@[a-z_]\w*@(?![\w@])/gi))
        found.push({ name: inner[0], offset: index + inner.index });
    }
  }
  return found;
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
