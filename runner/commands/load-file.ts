/** Streams a file into a table of Postgres. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { PostgresSession } from '../databases/postgres.ts';
import { isServerError, noticeText } from '../databases/sql-error.ts';
import { checkFile, displayPath, type FileBase, unreadable } from './files.ts';
import { copyOptions, type FileFormat } from './formats.ts';
import { JsonLinesReader, type TableColumn } from './json-lines.ts';

export interface FileLoad {
  readonly base: FileBase;
  /** Relative to the base. */
  readonly file: string;
  /** As it is written in SQL. */
  readonly table: string;
  readonly format: FileFormat;
  readonly compression: 'none' | 'gzip';
}

/** A file that cannot be loaded. The message names the file and, if one is to blame, its line. */
export class FileLoadError extends Error {
  override readonly name = 'FileLoadError';
}

/**
 * Loads all records of a file, or none. Gives their number.
 *
 * @throws FileLoadError for a record that the table does not take; PipelineError for a file that cannot be read
 */
export async function loadFile(session: PostgresSession, load: FileLoad): Promise<number> {
  const path = await checkFile(load.base, load.file);
  const shown = displayPath(path);
  const columns = await tableColumns(session, load.table, shown);
  const source = new SourceFile(path, load);
  if (load.format.kind === 'csv') {
    const statement = `COPY ${load.table} FROM STDIN WITH (${copyOptions(load.format)})`;
    try {
      return await session.copyFrom(statement, source.chunks());
    } catch (error) {
      throw explain(error, { session, source, shown, table: load.table, line: line => line });
    }
  }
  const reader = new JsonLinesReader(source.chunks(), { columns, file: shown, table: load.table });
  await session.execute('begin');
  let rows = 0;
  try {
    for (let keys = await reader.nextKeys(); keys !== null; keys = await reader.nextKeys()) {
      const names = keys.map(quoteName).join(', ');
      rows += await session.copyFrom(`COPY ${load.table} (${names}) FROM STDIN`, reader.records());
    }
    await session.execute('commit');
    return rows;
  } catch (error) {
    if (!session.cancelled) await session.execute('rollback').catch(() => undefined);
    throw explain(error, { session, source, shown, table: load.table, line: line => reader.fileLine(line) });
  } finally {
    await reader.close();
  }
}

/** The bytes of a file, unpacked. Remembers why they could not be read, because a copy tells only that it ended. */
class SourceFile {
  problem: unknown;
  readonly #path: string;
  readonly #load: FileLoad;

  constructor(path: string, load: FileLoad) {
    this.#path = path;
    this.#load = load;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    const { base, file, compression } = this.#load;
    const raw = createReadStream(this.#path, { highWaterMark: 1 << 18 });
    let stream: Readable = raw;
    if (compression === 'gzip') {
      const gunzip = createGunzip({ chunkSize: 1 << 18 });
      raw.on('error', error => gunzip.destroy(error));
      stream = raw.pipe(gunzip);
    }
    try {
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      this.problem = explainReading(error, base, file, this.#path);
      throw this.problem;
    } finally {
      raw.destroy();
      stream.destroy();
    }
  }
}

function explainReading(error: unknown, base: FileBase, file: string, path: string): Error {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'Z_DATA_ERROR':
      return new FileLoadError(
        `${displayPath(path)}: not a gzip file, or a damaged one. Check the option compression.`,
      );
    case 'Z_BUF_ERROR':
      return new FileLoadError(`${displayPath(path)}: the gzip file is incomplete.`);
    default:
      return unreadable(base, file, error);
  }
}

interface LoadPlace {
  readonly session: PostgresSession;
  readonly source: SourceFile;
  readonly shown: string;
  readonly table: string;
  /** The file's line of a line of the data that the server got. */
  line(copyLine: number): number;
}

/** What to tell the user: the file's own problem, or the server's with the line that it is about. */
function explain(error: unknown, { session, source, shown, table, line }: LoadPlace): unknown {
  if (session.cancelled) return error;
  if (source.problem !== undefined) return source.problem;
  if (!isServerError(error)) return error;
  const found = /^COPY [^\n]*?, line (\d+)(?:[,:] ([^]*))?/m.exec(error.where ?? '');
  if (found === null) {
    return new FileLoadError(`${shown}: cannot be loaded into ${table}: ${noticeText(error)}`, {
      cause: error,
    });
  }
  const [, copyLine, detail] = found;
  const context = detail === undefined ? '' : `\nCONTEXT: ${detail}`;
  const place = `${shown}:${String(line(Number(copyLine)))}`;
  return new FileLoadError(`${place}: cannot be loaded into ${table}: ${noticeText(error)}${context}`, {
    cause: error,
  });
}

/** Columns that a file can fill, in the table's order. */
async function tableColumns(
  session: PostgresSession,
  table: string,
  shown: string,
): Promise<readonly TableColumn[]> {
  const { rows } = await session
    .query(
      `select attname::text as name, atttypid in ('json'::regtype, 'jsonb'::regtype) as is_json
         from pg_attribute
        where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum`,
      [table],
    )
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw session.cancelled
        ? error
        : new FileLoadError(`${shown}: "${table}" is not the name of a table: ${message}`);
    });
  if (rows.length > 0)
    return rows.map(row => ({ name: String(row['name']), isJson: row['is_json'] === true }));
  throw new FileLoadError(
    `${shown}: there is no table ${table} in database "${session.alias}". Create it before, for example with ExecuteSQL.`,
  );
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
