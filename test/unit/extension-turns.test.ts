/** Long work lets others have their turn. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { answerInTurns, nextTurn, Slices } from '../../extension/turns.ts';

/** Keeps the processor busy until a slice is over. */
function workLong(): void {
  const slices = new Slices();
  while (!slices.isOver);
}

/** Resolves when those that wait, and what was asked for by `setImmediate()` before, had their turn. */
async function turnsGoneBy(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(resolve => setImmediate(resolve));
}

describe('turns of the event loop', () => {
  it('come between the slices of long work', async () => {
    const order: string[] = [];
    const slices = new Slices();
    assert.equal(slices.isOver, false);
    while (!slices.isOver);
    setImmediate(() => order.push('another'));
    await slices.next();
    order.push('work');
    assert.equal(slices.isOver, false);
    assert.deepEqual(order, ['another', 'work']);
  });

  it('are shared by what is short, in the order in which it came', async () => {
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      await nextTurn();
      await Promise.resolve();
      order.push(name);
    };
    for (const name of ['a', 'b', 'c']) void work(name);
    setImmediate(() => order.push('another'));
    await turnsGoneBy();
    assert.deepEqual(order, ['a', 'b', 'c', 'another']);
  });

  it('are not shared with what is long', async () => {
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      await nextTurn();
      // What it leads to counts as well.
      await Promise.resolve();
      workLong();
      order.push(name);
      setImmediate(() => order.push(`after ${name}`));
    };
    for (const name of ['a', 'b']) void work(name);
    await turnsGoneBy();
    assert.deepEqual(order, ['a', 'after a', 'b', 'after b']);
  });

  it('are needed for answers only when these take long together', async () => {
    const order: string[] = [];
    const ask = (name: string, work: () => void = () => undefined): unknown =>
      answerInTurns(() => {
        work();
        order.push(name);
        return name;
      });
    assert.equal(ask('a'), 'a');
    assert.equal(ask('b', workLong), 'b');
    const late = [ask('c', workLong), ask('d')];
    assert.ok(late.every(answer => answer instanceof Promise));
    setImmediate(() => order.push('another'));
    assert.deepEqual(await Promise.all(late), ['c', 'd']);
    assert.deepEqual(order, ['a', 'b', 'c', 'another', 'd']);
    await turnsGoneBy();
    assert.equal(ask('e'), 'e');
  });

  it('are there again after nobody has waited', async () => {
    await nextTurn();
    await turnsGoneBy();
    await nextTurn();
  });
});
