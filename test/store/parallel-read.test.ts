import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Pipeline } from '../../runner/api/pipeline.ts';
import {
  ParallelReadFile,
  type ParallelReadFileOptions,
  ParallelReadSQLite,
  ExecuteSQL,
} from '../../runner/commands/index.ts';
import { toExpandedNodes } from '../../runner/api/parallel-task.ts';
import { messageOf } from '../support/commands.ts';
import { runParallelTask, type ParallelRun, type RunOptions } from '../support/expansion.ts';
import { attempts } from '../support/files-to-load.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { isInstalled } from '../support/programs.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

const dateRegex = /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/;

describe('ParallelReadFile', () => {
  let server: TestServer;
  let folder: TemporaryFolder;
  let runs = 0;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    folder = await temporaryFolder({ 'data/.keep': '' });
    await server.query('create schema raw; create table raw.event (file text, value int)');
  });
  afterEach(async () => {
    await server.query('drop schema raw cascade; drop schema if exists millrace_loaded cascade');
    await folder[Symbol.asyncDispose]();
  });

  function task(options: Partial<ParallelReadFileOptions> = {}): ParallelReadFile {
    const made = new ParallelReadFile({
      id: 'load',
      filePattern: '**/*.csv',
      readMode: 'onlyNew',
      table: 'raw.event',
      ...options,
    });
    new Pipeline({ id: 'shop', basePath: folder.path }).add(made);
    return made;
  }

  async function run(
    options: Partial<ParallelReadFileOptions> = {},
    more: Partial<RunOptions> = {},
  ): Promise<ParallelRun> {
    return await runParallelTask(task(options), {
      basePath: folder.path,
      dataDir: join(folder.path, 'data'),
      chain: `run ${String(++runs)}`,
      attempt: attempts(server),
      ...more,
    });
  }

  /** Each holds its own name and version. */
  async function write(files: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, version] of Object.entries(files)) {
      await folder.write({ [`data/${name}`]: `${name},${String(version)}\n` });
      const time = new Date(Date.UTC(2026, 0, 1) + version * 1000);
      await utimes(join(folder.path, 'data', name), time, time);
    }
  }

  const loaded = async (): Promise<string[]> =>
    (await server.query(`select file || ' ' || value as row from raw.event order by 1`)).map(row =>
      String(row['row']),
    );

  it('loads what is new, and says what it does', async () => {
    await write({ 'a.csv': 1, 'x/b.csv': 1, 'c.txt': 1 });
    const first = await run();
    assert.deepEqual(await loaded(), ['a.csv 1', 'x/b.csv 1']);
    const [b = '', a = ''] = first.pipeline.nodes.keys();
    assert.match(b, /^b_csv_[0-9a-f]{10}$/);
    assert.deepEqual(first.lines, [
      '2 of 2 files are to be loaded',
      `${b}: > x/b.csv → raw.event`,
      `${b}: COPY 1`,
      `${a}: > a.csv → raw.event`,
      `${a}: COPY 1`,
    ]);
    assert.deepEqual(
      [...first.pipeline.nodes.values()].map(node => node.description),
      ['Loads 1 file, x/b.csv', 'Loads 1 file, a.csv'],
    );
    assert.deepEqual(first.noted, [
      { file: 'x/b.csv', lastModifiedAt: '2026-01-01T00:00:01.000Z' },
      { file: 'a.csv', lastModifiedAt: '2026-01-01T00:00:01.000Z' },
    ]);
    assert.deepEqual((await run()).lines, ['No newer files (of 2)']);
    await write({ 'a.csv': 2, 'd.csv': 1 });
    await run();
    assert.deepEqual(await loaded(), ['a.csv 1', 'd.csv 1', 'x/b.csv 1']);
    assert.deepEqual((await run({ filePattern: '*.json' })).lines, ['No files match *.json']);
  });

  it('loads what has changed', async () => {
    await write({ 'a.csv': 1, 'b.csv': 1 });
    await run({ readMode: 'onlyChanged' });
    await write({ 'a.csv': 2 });
    const { noted } = await run({ readMode: 'onlyChanged' });
    assert.deepEqual(noted, [{ file: 'a.csv', lastModifiedAt: '2026-01-01T00:00:02.000Z' }]);
    assert.deepEqual(await loaded(), ['a.csv 1', 'a.csv 2', 'b.csv 1']);
    assert.deepEqual((await run({ readMode: 'onlyChanged' })).lines, ['No newer files (of 2)']);
  });

  it('loads all in every run, but none twice in a run that is gone on with', async () => {
    await write({ 'a.csv': 1, 'b.csv': 1 });
    const { noted } = await run({ readMode: 'all' }, { chain: 'first' });
    assert.deepEqual(noted, []);
    await run({ readMode: 'all' }, { chain: 'first' });
    assert.deepEqual(await loaded(), ['a.csv 1', 'b.csv 1']);
    await run({ readMode: 'all' });
    assert.deepEqual(await loaded(), ['a.csv 1', 'a.csv 1', 'b.csv 1', 'b.csv 1']);
  });

  it('knows the newest file, by name or by day', async () => {
    await write({ 'a.csv': 3, 'b.csv': 2, 'c.csv': 1 });
    await run({ readMode: 'onlyNewExceptLatest' });
    assert.deepEqual(await loaded(), ['a.csv 3', 'b.csv 2']);
    await run({ readMode: 'onlyLatest' });
    assert.deepEqual(await loaded(), ['a.csv 3', 'b.csv 2', 'c.csv 1']);
    await write({ 'x/z-2026-01-01.csv': 1, 'x/a-2026-01-03.csv': 1, 'x/b-2026-01-02.csv': 1 });
    await server.query('truncate raw.event');
    await run({ readMode: 'onlyLatest', dateRegex, filePattern: 'x/*' });
    assert.deepEqual(await loaded(), ['x/a-2026-01-03.csv 1']);
  });

  it('leaves out what is before the first or after the last date', async () => {
    await write({ '2026-01-01.csv': 1, '2026-01-02.csv': 1, '2026-01-03.csv': 1, '2026-01-04.csv': 1 });
    await run({ dateRegex }, { firstDate: '2026-01-02', lastDate: '2026-01-03' });
    assert.deepEqual(await loaded(), ['2026-01-02.csv 1', '2026-01-03.csv 1']);
    await write({ 'readme.csv': 1 });
    assert.equal(
      await messageOf(() => run({ dateRegex })),
      'Parallel task "shop/load": the file "readme.csv" does not match dateRegex /(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)/, ' +
        'so its day is not known. Change dateRegex, or filePattern so that it leaves the file out.',
    );
  });

  it('forgets with the table, and when file dependencies change', async () => {
    await folder.write({ 'table.sql': '1' });
    await write({ 'a.csv': 1, 'b.csv': 1 });
    const options = { fileDependencies: ['table.sql'] };
    await run(options);
    await server.query('alter table raw.event rename to event_2; alter schema raw rename to raw_2');
    assert.deepEqual((await run({ ...options, table: 'raw_2.event_2' })).lines, ['No newer files (of 2)']);
    await server.query(
      'alter schema raw_2 rename to raw; drop table raw.event_2; create table raw.event (file text, value int)',
    );
    assert.equal(
      (await run(options)).lines[0],
      'A table is gone: the files that were loaded into it do not count',
    );
    assert.deepEqual(await loaded(), ['a.csv 1', 'b.csv 1']);
    await folder.write({ 'table.sql': '2' });
    await server.query('truncate raw.event');
    assert.equal(
      (await run(options)).lines[0],
      'File dependencies have changed: all files count as not loaded',
    );
    assert.deepEqual(await loaded(), ['a.csv 1', 'b.csv 1']);
    assert.deepEqual((await run(options)).lines, ['No newer files (of 2)']);
    assert.equal(
      (await run(options, { lastDate: '2027-01-01' })).lines[0],
      'File dependencies have changed: all files count as not loaded',
    );
  });

  it('survives that the table is restored from a dump', async () => {
    // What pg_dump writes of a regclass is the name.
    await write({ 'a.csv': 1 });
    await run();
    const [row] = await server.query('select relation::text as relation from millrace_loaded.target');
    assert.equal(row?.['relation'], 'raw.event');
  });

  it('makes, empties and analyses partitions', async () => {
    await server.query(`create table raw.day_event (file text, day_id int) partition by list (day_id);
      create table raw.own_name partition of raw.day_event for values in (20260102)`);
    const day = async (name: string, ...days: number[]): Promise<void> => {
      await folder.write({ [`data/${name}`]: days.map(value => `${name},${String(value)}\n`).join('') });
    };
    await day('2026-01-01-a.csv', 20260101);
    await day('2026-01-02-a.csv', 20260102);
    const options = { table: 'raw.day_event', dateRegex, partitionByDay: true } as const;
    const first = await run(options);
    assert.deepEqual(
      first.lines.filter(line => !/→|COPY/.test(line)).map(line => line.replace(/_[0-9a-f]{10}: /, ': ')),
      [
        '2 of 2 files are to be loaded',
        `partitions: > CREATE TABLE raw."day_event_20260101" PARTITION OF raw.day_event FOR VALUES IN ('20260101')`,
        'partitions: 1 of 2 partitions were missing',
        'analyze: > ANALYZE raw.own_name',
        'analyze: > ANALYZE raw.day_event_20260101',
      ],
    );
    const rows = async (): Promise<string[]> =>
      (
        await server.query(`select file || ' ' || tableoid::regclass as row from raw.day_event order by 1`)
      ).map(row => String(row['row']));
    assert.deepEqual(await rows(), [
      '2026-01-01-a.csv raw.day_event_20260101',
      '2026-01-02-a.csv raw.own_name',
    ]);
    await day('2026-01-01-b.csv', 20260101);
    await run(options);
    assert.equal((await rows()).length, 3);
    // With a day as a whole, the other files of the day are loaded again.
    await day('2026-01-01-c.csv', 20260101);
    const whole = await run({ ...options, truncatePartitions: true });
    assert.deepEqual(await rows(), [
      '2026-01-01-a.csv raw.day_event_20260101',
      '2026-01-01-b.csv raw.day_event_20260101',
      '2026-01-01-c.csv raw.day_event_20260101',
      '2026-01-02-a.csv raw.own_name',
    ]);
    assert.equal(whole.lines[0], '3 of 4 files are to be loaded');
    assert.equal(
      await messageOf(() => run({ ...options, table: 'raw.event', filePattern: '2026-01-0?-a.csv' })),
      'Parallel task "shop/load": partitionByDay needs a table that is partitioned by the day, which raw.event is not. ' +
        'Create it with: PARTITION BY LIST (day_id)',
    );
  });

  it('goes on after a file that cannot be loaded', async () => {
    await write({ 'a.csv': 1, 'b.csv': 1, 'c.csv': 1, 'd.csv': 1, 'e.csv': 1 });
    await folder.write({ 'data/b.csv': 'b.csv,one\n' });
    assert.equal(
      (await messageOf(() => run({}, { parallel: 1 }))).replaceAll(folder.path, ''),
      '/data/b.csv:1: cannot be loaded into raw.event: ERROR: invalid input syntax for type integer: "one"\nCONTEXT: column value: "one"',
    );
    assert.deepEqual(await loaded(), ['c.csv 1', 'd.csv 1', 'e.csv 1']);
    await write({ 'b.csv': 2 });
    await run({}, { parallel: 1 });
    assert.deepEqual(await loaded(), ['a.csv 1', 'b.csv 2', 'c.csv 1', 'd.csv 1', 'e.csv 1']);
  });

  it('gives each child work that its id names, in at most two chunks for each slot', async () => {
    await write(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`${String(index)}.csv`, 1])));
    const first = await run(
      { readMode: 'all' },
      { succeeded: { has: () => true } as unknown as Set<string>, parallel: 2 },
    );
    const ids = [...first.pipeline.nodes.keys()];
    assert.equal(ids.length, 4);
    const again = await run({ readMode: 'all' }, { succeeded: new Set(ids.slice(1)), parallel: 2 });
    assert.deepEqual([...again.pipeline.nodes.keys()], ids);
    const third = await run(
      { readMode: 'all' },
      { succeeded: { has: () => true } as unknown as Set<string>, parallel: 2, chain: 'run 1000' },
    );
    assert.deepEqual([...third.pipeline.nodes.keys()], ids);
    const fewer = await run({ readMode: 'all', maxParallelTasks: 1 });
    assert.equal(fewer.pipeline.nodes.size, 2);
    assert.deepEqual(
      toExpandedNodes(first.pipeline).map(node => node.commands?.map(({ kind }) => kind)),
      [['@child'], ['@child'], ['@child'], ['@child']],
    );
  });

  it('says when another run has listed the files again', async () => {
    await write({ 'a.csv': 1 });
    const failing = run(
      {},
      {
        onSucceeded: () => undefined,
        attempt: (() => {
          let first = true;
          const open = attempts(server);
          return () => {
            const databases = open();
            if (first) {
              first = false;
              return databases;
            }
            return {
              ...databases,
              db: async alias => (
                await server.query(`update millrace_loaded.target set list = gen_random_uuid()`),
                await databases.db(alias)
              ),
            };
          };
        })(),
      },
    );
    assert.equal(
      await messageOf(() => failing),
      'The list of files that this task works on is not the newest any more: another run has listed them again, or what was ' +
        'remembered was reset. What is loaded is on record. Run the parallel task again.',
    );
  });

  it('loads each file once when two runs do it at the same time', async () => {
    await write(
      Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`${String(index).padStart(2, '0')}.csv`, 1]),
      ),
    );
    const ends = await Promise.allSettled([run(), run(), run()]);
    assert.ok(ends.some(end => end.status === 'fulfilled'));
    await run();
    assert.equal((await loaded()).length, 20);
  });

  it('reads SQLite files in the same way', async function () {
    if (!isInstalled('sqlite3')) this.skip();
    for (const name of ['a', 'b'])
      execFileSync('sqlite3', [
        join(folder.path, 'data', `${name}.db`),
        `create table t (v int); insert into t values (1); insert into t values (2);`,
      ]);
    const made = new ParallelReadSQLite({
      id: 'lite',
      filePattern: '*.db',
      readMode: 'onlyNew',
      table: 'raw.event',
      sql: () => "select 'x@', v from t",
      replace: { '@': '!' },
    });
    new Pipeline({ id: 'shop', basePath: folder.path }).add(made);
    const options = { basePath: folder.path, dataDir: join(folder.path, 'data'), attempt: attempts(server) };
    await runParallelTask(made, options);
    assert.deepEqual(await loaded(), ['x! 1', 'x! 1', 'x! 2', 'x! 2']);
    assert.deepEqual((await runParallelTask(made, options)).lines, ['No newer files (of 2)']);
    assert.deepEqual(
      made
        .docs()
        .map(({ label }) => label)
        .slice(0, 4),
      ['file pattern', 'read mode', 'table', 'db'],
    );
  });

  it('tells children about 100,000 files in a few words', async function () {
    this.timeout(120_000);
    for (let number = 0; number < 100_000; number++)
      writeFileSync(join(folder.path, 'data', `${String(number)}.csv`), '');
    const all = { has: () => true } as unknown as Set<string>;
    const { pipeline, lines } = await run({}, { parallel: 8, succeeded: all });
    assert.deepEqual(lines, ['100000 of 100000 files are to be loaded']);
    assert.equal(pipeline.nodes.size, 16);
    assert.ok(JSON.stringify(toExpandedNodes(pipeline)).length < 10_000);
    const [pending] = await server.query(
      'select count(distinct file_name)::int as files, max(n)::int as most from (select *, count(*) over (partition by chunk) as n from millrace_loaded.pending) as x',
    );
    assert.deepEqual(pending, { files: 100_000, most: 6250 });
  });

  it('says what is missing', async () => {
    assert.equal(
      (await messageOf(() => run({}, { dataDir: join(folder.path, 'nothing') }))).replaceAll(folder.path, ''),
      'Parallel task "shop/load": there is no directory /nothing (the dataDir of millrace.config.ts).',
    );
    assert.equal(
      await messageOf(() => run({ table: 'raw.none' })),
      'There is no table raw.none in database "dwh". Create it in a task before this one, for example with ExecuteSQL.',
    );
  });

  it('loads nothing into a table that was made anew after the files were listed', async () => {
    await write({ 'a.csv': 1 });
    await run();
    await write({ 'b.csv': 1 });
    const commandsBefore = [
      new ExecuteSQL({ sql: 'drop table raw.event; create table raw.event (file text, value int)' }),
    ];
    assert.equal(
      await messageOf(() => run({ commandsBefore })),
      'The table raw.event was made anew after its files were listed, so what was loaded before is not in it. ' +
        'Make it in a task before this one, not in commandsBefore, and run the parallel task again.',
    );
    assert.deepEqual(await loaded(), []);
    assert.deepEqual((await run()).lines.slice(0, 2), [
      'A table is gone: the files that were loaded into it do not count',
      '2 of 2 files are to be loaded',
    ]);
    assert.deepEqual(await loaded(), ['a.csv 1', 'b.csv 1']);
  });

  it('says who can make the schema of its records when it may not', async () => {
    await write({ 'a.csv': 1 });
    await server.query(`drop schema if exists millrace_loaded cascade; create role loader login password 'x y';
      grant all on schema raw to loader; grant all on raw.event to loader`);
    const url = new URL(server.url);
    url.username = 'loader';
    url.password = 'x%20y';
    const asLoader = attempts({ ...server, url: url.href });
    assert.equal(
      await messageOf(() => run({}, { attempt: asLoader })),
      'The schema millrace_loaded in database "dwh", which keeps which files are loaded, cannot be made: ' +
        'permission denied for database postgres. Let someone who may run: CREATE SCHEMA millrace_loaded AUTHORIZATION loader',
    );
    await server.query('create schema millrace_loaded authorization loader');
    await run({}, { attempt: asLoader });
    assert.deepEqual(await loaded(), ['a.csv 1']);
    await server.query('drop owned by loader cascade; drop role loader');
  });

  const mistakes: readonly (readonly [options: Partial<ParallelReadFileOptions>, message: string])[] = [
    [
      { readMode: 'newest' as 'all' },
      'Parallel task "load": readMode must be one of "all", "onlyLatest", "onlyNew", "onlyChanged", "onlyNewExceptLatest", not "newest".',
    ],
    [
      { partitionByDay: true },
      'Parallel task "load": partitionByDay needs dateRegex, which tells the day of a file.',
    ],
    [{ truncatePartitions: true }, 'Parallel task "load": truncatePartitions needs partitionByDay.'],
    [
      { formt: 'x' } as object,
      'ParallelReadFile "load" has an unknown option: "formt" (did you mean "format"?).',
    ],
    [
      { compression: 'rar' as 'zip' },
      'ReadFile: compression must be "none", "gzip", "zip" or "tar.gz", not "rar".',
    ],
  ];
  for (const [options, message] of mistakes)
    it(`refuses ${Object.keys(options).join(', ')}`, async () => {
      assert.equal(await messageOf(() => task(options)), message);
    });

  it('tells how children are made', () => {
    const docs = task({
      dateRegex,
      partitionByDay: true,
      fileDependencies: ['table.sql'],
      commandsBefore: [new ExecuteSQL({ sql: 'select 1' })],
    }).docs();
    assert.deepEqual(
      docs.map(({ label, value }) => `${label}: ${value}`),
      [
        'file pattern: **/*.csv',
        'read mode: onlyNew',
        'date regex: /(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)/',
        'partition by day: true',
        'table: raw.event',
        'db: dwh (default)',
        'format: csv()',
        'compression: none',
        "command: cat 'data/**/*.csv' | millrace sql dwh -c 'COPY raw.event FROM STDIN WITH (FORMAT csv)'",
        'file dependency: table.sql',
      ],
    );
  });
});
