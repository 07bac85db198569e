/** Stopping the embedded server, and saying how it is. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { connectClient, endQuietly } from '../connection.ts';
import { errorCode } from '../errors.ts';
import { executable } from './binaries.ts';
import { LOCKS, isObstacle } from './lease.ts';
import { statePaths, type StatePaths } from './paths.ts';
import { isRunning, postmasterPid, shutDown } from './postmaster.ts';
import { SUPERUSER, currentData, prepareServer, roleConfig, type ServerOptions } from './server.ts';

/** Sessions of this name do not keep the server running. */
const MAINTENANCE = 'millrace maintenance';

/** Sessions of processes that have just ended may still be there for so many milliseconds. */
const sessionsEndWithin = 1000;

/** Sessions besides our own; those that wait for the lease do not hold it up, they start a new server. */
const OTHERS = `
  select count(*)::int as others, extract(epoch from pg_postmaster_start_time())::text as started
    from pg_stat_activity a
   where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> '${MAINTENANCE}'
     and not exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and not l.granted)`;

/**
 * Stops the server unless somebody uses it: holds a lease, or is connected without one (psql). `client` is a session
 * of the superuser in the database `postgres`; it is cut off when the server stops.
 *
 * @returns whether it was stopped.
 */
export async function stopIfUnused(options: ServerOptions, client: Client): Promise<boolean> {
  const paths = statePaths(options.home);
  const lock = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${LOCKS.lease}) as taken`);
  if (lock.rows[0]?.taken !== true) return false;
  // Whoever connects from here on waits for the lease, is cut off, and starts a new server.
  const { others, started } = await countOthers(client);
  if (others > 0) {
    await client.query(`select pg_advisory_unlock(${LOCKS.lease})`);
    return false;
  }
  // Whole or not at all, and readable when root stops another user's server.
  const temporary = `${paths.stopping}.${process.pid}`;
  try {
    await writeFile(temporary, started, { mode: 0o644 });
    await rename(temporary, paths.stopping);
  } catch (error) {
    // Without it, whoever comes in this very moment is told that the server ends, and has to try again.
    if (errorCode(error) !== 'ENOSPC') throw error;
    await rm(temporary, { force: true });
  }
  if (await stopProcess(options)) return true;
  // Nobody must take a server that goes on for one that ends.
  await rm(paths.stopping, { force: true });
  return false;
}

/** How many sessions there are besides this one and the keeper's, and when the server started. */
export async function countOthers(client: Client): Promise<{ others: number; started: string }> {
  const { rows } = await client.query<{ others: number; started: string }>(OTHERS);
  return rows[0] ?? { others: 0, started: '' };
}

export type StopResult = 'stopped' | 'in-use' | 'not-running';

/**
 * Stops the server: at once with `force`, disconnecting everybody (tasks go on, and whoever needs the store starts it
 * again), otherwise only when nobody uses it.
 */
export async function stopServer(options: ServerOptions, { force }: { force: boolean }): Promise<StopResult> {
  const client = await connectAsSuperuser(statePaths(options.home));
  try {
    const patientUntil = performance.now() + sessionsEndWithin;
    for (;;) {
      if (client !== null && (await stopIfUnused(options, client))) return 'stopped';
      if (client === null || force) break;
      if (performance.now() > patientUntil) return 'in-use';
      await delay(50);
    }
  } catch (error) {
    // Cut off: somebody else is stopping it.
    if (!isObstacle(error)) throw error;
  } finally {
    if (client !== null) await endQuietly(client);
  }
  return (await stopProcess(options)) ? 'stopped' : 'not-running';
}

/** What `millrace store status` shows of the embedded server. */
export type ServerStatus =
  | { readonly state: 'never-started' }
  | { readonly state: 'stopped'; readonly data: string }
  | {
      readonly state: 'running';
      readonly data: string;
      readonly pid: number;
      readonly version: string;
      /** Sessions of all users, without the keeper's. */
      readonly clients: number;
      readonly startedAt: Date;
    };

/** Looks without starting anything. */
export async function serverStatus(home: string): Promise<ServerStatus> {
  const data = await currentData(home);
  if (data === null) return { state: 'never-started' };
  const stopped: ServerStatus = { state: 'stopped', data: data.directory };
  const pid = await postmasterPid(data.directory);
  const client = pid === null ? null : await connectAsSuperuser(statePaths(home));
  if (pid === null || client === null) return stopped;
  try {
    const { others, started } = await countOthers(client);
    const { rows } = await client.query<{ version: string }>(
      `select current_setting('server_version') as version`,
    );
    const startedAt = new Date(Number(started) * 1000);
    return {
      state: 'running',
      data: data.directory,
      pid,
      version: rows[0]?.version ?? '',
      clients: others,
      startedAt,
    };
  } catch (error) {
    if (isObstacle(error)) return stopped;
    throw error;
  } finally {
    await endQuietly(client);
  }
}

async function stopProcess(options: ServerOptions): Promise<boolean> {
  const data = await currentData(options.home);
  if (data === null || !(await isRunning(data.directory))) return false;
  if (process.platform !== 'win32') return shutDown(data.directory, null);
  const { binaries } = await prepareServer(options);
  return shutDown(data.directory, join(binaries.directory, executable('pg_ctl')));
}

/** A session for maintenance; `null` when nobody listens, or not any more. */
export async function connectAsSuperuser(paths: StatePaths): Promise<Client | null> {
  const config = roleConfig(paths, SUPERUSER, 'postgres');
  if (config === null) return null;
  try {
    return await connectClient({ ...config, application_name: MAINTENANCE });
  } catch (error) {
    if (isObstacle(error)) return null;
    throw error;
  }
}
