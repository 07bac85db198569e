/** Under which account the server runs: Postgres refuses to run as root. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StoreError, errorCode } from '../errors.ts';

/** The user and group of the server. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** For messages. */
  readonly name: string;
}

const CANDIDATES = ['postgres', 'nobody'];

/**
 * The account for the server: `null` = our own. As root: the owner of the data directory if there is one (ids change
 * when a container is rebuilt), else `postgres`, else `nobody`; no account is ever created.
 *
 * @throws {StoreError} as root, when neither exists.
 */
export async function serverAccount(
  data: string | null,
  uid: number | undefined = process.getuid?.(),
  passwd = '/etc/passwd',
): Promise<Account | null> {
  if (uid !== 0) return null;
  if (data !== null) {
    const owner = await stat(data).catch(ignoreMissing);
    if (owner !== null && owner.uid > 0) return { uid: owner.uid, gid: owner.gid, name: `uid ${owner.uid}` };
  }
  const entries = parsePasswd((await readFile(passwd, 'utf8').catch(ignoreMissing)) ?? '');
  for (const name of CANDIDATES) {
    const account = entries.find(entry => entry.name === name && entry.uid > 0);
    if (account !== undefined) return account;
  }
  throw new StoreError(
    'no-account',
    'Cannot start the embedded Postgres: it does not run as root, and neither "postgres" nor "nobody" is in ' +
      `${passwd}. Add one of these accounts, work as an ordinary user, or set MILLRACE_STORE_URL to a Postgres server.`,
  );
}

/**
 * Whether an account may pass through all folders above `path`; the first one where it may not, else `null`.
 * Looks at the mode bits alone, so that the message can name the folder before a program fails without one.
 */
export async function blockingFolder(path: string, account: Account): Promise<string | null> {
  const parents: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    parents.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  for (const folder of parents) {
    const { mode, uid, gid } = await stat(folder);
    const needed = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & needed) === 0) return folder;
  }
  return null;
}

function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap(line => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

function ignoreMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}
