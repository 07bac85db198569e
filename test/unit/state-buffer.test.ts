import assert from 'node:assert/strict';
import fc from 'fast-check';
import { StateBuffer, storable, type NodeRunRow } from '../../runner/store/rows.ts';
import { ended, finished, started } from '../support/runs.ts';

const run = { runId: 1, startedAt: new Date(0) };

describe('StateBuffer', () => {
  it('makes one row of the start and the end of a short task', () => {
    const buffer = new StateBuffer(1);
    buffer.add(started(run, ['a'], { cost: 3 }), 7);
    buffer.add(ended(run, ['a']), 7);
    const { nodes } = buffer.take();
    assert.deepEqual(
      nodes.map(row => [row.node_run_id, row.status, row.cost]),
      [[7, 'succeeded', 3]],
    );
    assert.equal(buffer.isEmpty, true);
  });

  it('ends with what the last events said, however it is taken, and the end of the run comes last', () => {
    const steps = fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 8 }), ends: fc.boolean(), take: fc.boolean() }),
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (events, limit) => {
        const buffer = new StateBuffer(1);
        const stored = new Map<number, NodeRunRow>();
        const expected = new Map<number, string>();
        let end = false;
        const take = (): void => {
          const batch = buffer.take(limit);
          assert.equal(end, false);
          end = batch.end !== null;
          for (const row of batch.nodes) stored.set(row.node_run_id, row);
        };
        for (const { id, ends, take: now } of events) {
          buffer.add(ends ? ended(run, [String(id)]) : started(run, [String(id)]), id);
          expected.set(id, ends ? 'succeeded' : 'running');
          if (now) take();
        }
        buffer.add(finished(run, 'succeeded'), null);
        while (!buffer.isEmpty) take();
        assert.equal(end, true);
        assert.deepEqual(new Map([...stored].map(([id, row]) => [id, row.status])), expected);
        buffer.repeatRunning();
        assert.equal(buffer.size, [...expected.values()].filter(status => status === 'running').length);
      }),
    );
  });

  it('refuses an event about a node without its row', () => {
    assert.throws(
      () => {
        new StateBuffer(1).add(started(run, ['a']), null);
      },
      {
        name: 'TypeError',
        message: 'node_started without a node run id',
      },
    );
  });

  it('keeps text that Postgres can keep', () => {
    assert.equal(storable('a\0b\ud800c😀'), 'a\uFFFDb\uFFFDc😀');
    assert.equal(storable(null), null);
  });
});
