/**
 * Stores for tests: one embedded server per test process, in a state folder of its own, and a project of its own for
 * every caller. The hooks of all tests (hooks.ts) stop the server and remove everything.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopServer } from '../../runner/store/embedded/stop.ts';
import { openStore, type OpenOptions } from '../../runner/store/open.ts';
import type { Store } from '../../runner/store/store.ts';
import { temporaryFolder } from './temp.ts';

/** The source's root, below which the packages with Postgres's programs are. */
export const resources = join(import.meta.dirname, '..', '..');

export interface TemporaryStore extends AsyncDisposable {
  /** The open, migrated store of an empty project. */
  readonly store: Store;
  readonly projectDirectory: string;
  /** The state folder, shared by all stores of this test process. */
  readonly home: string;
  /** For child processes that are to find the same store: `{ ...process.env, ...environment }`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens the same store once more; the caller closes it. */
  open(options?: Partial<OpenOptions>): Promise<Store>;
}

let sharedHome: Promise<string> | undefined;

/** The state folder of this test process. */
export function temporaryHome(): Promise<string> {
  sharedHome ??= mkdtemp(join(tmpdir(), 'millrace-home-'));
  return sharedHome;
}

/** `await using project = await temporaryStore()`: closes the store and removes the project's folder at the end. */
export async function temporaryStore(): Promise<TemporaryStore> {
  const home = await temporaryHome();
  const folder = await temporaryFolder();
  // The environment of whoever runs the tests must not lead them to a real store.
  const open = (options: Partial<OpenOptions> = {}): Promise<Store> =>
    openStore({
      projectDirectory: folder.path,
      home,
      env: {},
      applicationName: 'test',
      resources,
      ...options,
    });
  const store = await open();
  return {
    store,
    projectDirectory: folder.path,
    home,
    environment: { MILLRACE_HOME: home, MILLRACE_STORE_URL: '' },
    open,
    async [Symbol.asyncDispose]() {
      await store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Ends what {@link temporaryHome} began; the hooks of all tests call it. */
export async function stopSharedServer(): Promise<void> {
  if (sharedHome === undefined) return;
  const home = await sharedHome;
  sharedHome = undefined;
  await stopServer({ home, resources }, { force: true });
  await rm(home, { recursive: true, force: true });
}
