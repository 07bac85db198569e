/** Puts a directory in place exactly once, whoever else tries at the same time. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../errors.ts';
import { processExists } from '../process-exists.ts';

/** A maker shows this often that it is alive. */
const HEARTBEAT = 1000;
/** A lock without a sign of life for so long is taken over, whatever process has its id now. */
const ABANDONED = 15_000;

/**
 * Lets `make` build the directory under a private name, then puts it in place by one atomic rename. When several
 * processes do so at once, one works and the others wait; should two work, one wins and both succeed.
 *
 * @returns whether this call made it.
 */
export async function placeOnce(final: string, make: (temporary: string) => Promise<void>): Promise<boolean> {
  const lock = `${final}.lock`;
  while (!(await takeLock(lock))) {
    if (await exists(final)) return false;
    await sleep(50);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => undefined); // taken over: the rename decides
  }, HEARTBEAT);
  const temporary = `${final}.tmp-${process.pid}-${randomBytes(3).toString('hex')}`;
  try {
    if (await exists(final)) return false;
    await make(temporary);
    await rename(temporary, final);
    return true;
  } catch (error) {
    if (await exists(final)) return false;
    throw error;
  } finally {
    clearInterval(heartbeat);
    await rm(temporary, { recursive: true, force: true });
    await rm(lock, { force: true });
  }
}

/** Takes the lock file; it only saves the others the work, so that a wrong guess about its holder does no harm. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  try {
    const age = Date.now() - (await stat(lock)).mtimeMs;
    const holder = Number(await readFile(lock, 'utf8'));
    // A lock that was made this moment may still be empty.
    if (age > ABANDONED || (age > HEARTBEAT / 2 && holder > 0 && !processExists(holder))) await unlink(lock);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  return false;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
