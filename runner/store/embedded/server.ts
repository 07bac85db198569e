/** Sets up and starts the embedded server. Who may use it when is up to lease.ts. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClientConfig } from 'pg';
import { StoreError, errorCode, errorMessage } from '../errors.ts';
import { blockingFolder, serverAccount, type Account } from './account.ts';
import { errorOutput, executable, findBinaries, switchError, type Binaries } from './binaries.ts';
import { SOCKET_PORT, dataDirectory, statePaths, type StatePaths } from './paths.ts';
import { exists, placeOnce } from './place.ts';
import { ensureSecret, readSecret, rolePassword } from './secret.ts';

/** The role that owns the cluster; used for maintenance only. */
export const SUPERUSER = 'postgres';

/** A log that is larger is put aside before the next start. */
const MAX_LOG_BYTES = 5_000_000;

/** So much of the log tells why a start failed. */
const LOG_TAIL_BYTES = 4000;

/** How Postgres says so: the system's words, or its own hint after a short write. */
const DISK_FULL = /No space left on device|Disk quota exceeded|Check free disk space/;

const execute = promisify(execFile);

export interface ServerOptions {
  /** The state folder. */
  readonly home: string;
  /** Directory of the running bundle, where an archive of the programs may lie. */
  readonly resources: string;
}

/** How to connect as one role; `null` when the state folder has never been set up. */
export function roleConfig(paths: StatePaths, role: string, database: string): ClientConfig | null {
  const secret = readSecret(paths);
  const port = process.platform === 'win32' ? readPort(paths) : SOCKET_PORT;
  if (secret === null || port === null) return null;
  const host = process.platform === 'win32' ? '127.0.0.1' : paths.socketDirectory;
  return {
    ...{ host, port, user: role, database, password: rolePassword(secret, role) },
    // A server that hangs takes connections and says nothing.
    connectionTimeoutMillis: 10_000,
  };
}

/** The data directory in use; `null` when there is none yet. */
export async function currentData(home: string): Promise<{ directory: string; major: number } | null> {
  const names = await readdir(home).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const major = Math.max(0, ...names.flatMap(name => Number(/^data-(\d+)$/.exec(name)?.[1] ?? [])));
  return major === 0 ? null : { directory: dataDirectory(home, major), major };
}

/** A server that is set up and can be started. */
export interface Server {
  readonly paths: StatePaths;
  readonly data: string;
  readonly binaries: Binaries;
  /** Starts it detached. Of several that are started at once, one survives; the others exit with a failure. */
  start(): Promise<ChildProcess>;
}

/**
 * Makes folders, key, programs and cluster as far as they are missing; safe when many processes do it at once.
 *
 * @throws {StoreError} with the remedy, when that is not possible.
 */
export async function prepareServer({ home, resources }: ServerOptions): Promise<Server> {
  const paths = statePaths(home);
  try {
    const existing = await currentData(home);
    const account = await serverAccount(existing?.directory ?? null);
    await prepareFolders(paths, account);
    const binaries = await findBinaries({ home, resources, account, major: existing?.major ?? null });
    const secret = await ensureSecret(paths);
    const data = dataDirectory(home, binaries.major);
    await placeOnce(data, temporary => initialise({ paths, account, binaries, secret, temporary }));
    await checkVersion(data, binaries.major);
    return { paths, data, binaries, start: () => startServer(paths, data, binaries, account) };
  } catch (error) {
    throw setupError(error, home);
  }
}

async function prepareFolders(paths: StatePaths, account: Account | null): Promise<void> {
  await mkdir(paths.home, { recursive: true, mode: account === null ? 0o700 : 0o755 });
  const { mode } = await stat(paths.home);
  // The server's account must get through to its data; what is secret has a mode of its own. Nobody else may put
  // programs there, whatever the umask was when the folder was made.
  const wanted = (mode & 0o7755) | (account === null ? 0 : 0o011);
  if (wanted !== (mode & 0o7777)) await chmod(paths.home, wanted);
  if (account !== null) {
    const blocked = await blockingFolder(paths.socketDirectory, account);
    if (blocked !== null) {
      throw new StoreError(
        'state-folder',
        `The embedded Postgres cannot use ${paths.home}: root starts it as "${account.name}", which may not enter ` +
          `${blocked}. Set MILLRACE_HOME to a folder that every user may enter, for example /var/lib/millrace.`,
      );
    }
  }
  await mkdir(paths.socketDirectory, { recursive: true, mode: 0o700 });
  const socket = await lstat(paths.socketDirectory);
  const owners = [process.getuid?.(), account?.uid];
  // The place for long names is a folder that everybody can write to.
  if (!socket.isDirectory() || (process.platform !== 'win32' && !owners.includes(socket.uid))) {
    throw new StoreError(
      'state-folder',
      `The folder for the embedded Postgres's socket, ${paths.socketDirectory}, belongs to somebody else. ` +
        'Remove it, or set MILLRACE_HOME to another folder.',
    );
  }
  await own(paths.socketDirectory, account);
}

async function own(path: string, account: Account | null): Promise<void> {
  if (account === null) return;
  try {
    await chown(path, account.uid, account.gid);
  } catch (error) {
    throw switchError(error, account) ?? error;
  }
}

interface Initialisation {
  readonly paths: StatePaths;
  readonly account: Account | null;
  readonly binaries: Binaries;
  readonly secret: string;
  readonly temporary: string;
}

async function initialise({ paths, account, binaries, secret, temporary }: Initialisation): Promise<void> {
  await mkdir(temporary, { mode: 0o700 });
  await own(temporary, account);
  const passwordFile = join(
    paths.socketDirectory,
    `.password-${process.pid}-${randomBytes(3).toString('hex')}`,
  );
  try {
    await writeFile(passwordFile, `${rolePassword(secret, SUPERUSER)}\n`, { mode: 0o600 });
    await own(passwordFile, account);
    const { major } = binaries;
    await execute(
      join(binaries.directory, executable('initdb')),
      [
        ...[
          '-D',
          temporary,
          '-U',
          SUPERUSER,
          '-A',
          'scram-sha-256',
          `--pwfile=${passwordFile}`,
          '-E',
          'UTF8',
        ],
        // Sorting by code points depends on no library's version, so that no update of one can damage an index.
        ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
        ...['--locale=C', '--data-checksums', '--no-instructions'],
        // Iterations protect passwords that can be guessed; this one is random, and every opening would pay for them.
        ...(major >= 16 ? ['-c', 'scram_iterations=1'] : []),
      ],
      { ...identity(account), cwd: '/', env: serverEnvironment() },
    );
    await appendFile(join(temporary, 'postgresql.conf'), serverSettings(major));
  } catch (error) {
    throw initialisationError(error, paths.home, account);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** What differs from Postgres's defaults, and why. */
function serverSettings(major: number): string {
  return [
    '',
    '# Written by Millrace when it made this server.',
    "listen_addresses = ''                  # no TCP (on Windows the command line says otherwise)",
    'unix_socket_permissions = 0777         # the directory, 0700, is the gate; passwords are asked as well',
    "password_encryption = 'scram-sha-256'",
    ...(major >= 16
      ? ['scram_iterations = 4096                # a smaller number was for the random superuser password']
      : []),
    'max_connections = 200',
    "shared_buffers = '64MB'",
    ...(major >= 18 ? ["io_method = 'sync'                     # no processes for reading ahead"] : []),
    "dynamic_shared_memory_type = 'mmap'    # /dev/shm is small in containers, and emptied when a user logs out",
    "max_wal_size = '256MB'",
    "wal_level = 'minimal'",
    'max_wal_senders = 0',
    "log_min_messages = 'warning'",
    'logging_collector = off',
    '',
  ].join('\n');
}

async function startServer(
  paths: StatePaths,
  data: string,
  binaries: Binaries,
  account: Account | null,
): Promise<ChildProcess> {
  await rotateLog(paths.log);
  await using log = await open(paths.log, 'a', 0o600);
  const windows = process.platform === 'win32';
  const program = join(binaries.directory, executable(windows ? 'pg_ctl' : 'postgres'));
  // On Windows pg_ctl drops the rights of an administrator, with which Postgres refuses to run.
  const args = windows
    ? ['start', '-D', data, '-W', '-l', paths.log, '-o', `-h 127.0.0.1 -p ${await ensurePort(paths)}`]
    : ['-D', data, '-k', paths.socketDirectory, '-p', String(SOCKET_PORT)];
  const child = spawn(program, args, {
    ...identity(account),
    cwd: windows ? paths.home : '/',
    env: serverEnvironment(),
    detached: true,
    windowsHide: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', error => {
      reject(switchError(error, account) ?? error);
    });
  });
  child.unref();
  return child;
}

async function rotateLog(log: string): Promise<void> {
  try {
    if ((await stat(log)).size > MAX_LOG_BYTES) await rename(log, `${log}.1`);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function identity(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** Nothing of the user's environment must reach a server that outlives it. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP } = process.env as { PATH?: string; SystemRoot?: string; TEMP?: string };
  const env: NodeJS.ProcessEnv = { PATH: PATH ?? '/usr/bin:/bin', HOME: '/', LC_ALL: 'C', TZ: 'UTC' };
  if (process.platform !== 'win32') return env;
  return {
    ...env,
    ...(SystemRoot === undefined ? {} : { SystemRoot }),
    ...(TEMP === undefined ? {} : { TEMP }),
  };
}

function readPort(paths: StatePaths): number | null {
  const text = readSecret({ ...paths, secret: paths.port });
  return text === null ? null : Number(text);
}

/** A port that was free when it was chosen for the first time; one that is taken later is chosen anew. */
async function ensurePort(paths: StatePaths): Promise<number> {
  const known = readPort(paths) ?? 0;
  const port = await freePort(known).catch(() => freePort(0));
  if (port !== known) await writeFile(paths.port, String(port), { mode: 0o600 });
  return port;
}

async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(wanted, '127.0.0.1', resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : wanted;
  } finally {
    server.close();
  }
}

async function checkVersion(data: string, major: number): Promise<void> {
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (found === String(major)) return;
  throw new StoreError(
    'other-major-version',
    `The store in ${data} was made by Postgres ${found}, and Postgres ${major} cannot open it. Rename the folder to ` +
      `data-${found} and install Postgres ${found}, or rename it to anything else to begin with an empty store.`,
  );
}

/** The last lines that the server wrote. */
export async function logTail(paths: StatePaths): Promise<string> {
  if (!(await exists(paths.log))) return '';
  const text = await readFile(paths.log, 'utf8');
  return text.slice(-LOG_TAIL_BYTES).trim().split('\n').slice(-5).join('\n');
}

/** Why a server that was started ended at once. */
export function startError(log: string, paths: StatePaths): StoreError {
  if (DISK_FULL.test(log)) return diskFull(paths.home);
  return new StoreError(
    'server-failed',
    `The embedded Postgres does not start. It says in ${paths.log}:\n${log}\n` +
      'Correct that, or set MILLRACE_STORE_URL to a Postgres server.',
  );
}

function initialisationError(error: unknown, home: string, account: Account | null): unknown {
  if (error instanceof StoreError) return error;
  const said = errorOutput(error);
  if (DISK_FULL.test(said)) return diskFull(home);
  if (said.includes('could not look up effective user ID')) {
    return new StoreError(
      'no-account',
      `Cannot set up the embedded Postgres: the user id ${process.getuid?.() ?? ''} is not in /etc/passwd. ` +
        'Add an entry for it, or set MILLRACE_STORE_URL to a Postgres server.',
      { cause: error },
    );
  }
  const switched = switchError(error, account);
  if (switched !== null) return switched;
  if (said === '') return error;
  return new StoreError(
    'server-failed',
    `Cannot set up the embedded Postgres in ${home}: ${said.trim()}\n` +
      'Correct that, or set MILLRACE_STORE_URL to a Postgres server.',
    { cause: error },
  );
}

/** Turns what the file system says about the state folder into words. */
export function setupError(error: unknown, home: string): unknown {
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case '53100': // Postgres's own
      return diskFull(home);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST':
      return new StoreError(
        'state-folder',
        `Millrace cannot keep its state in ${home}: ${errorMessage(error)}. ` +
          'Make that folder writable, set MILLRACE_HOME to another one, or set MILLRACE_STORE_URL to a Postgres server.',
        { cause: error },
      );
    default:
      return error;
  }
}

function diskFull(home: string): StoreError {
  return new StoreError(
    'disk-full',
    `The disk is full: the embedded Postgres cannot write to ${home}. Free some space (a new store needs 150 MB), ` +
      'or set MILLRACE_HOME to a folder on another disk.',
  );
}
