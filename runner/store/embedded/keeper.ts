/**
 * The keeper: a small process of its own that stops the embedded server when nobody has used it for a while. Whoever
 * finds the server without one starts one; a lock makes it the only one. When it is killed, the server just goes on.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { endQuietly } from '../connection.ts';
import { LOCKS, isObstacle } from './lease.ts';
import { statePaths } from './paths.ts';
import type { ServerOptions } from './server.ts';
import { connectAsSuperuser, countOthers, stopIfUnused } from './stop.ts';

/** Seconds without clients after which the server is stopped. */
const IDLE_STOP = 600;

/** How the keeper is started: a file for Node that calls {@link runKeeper}. */
export interface KeeperProgram {
  readonly file: string;
  readonly args?: readonly string[];
}

/** Starts a keeper that outlives this process. It ends by itself when there is one already. */
export function spawnKeeper(program: KeeperProgram, options: ServerOptions): void {
  const child = spawn(process.execPath, [program.file, ...(program.args ?? [])], {
    cwd: '/',
    detached: true,
    windowsHide: true,
    stdio: 'ignore',
    // In an extension host Node is the editor's own program.
    env: { ...inherited(), MILLRACE_HOME: options.home, ELECTRON_RUN_AS_NODE: '1' },
  });
  // Without a keeper the server runs on, which is no reason to fail.
  child.once('error', () => undefined);
  child.unref();
}

/** No more of the environment than it needs: it lives on, and the rest may hold secrets. */
function inherited(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LANG', 'SystemRoot', 'TEMP', 'LOCALAPPDATA', 'MILLRACE_IDLE_STOP'];
  return Object.fromEntries(names.map(name => [name, process.env[name]]));
}

/** `MILLRACE_IDLE_STOP` in seconds, else ten minutes. */
export function idleStop(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const seconds = Number(env['MILLRACE_IDLE_STOP'] ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds : IDLE_STOP;
}

/** Watches over the server until it is stopped, by us or by somebody else, or another keeper is at work. */
export async function runKeeper(options: ServerOptions & { readonly idleStop: number }): Promise<void> {
  const client = await connectAsSuperuser(statePaths(options.home));
  if (client === null) return;
  const session = { isLost: false };
  client.once('end', () => (session.isLost = true));
  const idle = options.idleStop * 1000;
  const poll = Math.min(Math.max(idle / 10, 50), 15_000);
  try {
    const lock = await client.query<{ taken: boolean }>(
      `select pg_try_advisory_lock(${LOCKS.keeper}) as taken`,
    );
    if (lock.rows[0]?.taken !== true) return;
    let since = Date.now();
    for (;;) {
      await sleep(poll);
      if ((await countOthers(client)).others > 0) since = Date.now();
      else if (Date.now() - since >= idle && (await stopIfUnused(options, client))) return;
    }
  } catch (error) {
    // Cut off: somebody else has stopped the server, and the next one to start it starts a keeper as well.
    if (!session.isLost && !isObstacle(error)) throw error;
  } finally {
    await endQuietly(client);
  }
}
