/** The connection of a command that speaks to a database. */
import type { CommandContext } from '../api/context.ts';
import { PipelineError } from '../api/errors.ts';
import { ClientDatabase } from '../databases/client-database.ts';
import type { OpenDatabase } from '../databases/connect.ts';
import { PostgresSession } from '../databases/postgres.ts';

/**
 * Lets `work` use a connection, with a time zone of its own for so long.
 *
 * @throws PipelineError when the database is not one that the command can use
 */
export async function withSession<T>(
  context: CommandContext,
  {
    what,
    db,
    timezone,
  }: { readonly what: string; readonly db: string | undefined; readonly timezone: string | undefined },
  work: (session: PostgresSession) => Promise<T>,
): Promise<T> {
  const session = await openDatabase(context, what, db);
  if (session instanceof ClientDatabase) {
    const how =
      session.definition.type === 'postgresql'
        ? 'it is reached by psql, and this needs the bundled client'
        : `it is of the type ${session.typeName}, and this works on PostgreSQL only`;
    throw new PipelineError(`${what} cannot use database "${session.alias}": ${how}.`);
  }
  return await withTimezone(session, timezone, () => work(session));
}

/** The database of an alias, of whatever type. */
export async function openDatabase(
  context: CommandContext,
  what: string,
  db: string | undefined,
): Promise<OpenDatabase> {
  const database = await context.db(db);
  if (database instanceof PostgresSession || database instanceof ClientDatabase) return database;
  throw new PipelineError(`${what} cannot use database "${database.alias}": it was not opened by Millrace.`);
}

/** Lets `work` use a connection with a time zone of its own; a database behind a client gets it with each call. */
export async function withTimezone<T>(
  session: OpenDatabase,
  timezone: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (session instanceof ClientDatabase) return await work();
  if (timezone === undefined) return await work();
  await session.query(`select set_config('TimeZone', $1, false)`, [timezone]);
  try {
    return await work();
  } finally {
    // Other commands of the task may use the connection as well. After a cancel or a lost connection nobody does.
    if (!session.cancelled) await session.execute('reset timezone').catch(() => undefined);
  }
}
