import assert from 'node:assert/strict';
import { reviveCommands } from '../../runner/api/parallel-task.ts';
import { Copy, CopyIncrementally, ReadSQLite } from '../../runner/commands/index.ts';
import { commandRegistry } from '../../runner/commands/registry.ts';
import { messageOf, taskWith } from '../support/commands.ts';

/** What callers without types can pass. */
const untyped = (value: unknown): never => value as never;

const copy = { from: 'shop', table: 'raw.t', sql: 'select 1' } as const;
const incremental = {
  from: 'shop',
  sourceTable: 'orders',
  modificationComparison: 'changed',
  comparisonValuePlaceholder: '@c@',
  table: 'raw.t',
  primaryKeys: ['id'],
  sql: 'select * from orders where @c@',
} as const;

describe('options of commands that copy', () => {
  const mistakes: Readonly<Record<string, readonly [() => unknown, string]>> = {
    'no source': [() => new Copy(untyped({ table: 't', sql: 'select 1' })), 'Copy: from is missing.'],
    'no table': [() => new Copy(untyped({ from: 'a', sql: 'select 1' })), 'Copy: table is missing.'],
    'no SQL': [
      () => new Copy(untyped({ from: 'a', table: 't' })),
      'Copy has neither sql nor sqlFile. Give one of them.',
    ],
    'an unknown option': [
      () => new Copy(untyped({ ...copy, target: 't' })),
      'Copy has an unknown option: "target". It takes: sql, sqlFile, replace, from, to, table, timezone, csvFormat, delimiter, fileDependencies.',
    ],
    'a format that is none': [
      () => new Copy(untyped({ ...copy, csvFormat: 'yes' })),
      'Copy: csvFormat must be true or false, not "yes".',
    ],
    'a delimiter that is none': [
      () => new Copy({ ...copy, delimiter: ';;' }),
      'Copy: delimiter must be one ASCII character that is no small letter, digit, quote, dot or backslash, not ";;".',
    ],
    'keys that are no list': [
      () => new CopyIncrementally(untyped({ ...incremental, primaryKeys: 'id' })),
      'CopyIncrementally: primaryKeys must be an array of different names of columns, not "id". An empty one only adds rows.',
    ],
    'the same key twice': [
      () => new CopyIncrementally({ ...incremental, primaryKeys: ['id', 'id'] }),
      'CopyIncrementally: primaryKeys must be an array of different names of columns, not an array. An empty one only adds rows.',
    ],
    'no comparison': [
      () => new CopyIncrementally(untyped({ ...incremental, modificationComparison: undefined })),
      'CopyIncrementally: modificationComparison is missing.',
    ],
    'the placeholder replaced otherwise': [
      () => new CopyIncrementally({ ...incremental, replace: { '@c@': '1=1' } }),
      'CopyIncrementally: replace must not hold the comparisonValuePlaceholder "@c@".',
    ],
    'no SQLite file': [
      () => new ReadSQLite(untyped({ table: 't', sql: 'select 1' })),
      'ReadSQLite: file is missing.',
    ],
  };
  for (const [name, [make, message]] of Object.entries(mistakes)) {
    it(name, async () => {
      assert.equal(await messageOf(make), message);
    });
  }

  it('what they show', () => {
    const shown = [
      new Copy({ ...copy, replace: { '1': '2' }, timezone: 'UTC', fileDependencies: ['a.sql'] }),
      new CopyIncrementally(incremental),
      new ReadSQLite({ file: 'a.db', table: 't', sql: 'select 1' }),
    ].map(command => {
      taskWith(command, '/project');
      return command.docs().map(({ label, value }) => `${label}: ${value}`);
    });
    assert.deepEqual(shown, [
      [
        'from: shop',
        'to: dwh (default)',
        'table: raw.t',
        'timezone: UTC',
        'sql: select 1',
        'sql after replacement: select 2',
        `command: millrace sql shop -c 'select 2' | millrace sql dwh -c 'COPY raw.t FROM STDIN'`,
        'file dependency: a.sql',
      ],
      [
        'from: shop',
        'source table: orders',
        'to: dwh (default)',
        'table: raw.t',
        'primary keys: id',
        'modification comparison: changed',
        'placeholder: @c@',
        'sql: select * from orders where @c@',
        'first copy: select * from orders where (1=1)',
        `command: millrace sql shop -c 'select * from orders where (1=1)' | millrace sql dwh -c 'COPY raw.t FROM STDIN'`,
      ],
      [
        'file: a.db',
        'table: t',
        'db: dwh (default)',
        'sql: select 1',
        `command: sqlite3 -readonly data/a.db 'select 1' | millrace sql dwh -c 'COPY t FROM STDIN'`,
      ],
    ]);
  });

  it('they travel to another process, unless a function is in them', () => {
    const commands = [
      new Copy(copy),
      new CopyIncrementally(incremental),
      new ReadSQLite({ file: 'a', table: 't', sql: 's' }),
    ];
    const specs = commands.map(command => command.spec() ?? assert.fail());
    const [revived] = reviveCommands(JSON.parse(JSON.stringify(specs)) as typeof specs, commandRegistry);
    assert(revived instanceof Copy);
    assert.equal(new Copy({ ...copy, sql: () => 'select 1' }).spec(), undefined);
  });
});
