/** Brings the schema of a store up to date. */
import { Pool, type Client, type ClientConfig } from 'pg';
import { latestMigration, migrationNames } from '../../migrations/names.ts';
import { OLDEST_MAJOR } from './embedded/binaries.ts';
import { StoreError, errorCode } from './errors.ts';

/** Held by who migrates; the key is private to the database of one store. */
export const MIGRATION_LOCK = 7_155_004;

/** What every opening asks, in one round trip. */
export interface StoreState {
  /** The last migration that was run; `null` in a database without our tables. */
  readonly schema: string | null;
  /** How far the server's clock is ahead of ours, in milliseconds. */
  readonly clockOffset: number;
  /** For example 180004. */
  readonly serverVersion: number;
  /** For example `18.4`. */
  readonly serverVersionText: string;
}

const FACTS = `
  extract(epoch from clock_timestamp())::float8 * 1000 as now,
  current_setting('server_version_num')::int as "serverVersion", current_setting('server_version') as "serverVersionText"`;

/** Reads the state of a store. */
export async function readStoreState(client: Client): Promise<StoreState> {
  try {
    return await readState(client, '(select max(name) from millrace.migration)');
  } catch (error) {
    // No such table.
    if (errorCode(error) !== '42P01') throw error;
    return readState(client, 'null');
  }
}

async function readState(client: Client, schema: string): Promise<StoreState> {
  const sent = Date.now();
  const { rows } = await client.query<Omit<StoreState, 'clockOffset'> & { now: number }>(
    `select ${schema} as schema, ${FACTS}`,
  );
  const received = Date.now();
  const [row] = rows;
  if (row === undefined) throw new Error('a query without a table returned no row');
  const { now, ...state } = row;
  return { ...state, clockOffset: now - (sent + received) / 2 };
}

/**
 * Refuses a server that lacks what our queries need.
 *
 * @throws {StoreError}
 */
export function checkServer(state: StoreState, where: string): void {
  if (state.serverVersion >= OLDEST_MAJOR * 10_000) return;
  throw new StoreError(
    'server-too-old',
    `The store's server (${where}) is Postgres ${state.serverVersionText}, and ${OLDEST_MAJOR} or newer is needed. ` +
      'Update it, or use the embedded server by not naming a URL.',
  );
}

/**
 * Whether the schema is what this version works with.
 *
 * @param where names the store in messages.
 * @throws {StoreError} when a newer or another program made it.
 */
export function isUpToDate(state: StoreState, where: string): boolean {
  const { schema } = state;
  if (schema === latestMigration) return true;
  if (schema === null) return false;
  const names: readonly string[] = migrationNames;
  if (names.includes(schema)) return false;
  if (schema > latestMigration) {
    throw new StoreError(
      'schema-newer',
      `The store (${where}) was made by a newer Millrace: its schema is ${schema}, this Millrace knows ` +
        `${latestMigration}. Update Millrace here, or let MILLRACE_STORE_URL name another database.`,
    );
  }
  throw new StoreError(
    'schema-foreign',
    `The store (${where}) has the schema ${schema}, which no released Millrace makes. ` +
      'Let MILLRACE_STORE_URL name another database.',
  );
}

/**
 * Runs the migrations that are missing. When several processes do so at once, one works and the others wait.
 *
 * @param client a session of the store; the lock is held by it.
 * @param config for the session that migrates.
 */
export async function migrateToLatest(client: Client, config: ClientConfig, where: string): Promise<void> {
  await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
  try {
    if (isUpToDate(await readStoreState(client), where)) return;
    await migrate(config, 'latest');
  } finally {
    await client.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`);
  }
}

/** Undoes all migrations: every table with its content. */
export async function migrateDown(client: Client, config: ClientConfig): Promise<void> {
  await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
  try {
    await migrate(config, 'nothing');
  } finally {
    await client.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`);
  }
}

async function migrate(config: ClientConfig, target: 'latest' | 'nothing'): Promise<void> {
  const [{ Kysely, PostgresDialect }, { Migrator, NO_MIGRATIONS }, { migrations }] = await Promise.all([
    import('kysely'),
    import('kysely/migration'),
    import('../../migrations/index.ts'),
  ]);
  const pool = new Pool({ ...config, max: 1 });
  pool.on('error', () => undefined); // the query that needs the connection reports it
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
      migrationTableSchema: 'millrace',
      migrationTableName: 'migration',
      migrationLockTableName: 'migration_lock',
    });
    const { error } =
      target === 'latest' ? await migrator.migrateToLatest() : await migrator.migrateTo(NO_MIGRATIONS);
    if (error !== undefined)
      throw error instanceof Error ? error : new Error('a migration failed', { cause: error });
  } finally {
    await db.destroy();
  }
}
