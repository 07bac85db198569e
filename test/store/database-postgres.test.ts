import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { postgres } from '../../runner/api/databases.ts';
import { ConnectionError } from '../../runner/databases/connection-error.ts';
import { findDatabase, openPostgres } from '../../runner/databases/connect.ts';
import type { PostgresSession } from '../../runner/databases/postgres.ts';
import { runScript, type ScriptOutput } from '../../runner/databases/script-runner.ts';
import { testServer, type TestServer } from '../support/postgres.ts';
import { waitUntil } from '../support/wait.ts';

describe('a Postgres session', () => {
  let server: TestServer;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const noEmbedded = (): Promise<never> =>
    Promise.reject(new Error('there is no embedded server in this test'));

  async function open(
    options: { readonly signal?: AbortSignal; readonly timezone?: string } = {},
  ): Promise<PostgresSession> {
    return await openPostgres('dwh', postgres({ url: server.url }), {
      resolveEmbedded: noEmbedded,
      ...options,
    });
  }

  /** What a script prints, or the message with which it fails. */
  async function printed(script: string, extra: Partial<ScriptOutput> = {}, maxRows = 1000): Promise<string> {
    await using session = await open();
    const lines: string[] = [];
    try {
      const rows = await runScript(
        session,
        { name: 'etl/load.sql', script },
        {
          result: text => lines.push(text),
          notice: (text, isProblem) => lines.push(`${isProblem ? '!' : ''}${text}`),
          ...extra,
        },
        { maxRows },
      );
      lines.push(`[${String(rows)} rows written]`);
    } catch (error) {
      lines.push(error instanceof Error ? error.message : String(error));
    }
    return lines.join('\n');
  }

  describe('connecting', () => {
    async function problem(url: string): Promise<string> {
      try {
        const session = await openPostgres('dwh', postgres({ url }), { resolveEmbedded: noEmbedded });
        await session[Symbol.asyncDispose]();
      } catch (error) {
        assert.ok(error instanceof ConnectionError);
        return error.message.replaceAll(server.config.host, '/run/pg');
      }
      return 'connected';
    }

    it('sets the session up', async () => {
      await using session = await openPostgres(
        'dwh',
        postgres({
          host: server.config.host,
          database: 'postgres',
          user: 'postgres',
          password: server.config.password,
          schema: 'My schema',
        }),
        { resolveEmbedded: noEmbedded, timezone: 'Asia/Tokyo' },
      );
      const { rows } = await session.query(
        `select current_setting('application_name') as name, current_setting('TimeZone') as zone, current_setting('search_path') as path,
                current_setting('client_min_messages') as messages, current_setting('client_connection_check_interval') as check`,
      );
      assert.deepEqual(rows, [
        {
          name: 'millrace',
          zone: 'Asia/Tokyo',
          path: '"My schema"',
          messages: 'warning',
          check: process.platform === 'linux' ? '2s' : '0',
        },
      ]);
    });

    it('resolves the embedded server by the function it is given', async () => {
      const { embeddedPostgres } = await import('../../runner/api/databases.ts');
      await using session = await openPostgres('dwh', embeddedPostgres(), {
        resolveEmbedded: () => Promise.resolve(server.config),
      });
      assert.deepEqual((await session.query('select 1 as one')).rows, [{ one: 1 }]);
    });

    it('says that the password is wrong, without showing it', async () => {
      assert.equal(
        await problem(server.url.replace('p4ss%20word', 's3cret')),
        'Database "dwh": wrong password for user "postgres" at /run/pg/.s.PGSQL.5432. Check the password of "dwh" in millrace.config.ts or the environment.',
      );
    });

    it('says that the password is missing', async () => {
      assert.equal(
        await problem(server.url.replace(':p4ss%20word', '')),
        'Database "dwh": /run/pg/.s.PGSQL.5432 asks for a password and none is given for user "postgres". Set the password of "dwh".',
      );
    });

    it('says that the database does not exist', async () => {
      assert.equal(
        await problem(server.url.replace('/postgres?', '/warehouse?')),
        'Database "dwh": there is no database "warehouse" at /run/pg/.s.PGSQL.5432. Create it (CREATE DATABASE), or correct the name in "dwh".',
      );
    });

    it('says that there is no such role, as far as the server tells', async () => {
      assert.equal(
        await problem(server.url.replace('postgres:p4ss', 'etl:p4ss')),
        'Database "dwh": wrong password for user "etl" at /run/pg/.s.PGSQL.5432. Check the password of "dwh" in millrace.config.ts or the environment.',
      );
    });

    it('says that nobody listens', async () => {
      const listener = createServer().listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const address = listener.address();
      assert.ok(typeof address === 'object' && address !== null);
      listener.close();
      await once(listener, 'close');
      const port = String(address.port);
      assert.equal(
        await problem(`postgres://etl:s3cret@127.0.0.1:${port}/dwh`),
        `Database "dwh": nobody listens at 127.0.0.1:${port}. Start the server, or correct host and port of "dwh".`,
      );
      assert.equal(
        await problem(`postgres://etl:s3cret@localhost:${port}/dwh`),
        `Database "dwh": nobody listens at localhost:${port}. Start the server, or correct host and port of "dwh".`,
      );
    });

    it('says that there is no socket', async () => {
      assert.equal(
        await problem('postgres://etl@localhost/dwh?host=/nowhere'),
        'Database "dwh": there is no socket /nowhere/.s.PGSQL.5432. Start the server, or correct host and port of "dwh".',
      );
    });

    it('says that the host is unknown', async () => {
      assert.match(
        await problem('postgres://etl:s3cret@nowhere.invalid/dwh'),
        /^Database "dwh": (the host "nowhere.invalid" is unknown. Correct the host of "dwh".|the name of the host "nowhere.invalid" cannot be looked up now. Check the network, or the host of "dwh".)$/,
      );
    });

    it('says that something else listens there', async () => {
      await using listener = createServer(socket => socket.resume().end()).listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const address = listener.address();
      assert.ok(typeof address === 'object' && address !== null);
      const port = String(address.port);
      assert.equal(
        await problem(`postgres://etl:s3cret@127.0.0.1:${port}/dwh`),
        `Database "dwh": 127.0.0.1:${port} closed the connection. Check that a Postgres server listens there, or the host and port of "dwh".`,
      );
    });

    it('finds databases by alias', () => {
      const databases = { dwh: postgres({ database: 'dwh' }), shop: postgres({ database: 'shop' }) };
      const project = { databases, defaultDatabase: 'dwh' };
      assert.equal(findDatabase(project).alias, 'dwh');
      assert.equal(findDatabase(project, 'shop').definition, databases.shop);
      const problem = (alias: string): string => {
        try {
          findDatabase(project, alias);
        } catch (error) {
          return String(error);
        }
        return 'found';
      };
      assert.equal(
        problem('shops'),
        'PipelineError: There is no database "shops". Did you mean "shop"? Databases are named in millrace.config.ts.',
      );
      assert.equal(
        problem('toString'),
        'PipelineError: There is no database "toString". The project has: "dwh", "shop". Databases are named in millrace.config.ts.',
      );
    });
  });

  describe('running a script', () => {
    it('prints tables and summaries as psql does', async () => {
      assert.equal(
        await printed(
          `create temp table t (id int, name text, price numeric);
           insert into t values (1, 'a', 1.5), (20, null, 10), (3, E'two\\nlines', null), (4, '東京 🦆', 0);
           select * from t;
           update t set id = 0 where id < 4;
           insert into t values (5) returning id;
           select where false; select 1 as "long name" where false;
           create temp table u as select * from t;
           do $$ begin null; end $$`,
        ),
        `CREATE TABLE
INSERT 0 4
 id |  name   | price
----+---------+-------
  1 | a       |   1.5
 20 |         |    10
  3 | two    +|
    | lines   |
  4 | 東京 🦆 |     0
(4 rows)
UPDATE 2
 id
----
  5
(1 row)
INSERT 0 1


(0 rows)
 long name
-----------
(0 rows)
SELECT 5
DO
[12 rows written]`,
      );
    });

    it('shows the first rows and counts the others', async () => {
      assert.equal(
        await printed('select n from generate_series(1, 2500) n', {}, 2),
        ' n\n---\n 1\n 2\n… 2,498 more rows\n(2,500 rows)\n[0 rows written]',
      );
      const all = (await printed('select n from generate_series(1, 2500) n', {}, Infinity)).split('\n');
      assert.deepEqual(all.slice(0, 3), ['  n', '------', '    1']);
      assert.equal(all.length, 2504);
    });

    it('hands on warnings, and notices when they are asked for', async () => {
      assert.equal(
        await printed(
          `do $$ begin raise notice 'unseen'; raise warning 'seen' using hint = 'look', detail = 'more'; end $$;
           set client_min_messages = notice; do $$ begin raise notice 'seen'; end $$`,
        ),
        `!WARNING: seen
DETAIL: more
HINT: look
DO
SET
NOTICE: seen
DO
[0 rows written]`,
      );
    });

    it('points at the error, stops there, and keeps what ran before', async () => {
      assert.equal(
        await printed(
          `create table kept (id int);\ninsert into kept values (1);\n\n/* 🦆 */ select '🦆🦆', id,\n\tfoo from kept;\nselect 2`,
        ),
        `CREATE TABLE
INSERT 0 1
etl/load.sql:5:2: ERROR: column "foo" does not exist
  \tfoo from kept;
  \t^`,
      );
      assert.deepEqual(await server.query('select * from kept'), [{ id: 1 }]);
      await server.query('drop table kept');
    });

    it('counts the position in characters, and puts the caret below wide ones', async () => {
      assert.equal(
        await printed("select '🦆', '東京', foo"),
        `etl/load.sql:1:20: ERROR: column "foo" does not exist
  select '🦆', '東京', foo
                       ^`,
      );
    });

    it('shows detail, hint and context', async () => {
      assert.equal(
        await printed(
          `create temp table t (id int primary key);\ninsert into t values (1);\n  insert into t values (1)`,
        ),
        `CREATE TABLE
INSERT 0 1
etl/load.sql:3:3: ERROR: duplicate key value violates unique constraint "t_pkey"
DETAIL: Key (id)=(1) already exists.`,
      );
      assert.equal(
        await printed(`create temp table t (name text);\nselect nam from t`),
        `CREATE TABLE
etl/load.sql:2:8: ERROR: column "nam" does not exist
  select nam from t
         ^
HINT: Perhaps you meant to reference the column "t.name".`,
      );
      assert.equal(
        await printed(`do $$\nbegin\n  execute 'select 1 + foo';\nend $$`),
        `etl/load.sql:1:1: ERROR: column "foo" does not exist
QUERY:
  select 1 + foo
             ^
CONTEXT: PL/pgSQL function inline_code_block line 3 at EXECUTE`,
      );
    });

    it('cuts long lines around the error', async () => {
      const numbers = Array.from({ length: 200 }, (_, index) => String(index)).join(', ');
      const text = await printed(`select ${numbers}, foo, ${numbers}`);
      const [, line = '', caret = ''] = text.split('\n');
      assert.ok(line.length < 170);
      assert.equal(line.slice(caret.length - 1).slice(0, 3), 'foo');
    });

    it('points at what cannot be split', async () => {
      assert.equal(
        await printed("select 1;\n\\copy t from 'f'"),
        `etl/load.sql:2:1: ERROR: \\copy is a command of psql, not SQL: use ReadFile, or COPY … FROM STDIN with the data after it
  \\copy t from 'f'
  ^`,
      );
    });

    it('is as if nothing had happened when a transaction fails', async () => {
      assert.equal(
        await printed('begin; create table gone (id int); select 1/0; commit'),
        'BEGIN\nCREATE TABLE\netl/load.sql:1:36: ERROR: division by zero',
      );
      assert.deepEqual(await server.query("select 1 from pg_class where relname = 'gone'"), []);
    });

    it('does not let a forgotten COMMIT go unnoticed', async () => {
      assert.equal(
        await printed('select 1 as a;\n  begin; create table gone (id int);'),
        ` a
---
 1
(1 row)
BEGIN
CREATE TABLE
etl/load.sql:2:3: ERROR: the transaction that begins here is never committed, so nothing of it was kept: add COMMIT`,
      );
    });

    it('copies data that stands in the script, or that it is given, and back', async () => {
      assert.equal(
        await printed(
          `create temp table t (id int, name text);
copy t from stdin;
1\tit's; one
2\t\\N
\\.
copy t to stdout;
copy (select * from t order by id desc) to stdout with (format csv);
copy t from stdin (format csv);`,
          {
            copySource: () => Readable.from(['3,three\n4,', 'four\n'], { objectMode: false }),
          },
        ),
        "CREATE TABLE\nCOPY 2\n1\tit's; one\n2\t\\N\nCOPY 2\n2,\n1,it's; one\nCOPY 2\nCOPY 2\n[8 rows written]",
      );
    });

    it('says where data that is copied is wrong or missing', async () => {
      assert.equal(
        await printed('create temp table t (id int);\ncopy t from stdin;\n1\ntwo\n3\n\\.\nselect 1'),
        `CREATE TABLE
etl/load.sql:2:1: ERROR: invalid input syntax for type integer: "two"
CONTEXT: COPY t, line 2, column id: "two"`,
      );
      assert.equal(
        await printed('create temp table t (id int);\ncopy t from stdin'),
        `CREATE TABLE
etl/load.sql:2:1: ERROR: there is no data: it begins on the line after COPY … FROM STDIN and ends with a line \\.`,
      );
      assert.equal(
        await printed('copy nowhere from stdin;\n1\n'),
        'etl/load.sql:1:1: ERROR: relation "nowhere" does not exist',
      );
    });
  });

  describe('copying', () => {
    it('makes the source wait, and survives its failure', async () => {
      await using session = await open();
      await session.execute('create temp table t (line text)');
      const line = `${'x'.repeat(1023)}\n`;
      async function* lines(): AsyncGenerator<string> {
        for (let number = 0; number < 20_000; number++) {
          if (number % 1000 === 0) await Promise.resolve();
          yield line;
        }
      }
      assert.equal(await session.copyFrom('copy t from stdin', lines()), 20_000);
      async function* broken(): AsyncGenerator<string> {
        yield line;
        await Promise.resolve();
        throw new Error('the disk is gone');
      }
      await assert.rejects(session.copyFrom('copy t from stdin', broken()), { message: 'the disk is gone' });
      assert.deepEqual((await session.query('select count(*)::int from t')).rows, [{ count: 20_000 }]);
      let bytes = 0;
      const slow = new Writable({
        highWaterMark: 1024,
        write(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          setImmediate(done);
        },
      });
      assert.equal(await session.copyTo('copy t to stdout', slow), 20_000);
      assert.equal(bytes, 20_000 * 1024);
      await assert.rejects(
        session.copyTo('copy nowhere to stdout', slow),
        /relation "nowhere" does not exist/,
      );
      assert.deepEqual((await session.query('select 1 as one')).rows, [{ one: 1 }]);
    });
  });

  describe('cancelling', () => {
    const running = async (text: string): Promise<boolean> =>
      (await server.query(`select 1 from pg_stat_activity where state = 'active' and query like '${text}%'`))
        .length > 0;

    for (const [what, start] of [
      ['a statement', (session: PostgresSession) => session.execute('select pg_sleep(1000)')],
      ['a query', (session: PostgresSession) => session.query('select pg_sleep(1000)')],
      [
        'a script',
        (session: PostgresSession) =>
          runScript(
            session,
            { name: 'f', script: 'select pg_sleep(1000)' },
            { result: () => undefined, notice: () => undefined },
            { maxRows: 1 },
          ),
      ],
    ] as const) {
      it(`stops ${what} on the server`, async () => {
        const controller = new AbortController();
        await using session = await open({ signal: controller.signal });
        const work = start(session);
        await waitUntil(() => running('select pg_sleep(1000)'));
        controller.abort(new Error('cancelled by the test'));
        await assert.rejects(work, { message: 'cancelled by the test' });
        await waitUntil(async () => !(await running('select pg_sleep(1000)')));
        await assert.rejects(session.query('select 1'), { message: 'cancelled by the test' });
      });
    }

    it('stops a copy whose source gives no more', async () => {
      await server.query('create table endless (line text)');
      const controller = new AbortController();
      await using session = await open({ signal: controller.signal });
      async function* endless(): AsyncGenerator<string> {
        yield 'x\n';
        await new Promise(() => undefined);
      }
      const work = session.copyFrom('copy endless from stdin', endless());
      await waitUntil(() => running('copy endless'));
      controller.abort(new Error('cancelled by the test'));
      await assert.rejects(work, { message: 'cancelled by the test' });
      await waitUntil(async () => !(await running('copy endless')));
      assert.deepEqual(await server.query('select * from endless'), []);
    });

    it('stops what runs when the connection is closed, and leaves no connection', async () => {
      const session = await open();
      const work = session.execute('select pg_sleep(1000)');
      const rejected = assert.rejects(work);
      await waitUntil(() => running('select pg_sleep(1000)'));
      await session[Symbol.asyncDispose]();
      await rejected;
      await waitUntil(
        async () =>
          (await server.query("select 1 from pg_stat_activity where application_name = 'millrace'"))
            .length === 0,
      );
    });

    it('reports a connection that the server ends', async () => {
      await using session = await open();
      const work = session.execute('select pg_sleep(1000)');
      const rejected = assert.rejects(work, /terminating connection due to administrator command/);
      await waitUntil(() => running('select pg_sleep(1000)'));
      await server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace'",
      );
      await rejected;
      await assert.rejects(session.query('select 1'), /^SqlError: dwh: /);
    });
  });

  it('runs queries that are asked for at once one after the other', async () => {
    await using session = await open();
    const results = await Promise.all(
      [1, 2, 3].map(number => session.query('select $1::int as n', [number])),
    );
    assert.deepEqual(
      results.map(result => result.rows),
      [[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]],
    );
    await assert.rejects(session.query('select foo'), {
      message: 'dwh: ERROR: column "foo" does not exist\n  select foo\n         ^',
    });
  });
});
