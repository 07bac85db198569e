/** The server's process, as its own lock files name it. */
import { execFile } from 'node:child_process';
import { readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCode } from '../errors.ts';
import { processExists } from '../process-exists.ts';
import { SOCKET_PORT, type StatePaths } from './paths.ts';

const execute = promisify(execFile);

/** The server that runs on a data directory, or did; `null` when its file is not there or not written yet. */
export async function postmasterPid(data: string): Promise<number | null> {
  return pidIn(join(data, 'postmaster.pid'));
}

/** Whether a server runs on a data directory, be it starting or shutting down. */
export async function isRunning(data: string): Promise<boolean> {
  const pid = await postmasterPid(data);
  return pid !== null && (await isPostmaster(pid, data));
}

/**
 * Whether a process is the server of this data directory. That a process has the id proves nothing: ids are used
 * again, above all in containers, where the first processes always have the same ones.
 */
export async function isPostmaster(pid: number, data: string): Promise<boolean> {
  if (!processExists(pid)) return false;
  if (process.platform === 'win32') return true; // its files are locked while it runs
  try {
    if (process.platform === 'linux') {
      const [program, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
      return program !== undefined && basename(program).startsWith('postgres') && args.includes(data);
    }
    const { stdout } = await execute('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.includes('postgres') && stdout.includes(data);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false; // it has just ended
    return processExists(pid);
  }
}

/**
 * Removes lock files that name a living process which is not the server: Postgres does not dare to do so itself and
 * refuses to start, usually after a container was started again.
 */
export async function removeStaleLocks(data: string, paths: StatePaths): Promise<void> {
  const guard = `${paths.home}/stale.lock`;
  try {
    await writeFile(guard, String(process.pid), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    await removeIf(guard, async () => Date.now() - (await stat(guard)).mtimeMs > 10_000);
    return;
  }
  try {
    for (const file of [
      join(data, 'postmaster.pid'),
      join(paths.socketDirectory, `.s.PGSQL.${SOCKET_PORT}.lock`),
    ]) {
      await removeIf(file, async () => {
        const pid = await pidIn(file);
        // Of a dead process Postgres takes care, without a race.
        return pid !== null && processExists(pid) && !(await isPostmaster(pid, data));
      });
    }
  } finally {
    await unlink(guard);
  }
}

/**
 * Shuts the server down, disconnecting its clients, and waits until it has ended.
 *
 * @returns whether there was one.
 */
export async function shutDown(data: string, pgCtl: string | null): Promise<boolean> {
  const pid = await postmasterPid(data);
  if (pid === null || !(await isPostmaster(pid, data))) return false;
  if (pgCtl === null) process.kill(pid, 'SIGINT');
  else await execute(pgCtl, ['stop', '-D', data, '-m', 'fast', '-w']);
  // The file goes away as the last thing, or is already that of a newer server.
  while ((await postmasterPid(data)) === pid && processExists(pid)) await sleep(20);
  return true;
}

async function pidIn(file: string): Promise<number | null> {
  try {
    const pid = Number((await readFile(file, 'utf8')).split('\n')[0]);
    // A standalone backend (initdb) writes its id as a negative number.
    return Number.isInteger(pid) && pid !== 0 ? Math.abs(pid) : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function removeIf(file: string, condition: () => Promise<boolean>): Promise<void> {
  try {
    if (await condition()) await unlink(file);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
