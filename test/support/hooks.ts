/**
 * Hooks of all tests, by .mocharc.json. A hook that a support file registers while it is imported would not do: with
 * several jobs a process runs one test file after the other, and imports the support file with the first one only.
 */
import { stopSharedServer } from './store.ts';

export const mochaHooks = {
  /** After the last test; with several jobs, after each file. */
  async afterAll(): Promise<void> {
    await stopSharedServer();
  },
};
