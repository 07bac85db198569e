import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { Command } from '../../runner/api/command.ts';
import { postgres } from '../../runner/api/databases.ts';
import {
  csv,
  ExecuteSQL,
  type ExecuteSQLOptions,
  ReadFile,
  type ReadFileOptions,
} from '../../runner/commands/index.ts';
import { openDatabase } from '../../runner/databases/connect.ts';
import { runSqlCommand, type SqlInput } from '../../runner/databases/sql-command.ts';
import { messageOf, type TestContext, testContext } from '../support/commands.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

const resolveEmbedded = (): Promise<never> =>
  Promise.reject(new Error('there is no embedded server in this test'));

describe('commands and databases', () => {
  let server: TestServer;
  let folder: TemporaryFolder;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
    folder = await temporaryFolder();
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** Runs a command with a connection of its own; gives the context and the message of its failure. */
  async function run(
    command: Command,
    options: { readonly signal?: AbortSignal; readonly stored?: Map<string, string> } = {},
  ): Promise<{ readonly context: TestContext; readonly failure: string }> {
    await using opened = new AsyncDisposableStack();
    const context = testContext(command, {
      basePath: folder.path,
      ...options,
      async db(alias = 'dwh') {
        assert.equal(alias, 'dwh');
        const { signal } = options;
        return opened.use(
          await openDatabase(alias, postgres({ url: server.url }), { resolveEmbedded, signal }),
        );
      },
    });
    const failure = await messageOf(() => command.run(context));
    return { context, failure: failure.replaceAll(folder.path, '/data') };
  }

  const succeeded = 'nothing was thrown';

  describe('ExecuteSQL', () => {
    async function sql(options: ExecuteSQLOptions): Promise<readonly string[]> {
      const { context, failure } = await run(new ExecuteSQL(options));
      return failure === succeeded
        ? [...context.lines, `${String(context.rows)} rows`]
        : [...context.lines, failure];
    }

    it('logs the file, then each statement with what it gives', async () => {
      await folder.write({
        'load.sql':
          'create temp table t (id int);\n\n-- fill\ninsert into t values (@id@);\nselect * from t;',
      });
      assert.deepEqual(await sql({ sqlFile: 'load.sql', replace: { '@id@': () => 7 } }), [
        '> load.sql',
        '> create temp table t (id int)',
        'CREATE TABLE',
        '> insert into t values (7)',
        'INSERT 0 1',
        '> select * from t',
        ' id',
        '----',
        '  7',
        '(1 row)',
        '1 rows',
      ]);
      assert.deepEqual(await sql({ sql: 'select 1 as a', echoQueries: false }), [
        ' a',
        '---',
        ' 1',
        '(1 row)',
        '0 rows',
      ]);
    });

    it('uses the time zone for as long as it runs', async () => {
      const answer = await sql({ sql: 'show timezone', timezone: 'Asia/Tokyo', echoQueries: false });
      assert.equal(answer[2], ' Asia/Tokyo');
      assert.deepEqual(await sql({ sql: 'select 1', timezone: 'Mars/Olympus' }), [
        'dwh: ERROR: invalid value for parameter "TimeZone": "Mars/Olympus"',
      ]);
    });

    it('names file, line and column of the file, also after replacement', async () => {
      await folder.write({ 'bad.sql': 'select 1;\nselect @columns@,\n  foo;\n' });
      const lines = await sql({ sqlFile: 'bad.sql', replace: { '@columns@': '1,\n2' }, echoQueries: false });
      assert.equal(
        lines.at(-1),
        `/data/bad.sql:3:3: ERROR: column "foo" does not exist
    foo;
    ^`,
      );
    });

    it('names the file that is missing', async () => {
      assert.deepEqual(await sql({ sqlFile: 'gone.sql' }), [
        '> gone.sql',
        'Task "shop/load": there is no file /data/gone.sql ("gone.sql" is relative to the base path of pipeline "shop").',
      ]);
    });

    it('does nothing when its files have not changed', async () => {
      await folder.write({ 'once.sql': 'select 1' });
      const command = (): ExecuteSQL =>
        new ExecuteSQL({ sqlFile: 'once.sql', fileDependencies: ['once.sql'] });
      const stored = new Map<string, string>();
      assert.equal((await run(command(), { stored })).failure, succeeded);
      const { context } = await run(command(), { stored });
      assert.deepEqual(context.lines, ['> once.sql', 'no changes']);
      assert.deepEqual(context.reasons, ['no changes']);
      assert.deepEqual([...stored.keys()], ['ExecuteSQL once.sql']);
    });

    it('stops on the server when it is cancelled', async () => {
      const controller = new AbortController();
      const work = run(new ExecuteSQL({ sql: 'select pg_sleep(1000)' }), { signal: controller.signal });
      const isRunning = async (): Promise<boolean> =>
        (
          await server.query(
            "select 1 from pg_stat_activity where query = 'select pg_sleep(1000)' and state = 'active'",
          )
        ).length > 0;
      await waitUntil(isRunning);
      controller.abort(new Error('cancelled by the test'));
      assert.equal((await work).failure, 'cancelled by the test');
      await waitUntil(async () => !(await isRunning()));
    });
  });

  describe('ReadFile', () => {
    beforeEach(async () => {
      await server.query(
        `create table target (id bigint, name text, price numeric default 9.99, tags jsonb, double_id bigint generated always as (id * 2) stored)`,
      );
    });
    afterEach(async () => {
      await server.query('drop table target');
    });

    async function read(
      content: string | Uint8Array,
      options: Partial<ReadFileOptions> & { readonly file: string },
    ): Promise<string> {
      await folder.write({ [options.file]: content });
      const { context, failure } = await run(new ReadFile({ table: 'target', ...options }));
      return failure === succeeded ? `${context.lines.join('\n')}\n${String(context.rows)} rows` : failure;
    }

    const rows = async (): Promise<readonly unknown[]> =>
      (await server.query('select id, name, price, tags from target order by id')).map(row =>
        Object.values(row),
      );

    it('loads CSV as Postgres reads it', async () => {
      assert.equal(
        await read('id;name;price;tags\n1;"a;""b\nc";NULL;{}\n2;;1.5;\n', {
          file: 'a.csv',
          table: 'public.target',
          format: csv({ header: true, delimiter: ';', nullValue: 'NULL' }),
        }).then(answer => answer.split('\n')[0]),
        '/data/a.csv:4: cannot be loaded into public.target: ERROR: invalid input syntax for type json',
      );
      assert.equal(
        await read('id;name;price;tags\n1;"a;""b\nc";;{}\n2;x;1.5;\n', {
          file: 'a.csv',
          format: csv({ header: true, delimiter: ';' }),
        }),
        '> a.csv → target\nCOPY 2\n2 rows',
      );
      assert.deepEqual(await rows(), [
        ['1', 'a;"b\nc', null, {}],
        ['2', 'x', '1.5', null],
      ]);
    });

    it('unpacks gzip, and says when it is none or not all of it', async () => {
      const lines = Array.from(
        { length: 5000 },
        (_, id) => `${String(id)},name ${String(id * 7919)},1,\n`,
      ).join('');
      const packed = gzipSync(lines);
      assert.equal(await read(packed, { file: 'a.csv.gz' }), '> a.csv.gz → target\nCOPY 5000\n5000 rows');
      assert.equal(
        await read(packed.subarray(0, 10_000), { file: 'b.csv.gz' }),
        '/data/b.csv.gz: the gzip file is incomplete.',
      );
      assert.equal(
        await read('1,a,1,\n', { file: 'c.csv.gz' }),
        '/data/c.csv.gz: not a gzip file, or a damaged one. Check the option compression.',
      );
      assert.equal((await rows()).length, 5000);
    });

    it('loads all records or none, and names the line that is wrong', async () => {
      assert.equal(
        await read('1,a,1,\ntwo,b,2,\n', { file: 'a.csv' }),
        '/data/a.csv:2: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "two"\nCONTEXT: column id: "two"',
      );
      assert.equal(
        await read('1,a,1,,\n', { file: 'a.csv' }),
        '/data/a.csv:1: cannot be loaded into target: ERROR: extra data after last expected column\nCONTEXT: "1,a,1,,"',
      );
      assert.equal(
        await read('{"id": 1}\n\n{"id": "two"}\n', { file: 'a.jsonl' }),
        '/data/a.jsonl:3: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "two"\nCONTEXT: column id: "two"',
      );
      assert.deepEqual(await rows(), []);
    });

    it('loads lines of JSON by their keys', async () => {
      const lines = [
        '{"id": 1, "name": "tab\\t line\\n back\\\\slash"}',
        '',
        '{"name": "🦆", "id": 9007199254740993, "tags": {"a": [1, 12345678901234567890]}}\r',
        '{"id": 2, "name": null, "price": 1e2}',
        '{"id": 3, "tags": "text", "name": {"b": 1}}',
        '{}',
      ].join('\n');
      assert.equal(await read(`\uFEFF${lines}`, { file: 'a.jsonl' }), '> a.jsonl → target\nCOPY 5\n5 rows');
      assert.deepEqual(
        (await server.query('select id, name, price, tags::text from target order by id')).map(row =>
          Object.values(row),
        ),
        [
          ['1', 'tab\t line\n back\\slash', '9.99', null],
          ['2', null, '100', null],
          ['3', '{"b":1}', null, '"text"'],
          ['9007199254740993', '🦆', '9.99', '{"a": [1, 12345678901234567890]}'],
          [null, null, null, null],
        ],
      );
    });

    const problems: readonly (readonly [what: string, content: string | Uint8Array, message: string])[] = [
      [
        'a key without a column',
        '{"id": 1}\n{"id": 2, "colour": "red"}',
        '/data/x.jsonl:2: table target has no column "colour". It has: id, name, price, tags.',
      ],
      [
        'a generated column',
        '{"double_id": 1}',
        '/data/x.jsonl:1: table target has no column "double_id". It has: id, name, price, tags.',
      ],
      [
        'a line that is no object',
        '{"id": 1}\n[1]',
        '/data/x.jsonl:2: a line must be a JSON object, not an array.',
      ],
      [
        'a line that is a long number',
        '12345678901234567890',
        '/data/x.jsonl:1: a line must be a JSON object, not 12345678901234567000.',
      ],
      [
        'invalid UTF-8',
        Buffer.from([...Buffer.from('{"id": 1}\n{"name": "'), 0xff, ...Buffer.from('"}\n')]),
        '/data/x.jsonl:2: not valid UTF-8.',
      ],
    ];
    for (const [what, content, message] of problems) {
      it(`reports ${what}`, async () => {
        assert.equal(await read(content, { file: 'x.jsonl' }), message);
        assert.deepEqual(await rows(), []);
      });
    }

    it('reports what is not JSON', async () => {
      assert.match(
        await read('{"id": 1}\n{"id": }', { file: 'x.jsonl' }),
        /^\/data\/x\.jsonl:2: not valid JSON: Unexpected token/,
      );
    });

    it('reports a table or a file that is missing', async () => {
      assert.equal(
        await read('1\n', { file: 'a.csv', table: 'nowhere' }),
        '/data/a.csv: there is no table nowhere in database "dwh". Create it before, for example with ExecuteSQL.',
      );
      const { failure } = await run(new ReadFile({ file: 'gone.csv', table: 'target' }));
      assert.equal(
        failure,
        'Task "shop/load": there is no file /data/gone.csv ("gone.csv" is relative to the dataDir of millrace.config.ts).',
      );
    });
  });

  describe('millrace sql', () => {
    async function sql(
      input: SqlInput,
      { alias = 'dwh', stdin = '' }: { readonly alias?: string; readonly stdin?: string } = {},
    ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      const [code, out, err] = await Promise.all([
        runSqlCommand({
          project: { databases: { dwh: postgres({ url: server.url }) }, defaultDatabase: 'dwh' },
          alias,
          input,
          cwd: folder.path,
          stdin: Readable.from([stdin], { objectMode: false }),
          stdout,
          stderr,
          signal: new AbortController().signal,
          resolveEmbedded,
        }).finally(() => {
          stdout.end();
          stderr.end();
        }),
        text(stdout),
        text(stderr),
      ]);
      return { code, stdout: out, stderr: err.replaceAll(folder.path, '/data') };
    }

    it('runs text, a file or standard input', async () => {
      await folder.write({ 'a.sql': 'select 2 as a' });
      const table = (value: number): string => ` a\n---\n ${String(value)}\n(1 row)\n`;
      assert.deepEqual(await sql({ kind: 'text', sql: 'select 1 as a' }), {
        code: 0,
        stdout: table(1),
        stderr: '',
      });
      assert.deepEqual(await sql({ kind: 'file', file: 'a.sql' }), { code: 0, stdout: table(2), stderr: '' });
      assert.deepEqual(await sql({ kind: 'stdin' }, { stdin: 'select 3 as a' }), {
        code: 0,
        stdout: table(3),
        stderr: '',
      });
    });

    it('streams COPY from standard input and to standard output', async () => {
      await server.query('create table copied (id int, name text)');
      assert.deepEqual(
        await sql({ kind: 'text', sql: 'copy copied from stdin (format csv)' }, { stdin: '1,a\n2,"b;"\n' }),
        {
          code: 0,
          stdout: 'COPY 2\n',
          stderr: '',
        },
      );
      assert.deepEqual(await sql({ kind: 'stdin' }, { stdin: 'copy copied from stdin;\n3\tc\n\\.\n' }), {
        code: 0,
        stdout: 'COPY 1\n',
        stderr: '',
      });
      assert.deepEqual(await sql({ kind: 'text', sql: 'copy copied to stdout (format csv)' }), {
        code: 0,
        stdout: '1,a\n2,b;\n3,c\n',
        stderr: '',
      });
      await server.query('drop table copied');
    });

    it('prints all rows, and waits for whoever reads them', async () => {
      const { stdout } = await sql({
        kind: 'text',
        sql: "select n, repeat('x', 100) from generate_series(1, 20000) n",
      });
      assert.equal(stdout.split('\n').length, 20_000 + 4);
    });

    it('stops at the first error, with file, line and caret', async () => {
      await folder.write({ 'bad.sql': 'select 1 as a;\nselect foo;\nselect 2;' });
      assert.deepEqual(await sql({ kind: 'file', file: 'bad.sql' }), {
        code: 1,
        stdout: ' a\n---\n 1\n(1 row)\n',
        stderr: 'bad.sql:2:8: ERROR: column "foo" does not exist\n  select foo;\n         ^\n',
      });
      assert.deepEqual(await sql({ kind: 'stdin' }, { stdin: 'selec' }), {
        code: 1,
        stdout: '',
        stderr: 'stdin:1:1: ERROR: syntax error at or near "selec"\n  selec\n  ^\n',
      });
    });

    it('reports wrong usage', async () => {
      assert.deepEqual(await sql({ kind: 'file', file: 'gone.sql' }), {
        code: 2,
        stdout: '',
        stderr: 'Cannot read /data/gone.sql: it does not exist.\n',
      });
      assert.deepEqual(await sql({ kind: 'stdin' }, { alias: 'dhw' }), {
        code: 2,
        stdout: '',
        stderr:
          'There is no database "dhw". The project has: "dwh". Databases are named in millrace.config.ts.\n',
      });
    });

    it('stops quietly when nobody reads any more', async () => {
      const stdout = new PassThrough();
      const stderr = new PassThrough();
      const work = runSqlCommand({
        project: { databases: { dwh: postgres({ url: server.url }) }, defaultDatabase: 'dwh' },
        alias: 'dwh',
        input: { kind: 'text', sql: 'select generate_series(1, 100000000)' },
        cwd: folder.path,
        stdin: Readable.from([]),
        stdout,
        stderr,
        signal: new AbortController().signal,
        resolveEmbedded,
      });
      await once(stdout, 'readable');
      stdout.destroy(new Error('write EPIPE'));
      assert.equal(await work, 141);
      assert.equal(stderr.read(), null);
    });
  });

  it('leaves no connection behind', async () => {
    await waitUntil(
      async () =>
        (await server.query("select 1 from pg_stat_activity where application_name like 'millrace%'"))
          .length === 0,
    );
  });
});
