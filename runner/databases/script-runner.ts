/** Runs a SQL script statement by statement, as psql would, and reports what happens. */
import { Readable, Writable } from 'node:stream';
import type { PostgresSession } from './postgres.ts';
import { ResultTable } from './result-table.ts';
import {
  noticeText,
  scriptError,
  SqlError,
  statementError,
  type ServerMessage,
  type SqlSource,
} from './sql-error.ts';
import { splitSql, SqlScriptError, type SqlScript, type SqlStatement } from './sql-script.ts';

/** Takes what a script gives. */
export interface ScriptOutput {
  /** A statement is about to run. */
  statement?(text: string): void;
  /** Lines of a result: a table, a summary such as `INSERT 0 5`. */
  result(text: string): void;
  /** Settles when there is room for more; `undefined` when there is room now. Default: always. */
  room?(): Promise<void> | undefined;
  /** A message of the server. */
  notice(text: string, isProblem: boolean): void;
  /** Takes the data of `COPY … TO STDOUT`; default: lines to {@link result}. */
  readonly copyTarget?: Writable;
  /** Data for a `COPY … FROM STDIN` that none follows in the script; default: that is an error. */
  readonly copySource?: () => AsyncIterable<Buffer | string>;
}

export interface ScriptOptions {
  /** Rows of one result that are shown; the others are counted. */
  readonly maxRows: number;
}

/** Command tags whose number says how many rows were written. */
const WRITING_TAG = /^(?:INSERT \d+|UPDATE|DELETE|MERGE|COPY|SELECT) (\d+)$/;

/**
 * Runs a script, each statement in its own transaction unless the script begins one, and stops at the first error.
 * Gives the number of rows that it has written.
 *
 * @throws SqlError with place, source line and caret; the session's abort reason when it is cancelled
 */
export async function runScript(
  session: PostgresSession,
  source: SqlSource,
  output: ScriptOutput,
  options: ScriptOptions,
): Promise<number> {
  const { statements } = split(source);
  session.onNotice(notice => {
    output.notice(noticeText(notice), isProblem(notice));
  });
  let rows = 0;
  let began: SqlStatement | undefined;
  for (const statement of statements) {
    output.statement?.(statement.text);
    try {
      rows += await runStatement(session, statement, output, options);
    } catch (error) {
      await rollBack(session);
      if (session.cancelled) throw error;
      throw error instanceof SqlError ? error : statementError(error, source, statement);
    }
    if (session.transaction === 'none') began = undefined;
    else began ??= statement;
  }
  if (began !== undefined) {
    await rollBack(session);
    const message =
      'the transaction that begins here is never committed, so nothing of it was kept: add COMMIT';
    throw statementError(new Error(message), source, began);
  }
  return rows;
}

function split(source: SqlSource): SqlScript {
  try {
    return splitSql(source.script);
  } catch (error) {
    throw error instanceof SqlScriptError ? scriptError(error, source) : error;
  }
}

async function runStatement(
  session: PostgresSession,
  statement: SqlStatement,
  output: ScriptOutput,
  { maxRows }: ScriptOptions,
): Promise<number> {
  if (statement.copy === 'in') {
    const count = await session.copyFrom(statement.text, copyData(statement, output));
    output.result(`COPY ${String(count)}`);
    return count;
  }
  if (statement.copy === 'out') {
    const lines = output.copyTarget ?? lineWriter(output);
    const count = await session.copyTo(statement.text, lines);
    if (output.copyTarget === undefined) await new Promise<void>(resolve => lines.end(resolve));
    if (output.copyTarget === undefined) output.result(`COPY ${String(count)}`);
    return count;
  }
  let table: ResultTable | undefined;
  const { tag, hasRows } = await session.execute(statement.text, {
    columns(columns) {
      table = new ResultTable(columns, maxRows, text => {
        output.result(text);
      });
    },
    row(row) {
      table?.add(row);
      return output.room?.();
    },
  });
  table?.end();
  const isPlainQuery = hasRows && !/^(?:INSERT|UPDATE|DELETE|MERGE) /.test(tag);
  if (!isPlainQuery && tag !== '') output.result(tag);
  return isPlainQuery ? 0 : Number(WRITING_TAG.exec(tag)?.[1] ?? 0);
}

function copyData(statement: SqlStatement, output: ScriptOutput): AsyncIterable<Buffer | string> {
  if (statement.data !== null) return Readable.from([Buffer.from(statement.data)], { objectMode: false });
  if (output.copySource !== undefined) return output.copySource();
  throw new Error('there is no data: it begins on the line after COPY … FROM STDIN and ends with a line \\.');
}

/** Hands data on as lines of the log. */
function lineWriter(output: ScriptOutput): Writable {
  const decoder = new TextDecoder();
  let pending = '';
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      pending += decoder.decode(chunk, { stream: true });
      const end = pending.lastIndexOf('\n');
      if (end !== -1) {
        output.result(pending.slice(0, end));
        pending = pending.slice(end + 1);
      }
      done();
    },
    final(done) {
      if (pending !== '') output.result(pending);
      done();
    },
  });
}

/** Leaves no transaction open; that a broken connection cannot roll back is no news. */
async function rollBack(session: PostgresSession): Promise<void> {
  if (session.transaction === 'none' || session.cancelled) return;
  await session.execute('rollback').catch(() => undefined);
}

function isProblem({ severity }: ServerMessage): boolean {
  return severity === 'WARNING';
}
