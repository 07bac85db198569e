/** The databases and roles of a project in the embedded server. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { escapeIdentifier, escapeLiteral, type Client, type ClientConfig } from 'pg';
import { endQuietly } from '../connection.ts';
import { StoreError, errorCode } from '../errors.ts';
import { LOCKS, acquireLease } from './lease.ts';
import { statePaths, type StatePaths } from './paths.ts';
import { ensureSecret, rolePassword } from './secret.ts';
import { roleConfig, type ServerOptions } from './server.ts';

/** Owns the store databases of all projects; neither a superuser nor able to connect to a warehouse. */
const STORE_ROLE = 'millrace_store';

const MAX_SLUG = 40;

/**
 * The name of a project's store database: its folder's name, for people, and a hash of its real path, so that two
 * folders of the same name stay apart and a link to a project leads to the same store.
 */
export function projectDatabaseName(projectDirectory: string): string {
  const real = realPath(projectDirectory);
  const slug = basename(real)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MAX_SLUG);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 8);
  return `${slug === '' ? 'project' : slug}_${hash}`;
}

function realPath(directory: string): string {
  try {
    return realpathSync.native(directory);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    throw new StoreError('no-database', `There is no project at ${directory}: the folder does not exist.`, {
      cause: error,
    });
  }
}

/** How to connect to a project's store; `null` when the state folder has never been set up. */
export function storeDatabaseConfig(paths: StatePaths, database: string): ClientConfig | null {
  return roleConfig(paths, STORE_ROLE, database);
}

/** Whether a failed connection means that the project's database or role is not there, or not yet complete. */
export function isMissingDatabase(error: unknown): boolean {
  // 55000: a database that is being made accepts no connection yet.
  return ['3D000', '28P01', '28000', '55000', '42501'].includes(errorCode(error) ?? '');
}

/**
 * Makes the store's database and role as far as they are missing. `admin` is a session of the superuser in the
 * database `postgres`. Safe when many processes do it at once, and when one of them dies in the middle.
 */
export async function createStoreDatabase(admin: Client, paths: StatePaths, database: string): Promise<void> {
  const secret = await ensureSecret(paths);
  await exclusively(admin, async () => {
    // Nobody but the superuser has business in the shared databases: the leases are there.
    await admin.query('revoke connect on database postgres, template1 from public');
    await createRole(admin, STORE_ROLE, secret);
    await createDatabase(admin, database, STORE_ROLE);
  });
}

export interface WarehouseOptions extends ServerOptions {
  readonly projectDirectory: string;
}

/**
 * How to connect to the project's warehouse (the alias `dwh`): a database beside the store in the embedded server, whose
 * role can do anything there and nothing elsewhere. The server is started, and the database made, if
 * necessary. Whoever keeps using it should hold the store open, so that the server is not stopped in between.
 *
 * @throws {StoreError} when the server cannot be started.
 */
export async function warehouseConfig(options: WarehouseOptions): Promise<ClientConfig> {
  const paths = statePaths(options.home);
  const name = `${projectDatabaseName(options.projectDirectory)}_dwh`;
  const lease = await acquireLease(options);
  try {
    const { rows } = await lease.client.query<{ ready: boolean }>(
      'select exists (select from pg_database where datname = $1 and datallowconn) as ready',
      [name],
    );
    if (rows[0]?.ready !== true) {
      const secret = await ensureSecret(paths);
      await exclusively(lease.client, async () => {
        await createRole(lease.client, name, secret);
        await createDatabase(lease.client, name, name);
      });
    }
    const config = roleConfig(paths, name, name);
    if (config === null) throw new Error(`the state folder ${options.home} has vanished`);
    return config;
  } finally {
    await endQuietly(lease.client);
  }
}

async function exclusively(admin: Client, work: () => Promise<void>): Promise<void> {
  await admin.query(`select pg_advisory_lock(${LOCKS.create})`);
  try {
    await work();
  } finally {
    await admin.query(`select pg_advisory_unlock(${LOCKS.create})`);
  }
}

async function createRole(admin: Client, role: string, secret: string): Promise<void> {
  // Like the superuser's: a random password needs no iterations, which every connection would pay for.
  const isCheap = (await serverVersion(admin)) >= 160_000;
  const { rowCount } = await admin.query('select from pg_roles where rolname = $1', [role]);
  const verb = rowCount === 0 ? 'create' : 'alter';
  if (isCheap) await admin.query('set scram_iterations = 1');
  // The statement is not logged: the server logs warnings only, and errors of this one do not repeat it.
  await admin.query(
    `${verb} role ${escapeIdentifier(role)} login nosuperuser nocreatedb nocreaterole ` +
      `password ${escapeLiteral(rolePassword(secret, role))}`,
  );
  if (isCheap) await admin.query('reset scram_iterations');
}

async function createDatabase(admin: Client, database: string, owner: string): Promise<void> {
  const [name, role] = [escapeIdentifier(database), escapeIdentifier(owner)];
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [database]);
  if (rowCount === 0) {
    // Closed until it is private.
    await admin.query(`create database ${name} owner ${role} template template0 allow_connections false`);
  }
  await admin.query(`alter database ${name} owner to ${role}`);
  await admin.query(`revoke connect on database ${name} from public`);
  await admin.query(`alter database ${name} allow_connections true`);
}

async function serverVersion(admin: Client): Promise<number> {
  const { rows } = await admin.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return rows[0]?.version ?? 0;
}
