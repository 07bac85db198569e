/** Turns an error of the server into text that points at the place in the script, as psql does. */
import type { DatabaseError } from 'pg';
import { placeInText, type SqlScriptError, type SqlStatement } from './sql-script.ts';
import { textWidth } from './text-width.ts';

/** A SQL script and where it came from. */
export interface SqlSource {
  /** What messages begin with: a file's path as the user knows it, or `sql` for SQL without a file. */
  readonly name: string;
  /** The text that runs. */
  readonly script: string;
  /** The text before replacement; absent when nothing was replaced. */
  readonly original?: {
    readonly script: string;
    /** The offset in the original that an offset in {@link SqlSource.script} came from. */
    offset(inScript: number): number;
  };
}

/** SQL that failed. The message is complete, with place, source line and caret. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE; absent when the problem is not the server's. */
  readonly code: string | undefined;

  constructor(message: string, code?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the server says about a problem or in a notice. */
export type ServerMessage = Pick<
  DatabaseError,
  'severity' | 'code' | 'detail' | 'hint' | 'position' | 'internalPosition' | 'internalQuery' | 'where'
> & { readonly message: string | undefined };

/** An error that a statement of a script met: the server's, or any other while it ran. */
export function statementError(error: unknown, source: SqlSource, statement: SqlStatement): SqlError {
  if (!isServerError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return new SqlError(`${placeName(source, statement.offset)}: ERROR: ${message}`, undefined, {
      cause: error,
    });
  }
  const inStatement = positionToOffset(statement.text, error.position);
  const offset = statement.offset + (inStatement ?? 0);
  const lines = [`${placeName(source, offset)}: ${heading(error)}`];
  if (inStatement !== undefined) lines.push(...pointAt(source.script, offset));
  lines.push(...particulars(error));
  return new SqlError(lines.join('\n'), error.code, { cause: error });
}

/** An error of the server about SQL that the user has before the eyes: without a place, with the line and a caret. */
export function queryError(error: unknown, alias: string, sql: string): SqlError {
  if (!isServerError(error)) {
    return new SqlError(`${alias}: ${error instanceof Error ? error.message : String(error)}`, undefined, {
      cause: error,
    });
  }
  const offset = positionToOffset(sql, error.position);
  const pointer = offset === undefined ? [] : pointAt(sql, offset);
  const message = [`${alias}: ${heading(error)}`, ...pointer, ...particulars(error)].join('\n');
  return new SqlError(message, error.code, { cause: error });
}

/** A script that cannot be split into statements. */
export function scriptError(error: SqlScriptError, source: SqlSource): SqlError {
  const message = `${placeName(source, error.offset)}: ERROR: ${error.message}`;
  return new SqlError([message, ...pointAt(source.script, error.offset)].join('\n'), undefined, {
    cause: error,
  });
}

/** A notice or warning as text; where in a function it was raised is told only for errors. */
export function noticeText(notice: ServerMessage): string {
  return [heading(notice), ...particulars({ ...notice, where: undefined })].join('\n');
}

/** Whether the server sent this error (rather than the connection or this program). */
export function isServerError(error: unknown): error is Error & ServerMessage {
  return (
    error instanceof Error && 'severity' in error && 'code' in error && typeof error.severity === 'string'
  );
}

function heading(message: ServerMessage): string {
  return `${message.severity ?? 'ERROR'}: ${message.message ?? 'unknown error'}`;
}

function particulars(message: ServerMessage): string[] {
  const lines: string[] = [];
  if (message.detail !== undefined) lines.push(`DETAIL: ${message.detail}`);
  if (message.hint !== undefined) lines.push(`HINT: ${message.hint}`);
  if (message.internalQuery !== undefined) {
    const offset = positionToOffset(message.internalQuery, message.internalPosition);
    if (offset === undefined) lines.push(`QUERY: ${message.internalQuery}`);
    else lines.push('QUERY:', ...pointAt(message.internalQuery, offset));
  }
  if (message.where !== undefined) lines.push(`CONTEXT: ${message.where}`);
  return lines;
}

/**
 * `file:line:column` of an offset in the script that ran. Where text was replaced, line and column are those in the file:
 * exact outside of replaced text, the start of the placeholder within it. (The source line shown below is the one that
 * ran, because that is what the server complains about.)
 */
function placeName(source: SqlSource, offset: number): string {
  const { original } = source;
  const place =
    original === undefined
      ? placeInText(source.script, offset)
      : placeInText(original.script, original.offset(offset));
  return `${source.name}:${String(place.line)}:${String(place.column)}`;
}

/** The server counts characters from 1, JavaScript UTF-16 units from 0. */
function positionToOffset(text: string, position: string | undefined): number | undefined {
  if (position === undefined) return undefined;
  let characters = Number(position) - 1;
  if (!Number.isInteger(characters) || characters < 0) return undefined;
  let offset = 0;
  for (; characters > 0 && offset < text.length; characters--) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** Longer lines are cut to what stands around the place. */
const LINE_LIMIT = 160;
const BEFORE_CARET = 100;

/** The line at an offset, and below it a caret. */
function pointAt(text: string, offset: number): string[] {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  let line = text.slice(start, newline === -1 ? text.length : newline).replace(/\r$/, '');
  let column = Math.min(offset - start, line.length);
  if (column > LINE_LIMIT) {
    const cut = column - BEFORE_CARET;
    line = `…${line.slice(cut)}`;
    column = column - cut + 1;
  }
  if (line.length > LINE_LIMIT) line = `${line.slice(0, LINE_LIMIT)}…`;
  const before = line.slice(0, column);
  // Tabs stay tabs, so that the caret stands under its character whatever their width.
  const indent = before.replace(/[^\t]+/g, part => ' '.repeat(textWidth(part)));
  return [`  ${line}`, `  ${indent}^`];
}
