import assert from 'node:assert/strict';
import type { OutputBatch, RunEvent } from '../../runner/events.ts';
import type { EventHandler } from '../../runner/api/config.ts';
import { EventHandlers } from '../../runner/engine/event-handlers.ts';

const event: RunEvent = {
  type: 'node_skipped',
  runId: 1,
  nodePath: ['a'],
  attempt: 1,
  time: '2026-01-01T00:00:00.000Z',
  kind: 'task',
  reason: 'because',
  cause: ['b'],
};

function batch(text: string): OutputBatch {
  return {
    nodePath: ['a'],
    attempt: 1,
    nodeRunId: 1,
    firstSeq: 1,
    time: 0,
    format: 'verbatim',
    isError: false,
    text,
  };
}

function handlersOf(...handlers: EventHandler[]): { handlers: EventHandlers; errors: string[] } {
  const errors: string[] = [];
  const options = { onError: (message: string) => errors.push(message), patience: 0.01 };
  return { handlers: new EventHandlers(handlers, 1, options), errors };
}

describe('event handlers', () => {
  it('get every event in order, output line by line', async () => {
    const seen: string[] = [];
    const { handlers, errors } = handlersOf(({ type, ...rest }) => {
      seen.push('message' in rest ? rest.message : type);
    });
    handlers.onEvent(event);
    handlers.onOutput(batch('one\ntwo'));
    handlers.onEvent(event);
    await handlers.close();
    assert.deepEqual(seen, ['node_skipped', 'one', 'two', 'node_skipped']);
    assert.deepEqual(errors, []);
  });

  it('are told apart in their errors, each once, and the others go on', async () => {
    let calls = 0;
    const { handlers, errors } = handlersOf(
      () => {
        throw new Error('at once');
      },
      async () => {
        await Promise.reject(new Error('later'));
      },
      () => {
        calls++;
      },
    );
    handlers.onOutput(batch('one\ntwo\nthree'));
    await handlers.close();
    assert.equal(calls, 3);
    assert.deepEqual(errors, [
      'An event handler of millrace.config.ts failed: at once',
      'An event handler of millrace.config.ts failed: later',
    ]);
  });

  it('hold up output while a thousand calls are pending, and no longer', async () => {
    const calls: (() => void)[] = [];
    const { handlers } = handlersOf(
      () =>
        new Promise(resolve => {
          calls.push(resolve);
        }),
    );
    handlers.onOutput(batch(Array.from({ length: 999 }, String).join('\n')));
    assert.equal(handlers.drained(), undefined);
    handlers.onEvent(event);
    const waiting = handlers.drained();
    assert.notEqual(waiting, undefined);
    calls[0]?.();
    await waiting;
    assert.equal(handlers.drained(), undefined);
    for (const end of calls) end();
    await handlers.close();
  });

  it('that never end hold up neither output nor the end of the run for ever', async () => {
    const { handlers, errors } = handlersOf(() => new Promise(() => undefined));
    handlers.onOutput(batch(Array.from({ length: 1000 }, String).join('\n')));
    await handlers.drained();
    handlers.onEvent(event);
    assert.equal(handlers.drained(), undefined);
    await handlers.close();
    assert.deepEqual(errors, [
      'An event handler of millrace.config.ts has let 1000 events wait for 0.01 s. The run goes on without it.',
    ]);

    const other = handlersOf(() => new Promise(() => undefined));
    other.handlers.onEvent(event);
    await other.handlers.close();
    assert.deepEqual(other.errors, [
      'An event handler of millrace.config.ts was still at work 0.01 s after the run. It was not waited for any longer.',
    ]);
  });
});
