import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type DatabaseDefinition, mysql, oracle, postgres, sqlite } from '../../runner/api/databases.ts';
import type { Command } from '../../runner/api/command.ts';
import { Copy, type CopyOptions, ExecuteSQL, ReadSQLite } from '../../runner/commands/index.ts';
import { openDatabase } from '../../runner/databases/connect.ts';
import { type CommandRun, runWithDatabases } from '../support/databases.ts';
import { type MariaDbServer, mariaDbServer } from '../support/mariadb.ts';
import { hasMariaDb } from '../support/programs.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

const execute = promisify(execFile);
const succeeded = 'nothing was thrown';

/** Values that a careless copy changes: `\xNN` stands for control characters. */
const texts = [
  '',
  'NULL',
  '\\N',
  '\\.',
  'plain',
  `quotes " ' \` and commas, ;`,
  'tab\tnewline\nreturn\rbackslash\\ \\t \\\\n',
  '<row><field name="a">&amp;&lt;</field></row>',
  'ünïcödé 漢字 🚀 \u2028',
  ' blanks around ',
  '{"a": [1, null]}',
  '\u0001\u001f\u007f',
  'x'.repeat(200_000),
];

// Without the server there is nothing to compare with; `npm test` installs it where it may.
const suite = hasMariaDb() ? describe : describe.skip;

suite('copying between databases', () => {
  let server: TestServer;
  let maria: MariaDbServer;
  let folder: TemporaryFolder;
  let databases: Record<string, DatabaseDefinition>;
  before(async function () {
    this.timeout(120_000);
    [server, maria, folder] = await Promise.all([testServer(), mariaDbServer(), temporaryFolder()]);
    await server.query('create database other');
    databases = {
      dwh: postgres({ url: server.url }),
      other: postgres({ ...server.config, database: 'other' }),
      tool: postgres({ ...server.config, database: 'other', client: 'psql' }),
      toolurl: postgres({ url: server.url, client: 'psql' }),
      shop: mysql(maria.options),
      files: sqlite({ file: 'files.db' }),
      erp: oracle({ host: 'erp', service: 'ERP', user: 'u', password: 'p' }),
    };
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await maria[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function run(command: Command, signal?: AbortSignal): Promise<CommandRun> {
    return await runWithDatabases(command, databases, {
      basePath: folder.path,
      ...(signal !== undefined && { signal }),
    });
  }

  async function sql(db: string, script: string): Promise<readonly string[]> {
    const { context, failure } = await run(new ExecuteSQL({ db, sql: script, echoQueries: false }));
    assert.equal(failure, succeeded);
    return context.lines;
  }

  /** Whether a statement that sleeps for so many seconds does so in a server: then its client runs. */
  const sleepsIn = {
    maria: async (seconds: number): Promise<boolean> =>
      (await maria.execute(
        `select 1 from information_schema.processlist where state = 'User sleep' and info like '%sleep(${seconds})%'`,
      )) !== '',
    postgres: async (seconds: number): Promise<boolean> =>
      (
        await server.query(
          `select from pg_stat_activity where wait_event = 'PgSleep' and query like '%pg_sleep(${seconds})%'`,
        )
      ).length > 0,
  };

  /** Copies, and gives the failure and the number of rows. */
  async function copy(options: CopyOptions): Promise<readonly [string, number]> {
    const { context, failure } = await run(new Copy(options));
    return [failure, context.rows];
  }

  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const mysqlLiteral = (text: string): string => literal(text.replaceAll('\\', '\\\\'));

  async function fill(
    db: string,
    quote: (text: string) => string,
    bytes: string,
    binary: string,
  ): Promise<void> {
    await sql(
      db,
      `drop table if exists source; create table source (id int, t ${db === 'shop' ? 'longtext' : 'text'}, n decimal(30, 10), f double precision, b ${bytes});
       insert into source values (0, null, null, null, null);
       ${texts.map((text, index) => `insert into source values (${index + 1}, ${quote(text)}, 12345678901234567890.0123456789, 0.1, ${binary});`).join('\n')}`,
    );
  }

  async function check(target: string): Promise<void> {
    const rows = await server.query(`select * from ${target} order by id`);
    assert.equal(rows.length, texts.length + 1);
    assert.deepEqual({ ...rows[0] }, { id: 0, t: null, n: null, f: null, b: null });
    texts.forEach((text, index) => {
      const row = rows[index + 1];
      assert.equal(row?.['t'], text);
      assert.equal(row['f'], 0.1);
      assert.deepEqual([...(row['b'] as Buffer)], [0, 255, 10, 60, 92]);
    });
  }

  const target = 'id int, t text, n numeric(30, 10), f double precision, b bytea';

  it('Postgres to Postgres, in the text format and as CSV', async () => {
    await fill('other', literal, 'bytea', `'\\x00ff0a3c5c'::bytea`);
    for (const [index, format] of [
      {},
      { csvFormat: true },
      { csvFormat: true, delimiter: ';' },
      { delimiter: '|' },
    ].entries()) {
      const table = `from_postgres_${index}`;
      await sql('dwh', `create table ${table} (${target})`);
      assert.deepEqual(
        await copy({ from: 'other', table, sql: 'select * from source -- all of them\n;', ...format }),
        [succeeded, texts.length + 1],
      );
      await check(table);
      assert.deepEqual(await server.query(`select n::text from ${table} where id = 1`), [
        { n: '12345678901234567890.0123456789' },
      ]);
    }
  });

  it('Postgres through psql, on either side and on both', async () => {
    await fill('tool', literal, 'bytea', `'\\x00ff0a3c5c'::bytea`);
    await sql('dwh', `create table by_tool (${target})`);
    for (const [from, to] of [
      ['tool', 'dwh'],
      ['other', 'toolurl'],
      ['tool', 'toolurl'],
    ] as const) {
      await sql('dwh', 'truncate by_tool');
      assert.deepEqual(await copy({ from, to, table: 'by_tool', sql: 'select * from source;' }), [
        succeeded,
        texts.length + 1,
      ]);
      await check('by_tool');
    }
  });

  it('MariaDB to Postgres', async () => {
    await fill('shop', mysqlLiteral, 'blob', `x'00ff0a3c5c'`);
    await sql('dwh', `create table from_maria (${target})`);
    assert.deepEqual(await copy({ from: 'shop', table: 'from_maria', sql: 'select * from source;' }), [
      succeeded,
      texts.length + 1,
    ]);
    await check('from_maria');
    assert.deepEqual(await server.query('select n::text from from_maria where id = 1'), [
      { n: '12345678901234567890.0123456789' },
    ]);
  });

  it('types of MariaDB arrive as what they mean', async () => {
    await sql('shop', "create table bits (b bit(1)); insert into bits values (b'0'), (b'1')");
    await sql(
      'dwh',
      'create table typed (a boolean, b bigint, c timestamp(6), d date, e jsonb, f text, g bytea)',
    );
    assert.deepEqual(
      await copy({
        from: 'shop',
        table: 'typed',
        sql: `select b, 18446744073709551, timestamp'2024-02-29 12:34:56.789012', date'2024-02-29', '{"a": 1}', b'1' + 0, unhex('C3A9') from bits order by b`,
      }),
      [succeeded, 2],
    );
    assert.deepEqual(
      await server.query('select a, b::text, c::text, d::text, e::text, f, g::text from typed where a'),
      [
        {
          a: true,
          b: '18446744073709551',
          c: '2024-02-29 12:34:56.789012',
          d: '2024-02-29',
          e: '{"a": 1}',
          f: '1',
          g: '\\xc3a9',
        },
      ],
    );
    assert.deepEqual(await copy({ from: 'shop', table: 'typed (f)', sql: `select unhex('ff')` }), [
      'There is no table typed (f) in database "dwh". Create it before, for example with ExecuteSQL.',
      0,
    ]);
  });

  it('SQLite to Postgres, by Copy and by ReadSQLite', async () => {
    await fill('files', literal, 'blob', `x'00ff0a3c5c'`);
    await sql('dwh', `create table from_sqlite (${target})`);
    assert.deepEqual(await copy({ from: 'files', table: 'from_sqlite', sql: 'select * from source' }), [
      succeeded,
      texts.length + 1,
    ]);
    await check('from_sqlite');
    await sql('dwh', 'truncate from_sqlite');
    const { failure, context } = await run(
      new ReadSQLite({
        file: 'files.db',
        table: 'from_sqlite',
        sql: 'select * from source where id >= @min@',
        replace: { '@min@': 0 },
      }),
    );
    assert.equal(failure, succeeded);
    assert.deepEqual(context.lines, [
      '> files.db → from_sqlite',
      '> select * from source where id >= 0',
      `COPY ${texts.length + 1}`,
    ]);
    await check('from_sqlite');
  });

  it('Postgres to MariaDB and to SQLite', async () => {
    await fill('other', literal, 'bytea', `'\\x00ff0a3c5c'::bytea`);
    const query = 'select id, t from source order by id';
    await sql('shop', 'create table incoming (id int, t longtext)');
    assert.deepEqual(await copy({ from: 'other', to: 'shop', table: 'incoming', sql: query }), [
      succeeded,
      texts.length + 1,
    ]);
    await sql('files', 'create table incoming (id int, t text)');
    assert.deepEqual(await copy({ from: 'other', to: 'files', table: 'incoming', sql: query }), [
      succeeded,
      texts.length + 1,
    ]);
    await sql('dwh', 'create table back (id int, t text)');
    for (const from of ['shop', 'files']) {
      await sql('dwh', 'truncate back');
      assert.deepEqual(await copy({ from, table: 'back', sql: 'select * from incoming' }), [
        succeeded,
        texts.length + 1,
      ]);
      const rows = await server.query('select t from back order by id');
      assert.deepEqual(
        rows.map(row => row['t']),
        [null, ...texts],
      );
    }
  });

  it('a client gives the rows of a query as objects', async () => {
    for (const alias of ['tool', 'shop', 'files'] as const) {
      const { context } = await run(new ExecuteSQL({ db: alias, sql: 'select 1', echoQueries: false }));
      const database = await openDatabase(alias, databases[alias] ?? databases['dwh'] ?? assert.fail(), {
        resolveEmbedded: () => Promise.reject(new Error('there is no embedded server in this test')),
        processes: context.processes,
        directory: folder.path,
      });
      const answer = await database.query(`select 1 as a, null as b, 'x' as c union all select 2, 'y', ''`);
      assert.deepEqual(answer, {
        rows: [
          { a: '1', b: null, c: 'x' },
          { a: '2', b: 'y', c: '' },
        ],
        rowCount: 2,
      });
      await assert.rejects(database.query('select $1', [1]), {
        message: /^Database "\w+": the client of \w+ takes no values besides the SQL\.$/,
      });
    }
  });

  it('psql gives more rows than it fetches at once', async () => {
    await sql('dwh', 'create table many (id int)');
    const [failure, rows] = await copy({
      from: 'tool',
      table: 'many',
      sql: 'select g from generate_series(1, 25000) g',
    });
    assert.deepEqual([failure, rows], [succeeded, 25_000]);
  });

  it('files that it depends on', async () => {
    await folder.write({ 'copy.sql': 'select 1' });
    await sql('dwh', 'create table depending (id int)');
    const stored = new Map<string, string>();
    const command = new Copy({
      from: 'other',
      table: 'depending',
      sqlFile: 'copy.sql',
      fileDependencies: ['copy.sql'],
    });
    const reasons: string[] = [];
    for (let round = 0; round < 2; round++) {
      const { context } = await runWithDatabases(command, databases, { basePath: folder.path, stored });
      reasons.push(...context.reasons);
    }
    assert.deepEqual(reasons, ['no changes']);
    assert.deepEqual(await server.query('select count(*)::int as n from depending'), [{ n: 1 }]);
  });

  it('within one database', async () => {
    await sql('dwh', 'create table inside (id int, t text)');
    assert.deepEqual(
      await copy({
        from: 'dwh',
        to: 'dwh',
        table: 'inside',
        sql: `select g, 'x' from generate_series(1, 3) g`,
      }),
      [succeeded, 3],
    );
    assert.deepEqual(
      await copy({ from: 'dwh', table: 'inside', sql: `select g, 'x' from generate_series(1, 3) g` }),
      [succeeded, 3],
    );
    assert.deepEqual(await server.query('select count(*)::int as n from inside'), [{ n: 6 }]);
    assert.deepEqual(await copy({ from: 'dwh', to: 'dwh', table: 'inside', sql: 'select 1,\n  nope' }), [
      'sql:2:3: ERROR: column "nope" does not exist\n    nope;\n    ^'.replace('nope;', 'nope'),
      0,
    ]);
  });

  it('the time zone counts for both sessions', async () => {
    await sql('dwh', 'create table zoned (a text, b timestamptz)');
    for (const from of ['other', 'tool', 'shop'] as const) {
      await sql('dwh', 'truncate zoned');
      // A server of MySQL knows names of zones only when they were loaded into it.
      const timezone = from === 'shop' ? '+09:00' : 'Asia/Tokyo';
      const zone = from === 'shop' ? `'+09:00'` : `current_setting('timezone')`;
      assert.deepEqual(
        await copy({ from, table: 'zoned', timezone, sql: `select ${zone}, '2024-01-01 00:00:00'` }),
        [succeeded, 1],
      );
      const [row] = await server.query(`select a, b at time zone 'UTC' as b from zoned`);
      assert.equal(row?.['a'], timezone);
    }
  });

  describe('failures', () => {
    interface Case {
      readonly from: string;
      readonly to?: string;
      readonly table?: string;
    }
    before(() => sql('dwh', 'create table ints (id int, t text)'));
    const count = async (): Promise<unknown> =>
      (await server.query('select count(*)::int as n from ints'))[0]?.['n'];

    const cases: Readonly<Record<string, readonly [Case, string, string]>> = {
      'a query that Postgres refuses': [
        { from: 'other' },
        'select 1,\n  nope',
        'sql:2:3: ERROR: column "nope" does not exist\n    nope\n    ^',
      ],
      'a query that fails after many rows': [
        { from: 'other' },
        'select g, (10 / (50000 - g))::text from generate_series(1, 60000) g',
        'sql:1:1: ERROR: division by zero',
      ],
      'several statements': [
        { from: 'other' },
        'select 1; select 2',
        'sql:1:11: ERROR: a copy takes one query, and here a second statement begins',
      ],
      'no query': [{ from: 'other' }, '-- nothing', 'sql: there is no query.'],
      'a value that the target refuses': [
        { from: 'other' },
        `select 'abc', 'x'`,
        'dwh: ERROR: invalid input syntax for type integer: "abc"\nCONTEXT: COPY ints, line 1, column id: "abc"',
      ],
      'a value of MariaDB that the target refuses': [
        { from: 'shop' },
        `select 'abc', 'x'`,
        'dwh: ERROR: invalid input syntax for type integer: "abc"\nCONTEXT: COPY ints, line 1, column id: "abc"',
      ],
      'another number of columns': [
        { from: 'shop' },
        'select 1',
        'The query gives 1 columns, and table ints has 2: id, t.',
      ],
      'bytes for a text': [
        { from: 'shop' },
        `select 1, unhex('ff')`,
        'column "t" gets bytes that are no text: make it a bytea, or turn them into text in the query',
      ],
      'a query that MariaDB refuses': [
        { from: 'shop' },
        'select nope, 1',
        `shop: ERROR 1054 (42S22) at line 1: Unknown column 'nope' in 'SELECT'\nmariadb: exit code 1`,
      ],
      'a query that SQLite refuses': [{ from: 'files' }, 'select nope, 1', 'files: no such column: nope'],
      'a query that psql refuses': [
        { from: 'tool' },
        'select nope, 1',
        'tool: psql:<stdin>:2: ERROR:  column "nope" does not exist\nLINE 1: COPY (select nope, 1\n                     ^\npsql: exit code 3',
      ],
      'a table that is not there': [
        { from: 'other', table: 'nowhere' },
        'select 1',
        'dwh: ERROR: relation "nowhere" does not exist',
      ],
      'a table that is not there, from a client': [
        { from: 'shop', table: 'nowhere' },
        'select 1',
        'There is no table nowhere in database "dwh". Create it before, for example with ExecuteSQL.',
      ],
      'a pair that does not go': [
        { from: 'shop', to: 'erp' },
        'select 1',
        'Copy cannot copy from MySQL (database "shop") to Oracle (database "erp"). From MySQL it copies to PostgreSQL, Redshift, MySQL, SQLite, BigQuery.',
      ],
    };
    for (const [name, [options, query, message]] of Object.entries(cases)) {
      it(name, async () => {
        const [failure, rows] = await copy({ table: 'ints', ...options, sql: query });
        // How SQLite's client frames its message differs between its versions.
        const shown =
          options.from === 'files'
            ? failure.replace(/Parse error near line 1: ([^(\n]*[^( \n])[^]*/, '$1')
            : failure;
        assert.equal(shown, message);
        assert.equal(rows, 0);
        assert.equal(await count(), 0);
      });
    }

    it('a target behind a client keeps nothing of a copy that breaks off', async () => {
      const query = 'select g, (10 / (50000 - g))::text from generate_series(1, 60000) g';
      await sql('toolurl', 'create table broken (id int, t text)');
      await sql('shop', 'create table broken (id int, t text)');
      await sql('files', 'create table broken (id int, t text)');
      for (const to of ['toolurl', 'shop', 'files']) {
        assert.deepEqual(await copy({ from: 'other', to, table: 'broken', sql: query }), [
          'sql:1:1: ERROR: division by zero',
          0,
        ]);
        const rows = await sql(to, 'select count(*) as rows_kept from broken');
        assert.match(rows.join('\n'), /rows_kept[^\d]*\b0\b/);
      }
    });

    it('an abort ends both sides', async () => {
      for (const from of ['other', 'shop']) {
        const controller = new AbortController();
        const sleep = from === 'shop' ? 'sleep(601)' : 'pg_sleep(601)::text';
        const running = run(new Copy({ from, table: 'ints', sql: `select 1, ${sleep}` }), controller.signal);
        const sleeps = from === 'shop' ? sleepsIn.maria : sleepsIn.postgres;
        await waitUntil(() => sleeps(601));
        controller.abort(new Error('cancelled by the test'));
        assert.notEqual((await running).failure, succeeded);
        assert.equal(await count(), 0);
        // MariaDB goes on until it has something to say.
        if (from === 'other') await waitUntil(async () => !(await sleeps(601)));
      }
    });
  });

  describe('ExecuteSQL', () => {
    it('runs a script through the client, with echo and results', async () => {
      const script = `create table e (id int);\ninsert into e values (1), (2);\nselect * from e;\ndrop table e;`;
      const maria_ = await run(new ExecuteSQL({ db: 'shop', sql: script }));
      assert.equal(maria_.failure, succeeded);
      assert(maria_.context.lines.includes('insert into e values (1), (2)'));
      assert(maria_.context.lines.includes('|    2 |'));
      const psql = await run(new ExecuteSQL({ db: 'tool', sql: script }));
      assert.deepEqual(psql.context.lines, [
        'create table e (id int);',
        'CREATE TABLE',
        'insert into e values (1), (2);',
        'INSERT 0 2',
        'select * from e;',
        ' id ',
        '----',
        '  1',
        '  2',
        '(2 rows)',
        '',
        'drop table e;',
        'DROP TABLE',
      ]);
      const files = await run(new ExecuteSQL({ db: 'files', sql: script }));
      assert.equal(files.failure, succeeded);
      assert.deepEqual(files.context.lines.slice(-5), ['id', '--', '1 ', '2 ', 'drop table e;']);
    });

    it('stops at the first error', async () => {
      for (const db of ['shop', 'files', 'tool']) {
        await sql(db, 'drop table if exists stopped');
        const { failure } = await run(
          new ExecuteSQL({
            db,
            sql: 'create table stopped (id int);\nselect nope;\ninsert into stopped values (1);',
          }),
        );
        assert.match(failure, /nope[^]*: exit code [13]$/);
        assert.match((await sql(db, 'select count(*) as n from stopped')).join('\n'), /\b0\b/);
      }
    });

    it('a time zone for a client that has none is refused', async () => {
      const { failure } = await run(new ExecuteSQL({ db: 'files', sql: 'select 1', timezone: 'UTC' }));
      assert.equal(
        failure,
        'Database "files": a session of SQLite gets no time zone from its client. Leave out timezone, or set it in the SQL.',
      );
    });
  });

  it('no password stands in the process list, in the log or in a message', async () => {
    const secrets = [maria.options.password, server.config.password];
    const controller = new AbortController();
    const logged: string[] = [];
    const started = Promise.all(
      [
        new ExecuteSQL({ db: 'shop', sql: 'select sleep(602)' }),
        new ExecuteSQL({ db: 'tool', sql: 'select pg_sleep(602)' }),
      ].map(async command => {
        const { context, failure } = await run(command, controller.signal);
        logged.push(...context.lines, failure);
      }),
    );
    await waitUntil(() => sleepsIn.maria(602));
    await waitUntil(() => sleepsIn.postgres(602));
    const { stdout: list } = await execute('ps', ['axww', '-o', 'args']);
    controller.abort();
    await started;
    assert(list.includes('mariadb --') && list.includes('psql --'), list);
    for (const secret of secrets) {
      assert(!list.includes(secret));
      assert(!logged.join('\n').includes(secret));
    }
  });
});
