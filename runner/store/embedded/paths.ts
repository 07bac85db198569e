/** Where the embedded server keeps its things. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, dirname, join, posix, resolve, win32 } from 'node:path';

/** The port in the name of the socket; over TCP (Windows) another one is used. */
export const SOCKET_PORT = 5432;

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the terminating NUL and a margin for `.lock` included. */
const MAX_SOCKET_PATH = 98;

export interface StatePaths {
  /** The state folder. */
  readonly home: string;
  /** Directory of the Unix socket, 0700. */
  readonly socketDirectory: string;
  /** Random key, 0600, from which all passwords are derived. */
  readonly secret: string;
  /** What the server has to say; `server.log.1` is the one before. */
  readonly log: string;
  /** Names the server that is being stopped, by its start time. */
  readonly stopping: string;
  /** Port on 127.0.0.1; used on Windows only. */
  readonly port: string;
}

/** What the location of the state folder depends on; a parameter so that every platform can be tested. */
export interface PathEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** `undefined` on Windows. */
  readonly uid: number | undefined;
  readonly userHome: string;
}

export function currentEnvironment(): PathEnvironment {
  return { env: process.env, platform: process.platform, uid: process.getuid?.(), userHome: homedir() };
}

/**
 * The state folder: `MILLRACE_HOME`, else the platform's place for the state of a program. Root uses
 * `/var/lib/millrace`, because the server runs under another account, which cannot look into root's own home.
 */
export function stateHome(from: PathEnvironment = currentEnvironment()): string {
  const { env, platform, uid, userHome } = from;
  const chosen = env['MILLRACE_HOME'];
  if (chosen !== undefined && chosen !== '') return realFolder(resolve(chosen));
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(userHome, 'AppData', 'Local'), 'millrace');
  }
  if (uid === 0) return '/var/lib/millrace';
  if (platform === 'darwin') return posix.join(userHome, 'Library', 'Application Support', 'millrace');
  const state = env['XDG_STATE_HOME'];
  // The specification says that a relative path is to be ignored.
  const base =
    state !== undefined && posix.isAbsolute(state) ? state : posix.join(userHome, '.local', 'state');
  return posix.join(base, 'millrace');
}

/** By its one name, whichever link leads there: a server is told by the name of its folder. It need not exist yet. */
function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realFolder(above), basename(path));
  }
}

export function statePaths(home: string, from: PathEnvironment = currentEnvironment()): StatePaths {
  const { join } = from.platform === 'win32' ? win32 : posix;
  return {
    home,
    socketDirectory: socketDirectory(home, from),
    secret: join(home, 'secret'),
    log: join(home, 'server.log'),
    stopping: join(home, 'stopping'),
    port: join(home, 'port'),
  };
}

/** The cluster's directory; the major version is part of its name, because no other version can open it. */
export function dataDirectory(home: string, major: number): string {
  return resolve(home, `data-${major}`);
}

/** The unpacked programs. */
export function binariesDirectory(home: string, version: string): string {
  return resolve(home, `bin-${version}`);
}

function socketDirectory(home: string, { platform, uid }: PathEnvironment): string {
  if (platform === 'win32') return win32.join(home, 'run');
  const directory = posix.join(home, 'run');
  if (Buffer.byteLength(posix.join(directory, `.s.PGSQL.${SOCKET_PORT}`)) <= MAX_SOCKET_PATH)
    return directory;
  // Not $TMPDIR nor $XDG_RUNTIME_DIR: cron and a terminal must come to the same place.
  const hash = createHash('sha256').update(home).digest('hex').slice(0, 8);
  return `/tmp/millrace-${uid ?? userInfo().uid}-${hash}`;
}
