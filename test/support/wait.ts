/** Waiting for a condition instead of for time. */
import { setTimeout as wait } from 'node:timers/promises';

/** Asks again and again until the condition holds; the test's own time limit ends it otherwise. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(10);
}
