/** Copies the rows of a query into a table of another database, or of the same one. */
import { ClientDatabase } from './client-database.ts';
import type { OpenDatabase } from './connect.ts';
import { type CopyFormat, oneQuery, openSource } from './copy-ends.ts';
import { checkCopyPair } from './copy-pairs.ts';
import { loadRows } from './copy-targets.ts';
import type { PostgresSession } from './postgres.ts';
import { type SqlSource, statementError } from './sql-error.ts';

export interface CopyRequest {
  /** The command, for messages. */
  readonly what: string;
  readonly from: OpenDatabase;
  readonly query: SqlSource;
  readonly to: OpenDatabase;
  /** As it is written in SQL. */
  readonly table: string;
  readonly format?: CopyFormat | undefined;
  readonly timezone?: string | undefined;
  /** What is about to be run. */
  readonly onStatement: (text: string) => void;
  /** Takes what clients say on standard error. */
  readonly onError: (text: string) => void;
}

/**
 * Copies all rows or none, and keeps a few of them in memory only; gives their number.
 *
 * @throws PipelineError when the two types of databases do not fit together or the table is not there; SqlError and
 *   ClientError when one of the databases refuses
 */
export async function copyRows(request: CopyRequest): Promise<number> {
  const { what, from, query, to, table, timezone, onStatement, onError } = request;
  checkCopyPair(what, endOf(from), endOf(to));
  // One connection cannot send and take rows at the same time.
  if (from === to && !(to instanceof ClientDatabase)) return await withinPostgres(to, request);
  // A program that counts rows needs one line for each.
  const format = to instanceof ClientDatabase ? undefined : request.format;
  const shared = { format: format ?? { csv: false, delimiter: undefined }, timezone, onError };
  const source = await openSource(from, query, { ...shared, onStatement });
  try {
    return await loadRows(to, source, { ...shared, table });
  } finally {
    await (source.kind === 'rows' ? source.batches : source.chunks).return(undefined);
  }
}

async function withinPostgres(
  session: PostgresSession,
  { query, table, onStatement }: CopyRequest,
): Promise<number> {
  const statement = oneQuery(query);
  onStatement(statement.text);
  const before = `INSERT INTO ${table} `;
  try {
    const { tag } = await session.execute(before + statement.text);
    return Number(/\d+$/.exec(tag)?.[0] ?? 0);
  } catch (error) {
    if (session.cancelled) throw error;
    const wrapped = { ...statement, text: before + statement.text, offset: statement.offset - before.length };
    throw statementError(error, query, wrapped);
  }
}

function endOf(database: OpenDatabase) {
  const type = database instanceof ClientDatabase ? database.definition.type : ('postgresql' as const);
  return { alias: database.alias, type };
}
