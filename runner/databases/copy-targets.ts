/** Loads rows into a table, all of them or none. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BigQueryDatabase, databaseTypeNames, type RedshiftDatabase } from '../api/databases.ts';
import { PipelineError } from '../api/errors.ts';
import { ClientDatabase, requireProgram } from './client-database.ts';
import { bigQueryLoad, cloudStorage } from './clients/bigquery.ts';
import { psqlCopy } from './clients/psql.ts';
import { redshiftCopy, s3 } from './clients/redshift.ts';
import type { OpenDatabase } from './connect.ts';
import { asRows, copyFormatOptions, type CopyFormat, type CopySource, neutralOutput } from './copy-ends.ts';
import type { PostgresSession } from './postgres.ts';
import { encodeCopyText, type TargetColumn } from './rows/copy-text.ts';
import { csvText } from './rows/csv-text.ts';
import { insertScript } from './rows/insert-script.ts';
import { isServerError, queryError } from './sql-error.ts';

export interface TargetOptions {
  /** As it is written in SQL. */
  readonly table: string;
  readonly format: CopyFormat;
  readonly timezone: string | undefined;
  /** Takes what a client says on standard error. */
  readonly onError: (text: string) => void;
}

/** Loads the rows; gives their number. */
export async function loadRows(
  database: OpenDatabase,
  source: CopySource,
  options: TargetOptions,
): Promise<number> {
  if (!(database instanceof ClientDatabase)) return await intoPostgres(database, source, options);
  const { definition } = database;
  switch (definition.type) {
    case 'postgresql':
      return await intoPsql(database, source, options);
    case 'mysql':
    case 'sqlite':
      return await byInserts(database, source, options);
    case 'bigquery':
      return await intoBigQuery(database, definition, source, options);
    case 'redshift':
      return await intoRedshift(database, definition, source, options);
    case 'sqlserver':
    case 'oracle':
    case 'snowflake':
    case 'databricks':
      throw new PipelineError(
        `Rows cannot be copied to ${databaseTypeNames[definition.type]} (database "${database.alias}").`,
      );
  }
}

const COLUMNS = `select attname::text as name,
    case when atttypid = 'bytea'::regtype then 'bytes' else 'text' end as kind
  from pg_attribute
  where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
  order by attnum`;

/** Columns that rows go into: all but generated ones, in the table's order. */
export async function targetColumns(
  database: PostgresSession | ClientDatabase,
  table: string,
): Promise<readonly TargetColumn[]> {
  const isClient = database instanceof ClientDatabase;
  const { rows } = isClient
    ? await database.query(COLUMNS.replace('$1', database.client.literal(table, undefined)))
    : await database.query(COLUMNS, [table]);
  if (rows.length === 0) {
    throw new PipelineError(
      `There is no table ${table} in database "${database.alias}". Create it before, for example with ExecuteSQL.`,
    );
  }
  return rows.map(row => ({ name: String(row['name']), kind: row['kind'] as TargetColumn['kind'] }));
}

async function intoPostgres(
  session: PostgresSession,
  source: CopySource,
  { table, format }: TargetOptions,
): Promise<number> {
  await neutralOutput(session);
  const statement = copyInStatement(table, source, format);
  const data =
    source.kind === 'text'
      ? source.chunks
      : copyLines(source, table, await targetColumns(session, table), () => undefined);
  const watched = new Watched<Buffer | string>(data);
  try {
    return await session.copyFrom(statement, watched.chunks());
  } catch (error) {
    if (session.cancelled) throw error;
    watched.throwProblem();
    throw isServerError(error) ? queryError(error, session.alias, statement) : error;
  }
}

async function intoPsql(
  database: ClientDatabase,
  source: CopySource,
  { table, format, timezone, onError }: TargetOptions,
): Promise<number> {
  const { definition } = database;
  if (definition.type !== 'postgresql') throw new TypeError('psql copies into Postgres only');
  let rows = 0;
  const count = (more: number): void => void (rows += more);
  const data =
    source.kind === 'text'
      ? countLines(source.chunks, count)
      : copyLines(source, table, await targetColumns(database, table), count);
  const watched = new Watched<Buffer | string>(data);
  // In CSV, a line need not be a row, so between two psql the text format is used.
  const statement = copyInStatement(table, source, format);
  await watched.during(
    database.run(psqlCopy(await database.program(), definition, statement, timezone, watched.chunks()), {
      onError,
    }),
  );
  return rows;
}

async function byInserts(
  database: ClientDatabase,
  source: CopySource,
  { table, timezone, onError }: TargetOptions,
): Promise<number> {
  const { insert } = database.client;
  if (insert === undefined) throw new TypeError(`${database.typeName} has no dialect for inserts`);
  let rows = 0;
  const script = insertScript(table, asRows(source).batches, insert, more => void (rows += more));
  const watched = new Watched(script);
  const call = database.client.script(await database.program(), database.definition, {
    sql: '',
    echo: false,
    timezone: database.client.hasTimezone ? timezone : undefined,
  });
  await watched.during(database.run({ ...call, input: watched.chunks() }, { onError }));
  return rows;
}

async function intoBigQuery(
  database: ClientDatabase,
  definition: BigQueryDatabase,
  source: CopySource,
  { table, onError }: TargetOptions,
): Promise<number> {
  let rows = 0;
  const data = new Watched(csvText(asRows(source).batches, more => void (rows += more)));
  const program = await database.program();
  const { gcsBucket } = definition.options;
  if (gcsBucket === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-load-'));
    try {
      const file = join(folder, 'rows.csv');
      await data.during(pipeline(data.chunks(), createWriteStream(file, { mode: 0o600 })));
      if (rows > 0) await database.run(bigQueryLoad(program, definition, table, file), { onError });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return rows;
  }
  await requireProgram(database.alias, ['gcloud'], database.client.install);
  const file = `gs://${gcsBucket}/millrace-${randomUUID()}.csv`;
  try {
    await data.during(database.run(cloudStorage(definition, ['cp', '-', file], data.chunks()), { onError }));
    if (rows > 0) await database.run(bigQueryLoad(program, definition, table, file), { onError });
  } finally {
    await database.run(cloudStorage(definition, ['rm', file], ''), { onError }).catch((error: unknown) => {
      onError(`The file ${file} was left behind: ${String(error)}`);
    });
  }
  return rows;
}

async function intoRedshift(
  database: ClientDatabase,
  definition: RedshiftDatabase,
  source: CopySource,
  { table, timezone, onError }: TargetOptions,
): Promise<number> {
  const { s3Bucket } = definition.options;
  if (s3Bucket === undefined) {
    throw new PipelineError(
      `Database "${database.alias}": Redshift loads rows from S3 only. Give redshift() an s3Bucket.`,
    );
  }
  await requireProgram(database.alias, ['aws'], 'the AWS CLI (https://aws.amazon.com/cli)');
  let rows = 0;
  const data = new Watched(csvText(asRows(source).batches, more => void (rows += more)));
  const file = `s3://${s3Bucket}/millrace-${randomUUID()}.csv`;
  try {
    await data.during(database.run(s3(definition, ['cp', '-', file], data.chunks()), { onError }));
    if (rows > 0) {
      const call = database.client.script(await database.program(), definition, {
        sql: redshiftCopy(definition, table, file),
        echo: false,
        timezone,
      });
      await database.run(call, { onError });
    }
  } finally {
    await database.run(s3(definition, ['rm', file], ''), { onError }).catch((error: unknown) => {
      onError(`The file ${file} was left behind: ${String(error)}`);
    });
  }
  return rows;
}

function copyInStatement(table: string, source: CopySource, format: CopyFormat): string {
  return `COPY ${table} FROM STDIN${source.kind === 'text' ? copyFormatOptions(format) : ''}`;
}

async function* copyLines(
  { batches, binary }: Extract<CopySource, { kind: 'rows' }>,
  table: string,
  columns: readonly TargetColumn[],
  onRows: (count: number) => void,
): AsyncGenerator<string> {
  for await (const batch of batches) {
    const width = batch.rows[0]?.length ?? columns.length;
    if (width !== columns.length) {
      throw new PipelineError(
        `The query gives ${String(width)} columns, and table ${table} has ${String(columns.length)}: ${columns.map(({ name }) => name).join(', ')}.`,
      );
    }
    yield encodeCopyText(batch, columns, binary);
    onRows(batch.rows.length);
  }
}

const NEWLINE = 10;

/** In the text format every line is a row. */
async function* countLines(
  chunks: AsyncIterable<Buffer>,
  onRows: (count: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    let lines = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines++;
    onRows(lines);
    yield chunk;
  }
}

/** Data whose own failure is what the user is told, and not that the program which took it broke off. */
class Watched<T extends Buffer | string> {
  #problem: Error | undefined;
  readonly #data: AsyncGenerator<T>;

  constructor(data: AsyncGenerator<T>) {
    this.#data = data;
  }

  async *chunks(): AsyncGenerator<T> {
    try {
      yield* this.#data;
    } catch (error) {
      this.#problem = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  /** @throws what the data failed with, if it did */
  throwProblem(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }

  async during(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.throwProblem();
      throw error;
    } finally {
      await this.#data.return(undefined);
    }
  }
}
