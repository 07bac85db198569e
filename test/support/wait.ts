/** Waiting for a condition instead of for time. */
import { setTimeout as wait } from 'node:timers/promises';

/** Far beyond the time limit of any test: a test that has failed by then must not go on for ever behind the others. */
const longest = 180_000;

/** Asks again and again until the condition holds; the test's own time limit ends it otherwise. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + longest;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('the condition has not come true');
    await wait(10);
  }
}
