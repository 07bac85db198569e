import assert from 'node:assert/strict';
import { describeError } from '../../runner/pool/user-error.ts';

describe('what a user reads of a thrown value', () => {
  it('shows a value that is no error', () => {
    assert.deepEqual(describeError('no rows'), { summary: 'no rows', details: undefined });
    assert.deepEqual(describeError({ code: 7 }), { summary: '{ code: 7 }', details: undefined });
    assert.deepEqual(describeError(undefined), { summary: 'undefined', details: undefined });
  });

  it('names the causes, each once', () => {
    const inner = new Error('refused');
    const outer = new Error('cannot load', { cause: inner });
    inner.cause = outer;
    for (const error of [inner, outer]) delete error.stack;
    assert.deepEqual(describeError(outer), {
      summary: 'cannot load',
      details: 'cannot load\nCaused by: refused',
    });
  });

  it('does not repeat a cause that the message tells already', () => {
    const cause = new Error('column "x" does not exist');
    const error = new Error('load.sql:1:8: ERROR: column "x" does not exist', { cause });
    for (const each of [cause, error]) delete each.stack;
    assert.deepEqual(describeError(error), { summary: error.message, details: undefined });
    // Where it happened in the user's files is told in any case.
    cause.stack = 'Error: column\n    at load (/project/load.ts:3:1)';
    assert.deepEqual(describeError(error), {
      summary: error.message,
      details: `${error.message}\nCaused by: column "x" does not exist\n    at load (/project/load.ts:3:1)`,
    });
  });

  it('survives an error that throws when it is looked at', () => {
    const hostile = new Error();
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('no');
      },
    });
    assert.deepEqual(describeError(hostile), {
      summary: 'An error was thrown that cannot be shown: reading its message failed.',
      details: undefined,
    });
  });
});
