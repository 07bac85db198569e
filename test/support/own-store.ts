/**
 * A store with a server of its own, for benchmarks and for tests that stop the server or kill it:
 * `await using own = await ownStore()`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isRunning, postmasterPid } from '../../runner/store/embedded/postmaster.ts';
import { currentData } from '../../runner/store/embedded/server.ts';
import { stopServer } from '../../runner/store/embedded/stop.ts';
import { openStore } from '../../runner/store/open.ts';
import type { Store } from '../../runner/store/store.ts';
import { waitUntil } from './wait.ts';

const run = promisify(execFile);

export interface OwnStore extends AsyncDisposable {
  /** While {@link keepAway} is set, its `connect` fails as if nobody listened, instead of starting the server. */
  readonly store: Store;
  /** The state folder. */
  readonly home: string;
  /** Opens the same store once more; the caller closes it. */
  open(): Promise<Store>;
  /** Disconnects everybody and stops the server in good order. */
  stop(): Promise<void>;
  /** Kills all of the server's processes at once: what they had not written to the log is gone, as after a crash. */
  kill(): Promise<void>;
  /** Keeps the server from being started again. */
  keepAway: boolean;
}

export async function ownStore(): Promise<OwnStore> {
  const home = await mkdtemp(join(tmpdir(), 'millrace-own-'));
  const resources = join(import.meta.dirname, '..', '..');
  const open = (): Promise<Store> =>
    openStore({ projectDirectory: home, home, env: {}, applicationName: 'test', resources });
  const store = await open();
  const server = { home, resources };

  const own: OwnStore = {
    home,
    open,
    keepAway: false,
    store: {
      kind: store.kind,
      description: store.description,
      databaseName: store.databaseName,
      connect: async () => {
        if (own.keepAway) throw new Error('nobody listens');
        return await store.connect();
      },
      db: () => store.db(),
      clock: () => store.clock(),
      close: () => store.close(),
      [Symbol.asyncDispose]: () => store.close(),
    },
    async stop() {
      await stopServer(server, { force: true });
    },
    kill: () => killServer(home),
    async [Symbol.asyncDispose]() {
      await store.close();
      await stopServer(server, { force: true });
      await rm(home, { recursive: true, force: true });
    },
  };
  return own;
}

/** Kills all processes of the server of a state folder at once; whoever needs it starts it again. */
export async function killServer(home: string): Promise<void> {
  const data = await currentData(home);
  const pid = data === null ? null : await postmasterPid(data.directory);
  if (data === null || pid === null) return;
  const { stdout } = await run('pgrep', ['-P', String(pid)]);
  for (const process_ of [pid, ...stdout.trim().split('\n').map(Number)]) {
    try {
      process.kill(process_, 'SIGKILL');
    } catch {
      // A backend that has just ended.
    }
  }
  await waitUntil(async () => !(await isRunning(data.directory)));
}
