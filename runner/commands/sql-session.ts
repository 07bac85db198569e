/** The connection of a command that speaks to Postgres. */
import type { CommandContext } from '../api/context.ts';
import { PipelineError } from '../api/errors.ts';
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
  const session = await context.db(db);
  if (!(session instanceof PostgresSession)) {
    throw new PipelineError(`${what} cannot use database "${session.alias}": it is not a Postgres database.`);
  }
  if (timezone === undefined) return await work(session);
  await session.query(`select set_config('TimeZone', $1, false)`, [timezone]);
  try {
    return await work(session);
  } finally {
    // Other commands of the task may use the connection as well. After a cancel or a lost connection nobody does.
    if (!session.cancelled) await session.execute('reset timezone').catch(() => undefined);
  }
}
