/** Streams records into a table of Postgres: all of them or none. */
import type { PostgresSession } from '../databases/postgres.ts';
import { isServerError, noticeText } from '../databases/sql-error.ts';
import { dropFooter } from './csv-footer.ts';
import { copyOptions, type TextFormat } from './formats.ts';
import { FileLoadError, type Input, type InputPart } from './input.ts';
import { JsonLinesReader, type TableColumn } from './json-lines.ts';

/** Data for one `COPY … FROM STDIN`. */
export interface CopyData {
  /** The columns that it fills; `undefined`: all, in the table's order. */
  readonly columns: readonly string[] | undefined;
  /** What stands between the parentheses of `WITH (…)`; empty for the text format. */
  readonly options: string;
  readonly data: AsyncIterable<Buffer | string>;
  /** For messages: where a line of the data comes from. */
  place(line: number): string;
}

/** The data of a load, made when the columns of the table are known. Each has to be used before the next one is asked for. */
export type CopySource = (columns: readonly TableColumn[]) => AsyncGenerator<CopyData>;

export interface RecordLoad {
  /** What messages call the whole that is loaded. */
  readonly name: string;
  /** As it is written in SQL. */
  readonly table: string;
  readonly source: CopySource;
  /** Whether of records that are the same in all columns one is loaded. */
  readonly makeUnique: boolean;
}

export interface LoadResult {
  /** Records that were read. */
  readonly read: number;
  /** Rows that the table got. */
  readonly loaded: number;
}

/** Holds the records of a load until their duplicates are removed; it ends with the transaction. */
const UNIQUE_TABLE = 'pg_temp.millrace_load';

/**
 * Loads all records or none, in a transaction of its own; when one is open already, the records are part of that, and
 * whoever has opened it ends it.
 *
 * @throws FileLoadError for a record that the table does not take; whatever the source throws
 */
export async function loadRecords(session: PostgresSession, load: RecordLoad): Promise<LoadResult> {
  const columns = await tableColumns(session, load);
  const isOurs = session.transaction === 'none';
  if (isOurs) await session.execute('begin');
  try {
    const result = load.makeUnique
      ? await loadUnique(session, load, columns)
      : await loadAll(session, load, columns);
    if (isOurs) await session.execute('commit');
    return result;
  } catch (error) {
    if (isOurs && !session.cancelled) await session.execute('rollback').catch(() => undefined);
    throw session.cancelled || !isServerError(error) ? error : refused(error, load);
  }
}

/** The data of text files of one format. */
export function textSource(input: Input, format: TextFormat, table: string): CopySource {
  return async function* copies(columns) {
    for await (const part of input()) {
      if (format.kind === 'jsonl') yield* jsonCopies(part, { columns, table });
      else
        yield {
          columns: undefined,
          options: copyOptions(format),
          data: format.footer ? dropFooter(part.chunks()) : part.chunks(),
          place: line => `${part.name}:${String(line)}`,
        };
    }
  };
}

async function* jsonCopies(
  part: InputPart,
  { columns, table }: { readonly columns: readonly TableColumn[]; readonly table: string },
): AsyncGenerator<CopyData> {
  const reader = new JsonLinesReader(part.chunks(), { columns, file: part.name, table });
  try {
    for (let keys = await reader.nextKeys(); keys !== null; keys = await reader.nextKeys()) {
      yield {
        columns: keys,
        options: '',
        data: reader.records(),
        place: line => `${part.name}:${String(reader.fileLine(line))}`,
      };
    }
  } finally {
    await reader.close();
  }
}

async function loadAll(
  session: PostgresSession,
  load: RecordLoad,
  columns: readonly TableColumn[],
): Promise<LoadResult> {
  let rows = 0;
  for await (const copy of load.source(columns)) rows += await copyInto(session, load.table, copy, load);
  return { read: rows, loaded: rows };
}

/**
 * Through a temporary table, because the server can remove duplicates with little memory, however many records there
 * are. It has the columns of the table and nothing else of it: no defaults, which would make records differ.
 */
async function loadUnique(
  session: PostgresSession,
  load: RecordLoad,
  columns: readonly TableColumn[],
): Promise<LoadResult> {
  const { table } = load;
  const all = columns.map(({ name }) => quoteName(name)).join(', ');
  await session.execute(
    `CREATE TEMPORARY TABLE millrace_load ON COMMIT DROP AS SELECT ${all} FROM ${table} WITH NO DATA`,
  );
  let read = 0;
  let filled: readonly string[] | undefined = [];
  for await (const copy of load.source(columns)) {
    read += await copyInto(session, UNIQUE_TABLE, copy, load);
    if (copy.columns === undefined || filled === undefined) filled = undefined;
    else filled = [...new Set([...filled, ...copy.columns])];
  }
  // Columns that no record names get their defaults.
  const names = filled?.map(quoteName).join(', ') ?? all;
  const insert = (distinct: string): string =>
    `INSERT INTO ${table} (${names}) SELECT ${distinct} ${names} FROM ${UNIQUE_TABLE} AS record`;
  let loaded = 0;
  if (read > 0) {
    await session.execute('savepoint millrace_load');
    try {
      loaded = rowsOf(await session.execute(insert('DISTINCT')));
    } catch (error) {
      if (session.cancelled || !hasNoEquality(error)) throw error;
      // Values of types like json and xml cannot be compared, only what they look like.
      await session.execute('rollback to savepoint millrace_load');
      loaded = rowsOf(await session.execute(insert('DISTINCT ON (record::text)')));
    }
  }
  await session.execute(`DROP TABLE ${UNIQUE_TABLE}`);
  return { read, loaded };
}

async function copyInto(
  session: PostgresSession,
  target: string,
  copy: CopyData,
  load: RecordLoad,
): Promise<number> {
  const columns = copy.columns === undefined ? '' : ` (${copy.columns.map(quoteName).join(', ')})`;
  const options = copy.options === '' ? '' : ` WITH (${copy.options})`;
  // A copy only tells that it has ended; why its data ended is what the user needs.
  let problem: { readonly error: unknown } | undefined;
  async function* watched(): AsyncGenerator<Buffer | string> {
    try {
      yield* copy.data;
    } catch (error) {
      problem = { error };
      throw error;
    }
  }
  try {
    return await session.copyFrom(`COPY ${target}${columns} FROM STDIN${options}`, watched());
  } catch (error) {
    if (session.cancelled) throw error;
    if (problem !== undefined) throw problem.error;
    throw isServerError(error) ? refused(error, load, copy) : error;
  }
}

/** What the server says about a record, with the file's line if it is about one. */
function refused(
  error: Error & Parameters<typeof noticeText>[0],
  { name, table }: RecordLoad,
  copy?: CopyData,
): FileLoadError {
  const found = /^COPY [^\n]*?, line (\d+)(?:[,:] ([^]*))?/m.exec(error.where ?? '');
  const [, line, detail] = found ?? [];
  const place = line === undefined || copy === undefined ? name : copy.place(Number(line));
  const context = detail === undefined ? '' : `\nCONTEXT: ${detail}`;
  return new FileLoadError(`${place}: cannot be loaded into ${table}: ${noticeText(error)}${context}`, {
    cause: error,
  });
}

/** Columns that records can fill, in the table's order. */
async function tableColumns(
  session: PostgresSession,
  { table, name }: RecordLoad,
): Promise<readonly TableColumn[]> {
  const { rows } = await session
    .query(
      `select attname::text as name, format_type(atttypid, null) as type
         from pg_attribute
        where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum`,
      [table],
    )
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw session.cancelled
        ? error
        : new FileLoadError(`${name}: "${table}" is not the name of a table: ${message}`);
    });
  if (rows.length > 0) return rows.map(row => ({ name: String(row['name']), type: String(row['type']) }));
  throw new FileLoadError(
    `${name}: there is no table ${table} in database "${session.alias}". Create it before, for example with ExecuteSQL.`,
  );
}

/** `undefined_function`, which here is the operator `=` of a type. */
function hasNoEquality(error: unknown): boolean {
  return isServerError(error) && error.code === '42883';
}

function rowsOf({ tag }: { readonly tag: string }): number {
  return Number(/\d+$/.exec(tag)?.[0] ?? 0);
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
