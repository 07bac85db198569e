import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatabaseDefinition, postgres, sqlite } from '../../runner/api/databases.ts';
import type { Command } from '../../runner/api/command.ts';
import {
  csv,
  jsonl,
  ReadFile,
  type ReadFileOptions,
  ReadScriptOutput,
  WriteFile,
} from '../../runner/commands/index.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { type CommandEnd, runCommand } from '../support/run-command.ts';
import { isInstalled } from '../support/programs.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { zipOf } from '../support/zip.ts';

describe('commands, files and command line clients', () => {
  let server: TestServer;
  let folder: TemporaryFolder;
  let databases: Readonly<Record<string, DatabaseDefinition>>;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await temporaryFolder();
    databases = {
      lite: sqlite({ file: join(folder.path, 'lite.db') }),
      psql: postgres({ ...server.config, client: 'psql' }),
    };
  });
  afterEach(async () => {
    await folder[Symbol.asyncDispose]();
  });

  const run = (command: Command): Promise<CommandEnd> =>
    runCommand(server, folder.path, command, { databases });
  const text = (file: string): Promise<string> => readFile(join(folder.path, file), 'utf8');

  describe('sqlite3', () => {
    before(function () {
      if (!isInstalled('sqlite3')) this.skip();
    });
    const lite = (sql: string): string =>
      execFileSync('sqlite3', [join(folder.path, 'lite.db'), sql], { encoding: 'utf8' });
    beforeEach(() => {
      lite('create table target (id int, name text)');
    });

    async function read(content: string | Uint8Array, options: Partial<ReadFileOptions> & { file: string }) {
      await folder.write({ [options.file]: content });
      return await run(new ReadFile({ table: 'target', db: 'lite', ...options }));
    }

    it('takes CSV, of archives too, all or nothing', async () => {
      const format = csv({ header: true, footer: true, nullValue: '-', delimiter: ';' });
      const files = { a: 'id;name\n1;"a;""b\nc"\n2;-\n3;"-"\nsum;3\n', b: 'id;name\n4;\nsum;1' };
      assert.deepEqual((await read(zipOf(files), { file: 'x.zip', format })).lines, [
        '> x.zip → target',
        'COPY 4',
      ]);
      assert.equal(lite('select id, quote(name) from target'), "1|'a;\"b\nc'\n2|NULL\n3|'-'\n4|''\n");
      assert.equal(
        (await read('5,a\n6\n', { file: 'y.csv' })).failure,
        '/data/y.csv: Invalid Record Length: expect 2, got 1 on line 2.',
      );
      assert.equal(lite('select count(*) from target'), '4\n');
    });

    it('says what it cannot take', async () => {
      const start = 'ReadFile into database "lite" (SQLite, through its command line client)';
      assert.equal((await read('', { file: 'a.jsonl' })).failure, `${start} takes csv() only, not jsonl().`);
      assert.equal(
        (await read('', { file: 'a.csv', makeUnique: true })).failure,
        `${start} cannot remove duplicates. Leave out makeUnique.`,
      );
      assert.equal(
        (await read('', { file: 'a.csv', format: csv({ header: 'match' }) })).failure,
        `${start} cannot compare the header. Use header: true.`,
      );
    });

    it('takes the output of a script, or nothing when that fails', async () => {
      await folder.write({ 'a.sh': 'echo 1,a', 'b.sh': 'echo 1,a; exit 3' });
      assert.deepEqual(
        (await run(new ReadScriptOutput({ file: 'a.sh', table: 'target', db: 'lite' }))).lines,
        ['> bash a.sh → target', 'COPY 1'],
      );
      assert.equal(
        (await run(new ReadScriptOutput({ file: 'b.sh', table: 'target', db: 'lite' }))).failure,
        'bash b.sh: exit code 3',
      );
      assert.equal(lite('select * from target'), '1|a\n');
    });

    it('gives CSV and lines of JSON', async () => {
      lite(`insert into target values (1, 'a "b", c'), (2, null), (3, '')`);
      const sql = 'select * from target order by id';
      const format = csv({ header: true });
      assert.deepEqual((await run(new WriteFile({ file: 'out.csv', sql, format, db: 'lite' }))).lines, [
        '> sql → out.csv',
        `> ${sql}`,
        'COPY 3',
      ]);
      assert.equal(await text('out.csv'), 'id,name\n1,"a ""b"", c"\n2,\n3,""\n');
      await run(new WriteFile({ file: 'out.jsonl', sql, db: 'lite' }));
      assert.equal(
        await text('out.jsonl'),
        '{"id":"1","name":"a \\"b\\", c"}\n{"id":"2","name":null}\n{"id":"3","name":""}\n',
      );
      const { failure } = await run(new WriteFile({ file: 'out.csv', sql: 'select foo', db: 'lite' }));
      assert.match(failure ?? '', /no such column: foo/);
      assert.ok((await text('out.csv')).startsWith('id,name'));
    });
  });

  describe('psql', () => {
    before(function () {
      if (!isInstalled('psql')) this.skip();
    });

    it('takes and gives files', async () => {
      await server.query('create table target (id int, name text)');
      await folder.write({ 'a.csv': 'id,name\n1,"a, b"\n2,\n' });
      const read = new ReadFile({
        file: 'a.csv',
        table: 'target',
        db: 'psql',
        format: csv({ header: true }),
      });
      assert.deepEqual((await run(read)).lines, ['> a.csv → target', 'COPY 2']);
      const sql = 'select * from target order by id';
      await run(new WriteFile({ file: 'out.csv', sql, db: 'psql', format: csv({ header: true }) }));
      assert.equal(await text('out.csv'), 'id,name\n1,"a, b"\n2,\n');
      await run(new WriteFile({ file: 'out.json', sql, db: 'psql', format: jsonl() }));
      assert.equal(await text('out.json'), '{"id":1,"name":"a, b"}\n{"id":2,"name":null}\n');
      await server.query('drop table target');
    });
  });
});
