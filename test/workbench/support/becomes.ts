/** Values that are asked for again and again, for what no locator can wait for. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { waitUntil } from '../../support/wait.ts';

/** As long as a locator waits. */
const patience = 30_000;

/** Waits until a value is as expected; says in which way it never was. */
export async function becomes<Value>(ask: () => Value | Promise<Value>, expected: Value): Promise<void> {
  const end = performance.now() + patience;
  let value: Value | undefined;
  await waitUntil(async () => {
    value = await ask();
    return isDeepStrictEqual(value, expected) || performance.now() > end;
  });
  assert.deepEqual(value, expected);
}
