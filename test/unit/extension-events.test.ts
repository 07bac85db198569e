/** What calls wait for. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Coalesced, Paced } from '../../extension/events.ts';
import { waitUntil } from '../support/wait.ts';

/** How many timers would still call. */
const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;

describe('calls that wait for others', () => {
  it('paced: the first one comes at once, what is wished for meanwhile is one more after the pause', async () => {
    const calls: number[] = [];
    const paced = new Paced(50, () => calls.push(performance.now()));
    paced.wish();
    paced.wish();
    assert.equal(calls.length, 0, 'not within the turn of the wish');
    await waitUntil(() => calls.length === 1);
    // A timer that is set at the end of a long turn comes early.
    const turnEnds = performance.now() + 20;
    while (performance.now() < turnEnds);
    paced.wish();
    paced.wish();
    await waitUntil(() => calls.length === 2);
    const [first = 0, second = 0] = calls;
    assert.ok(second - first >= 50, `${String(second - first)} ms`);
    paced.dispose();
  });

  it('paced: a long pause keeps nobody waiting for the first one, and disposing ends the wait for the next', async () => {
    let calls = 0;
    const paced = new Paced(1_000_000, () => (calls += 1));
    paced.wish();
    await waitUntil(() => calls === 1);
    const before = timers();
    paced.wish();
    assert.equal(timers(), before + 1);
    paced.dispose();
    assert.equal(timers(), before);
  });

  it('coalesced: all wishes wait, and are one call', async () => {
    let calls = 0;
    const coalesced = new Coalesced(20, () => (calls += 1));
    coalesced.wish();
    coalesced.wish();
    assert.equal(calls, 0);
    await waitUntil(() => calls === 1);
    const before = timers();
    coalesced.wish();
    assert.equal(timers(), before + 1);
    coalesced.dispose();
    assert.equal(timers(), before);
  });
});
