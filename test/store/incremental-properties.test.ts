/** Whatever happens to the files and to the runs: the tables end as if everything had been loaded at once. */
import assert from 'node:assert/strict';
import { rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { ExecuteSQL, ParallelReadFile, type ReadMode } from '../../runner/commands/index.ts';
import { testContext } from '../support/commands.ts';
import { runParallelTask } from '../support/expansion.ts';
import { DoomedConnection, type Fate } from '../support/files-to-load.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Rows of each file; with fewer, nobody would see a half loaded one. */
const ROWS = 3;
const names = [
  '2026-01-01-a.csv',
  '2026-01-01-b.csv',
  '2026-01-02-a.csv',
  '2026-01-03-a.csv',
  '2026-01-03-b.csv',
];

type Step =
  | { readonly type: 'write' | 'remove'; readonly file: string }
  | { readonly type: 'change table' }
  | { readonly type: 'run' | 'resume'; readonly cut: Fate | null; readonly parallel: number };

interface Variant {
  readonly mode: ReadMode;
  readonly truncate: boolean;
}

const fate = fc.record({ left: fc.integer({ min: 1, max: 40 }), after: fc.boolean() });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('write' as const), file: fc.constantFrom(...names) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('remove' as const), file: fc.constantFrom(...names) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('change table' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom('run' as const, 'resume' as const),
      cut: fc.option(fate),
      parallel: fc.constantFrom(1, 2),
    }),
  },
);

/** A run is cut after it has loaded something, and gone on with when what the table is made by has changed. */
const editedInBetween: Step[] = [
  { type: 'write', file: '2026-01-01-a.csv' },
  { type: 'run', cut: null, parallel: 1 },
  { type: 'run', cut: { left: 28, after: false }, parallel: 1 },
  { type: 'change table' },
  { type: 'resume', cut: null, parallel: 1 },
];

describe('incremental work', function () {
  this.timeout(300_000);
  let server: TestServer;
  before(async () => {
    server = await testServer();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const variants: readonly Variant[] = [
    { mode: 'onlyNew', truncate: false },
    { mode: 'onlyChanged', truncate: false },
    { mode: 'all', truncate: false },
    { mode: 'onlyNewExceptLatest', truncate: false },
    { mode: 'onlyNew', truncate: true },
    { mode: 'onlyChanged', truncate: true },
    { mode: 'all', truncate: true },
  ];
  for (const variant of variants) {
    it(`ends in a full load, with ${variant.mode}${variant.truncate ? ' and emptied partitions' : ''}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), steps => play(variant, steps)),
        { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 12), examples: [[editedInBetween]] },
      );
    });
  }

  async function play({ mode, truncate }: Variant, steps: readonly Step[]): Promise<void> {
    await using folder = await temporaryFolder({ 'data/.keep': '', 'table.sql': '' });
    await using connection = new DoomedConnection(server);
    await server.query(
      'drop schema if exists raw cascade; drop schema if exists millrace_loaded cascade; create schema raw',
    );
    const versions = new Map<string, number>();
    let version = 0;
    let tableVersion = 0;
    const describeTable = async (): Promise<void> => {
      await folder.write({
        'table.sql': `-- ${String(++tableVersion)}
          drop table if exists raw.event;
          create table raw.event (file text, version int, day_id int) partition by list (day_id);`,
      });
    };
    await describeTable();
    const stored = new Map<string, string>();

    const read = new ParallelReadFile({
      id: 'load',
      filePattern: '*.csv',
      readMode: mode,
      table: 'raw.event',
      dateRegex: /(\d{4})-(\d\d)-(\d\d)/,
      partitionByDay: true,
      truncatePartitions: truncate,
      fileDependencies: ['table.sql'],
      // All files, each time: the table is to hold them once.
      ...(mode === 'all' && !truncate
        ? { commandsBefore: [new ExecuteSQL({ sql: 'truncate raw.event' })] }
        : {}),
    });
    new Pipeline({ id: 'shop', basePath: folder.path }).add(read);
    let chain = 0;
    let succeeded = new Set<string>();

    const run = async (isResumed: boolean, cut: Fate | null, parallel: number): Promise<void> => {
      if (!isResumed || chain === 0) {
        chain++;
        succeeded = new Set();
      }
      connection.fate = cut === null ? null : { ...cut };
      try {
        if (!succeeded.has('table')) {
          const command = new ExecuteSQL({
            sqlFile: 'table.sql',
            fileDependencies: ['table.sql'],
            echoQueries: false,
          });
          await command.run(
            testContext(command, { basePath: folder.path, stored, db: () => connection.attempt().db() }),
          );
          succeeded.add('table');
        }
        await runParallelTask(read, {
          basePath: folder.path,
          dataDir: join(folder.path, 'data'),
          chain: `run ${String(chain)}`,
          succeeded,
          parallel,
          onSucceeded: id => succeeded.add(id),
          attempt: connection.attempt,
        });
        // A run that succeeded is not gone on with.
        chain++;
        succeeded = new Set();
      } catch (error) {
        if (!connection.isCut) throw error;
      }
      await checkWholeFiles();
    };

    /** No file is loaded in part or twice, and what is on record is what is there. */
    const checkWholeFiles = async (): Promise<void> => {
      const rows = await loadedFiles();
      for (const { file, version: loaded, count } of rows)
        assert.equal(count, ROWS, `${file} ${String(loaded)}`);
      const [there] = await server.query(
        `select to_regclass('millrace_loaded.file') is not null and to_regclass('raw.event') is not null as there`,
      );
      if (there?.['there'] !== true || (mode === 'all' && !truncate)) return;
      const recorded = await server.query(
        `select file_name from millrace_loaded.file join millrace_loaded.target using (target_id)
        where relation = to_regclass('raw.event') order by 1`,
      );
      assert.deepEqual(
        recorded.map(row => row['file_name']),
        [...new Set(rows.map(row => row.file))],
      );
    };
    const loadedFiles = async (): Promise<{ file: string; version: number; count: number }[]> => {
      const [there] = await server.query(`select to_regclass('raw.event') is not null as there`);
      if (there?.['there'] !== true) return [];
      const rows = await server.query(
        'select file, version, count(*)::int as count from raw.event group by 1, 2 order by 1, 2',
      );
      return rows.map(row => ({
        file: String(row['file']),
        version: Number(row['version']),
        count: Number(row['count']),
      }));
    };

    for (const next of steps) {
      switch (next.type) {
        case 'write': {
          versions.set(next.file, ++version);
          const dayId = next.file.slice(0, 10).replaceAll('-', '');
          await folder.write({
            [`data/${next.file}`]: `${next.file},${String(version)},${dayId}\n`.repeat(ROWS),
          });
          const time = new Date(Date.UTC(2026, 0, 1) + version * 1000);
          await utimes(join(folder.path, 'data', next.file), time, time);
          break;
        }
        case 'remove':
          versions.delete(next.file);
          await rm(join(folder.path, 'data', next.file), { force: true });
          break;
        case 'change table':
          await describeTable();
          break;
        case 'run':
        case 'resume':
          await run(next.type === 'resume', next.cut, next.parallel);
          break;
      }
    }
    await run(false, null, 2);

    const rows = await loadedFiles();
    const loaded = new Map(Map.groupBy(rows, row => row.file));
    const expected =
      mode === 'onlyNewExceptLatest' ? [...versions.keys()].sort().slice(0, -1) : [...versions.keys()];
    for (const file of expected) {
      const found = loaded.get(file)?.map(row => row.version) ?? [];
      if (mode === 'onlyNew' || mode === 'onlyNewExceptLatest') assert.equal(found.length, 1, file);
      else assert.equal(found.filter(each => each === versions.get(file)).length, 1, file);
      if (truncate || mode === 'all') assert.equal(found.length, 1, file);
    }
    if (mode === 'all' && !truncate) assert.equal(rows.length, versions.size);
    // And then there is nothing left to do.
    if (mode !== 'all') {
      const before = JSON.stringify(rows);
      await run(false, null, 1);
      assert.equal(JSON.stringify(await loadedFiles()), before);
    }
  }
});
