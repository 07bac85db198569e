import assert from 'node:assert/strict';
import type { Command } from '../../runner/api/command.ts';
import {
  assertAlmostEqual,
  assertBiggerThanOrEqual,
  assertEqual,
  assertNotEqual,
  assertNotFound,
  assertSmallerThanOrEqual,
} from '../../runner/commands/index.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { runCommand } from '../support/run-command.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

describe('consistency checks', () => {
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

  const run = async (command: Command): Promise<readonly string[]> =>
    (await runCommand(server, folder.path, command)).lines;

  it('say what they have found', async () => {
    const description = 'All orders arrive';
    assert.deepEqual(await run(assertEqual({ description, sql: 'select 5', expected: 5 })), [
      '> assertEqual: All orders arrive',
      '5 (expected: 5)',
    ]);
    assert.deepEqual(
      await run(assertNotEqual({ description, sql: 'select 5;', otherSql: () => 'select null' })),
      ['> assertNotEqual: All orders arrive', '5, not NULL'],
    );
    assert.deepEqual(await run(assertNotFound({ description, sql: 'select 1 where false' })), [
      '> assertNotFound: All orders arrive',
      'nothing found',
    ]);
  });

  it('fail with description, both values and both queries', async () => {
    await folder.write({ 'count.sql': 'select count(*)\n  from generate_series(1, @n@);\n' });
    assert.deepEqual(
      await run(
        assertEqual({
          description: 'All orders arrive',
          sqlFile: 'count.sql',
          replace: { '@n@': 3 },
          otherSql: "select '@n@.5'::numeric",
        }),
      ),
      [
        '> assertEqual: All orders arrive',
        `All orders arrive: 3 should be equal to 3.5.
  3 ← select count(*)
      from generate_series(1, 3);
  3.5 ← select '3.5'::numeric`,
      ],
    );
    assert.deepEqual(
      (await run(assertSmallerThanOrEqual({ description: 'Few', sql: "select 'b'", expected: 'a' }))).at(-1),
      "Few: 'b' should be at most 'a'.\n  'b' ← select 'b'",
    );
  });

  it('show the rows that should not be there', async () => {
    const rows = (count: number): Promise<readonly string[]> =>
      run(
        assertNotFound({
          description: 'No order without a customer',
          sql: `select id, 'order ' || id as name from generate_series(1, ${String(count)}) id`,
        }),
      );
    assert.equal(
      (await rows(1)).at(-1),
      `No order without a customer: 1 row found, there should be none.
   id |  name
  ----+---------
    1 | order 1
  ← select id, 'order ' || id as name from generate_series(1, 1) id`,
    );
    const many = (await rows(20_000)).at(-1)?.split('\n') ?? [];
    assert.equal(many[0], 'No order without a customer: 20,000 rows found, there should be none.');
    assert.deepEqual(many.slice(-3, -1), ['   10 | order 10', '  … 19,990 more']);
  });

  const outcomes: readonly (readonly [what: string, command: Command, holds: boolean])[] = [
    ['1 = 1.0', assertEqual({ description: 'd', sql: 'select 1', expected: 1.0 }), true],
    ['numeric 1.50 = 1.5', assertEqual({ description: 'd', sql: 'select 1.50', expected: 1.5 }), true],
    [
      'long numbers',
      assertEqual({ description: 'd', sql: 'select 9007199254740993', expected: 9007199254740992n }),
      false,
    ],
    ['true', assertEqual({ description: 'd', sql: 'select true', expected: true }), true],
    ['NULL = NULL', assertEqual({ description: 'd', sql: 'select null', expected: null }), true],
    ['NULL = 0', assertEqual({ description: 'd', sql: 'select null', expected: 0 }), false],
    ['NULL <= 1', assertSmallerThanOrEqual({ description: 'd', sql: 'select null', expected: 1 }), false],
    ['9 <= 10', assertSmallerThanOrEqual({ description: 'd', sql: 'select 9', expected: 10 }), true],
    ['10 >= 9', assertBiggerThanOrEqual({ description: 'd', sql: 'select 10', expected: 9 }), true],
    ['9 >= 10', assertBiggerThanOrEqual({ description: 'd', sql: 'select 9', expected: 10 }), false],
    [
      'a later day',
      assertBiggerThanOrEqual({ description: 'd', sql: "select date '2026-10-01'", expected: '2026-09-30' }),
      true,
    ],
    ['within 1', assertAlmostEqual({ description: 'd', sql: 'select 9', expected: 10, tolerance: 1 }), true],
    [
      'not within 1',
      assertAlmostEqual({ description: 'd', sql: 'select 8.9', expected: 10, tolerance: 1 }),
      false,
    ],
    [
      'within 10 %',
      assertAlmostEqual({ description: 'd', sql: 'select -90', expected: -100, relativeTolerance: 0.1 }),
      true,
    ],
    [
      'not within 10 %',
      assertAlmostEqual({ description: 'd', sql: 'select 89', expected: 100, relativeTolerance: 0.1 }),
      false,
    ],
    [
      'NULL near 0',
      assertAlmostEqual({ description: 'd', sql: 'select null', expected: 0, tolerance: 1 }),
      false,
    ],
  ];
  for (const [what, command, holds] of outcomes) {
    it(`${holds ? 'accepts' : 'refuses'} ${what}`, async () => {
      const { failure } = await runCommand(server, folder.path, command);
      assert.equal(failure === undefined, holds, failure);
    });
  }

  it('names the tolerance', async () => {
    const lines = await run(
      assertAlmostEqual({ description: 'Close', sql: 'select 8', expected: 10, tolerance: 1 }),
    );
    assert.equal(lines.at(-1), 'Close: 8 should almost be equal to 10 (to 1).\n  8 ← select 8');
  });

  it('report queries that are none or give more than one value', async () => {
    const failure = async (sql: string): Promise<string | undefined> =>
      (await run(assertEqual({ description: 'd', sql, expected: 1 }))).at(-1);
    assert.equal(
      await failure('select 1, 2'),
      'dwh: a query of a check must give one value, not 1 row with 2 columns:\n  select 1, 2',
    );
    assert.equal(
      await failure('select generate_series(1, 3)'),
      'dwh: a query of a check must give one value, not 3 rows with 1 column:\n  select generate_series(1, 3)',
    );
    assert.equal(
      await failure('select 1; select 2'),
      'dwh: a check takes one query, not 2 statements:\n  select 1; select 2',
    );
    assert.equal(
      await failure('select foo'),
      'dwh: ERROR: column "foo" does not exist\n  select foo\n         ^',
    );
  });
});
