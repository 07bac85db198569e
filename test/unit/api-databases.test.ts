import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { embeddedPostgres, postgres, type PostgresOptions } from '../../runner/api/databases.ts';

describe('api: databases', () => {
  it('postgres by URL', () => {
    const database = postgres({
      url: 'postgres://etl:s%40cret@db:6543/dwh?sslmode=require&password=other',
      schema: 's',
    });
    assert.equal(database.type, 'postgresql');
    assert.equal(database.schema, 's');
    assert.equal(database.describe(), 'postgres://etl@db:6543/dwh?sslmode=require');
    assert.deepEqual([...database.secrets()].sort(), ['other', 's%40cret', 's@cret']);
    assert.deepEqual(database.connection, {
      kind: 'url',
      url: 'postgres://etl:s%40cret@db:6543/dwh?sslmode=require&password=other',
    });
  });

  it('postgres by parts', () => {
    const database = postgres({ database: 'dwh', user: 'etl', password: 'secret', sslMode: 'verify-full' });
    assert.equal(database.describe(), 'postgres://etl@localhost:5432/dwh');
    assert.deepEqual(database.secrets(), ['secret']);
    assert.equal(database.connection.kind, 'parameters');
    assert.equal(postgres({ host: '/run/pg', port: 1, database: 'd' }).describe(), 'postgres:///run/pg:1/d');
  });

  it('the embedded server', () => {
    const database = embeddedPostgres();
    assert.deepEqual(database.connection, { kind: 'embedded' });
    assert.equal(database.describe(), 'the embedded Postgres');
    assert.deepEqual(database.secrets(), []);
    assert.equal(embeddedPostgres({ schema: 's' }).schema, 's');
  });

  it('never show a password', () => {
    const all = [
      postgres({ url: 'postgres://etl:hidden@db/dwh?sslpassword=hidden' }),
      postgres({ database: 'dwh', password: 'hidden' }),
    ];
    for (const database of all) {
      for (const text of [JSON.stringify(database), inspect(database, { depth: 9 }), database.describe()]) {
        assert(!text.includes('hidden'), text);
      }
      assert(!Object.values({ ...database }).includes('hidden'));
    }
    assert.equal(
      JSON.stringify(all),
      '[{"type":"postgresql","connection":"postgres://etl@db/dwh"},{"type":"postgresql","connection":"postgres://localhost:5432/dwh"}]',
    );
  });

  const mistakes: readonly (readonly [string, unknown, string])[] = [
    [
      'no URL',
      { url: undefined },
      'postgres(): url must be a text like "postgres://user@host:5432/database", not undefined. If it comes from an environment variable, set that, for example in the file .env of the project.',
    ],
    [
      'a URL of something else, with a password',
      { url: 'mysql://a:hidden@b/c' },
      'postgres(): url is not of the form "postgres://user:password@host:5432/database". Characters like @, : and / in a password are written as %40, %3A and %2F.',
    ],
    [
      'both ways',
      { url: 'postgres://a/b', host: 'c', port: 1 },
      'postgres(): give either url or its parts, not both: host, port.',
    ],
    ['neither', {}, 'postgres(): give url, or at least database.'],
    [
      'a port as text',
      { database: 'd', port: '5432' },
      'postgres(): port must be a whole number from 1 to 65535, not "5432".',
    ],
    [
      'an unknown SSL mode',
      { database: 'd', sslMode: 'prefer' },
      'postgres(): sslMode must be one of disable, require, verify-ca, verify-full, not "prefer".',
    ],
    ['a password that is no text', { database: 'd', password: 42 }, 'postgres(): password must be a string.'],
    ['a host that is no text', { database: 'd', host: 42 }, 'postgres(): host must be a string, not 42.'],
    [
      'an unknown option',
      { database: 'd', pasword: 'hidden' },
      'postgres() has an unknown option: "pasword" (did you mean "password"?).',
    ],
  ];
  for (const [name, options, message] of mistakes) {
    it(`mistake: ${name}`, () => {
      assert.throws(() => postgres(options as PostgresOptions), { name: 'PipelineError', message });
    });
  }
});
