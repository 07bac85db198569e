import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  checkOptions,
  describeValue,
  didYouMean,
  listNames,
  PipelineError,
  suggestion,
} from '../../runner/api/errors.ts';

describe('api: errors', () => {
  it('a PipelineError carries its cause and location', () => {
    const cause = new Error('inside');
    const location = { file: '/a.ts', line: 3 };
    const error = new PipelineError('outside', { cause, location });
    assert.equal(error.name, 'PipelineError');
    assert.equal(error.cause, cause);
    assert.deepEqual(error.location, location);
    assert(!('cause' in new PipelineError('plain')));
    assert.equal(new PipelineError('plain').location, undefined);
  });

  describe('didYouMean', () => {
    const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
      ['maxRetry', ['maxRetries', 'timeout'], 'maxRetries'],
      ['MAXRETRIES', ['maxRetries'], 'maxRetries'],
      ['ping-localhost', ['ping_google', 'ping_localhost'], 'ping_localhost'],
      ['retries', ['timeout', 'maxRetries'], 'maxRetries'],
      ['load_customers_daily', ['customers'], 'customers'],
      ['b', ['a'], undefined],
      ['A', ['a'], 'a'],
      ['colour', ['id', 'labels'], undefined],
      ['x', [], undefined],
    ];
    for (const [name, candidates, expected] of cases) {
      it(`${name} of ${candidates.join(', ')}`, () => {
        assert.equal(didYouMean(name, candidates), expected);
      });
    }

    it('finds every name that is there', () => {
      fc.assert(
        fc.property(fc.array(fc.stringMatching(/^[a-z0-9_]{1,12}$/), { minLength: 1 }), names => {
          for (const name of names) assert.equal(didYouMean(name, names), name);
        }),
      );
    });
  });

  it('suggests a near name, or lists what there is', () => {
    assert.equal(suggestion('dhw', ['dwh', 'shop', 'dha'], 'It has'), 'Did you mean "dha"?');
    assert.equal(suggestion('crm', ['dwh', 'shop'], 'It has'), 'It has: "dwh", "shop".');
    assert.equal(suggestion('crm', [], 'It has'), 'It has: none.');
    const many = Array.from({ length: 30 }, (_, index) => `t${String(index)}`);
    assert.equal(
      listNames(many),
      '"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", … (30 in all)',
    );
  });

  it('checkOptions lists all unknown options at once', () => {
    const allowed = new Set(['id', 'command', 'cwd']);
    checkOptions('RunBash', { id: 'a', cwd: undefined }, allowed);
    assert.throws(
      () => {
        checkOptions('RunBash', { comand: 'x', cdw: 1 }, allowed);
      },
      {
        name: 'PipelineError',
        message:
          'RunBash has unknown options: "comand" (did you mean "command"?), "cdw". It takes: id, command, cwd.',
      },
    );
    assert.throws(
      () => {
        checkOptions('RunBash', [], allowed);
      },
      {
        message: 'RunBash takes one object with options, not an array.',
      },
    );
  });

  it('describeValue names what a value is, not what is in it', () => {
    class Connection {
      readonly password = 'secret';
    }
    const shown = [null, undefined, 1.5, true, 'a "b"', 'x'.repeat(100), [1], new Connection(), Connection];
    assert.deepEqual(shown.map(describeValue), [
      'null',
      'undefined',
      '1.5',
      'true',
      '"a \\"b\\""',
      'a long string',
      'an array',
      'an object (Connection)',
      'the class Connection',
    ]);
    assert.equal(
      describeValue(() => 1),
      'a function',
    );
    assert.equal(describeValue(Object.create(null)), 'an object (Object)');
    assert.equal(describeValue(Symbol('s')), 'a symbol');
    assert.equal(describeValue(Promise.resolve()), 'a promise');
  });
});
