/** The two ends of a copy: where rows come from, and where they go. */
import { PassThrough } from 'node:stream';
import { ClientDatabase } from './client-database.ts';
import { psqlCopy } from './clients/psql.ts';
import type { OpenDatabase } from './connect.ts';
import type { PostgresSession } from './postgres.ts';
import { decodeCopyText } from './rows/copy-text.ts';
import type { QueryRows } from './client-database.ts';
import { isServerError, type SqlSource, SqlError, scriptError, statementError } from './sql-error.ts';
import { splitSql, SqlScriptError, type SqlStatement } from './sql-script.ts';

/** Rows as Postgres writes them, or as values. */
export type CopySource =
  | {
      readonly kind: 'text';
      /** The data of a `COPY … TO STDOUT` with {@link CopyFormat}. */
      readonly chunks: AsyncGenerator<Buffer>;
    }
  | ({ readonly kind: 'rows' } & QueryRows);

/** How Postgres writes rows that go to another Postgres. Default: its text format with tabs. */
export interface CopyFormat {
  readonly csv: boolean;
  readonly delimiter: string | undefined;
}

export interface SourceOptions {
  readonly format: CopyFormat;
  readonly timezone: string | undefined;
  /** Takes what a client says on standard error. */
  readonly onError: (text: string) => void;
  /** What is about to be run. */
  readonly onStatement: (text: string) => void;
}

/** Begins to read the rows of a query. */
export async function openSource(
  database: OpenDatabase,
  query: SqlSource,
  { format, timezone, onError, onStatement }: SourceOptions,
): Promise<CopySource> {
  if (database instanceof ClientDatabase) {
    onStatement(query.script.trim());
    if (database.definition.type !== 'postgresql')
      return { kind: 'rows', ...(await database.rows(query.script, { timezone, onError })) };
    const statement = copyOutStatement(oneQuery(query).text, format);
    const call = psqlCopy(await database.program(), database.definition, statement, timezone);
    return { kind: 'text', chunks: database.output(call, onError) };
  }
  const statement = oneQuery(query);
  onStatement(statement.text);
  return { kind: 'text', chunks: postgresRows(database, query, statement, format) };
}

/** The same as values, for targets that are no Postgres. */
export function asRows(source: CopySource): QueryRows {
  return source.kind === 'rows' ? source : { batches: decodeCopyText(source.chunks), binary: 'hex' };
}

/** Texts of values that mean the same whatever the two sessions' settings are. */
export async function neutralOutput(session: PostgresSession): Promise<void> {
  await session.execute(
    `select set_config('DateStyle', 'ISO', false), set_config('IntervalStyle', 'postgres', false),
       set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '3', false)`,
  );
}

/** `FORMAT csv, …`, as both ends of a copy between Postgres databases take it; empty for the default. */
export function copyFormatOptions({ csv, delimiter }: CopyFormat): string {
  const options = csv ? ['FORMAT csv'] : [];
  if (delimiter !== undefined) options.push(`DELIMITER ${quoted(delimiter)}`);
  return options.length === 0 ? '' : ` WITH (${options.join(', ')})`;
}

/**
 * The one query of a script.
 *
 * @throws SqlError when it cannot be read, or holds several statements
 */
export function oneQuery(source: SqlSource): SqlStatement {
  let statements: readonly SqlStatement[];
  try {
    ({ statements } = splitSql(source.script));
  } catch (error) {
    throw error instanceof SqlScriptError ? scriptError(error, source) : error;
  }
  const [query, second] = statements;
  if (query === undefined) throw new SqlError(`${source.name}: there is no query.`);
  if (second !== undefined) {
    throw statementError(
      new Error('a copy takes one query, and here a second statement begins'),
      source,
      second,
    );
  }
  return query;
}

const BEFORE_QUERY = 'COPY (';

function copyOutStatement(query: string, format: CopyFormat): string {
  // The last line of the query may be a comment.
  return `${BEFORE_QUERY}${query}\n) TO STDOUT${copyFormatOptions(format)}`;
}

async function* postgresRows(
  session: PostgresSession,
  source: SqlSource,
  query: SqlStatement,
  format: CopyFormat,
): AsyncGenerator<Buffer> {
  await neutralOutput(session);
  const output = new PassThrough({ highWaterMark: 1 << 20 });
  let problem: unknown;
  const copied = session.copyTo(copyOutStatement(query.text, format), output).then(
    () => {
      output.end();
    },
    (error: unknown) => {
      problem =
        isServerError(error) && !session.cancelled ? statementError(inQuery(error), source, query) : error;
      output.destroy(error instanceof Error ? error : new Error(String(error)));
    },
  );
  try {
    for await (const chunk of output) yield chunk as Buffer;
  } catch (error) {
    await copied;
    throw problem ?? error;
  } finally {
    output.destroy();
  }
}

/** An error of the server whose place counts from the start of the query again. */
function inQuery(error: Error & { readonly position?: string | undefined }): Error {
  const position = Number(error.position) - BEFORE_QUERY.length;
  return Object.assign(error, { position: position >= 1 ? String(position) : undefined });
}

function quoted(text: string): string {
  const escaped = text.replaceAll("'", "''").replaceAll('\\', '\\\\').replaceAll('\t', '\\t');
  return escaped.includes('\\') ? `E'${escaped}'` : `'${escaped}'`;
}
