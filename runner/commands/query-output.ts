/** Streams the rows of a query of Postgres into a file. */
import { finished, pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { ClientDatabase } from '../databases/client-database.ts';
import type { PostgresSession } from '../databases/postgres.ts';
import {
  isServerError,
  scriptError,
  SqlError,
  type SqlSource,
  statementError,
} from '../databases/sql-error.ts';
import { splitSql, SqlScriptError, type SqlStatement } from '../databases/sql-script.ts';
import { isFileSystemError, newFile, unwritable, writablePath } from './data-files.ts';
import type { FileBase } from './files.ts';
import type { TextFormat } from './formats.ts';
import { type WrappedQuery, writeStatement } from './write-statement.ts';

export interface QueryOutput {
  readonly source: SqlSource;
  readonly base: FileBase;
  /** Relative to the base. */
  readonly file: string;
  readonly format: TextFormat;
  readonly compression: 'none' | 'gzip';
  /** Gets the text of each statement before it runs. */
  readonly onStatement: (text: string) => void;
}

/**
 * Writes the rows of the last statement; gives their number. The others run before, each in its own transaction unless
 * the script begins one.
 *
 * @throws SqlError with place, source line and caret; PipelineError when the file cannot be written
 */
export async function writeQuery(session: PostgresSession, output: QueryOutput): Promise<number> {
  const { source, base, file, format, compression, onStatement } = output;
  const statements = split(source);
  const query = statements.at(-1);
  if (query === undefined) throw new SqlError(`${source.name}: there is no query.`);
  const path = await writablePath(base, file);
  for (const statement of statements.slice(0, -1)) {
    onStatement(statement.text);
    try {
      await session.execute(statement.text);
    } catch (error) {
      throw session.cancelled ? error : statementError(error, source, statement);
    }
  }
  onStatement(query.text);
  const wrapped = writeStatement(query.text, format);
  try {
    await using target = await newFile(path);
    const rows = await copyTo(session, wrapped.text, target.stream, compression);
    await target.commit();
    return rows;
  } catch (error) {
    if (session.cancelled) throw error;
    if (isFileSystemError(error)) throw unwritable(path, base.owner, error);
    throw isServerError(error) ? statementError(unwrapped(error, wrapped), source, query) : error;
  } finally {
    if (!session.cancelled && session.transaction !== 'none')
      await session.execute('rollback').catch(() => undefined);
  }
}

/**
 * The same for a database that is reached through its command line client: one query. `undefined`: the client does not
 * count rows.
 */
export async function writeClientQuery(
  database: ClientDatabase,
  output: QueryOutput & { readonly timezone: string | undefined; readonly onError: (text: string) => void },
): Promise<number | undefined> {
  const { source, base, file, format, compression, onStatement, timezone, onError } = output;
  const { clientRows } = await import('./client-output.ts');
  const path = await writablePath(base, file);
  onStatement(source.script.trim());
  let rows: number | undefined;
  const text = clientRows(database, {
    source,
    format,
    timezone,
    onError,
    onRows: count => (rows = (rows ?? 0) + count),
  });
  try {
    await using target = await newFile(path);
    if (compression === 'gzip') await pipeline(text, createGzip(), target.stream);
    else await pipeline(text, target.stream);
    await target.commit();
  } catch (error) {
    throw isFileSystemError(error) ? unwritable(path, base.owner, error) : error;
  }
  return rows ?? (database.definition.type === 'postgresql' ? undefined : 0);
}

async function copyTo(
  session: PostgresSession,
  statement: string,
  file: Writable,
  compression: 'none' | 'gzip',
): Promise<number> {
  if (compression === 'none') {
    const rows = await session.copyTo(statement, file);
    file.end();
    await finished(file);
    return rows;
  }
  const gzip = createGzip();
  const packed = pipeline(gzip, file);
  packed.catch(() => undefined);
  try {
    const rows = await session.copyTo(statement, gzip);
    gzip.end();
    await packed;
    return rows;
  } catch (error) {
    gzip.destroy();
    // A full disk ends the copy with the error of the file.
    await packed.catch((cause: unknown) => {
      if (isFileSystemError(cause)) throw cause;
    });
    throw error;
  }
}

/** An error of the server whose place counts from the start of the query again. */
function unwrapped(
  error: Error & { readonly position?: string | undefined },
  { offset }: WrappedQuery,
): Error {
  const position = Number(error.position) - offset;
  return Object.assign(error, { position: position >= 1 ? String(position) : undefined });
}

function split(source: SqlSource): readonly SqlStatement[] {
  try {
    return splitSql(source.script).statements;
  } catch (error) {
    throw error instanceof SqlScriptError ? scriptError(error, source) : error;
  }
}
