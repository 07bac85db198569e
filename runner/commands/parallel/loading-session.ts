/** Connections and transactions of parallel tasks that work in Postgres. */
import { PipelineError } from '../../api/errors.ts';
import type { Database } from '../../api/context.ts';
import type { PostgresSession } from '../../databases/postgres.ts';

/**
 * The connection of a parallel task or one of its children.
 *
 * @throws PipelineError when the database is none that the bundled client reaches
 */
export async function loadingSession(
  context: { db(alias?: string): Promise<Database> },
  what: string,
  db: string | undefined,
): Promise<PostgresSession> {
  const { PostgresSession } = await import('../../databases/postgres.ts');
  const session = await context.db(db);
  if (session instanceof PostgresSession) return session;
  throw new PipelineError(
    `${what} cannot use database "${session.alias}": it needs Postgres, reached by the bundled client.`,
  );
}

/** Lets `work` use a transaction of its own. */
export async function inTransaction<T>(session: PostgresSession, work: () => Promise<T>): Promise<T> {
  await session.execute('begin');
  try {
    const result = await work();
    if (session.transaction !== 'open') throw new Error('the transaction was ended by what was done in it');
    await session.execute('commit');
    return result;
  } catch (error) {
    if (!session.cancelled && session.transaction !== 'none')
      await session.execute('rollback').catch(() => undefined);
    throw error;
  }
}
