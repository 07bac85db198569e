import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  bigquery,
  type DatabaseDefinition,
  databricks,
  embeddedPostgres,
  mysql,
  type MysqlOptions,
  oracle,
  postgres,
  type PostgresOptions,
  redshift,
  snowflake,
  sqlite,
  sqlserver,
} from '../../runner/api/databases.ts';

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

  const others: Readonly<Record<string, readonly [() => DatabaseDefinition, string, string]>> = {
    mysql: [
      () => mysql({ host: 'h', port: 1, database: 'd', user: 'u', password: 'hidden' }),
      'mysql://u@h:1/d',
      'hidden',
    ],
    'mysql by socket': [() => mysql({ socket: '/run/s', database: 'd' }), 'mysql:///run/s/d', ''],
    sqlite: [() => sqlite({ file: 'a.db' }), 'sqlite:a.db', ''],
    sqlserver: [
      () => sqlserver({ host: 'h', instance: 'i', database: 'd', user: 'u', password: 'hidden' }),
      'sqlserver://u@h\\i/d',
      'hidden',
    ],
    oracle: [
      () => oracle({ host: 'h', service: 's', user: 'u', password: 'hidden' }),
      'oracle://u@h:1521/s',
      'hidden',
    ],
    redshift: [
      () =>
        redshift({
          host: 'h',
          database: 'd',
          user: 'u',
          password: 'hidden',
          awsAccessKeyId: 'key',
          awsSecretAccessKey: 'hidden too',
        }),
      'redshift://u@h:5439/d',
      'hidden,hidden too,hidden%20too',
    ],
    bigquery: [() => bigquery({ project: 'p', dataset: 'd' }), 'bigquery:p.d', ''],
    snowflake: [
      () => snowflake({ account: 'a', user: 'u', password: 'hidden', database: 'd' }),
      'snowflake://u@a/d',
      'hidden',
    ],
    'snowflake by connection': [() => snowflake({ connection: 'c' }), 'snowflake:c', ''],
    databricks: [
      () => databricks({ host: 'h', httpPath: '/sql/1', accessToken: 'hidden' }),
      'databricks://h/sql/1',
      'hidden',
    ],
    'postgres through psql': [
      () => postgres({ database: 'd', password: 'hidden', client: 'psql' }),
      'postgres://localhost:5432/d',
      'hidden',
    ],
  };
  for (const [name, [make, description, secrets]] of Object.entries(others)) {
    it(`${name}: described without its secrets`, () => {
      const database = make();
      assert.equal(database.describe(), description);
      assert.equal(database.secrets().join(','), secrets);
      for (const text of [JSON.stringify(database), inspect(database, { depth: 9 })]) {
        assert(!text.includes('hidden'), text);
      }
    });
  }

  const wrong: Readonly<Record<string, readonly [() => unknown, string]>> = {
    'an option that is missing': [
      () => mysql({ host: 'h' } as MysqlOptions),
      'mysql(): database is missing. If it comes from an environment variable, set that, for example in the file .env of the project.',
    ],
    'an option that is unknown': [
      () => mysql({ database: 'd', pasword: 'hidden' } as MysqlOptions),
      'mysql() has an unknown option: "pasword" (did you mean "password"?).',
    ],
    'a text that is empty': [
      () => sqlite({ file: '' }),
      'sqlite(): file must be a string that is not empty, not "".',
    ],
    'a port that is none': [
      () => mysql({ database: 'd', port: 0 }),
      'mysql(): port must be a whole number from 1 to 65535, not 0.',
    ],
    'a flag that is none': [
      () => mysql({ database: 'd', ssl: 'yes' as never }),
      'mysql(): ssl must be true or false, not "yes".',
    ],
    'a password that is no text': [
      () => mysql({ database: 'd', password: 42 as never }),
      'mysql(): password must be a string.',
    ],
    'an unknown word': [
      () => sqlserver({ host: 'h', database: 'd', protocol: 'udp' as never }),
      'sqlserver(): protocol must be one of tcp, np, lpc, not "udp".',
    ],
    'socket and host': [
      () => mysql({ host: 'h', socket: '/s', database: 'd' }),
      'mysql(): give either socket, or host and port.',
    ],
    'instance and port': [
      () => sqlserver({ host: 'h', database: 'd', instance: 'i', port: 1 }),
      'sqlserver(): give either instance or port, not both.',
    ],
    'a port without TCP': [
      () => sqlserver({ host: 'h', database: 'd', protocol: 'np', port: 1 }),
      'sqlserver(): the protocol np has no port.',
    ],
    'TCP to an instance': [
      () => sqlserver({ host: 'h', database: 'd', protocol: 'tcp', instance: 'i' }),
      'sqlserver(): with the protocol tcp, give the port of the instance.',
    ],
    'a password that would leave its quotes': [
      () => oracle({ host: 'h', service: 's', user: 'u', password: 'hidden"\nhost rm' }),
      'oracle(): password must not hold double quotes or line breaks.',
    ],
    'half an access key': [
      () => redshift({ host: 'h', database: 'd', user: 'u', awsAccessKeyId: 'k' }),
      'redshift(): give both awsAccessKeyId and awsSecretAccessKey, or neither.',
    ],
    'no account': [() => snowflake({}), 'snowflake(): give either connection, or account with user.'],
    'an account without a user': [
      () => snowflake({ account: 'a' }),
      'snowflake(): give a user for the account.',
    ],
    'an unknown client': [
      () => postgres({ database: 'd', client: 'pgcli' as never }),
      'postgres(): client must be one of bundled, psql, not "pgcli".',
    ],
    'a secret that psql cannot be told': [
      () => postgres({ url: 'postgres://h/d?sslpassword=hidden', client: 'psql' }),
      'postgres(): psql takes an sslpassword only on its command line, where others could read it. Use the bundled client, or a key without a password.',
    ],
  };
  for (const [name, [make, message]] of Object.entries(wrong)) {
    it(`mistake: ${name}`, () => {
      assert.throws(make, { name: 'PipelineError', message });
    });
  }
});
