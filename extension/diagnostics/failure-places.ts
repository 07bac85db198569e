/** Where an error belongs in the source: the places that its text names, beside the task that failed. */
import { stripVTControlCharacters } from 'node:util';
import type { SourceLocation } from '../../runner/model.ts';

/** A place that an error text names; line and column count from 1. */
export interface NamedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong there, without the place. */
  readonly message: string;
}

/**
 * The first `file:line:column: …` of an error, as Millrace writes it for SQL files and for pipeline files. The message
 * goes on to the end of the text, because the server's detail and hint stand below.
 */
export function namedPlace(error: string): NamedPlace | undefined {
  const match =
    /^(?<file>[^\s:][^:\n]*(?:(?<=^[A-Za-z]):[^:\n]+)?):(?<line>\d+):(?<column>\d+): (?<rest>[\s\S]*)/m.exec(
      error,
    );
  const { file, line, column, rest } = match?.groups ?? {};
  if (file === undefined || rest === undefined) return undefined;
  return { file, line: Number(line), column: Number(column), message: excerptOfError(messageOf(rest)) };
}

/** Without the excerpt of the source and its caret, which the editor shows anyway. */
function messageOf(rest: string): string {
  const lines = rest.replace(/^(?:ERROR|FATAL|error): /, '').split('\n');
  const caret = lines.findIndex(line => /^\s*\^\s*$/.test(line));
  const kept = caret > 0 ? [...lines.slice(0, caret - 1), ...lines.slice(caret + 1)] : lines;
  return kept.join('\n').trimEnd();
}

const mostLines = 20;
const longestLine = 300;

/** An error for a hover: its first lines, each as far as anybody reads it. */
export function excerptOfError(error: string, most = mostLines): string {
  const lines = stripVTControlCharacters(error.slice(0, most * longestLine * 2))
    .trimEnd()
    .split('\n')
    .map(line => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line));
  return lines.length > most ? [...lines.slice(0, most), '…'].join('\n') : lines.join('\n');
}

/** Lines and columns count from 0, as in an editor. */
export interface TextRange {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/**
 * What to underline of a node that failed: its id where that is written out, else the beginning of what makes it, because
 * a whole task underlined is too much to read.
 *
 * @param lines The file, or what could be read of it.
 */
export function underlined(lines: readonly string[], location: SourceLocation, id: string): TextRange {
  const first = location.line - 1;
  const last = (location.endLine ?? location.line) - 1;
  const literal = new RegExp(`(['"\`])${id}\\1`);
  for (let line = first; line <= last; line += 1) {
    const text = lines[line];
    if (text === undefined) break;
    const from = line === first ? (location.column ?? 1) - 1 : 0;
    const match = literal.exec(text.slice(from));
    if (match !== null) {
      const startColumn = from + match.index;
      return { startLine: line, startColumn, endLine: line, endColumn: startColumn + match[0].length };
    }
  }
  const startColumn = (location.column ?? 1) - 1;
  const text = (lines[first] ?? '').slice(startColumn);
  const length = /^(?:new\s+)?[\w$.]+/.exec(text)?.[0].length ?? text.trimEnd().length;
  return { startLine: first, startColumn, endLine: first, endColumn: startColumn + Math.max(1, length) };
}

/**
 * Names under which a file may be found: a run names it relative to where it was started, which need not be the project.
 */
export function namesOfFile(name: string): string[] {
  const parts = name.split(/[\\/]/).filter(part => part !== '.' && part !== '..');
  return parts.map((_, index) => parts.slice(index).join('/'));
}
