/** A store that a project reaches by a URL, so that nobody starts its server again but the test. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMillrace } from '../../support/millrace.ts';

export interface ExternalStore extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** @param directory The project that it is for. */
export async function externalStore(directory: string): Promise<ExternalStore> {
  const home = await mkdtemp(join(tmpdir(), 'mx-'));
  await chmod(home, 0o755);
  const store = async (...args: string[]): Promise<string> => {
    const end = await runMillrace(['store', ...args], { cwd: directory, env: { MILLRACE_HOME: home } });
    assert.equal(end.exitCode, 0, end.stderr);
    return end.stdout.trim();
  };
  await store('migrate');
  return {
    url: await store('url'),
    stop: async () => {
      await store('stop', '--force');
    },
    start: async () => {
      await store('start');
    },
    async [Symbol.asyncDispose]() {
      await store('stop', '--force');
      await rm(home, { recursive: true, force: true });
    },
  };
}
