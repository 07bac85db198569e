import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { pack } from 'tar-stream';
import type { Command } from '../../runner/api/command.ts';
import {
  CopyFile,
  csv,
  jsonl,
  parquet,
  ReadFile,
  type ReadFileOptions,
  ReadScriptOutput,
  RemoveFile,
  WriteFile,
} from '../../runner/commands/index.ts';
import type { TestContextOptions } from '../support/commands.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { type CommandEnd, runCommand } from '../support/run-command.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';
import { zipOf } from '../support/zip.ts';

async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'folder/', type: 'directory' });
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  return gzipSync(await buffer(archive));
}

describe('commands and files', () => {
  let server: TestServer;
  let folder: TemporaryFolder;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await temporaryFolder();
    await server.query('create table target (id bigint, name text)');
  });
  afterEach(async () => {
    await server.query('drop table target');
    await folder[Symbol.asyncDispose]();
  });

  const run = (command: Command, options: Partial<TestContextOptions> = {}): Promise<CommandEnd> =>
    runCommand(server, folder.path, command, options);

  const rows = async (query = 'select id, name from target order by id, name'): Promise<readonly unknown[]> =>
    (await server.query(query)).map(row => Object.values(row));

  async function read(
    content: string | Uint8Array,
    options: Partial<ReadFileOptions> & { readonly file: string },
  ): Promise<CommandEnd> {
    await folder.write({ [options.file]: content });
    return await run(new ReadFile({ table: 'target', ...options }));
  }

  describe('ReadFile', () => {
    it('reads every file of an archive, each with its own header and footer', async () => {
      const files = { 'a.csv': 'id,name\n1,one\ntotal,1\n', 'folder/b.csv': 'id,name\n2,two\ntotal,1' };
      const format = csv({ header: true, footer: true });
      assert.deepEqual((await read(zipOf({ 'folder/': '', ...files }), { file: 'x.zip', format })).lines, [
        '> x.zip → target',
        'COPY 2',
      ]);
      assert.deepEqual((await read(await tarOf(files), { file: 'x.tar.gz', format })).lines, [
        '> x.tar.gz → target',
        'COPY 2',
      ]);
      assert.deepEqual(await rows(), [
        ['1', 'one'],
        ['1', 'one'],
        ['2', 'two'],
        ['2', 'two'],
      ]);
    });

    it('loads all of an archive or nothing, and names the file in it', async () => {
      const lines = { 'a.jsonl': '{"id": 1}\n', 'b.jsonl': '{"id": 2, "name": "x"}\n{"id": "three"}\n' };
      const expected =
        'cannot be loaded into target: ERROR: invalid input syntax for type bigint: "three"\nCONTEXT: column id: "three"';
      assert.equal(
        (await read(zipOf(lines), { file: 'x.jsonl.zip' })).failure,
        `/data/x.jsonl.zip: b.jsonl:2: ${expected}`,
      );
      assert.equal(
        (await read(await tarOf(lines), { file: 'x.tgz', format: jsonl() })).failure,
        `/data/x.tgz: b.jsonl:2: ${expected}`,
      );
      assert.deepEqual(await rows(), []);
    });

    it('says when an archive is none, or not all of it', async () => {
      const zip = zipOf({ 'a.csv': '1,one\n' });
      const tar = await tarOf({ 'a.csv': '1,one\n' });
      const answer = async (content: string | Uint8Array, file: string): Promise<string | undefined> =>
        (await read(content, { file })).failure;
      assert.equal(
        await answer('1,one\n', 'a.zip'),
        '/data/a.zip: not a zip file, or a damaged one (End of central directory record signature not found. Either not a zip file, or file is truncated.). Check the option compression.',
      );
      assert.equal(
        await answer(zip.subarray(0, 40), 'b.zip'),
        '/data/b.zip: not a zip file, or a damaged one (End of central directory record signature not found. Either not a zip file, or file is truncated.). Check the option compression.',
      );
      assert.equal(
        await answer('1,one\n', 'a.tar.gz'),
        '/data/a.tar.gz: not a tar.gz file, or a damaged one. Check the option compression.',
      );
      assert.equal(
        await answer(tar.subarray(0, 60), 'b.tar.gz'),
        '/data/b.tar.gz: the tar.gz file is incomplete.',
      );
      assert.match(
        (await answer(gzipSync('1,one\n'.repeat(200)), 'c.tar.gz')) ?? '',
        /^\/data\/c\.tar\.gz: not a tar\.gz file, or a damaged one \(Invalid tar header/,
      );
      const { failure } = await run(new ReadFile({ file: 'gone.zip', table: 'target' }));
      assert.equal(
        failure,
        'Task "shop/load": there is no file /data/gone.zip ("gone.zip" is relative to the dataDir of millrace.config.ts).',
      );
      assert.deepEqual(await rows(), []);
    });

    it('uses null and quote, and passes over a header that must match', async () => {
      const format = csv({ header: 'match', quote: "'", nullValue: '-', delimiter: '|' });
      assert.deepEqual((await read("id|name\n1|'a|''b'\n2|-\n", { file: 'a.csv', format })).lines, [
        '> a.csv → target',
        'COPY 2',
      ]);
      assert.deepEqual(await rows(), [
        ['1', "a|'b"],
        ['2', null],
      ]);
      assert.equal(
        (await read('id|title\n', { file: 'a.csv', format })).failure,
        '/data/a.csv:1: cannot be loaded into target: ERROR: column name mismatch in header line field 2: got "title", expected "name"\nCONTEXT: "id|title"',
      );
    });

    it('reads times without a zone in the time zone', async () => {
      await server.query('create table times (at timestamptz)');
      await read('2026-07-01 12:00\n', { file: 'a.csv', table: 'times', timezone: 'Asia/Tokyo' });
      assert.deepEqual(
        await rows("select at at time zone 'UTC' = '2026-07-01 03:00' as is_right from times"),
        [[true]],
      );
      await server.query('drop table times');
    });

    it('keeps an empty text in the first key', async () => {
      await read('{"name": "", "id": 1}\n', { file: 'a.jsonl' });
      assert.deepEqual(await rows(), [['1', '']]);
    });

    describe('with a mapper', () => {
      const upper = 'import sys\nfor line in sys.stdin:\n    sys.stdout.write(line.upper())\n';

      it('loads what the script makes of the unpacked file', async () => {
        await folder.write({ 'upper.py': upper });
        const lines = Array.from({ length: 50_000 }, (_, id) => `${String(id)},name ${String(id)}\n`).join(
          '',
        );
        const answer = await read(gzipSync(lines), { file: 'a.csv.gz', mapper: 'upper.py' });
        assert.deepEqual(answer.lines, ['> a.csv.gz → upper.py → target', 'COPY 50000']);
        assert.equal(answer.context.rows, 50_000);
        assert.deepEqual(await rows('select name from target where id in (0, 49999) order by id'), [
          ['NAME 0'],
          ['NAME 49999'],
        ]);
      });

      it('runs it for every file of an archive', async () => {
        await folder.write({ 'count.sh': 'echo "$(wc -l | tr -d " "),lines"' });
        await read(zipOf({ a: 'x\ny\n', b: 'x\n' }), { file: 'x.zip', mapper: 'count.sh' });
        assert.deepEqual(await rows(), [
          ['1', 'lines'],
          ['2', 'lines'],
        ]);
      });

      it('loads nothing when the script fails, and ends it when the load fails', async () => {
        await folder.write({ 'fails.sh': 'head -n 1; echo broken >&2; exit 3' });
        assert.deepEqual((await read('1,a\n2,b\n', { file: 'a.csv', mapper: 'fails.sh' })).lines, [
          '> a.csv → fails.sh → target',
          '!broken',
          'bash fails.sh: exit code 3',
        ]);
        await folder.write({ 'endless.sh': 'while true; do echo "one,a"; done' });
        assert.equal(
          (await read('1,a\n', { file: 'a.csv', mapper: 'endless.sh' })).failure,
          '/data/a.csv:1: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "one"\nCONTEXT: column id: "one"',
        );
        assert.deepEqual(await rows(), []);
        assert.equal(
          (await read('1,a\n', { file: 'a.csv', mapper: 'gone.sh' })).failure,
          'Task "shop/load": there is no file /data/gone.sh ("gone.sh" is relative to the base path of pipeline "shop").',
        );
      });

      it('stops when it is cancelled', async () => {
        await folder.write({ 'waits.sh': 'echo 1,a; exec sleep 1000' });
        const controller = new AbortController();
        const work = read('1,a\n', { file: 'a.csv' }).then(() =>
          run(new ReadFile({ file: 'a.csv', table: 'target', mapper: 'waits.sh' }), {
            signal: controller.signal,
          }),
        );
        await waitUntil(
          async () =>
            (await server.query("select 1 from pg_stat_activity where query like 'COPY target%'")).length > 0,
        );
        controller.abort(new Error('cancelled by the test'));
        assert.equal((await work).failure, 'cancelled by the test');
      });
    });

    describe('with makeUnique', () => {
      it('loads each record once, beside what is there', async () => {
        await server.query("insert into target values (1, 'a')");
        const answer = await read('1,a\n2,b\n1,a\n2,\n', { file: 'a.csv', makeUnique: true });
        assert.deepEqual(
          answer.lines,
          ['> a.csv → target', 'COPY 4\nINSERT 0 3 (without duplicates)'].join('\n').split('\n'),
        );
        assert.equal(answer.context.rows, 3);
        assert.deepEqual(await rows(), [
          ['1', 'a'],
          ['1', 'a'],
          ['2', 'b'],
          ['2', null],
        ]);
      });

      it('leaves columns that no record names to their defaults', async () => {
        await server.query(
          'create table numbered (n serial not null, id bigint, name text, twice bigint generated always as (id * 2) stored)',
        );
        const content = '{"id": 1}\n{"id": 2, "name": "b"}\n{"id": 1}\n{"id": 2, "name": "b"}\n';
        const answer = await read(content, { file: 'a.jsonl', table: 'numbered', makeUnique: true });
        assert.deepEqual(answer.lines.slice(1), ['COPY 4', 'INSERT 0 2 (without duplicates)']);
        assert.deepEqual(await rows('select id, name, twice from numbered order by id'), [
          ['1', null, '2'],
          ['2', 'b', '4'],
        ]);
        await server.query('drop table numbered');
      });

      it('knows duplicates of types that cannot be compared', async () => {
        await server.query('create table documents (id int, document json)');
        const answer = await read('1|{"a":1}\n1|{"a":1}\n1|{"a":2}\n', {
          file: 'a.csv',
          table: 'documents',
          format: csv({ quote: "'", delimiter: '|' }),
          makeUnique: true,
        });
        assert.deepEqual(answer.lines.slice(1), ['COPY 3', 'INSERT 0 2 (without duplicates)']);
        await server.query('drop table documents');
      });

      it('names the line that is wrong, and loads nothing then', async () => {
        assert.equal(
          (await read('1,a\nx,b\n', { file: 'a.csv', makeUnique: true })).failure,
          '/data/a.csv:2: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "x"\nCONTEXT: column id: "x"',
        );
        await server.query('alter table target add check (id < 2)');
        assert.equal(
          (await read('1,a\n2,b\n', { file: 'a.csv', makeUnique: true })).failure,
          '/data/a.csv: cannot be loaded into target: ERROR: new row for relation "target" violates check constraint "target_id_check"\nDETAIL: Failing row contains (2, b).',
        );
        assert.deepEqual(await rows(), []);
      });
    });

    describe('of Parquet', () => {
      it('turns its types into those of the table', async () => {
        await server.query(`create table typed (
          flag boolean, small int, large bigint, ratio double precision, title text, price numeric,
          day date, at timestamptz, local timestamp, clock time, key uuid, document jsonb, bytes bytea, tags text[], nested jsonb)`);
        const names =
          'flag small large ratio title price day at local clock key document bytes tags nested'.split(' ');
        const day = 86_400_000n;
        const content = parquetWriteBuffer({
          schema: [
            { name: 'root', num_children: names.length },
            { name: 'flag', type: 'BOOLEAN', repetition_type: 'OPTIONAL' },
            { name: 'small', type: 'INT32', repetition_type: 'OPTIONAL' },
            { name: 'large', type: 'INT64', repetition_type: 'OPTIONAL' },
            { name: 'ratio', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
            { name: 'title', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
            {
              name: 'price',
              type: 'INT64',
              converted_type: 'DECIMAL',
              scale: 2,
              precision: 18,
              repetition_type: 'OPTIONAL',
            },
            { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
            {
              name: 'at',
              type: 'INT64',
              logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
              repetition_type: 'OPTIONAL',
            },
            {
              name: 'local',
              type: 'INT64',
              logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
              repetition_type: 'OPTIONAL',
            },
            {
              name: 'clock',
              type: 'INT64',
              logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' },
              repetition_type: 'OPTIONAL',
            },
            {
              name: 'key',
              type: 'FIXED_LEN_BYTE_ARRAY',
              type_length: 16,
              logical_type: { type: 'UUID' },
              repetition_type: 'OPTIONAL',
            },
            { name: 'document', type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' },
            { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
            { name: 'tags', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
            { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
            { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
            { name: 'nested', repetition_type: 'OPTIONAL', num_children: 2 },
            { name: 'a', type: 'INT64', repetition_type: 'OPTIONAL' },
            { name: 'b', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
          ],
          columnData: [
            { name: 'flag', data: [true, null] },
            { name: 'small', data: [-5, null] },
            { name: 'large', data: [9007199254740993n, null] },
            { name: 'ratio', data: [0.1, null] },
            { name: 'title', data: ['', null] },
            { name: 'price', data: [12_345_678_901_234_57n, null] },
            { name: 'day', data: [-719_163, null] },
            { name: 'at', data: [1_767_225_600_123_456n, null] },
            { name: 'local', data: [-1n, null] },
            { name: 'clock', data: [day * 1000n - 1n, null] },
            { name: 'key', data: [new Uint8Array(16).fill(0xab), null] },
            { name: 'document', data: [{ x: [1] }, null] },
            { name: 'bytes', data: [new Uint8Array([0, 92, 255]), null] },
            { name: 'tags', data: [['a,"b', 'c\\', null], null] },
            { name: 'nested', data: [{ a: 9007199254740993n, b: '12' }, null] },
          ],
        });
        const answer = await read(new Uint8Array(content), { file: 'typed.parquet', table: 'typed' });
        assert.deepEqual(answer.lines, ['> typed.parquet → typed', 'COPY 2']);
        const [first, second] = await rows('select to_jsonb(typed)::text from typed order by flag');
        assert.deepEqual(
          JSON.parse(String((first as string[])[0]).replace('9007199254740993', '"9007199254740993"')),
          {
            flag: true,
            small: -5,
            large: '9007199254740993',
            ratio: 0.1,
            title: '',
            price: 12345678901234.57,
            day: '0001-12-31 BC',
            at: '2026-01-01T00:00:00.123456+00:00',
            local: '1969-12-31T23:59:59.999999',
            clock: '23:59:59.999999',
            key: 'abababab-abab-abab-abab-abababababab',
            document: { x: [1] },
            bytes: '\\x005cff',
            tags: ['a,"b', 'c\\', null],
            nested: { a: 9007199254740993, b: '12' },
          },
        );
        assert.deepEqual(
          Object.values(JSON.parse(String((second as string[])[0])) as object).filter(
            value => value !== null,
          ),
          [],
        );
        assert.deepEqual(
          await rows("select nested->>'a' as a, nested->>'b' as b, price::text from typed where flag"),
          [['9007199254740993', '12', '12345678901234.57']],
        );
        await server.query('drop table typed');
      });

      it('reads many groups of rows and pages, packed or not', async () => {
        const count = 150_000;
        const ids = Array.from({ length: count }, (_, id) => BigInt(id));
        for (const [codec, compressors] of [
          ['SNAPPY', undefined],
          ['GZIP', { GZIP: (bytes: Uint8Array) => gzipSync(bytes) }],
        ] as const) {
          const content = parquetWriteBuffer({
            columnData: [
              { name: 'name', data: ids.map(id => `name ${String(id)}`), type: 'STRING' },
              { name: 'id', data: ids, type: 'INT64' },
            ],
            codec,
            ...(compressors === undefined ? {} : { compressors }),
            rowGroupSize: 100_000,
            pageSize: 50_000,
          });
          await server.query('truncate target');
          const { lines } = await read(new Uint8Array(content), { file: 'many.parquet' });
          assert.deepEqual(lines, ['> many.parquet → target', `COPY ${String(count)}`]);
          assert.deepEqual(
            await rows(
              "select count(distinct id), min(id), max(id), bool_and(name = 'name ' || id) from target",
            ),
            [[String(count), '0', String(count - 1), true]],
          );
        }
      });

      it('names the column that the table lacks, the row that is wrong, and a file that is none', async () => {
        const content = (columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData']): Uint8Array =>
          new Uint8Array(parquetWriteBuffer({ columnData }));
        const failure = async (bytes: Uint8Array | string): Promise<string | undefined> =>
          (await read(bytes, { file: 'x.pq', format: parquet() })).failure;
        assert.equal(
          await failure(content([{ name: 'colour', data: ['red'] }])),
          '/data/x.pq: table target has no column "colour". It has: id, name.',
        );
        assert.equal(
          await failure(content([{ name: 'id', data: ['1', 'two'] }])),
          '/data/x.pq, row 2: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "two"\nCONTEXT: column id: "two"',
        );
        assert.equal(
          await failure('id,name\n1,a\n'),
          '/data/x.pq: not a Parquet file, or a damaged one (parquet file invalid (footer != PAR1)).',
        );
        const whole = content([{ name: 'id', data: [1n, 2n] }]);
        assert.match(
          (await failure(whole.subarray(0, whole.length - 20))) ?? '',
          /^\/data\/x\.pq: not a Parquet file, or a damaged one/,
        );
      });
    });
  });

  describe('ReadScriptOutput', () => {
    it('loads what a script prints, with arguments and environment', async () => {
      await folder.write({
        'numbers.ts':
          'for (let id = 1; id <= Number(process.argv[2]); id++) console.log(JSON.stringify({ id, name: process.env.NAME }));',
      });
      const { lines, context } = await run(
        new ReadScriptOutput({
          file: 'numbers.ts',
          args: () => ['3'],
          env: { NAME: 'x' },
          table: 'target',
          format: jsonl(),
          makeUnique: true,
        }),
      );
      assert.deepEqual(lines, ['> node numbers.ts 3 → target', 'COPY 3']);
      assert.equal(context.rows, 3);
      assert.equal((await rows()).length, 3);
    });

    it('loads nothing when the script fails, and keeps what it says', async () => {
      await folder.write({ 'fails.sh': 'echo 1,a; echo broken >&2; exit 2' });
      assert.deepEqual((await run(new ReadScriptOutput({ file: 'fails.sh', table: 'target' }))).lines, [
        '> bash fails.sh → target',
        '!broken',
        'bash fails.sh: exit code 2',
      ]);
      await folder.write({ 'wrong.sh': 'echo 1,a; echo x' });
      assert.equal(
        (await run(new ReadScriptOutput({ file: 'wrong.sh', table: 'target' }))).failure,
        'wrong.sh:2: cannot be loaded into target: ERROR: invalid input syntax for type bigint: "x"\nCONTEXT: column id: "x"',
      );
      assert.deepEqual(await rows(), []);
    });
  });

  describe('WriteFile', () => {
    const text = (file: string): Promise<string> => readFile(join(folder.path, file), 'utf8');

    it('writes CSV and lines of JSON, packed or not', async () => {
      await server.query(`insert into target values (1, 'a "b", c'), (2, null), (3, E'line\\nbreak\\\\')`);
      const sql = 'select * from target order by id -- all of them';
      const write = async (options: Partial<ConstructorParameters<typeof WriteFile>[0]> & { file: string }) =>
        await run(new WriteFile({ sql, ...options } as ConstructorParameters<typeof WriteFile>[0]));
      const { lines, context } = await write({
        file: 'a/b/out.csv',
        format: csv({ header: true, delimiter: ';' }),
      });
      assert.deepEqual(lines, ['> sql → a/b/out.csv', `> ${sql}`, 'COPY 3']);
      assert.equal(context.rows, 3);
      assert.equal(await text('a/b/out.csv'), 'id;name\n1;"a ""b"", c"\n2;\n3;"line\nbreak\\"\n');
      await write({ file: 'out.jsonl' });
      const json =
        '{"id":1,"name":"a \\"b\\", c"}\n{"id":2,"name":null}\n{"id":3,"name":"line\\nbreak\\\\"}\n';
      assert.equal(await text('out.jsonl'), json);
      await write({ file: 'out.jsonl.gz' });
      assert.equal(gunzipSync(await readFile(join(folder.path, 'out.jsonl.gz'))).toString(), json);
      await server.query('create table copied (like target)');
      await run(new ReadFile({ file: 'out.jsonl.gz', table: 'copied' }));
      assert.deepEqual(await rows('select * from copied order by id'), await rows());
      await server.query('drop table copied');
    });

    it('writes a value of JSON with line breaks on one line', async () => {
      await run(new WriteFile({ file: 'out.jsonl', sql: `select E'{"a":\\n1}'::json as value, 1 as id` }));
      assert.equal(await text('out.jsonl'), '{"value":{"a": 1},"id":1}\n');
    });

    it('runs what stands before the query, and replaces text', async () => {
      await folder.write({
        'query.sql': 'create temp table t as select @n@ as a;\n\nselect a, @n@ + 1 as b from t;\n',
      });
      const { lines } = await run(
        new WriteFile({ file: 'out.csv', sqlFile: 'query.sql', replace: { '@n@': 7 } }),
      );
      assert.deepEqual(lines, [
        '> query.sql → out.csv',
        '> create temp table t as select 7 as a',
        '> select a, 7 + 1 as b from t',
        'COPY 1',
      ]);
      assert.equal(await text('out.csv'), '7,8\n');
    });

    it('changes nothing when the query fails, and points at the place', async () => {
      await folder.write({ 'out.csv': 'old', 'query.sql': 'select 1,\n  foo\n' });
      assert.equal(
        (await run(new WriteFile({ file: 'out.csv', sqlFile: 'query.sql' }))).failure,
        '/data/query.sql:2:3: ERROR: column "foo" does not exist\n    foo\n    ^',
      );
      assert.equal(
        (
          await run(
            new WriteFile({
              file: 'out.csv.gz',
              sql: 'select 1 / (id - 5000) from generate_series(1, 10000) id',
            }),
          )
        ).failure,
        'sql:1:1: ERROR: division by zero',
      );
      assert.equal(
        (await run(new WriteFile({ file: 'out.csv', sql: '-- nothing' }))).failure,
        'sql: there is no query.',
      );
      assert.equal(await text('out.csv'), 'old');
      assert.deepEqual((await readdir(folder.path)).sort(), ['out.csv', 'query.sql']);
    });

    it('does not leave the directory', async () => {
      await using outside = await temporaryFolder();
      await symlink(outside.path, join(folder.path, 'link'));
      const { failure } = await run(new WriteFile({ file: 'link/out.csv', sql: 'select 1' }));
      assert.equal(
        failure?.replace(outside.path, '/outside'),
        'Task "shop/load": "link/out.csv" is not below /data: a symbolic link on its way leads to /outside.',
      );
      assert.deepEqual(await readdir(outside.path), []);
    });

    it('says what is in the way', async () => {
      await mkdir(join(folder.path, 'taken'));
      await folder.write({ file: '' });
      assert.equal(
        (await run(new WriteFile({ file: 'taken', sql: 'select 1' }))).failure,
        'Task "shop/load": /data/taken is a directory.',
      );
      assert.equal(
        (await run(new WriteFile({ file: 'file/out', sql: 'select 1' }))).failure,
        'Task "shop/load": a part of the path /data/file/out is a file, not a directory.',
      );
      assert.deepEqual((await readdir(folder.path)).sort(), ['file', 'taken']);
    });
  });

  describe('CopyFile and RemoveFile', () => {
    it('copy into directories that do not exist yet, and remove', async () => {
      await folder.write({ 'a.txt': 'content' });
      assert.deepEqual((await run(new CopyFile({ from: 'a.txt', to: 'x/y/b.txt' }))).lines, [
        '> a.txt → x/y/b.txt',
        '7 bytes',
      ]);
      assert.equal(await readFile(join(folder.path, 'x/y/b.txt'), 'utf8'), 'content');
      assert.deepEqual((await run(new RemoveFile({ file: 'a.txt' }))).lines, ['> a.txt', 'removed']);
      assert.deepEqual((await run(new RemoveFile({ file: 'a.txt' }))).lines, [
        '> a.txt',
        'there is no such file',
      ]);
      assert.deepEqual((await run(new RemoveFile({ file: 'none/a.txt' }))).lines, [
        '> none/a.txt',
        'there is no such file',
      ]);
      assert.deepEqual(await readdir(folder.path), ['x']);
    });

    it('say what is wrong', async () => {
      assert.equal(
        (await run(new CopyFile({ from: 'gone', to: 'b' }))).failure,
        'Task "shop/load": there is no file /data/gone ("gone" is relative to the dataDir of millrace.config.ts).',
      );
      await mkdir(join(folder.path, 'sub'));
      assert.equal(
        (await run(new RemoveFile({ file: 'sub' }))).failure,
        'Task "shop/load": /data/sub is a directory.',
      );
    });

    it('do not leave the directory', async () => {
      await using outside = await temporaryFolder({ 'secret.txt': 'x' });
      await symlink(outside.path, join(folder.path, 'link'));
      const expected =
        'Task "shop/load": "link/secret.txt" is not below /data: a symbolic link on its way leads to /outside.';
      const failures = [
        (await run(new RemoveFile({ file: 'link/secret.txt' }))).failure,
        (await run(new CopyFile({ from: 'link/secret.txt', to: 'link/secret.txt' }))).failure,
      ];
      assert.deepEqual(
        failures.map(failure => failure?.replace(outside.path, '/outside')),
        [expected, expected],
      );
      assert.deepEqual(await readdir(outside.path), ['secret.txt']);
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
