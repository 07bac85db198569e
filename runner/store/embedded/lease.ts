/**
 * Everybody who needs the embedded server holds a lease: a shared advisory lock in its database `postgres`. The server
 * may only be stopped by who gets that lock exclusively. There is nothing to go stale: when a process dies, its lock
 * is free.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { connectClient, endQuietly } from '../connection.ts';
import { StoreError, errorCode, errorMessage } from '../errors.ts';
import { statePaths, type StatePaths } from './paths.ts';
import { isRunning, removeStaleLocks } from './postmaster.ts';
import {
  SUPERUSER,
  logTail,
  prepareServer,
  roleConfig,
  setupError,
  startError,
  type Server,
  type ServerOptions,
} from './server.ts';

/** Keys of advisory locks in the database `postgres`. */
export const LOCKS = {
  /** Held shared by whoever needs the server, exclusively by whoever stops it. */
  lease: 7_155_001,
  /** Held by the one keeper. */
  keeper: 7_155_002,
  /** Held while a project's databases and roles are made. */
  create: 7_155_003,
} as const;

/** Recovery after a crash writes at most `max_wal_size` again; this is for very slow disks. */
const START_TIMEOUT = 60_000;
/** A server that nobody else started either fails so often before we give up. */
const MAX_FAILED_STARTS = 3;
const POLL = 15;
/** Milliseconds from the announcement that a server is stopped until it takes no more connections, at the very most. */
const STOPS_WITHIN = 10_000;

export interface Lease {
  /** A connection of the superuser in the database `postgres`; while it lives the server does. */
  readonly client: Client;
  /** Whether a keeper watches over the server. */
  readonly kept: boolean;
  /** Whether the first attempt succeeded: the server has been running all the time. */
  readonly immediate: boolean;
  /** Whether the connection has been lost since. */
  readonly isLost: () => boolean;
  release(): Promise<void>;
}

/**
 * Waits until the server runs, starting (and setting up) it if need be, and takes a lease.
 *
 * @throws {StoreError} when it cannot be started.
 */
export async function acquireLease(options: ServerOptions): Promise<Lease> {
  const paths = statePaths(options.home);
  const deadline = Date.now() + START_TIMEOUT;
  let server: Server | undefined;
  let child: ChildProcess | undefined;
  let failures = 0;
  for (let attempt = 1; ; attempt++) {
    const lease = await tryLease(paths, attempt === 1);
    if (typeof lease !== 'string') return lease;
    if (Date.now() > deadline) throw await noAnswer(paths);
    if (lease === 'absent') {
      server ??= await prepareServer(options);
      // A server that runs does not listen yet, or is shutting down.
      if (!(await isRunning(server.data)) && (child === undefined || hasEnded(child))) {
        if (child !== undefined && child.exitCode !== 0 && ++failures === MAX_FAILED_STARTS) {
          throw startError(await logTail(paths), paths);
        }
        await removeStaleLocks(server.data, paths);
        child = await start(server);
      }
    }
    await sleep(POLL);
  }
}

/** `absent`: nobody listens. `busy`: the server is starting or stopping. */
type Obstacle = 'absent' | 'busy';

const LEASE_QUERY = `
  select pg_advisory_lock_shared(${LOCKS.lease}),
         extract(epoch from pg_postmaster_start_time())::text as started,
         exists (select from pg_locks
                  where locktype = 'advisory' and classid = 0 and objid = ${LOCKS.keeper} and granted) as kept`;

async function tryLease(paths: StatePaths, immediate: boolean): Promise<Lease | Obstacle> {
  let client: Client;
  try {
    const config = roleConfig(paths, SUPERUSER, 'postgres');
    if (config === null) return 'absent';
    client = await connectClient({ ...config, application_name: 'millrace lease' });
  } catch (error) {
    return obstacle(error, paths);
  }
  let lost = false;
  client.once('end', () => (lost = true));
  try {
    const { rows } = await client.query<{ started: string; kept: boolean }>(LEASE_QUERY);
    const [row] = rows;
    if (row !== undefined && !isClosing(paths, row.started)) {
      return { client, kept: row.kept, immediate, isLost: () => lost, release: () => endQuietly(client) };
    }
    await endQuietly(client);
    return 'busy';
  } catch (error) {
    await endQuietly(client);
    return obstacle(error, paths);
  }
}

/**
 * Whether the server that started at `started` is about to be stopped. A lease may be granted only because the
 * stopper's own session was cut off first; the stopper has named its server before that.
 */
function isClosing(paths: StatePaths, started: string): boolean {
  try {
    // A stopper may have died before it did what it had announced.
    if (Date.now() - statSync(paths.stopping).mtimeMs > STOPS_WITHIN) return false;
    return readFileSync(paths.stopping, 'utf8') === started;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function obstacle(error: unknown, paths: StatePaths): Obstacle {
  const obstacle = obstacleOf(error);
  if (obstacle !== null) return obstacle;
  if (errorCode(error) === '28P01') {
    throw new StoreError(
      'wrong-password',
      `The key in ${paths.secret} does not fit the store beside it. Put the original file back, or rename the ` +
        'data folder there to begin with an empty store.',
      { cause: error },
    );
  }
  throw setupError(error, paths.home);
}

/** Whether a failure is one of a server that is stopped, starting or stopping, so that trying again helps. */
export function isObstacle(error: unknown): boolean {
  return obstacleOf(error) !== null;
}

function obstacleOf(error: unknown): Obstacle | null {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return 'absent';
    case 'ECONNRESET':
    case 'EPIPE':
    case '57P01': // terminated by the administrator: the shutdown
    case '57P02':
    case '57P03': // starting up or shutting down
    case '53300': // all connections taken, for this moment
      return 'busy';
    case undefined:
      // pg's own words for a connection that ended in the middle of the conversation
      return /terminated|timeout/i.test(errorMessage(error)) ? 'busy' : null;
    default:
      return null;
  }
}

async function start(server: Server): Promise<ChildProcess> {
  try {
    return await server.start();
  } catch (error) {
    throw setupError(error, server.paths.home);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function noAnswer(paths: StatePaths): Promise<StoreError> {
  const log = await logTail(paths);
  return new StoreError(
    'server-failed',
    `The embedded Postgres in ${paths.home} does not answer. It says in ${paths.log}:\n${log}\n` +
      'End what keeps it from answering, or set MILLRACE_STORE_URL to a Postgres server.',
  );
}
