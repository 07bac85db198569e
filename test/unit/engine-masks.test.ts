/** Which texts are secrets. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { masker, secretsOf } from '../../runner/engine/masks.ts';

describe('secrets of the store', () => {
  const { env } = process;
  beforeEach(() => {
    process.env = { ...env };
    delete process.env['MILLRACE_STORE_URL'];
  });
  afterEach(() => {
    process.env = env;
  });
  const masked = (url: string, text = url): string =>
    masker(secretsOf({ databases: {}, passwordMasks: [], store: url }))(text);

  const urls: Record<string, [url: string, shown: string]> = {
    'of the usual form': ['postgres://ann:s3cret@db/history', 'postgres://ann:***@db/history'],
    // Where the password ends is a guess then: rather too much than too little.
    'with an @ in a parameter': [
      'postgres://ann:s3cret@db/history?application_name=a@b',
      'postgres://ann:***@b',
    ],
    'without a host, as libpq has it': [
      'postgres://ann:s3cret@/history?host=/run/postgresql',
      'postgres://ann:***@/history?host=/run/postgresql',
    ],
    'without a user': ['postgres://:s3cret@db/history', 'postgres://:***@db/history'],
    'as parameters': [
      'postgres://db/history?password=s3cret&sslpassword=s4cret',
      'postgres://db/history?password=***&sslpassword=***',
    ],
    'with what should have been escaped': [
      'postgres://ann:s3/cr?t#x@db/history',
      'postgres://ann:***@db/history',
    ],
  };
  for (const [name, [url, shown]] of Object.entries(urls))
    it(name, () => {
      assert.equal(masked(url), shown);
    });

  it('as it is meant, and as it is written', () => {
    assert.equal(
      masked('postgres://ann:s3%40cret@db/x', 'written s3%40cret, meant s3@cret'),
      'written ***, meant ***',
    );
  });

  it('of the configuration and of the environment, whichever is in force', () => {
    for (const [inEnvironment, shown] of [
      ['', 'postgres://ann:***@db/x'],
      ['postgres://bob:0ther@db/y', 'postgres://ann:***@db/x'],
    ] as const) {
      process.env['MILLRACE_STORE_URL'] = inEnvironment;
      assert.equal(masked('postgres://ann:s3cret@db/x'), shown);
    }
    assert.equal(masked('postgres://db/x', '0ther'), '***');
  });
});
