/** State folders of their own for tests of the embedded server, and processes that use it, also as another user. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { findBinaries } from '../../runner/store/embedded/binaries.ts';
import type { ServerOptions } from '../../runner/store/embedded/server.ts';
import { stopServer } from '../../runner/store/embedded/stop.ts';
import type { OpenOptions } from '../../runner/store/open.ts';
import type { ClientAnswer } from './store-client.ts';
import { resources, temporaryHome } from './store.ts';
import { temporaryFolder } from './temp.ts';

/** Who runs the processes of a test; absent: ourselves. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** An ordinary user, when we are root and may become one. */
export async function ordinaryUser(): Promise<User | null> {
  if (process.getuid?.() !== 0) return null;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find(entry => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

export interface ServerHome extends AsyncDisposable {
  readonly options: ServerOptions;
  readonly home: string;
  readonly projectDirectory: string;
  /** Starts a process that opens the project's store and holds it until `end`. */
  client(options?: Partial<OpenOptions>, wrapper?: readonly string[]): StoreClient;
}

export interface StoreClient {
  readonly answer: Promise<ClientAnswer>;
  /** Lets it close the store, and waits until the process has ended. */
  end(): Promise<void>;
}

/**
 * A state folder and a project; the server is stopped and everything removed at the end. The folder has the programs
 * already, unpacked once for all tests, unless it is to be `empty`.
 */
export async function serverHome(
  options: Partial<User> & { readonly empty?: boolean } = {},
): Promise<ServerHome> {
  const { uid, gid } = options;
  const user = uid === undefined || gid === undefined ? undefined : { uid, gid };
  const home = await mkdtemp(join(tmpdir(), 'millrace-home-'));
  const project = await temporaryFolder();
  if (options.empty !== true) {
    const programs = await unpackedPrograms();
    await symlink(programs, join(home, basename(programs)));
  }
  if (user !== undefined) {
    await chown(home, user.uid, user.gid);
    await chown(project.path, user.uid, user.gid);
  }
  const server = { home, resources };
  return {
    options: server,
    home,
    projectDirectory: project.path,
    client(more = {}, wrapper = []) {
      const open = {
        projectDirectory: project.path,
        home,
        resources,
        applicationName: 'test client',
        ...more,
      };
      const [program, ...args] = [
        ...wrapper,
        process.execPath,
        join(import.meta.dirname, 'store-client.ts'),
        JSON.stringify(open),
      ];
      return watch(spawn(program, args, { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'], ...user }));
    },
    async [Symbol.asyncDispose]() {
      await stopServer(server, { force: true });
      await rm(home, { recursive: true, force: true });
      await project[Symbol.asyncDispose]();
    },
  };
}

/** The directory `bin-<version>` in the state folder that all tests of this process share. */
async function unpackedPrograms(): Promise<string> {
  const home = await temporaryHome();
  // Whoever runs the server must get through; mkdtemp makes private folders.
  await chmod(home, 0o755);
  const { directory } = await findBinaries({ home, resources, account: null, major: null });
  return dirname(directory);
}

function watch(child: ChildProcess): StoreClient {
  const exited = once(child, 'exit');
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the process has no pipes');
  const lines = createInterface({ input: stdout });
  const answer = new Promise<ClientAnswer>((resolve, reject) => {
    lines.once('line', line => {
      resolve(JSON.parse(line) as ClientAnswer);
    });
    lines.once('close', () => {
      reject(new Error('the process ended without an answer'));
    });
    child.once('error', reject);
  });
  return {
    answer,
    async end() {
      stdin.end();
      await exited;
    },
  };
}
