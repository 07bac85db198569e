/** One random key per state folder, from which the passwords of all roles are derived; nothing else is stored. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, unlink, writeFile } from 'node:fs/promises';
import { errorCode } from '../errors.ts';
import type { StatePaths } from './paths.ts';

/** The key; `null` when nothing has been set up yet. */
export function readSecret(paths: StatePaths): string | null {
  try {
    // Synchronous, because every opening waits for it: a thread would cost more than the read.
    return readFileSync(paths.secret, 'utf8').trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The key, made if necessary: by link(2), so that the first of several processes wins with a whole file. */
export async function ensureSecret(paths: StatePaths): Promise<string> {
  const known = readSecret(paths);
  if (known !== null) return known;
  const temporary = `${paths.secret}.${process.pid}-${randomBytes(3).toString('hex')}`;
  await writeFile(temporary, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flush: true });
  try {
    await link(temporary, paths.secret);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(temporary);
  }
  return readSecret(paths) ?? ensureSecret(paths);
}

/** The password of a role; knowing one role's does not help to find another's. */
export function rolePassword(secret: string, role: string): string {
  return createHmac('sha256', secret).update(role).digest('base64url');
}
