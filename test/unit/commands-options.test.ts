import assert from 'node:assert/strict';
import type { Command } from '../../runner/api/command.ts';
import { reviveCommands } from '../../runner/api/parallel-task.ts';
import {
  csv,
  ExecuteSQL,
  jsonl,
  ReadFile,
  RunBash,
  RunFunction,
  RunProcess,
  RunScript,
} from '../../runner/commands/index.ts';
import { commandRegistry } from '../../runner/commands/registry.ts';
import { messageOf, taskWith } from '../support/commands.ts';
import { temporaryFolder } from '../support/temp.ts';

/** What callers without types can pass. */
const untyped = (value: unknown): never => value as never;

describe('options of commands', () => {
  const mistakes: Readonly<Record<string, readonly [() => unknown, string]>> = {
    'both sql and sqlFile': [
      () => new ExecuteSQL(untyped({ sql: 'select 1', sqlFile: 'a.sql' })),
      'ExecuteSQL has both sql and sqlFile ("a.sql"). Give one of them.',
    ],
    'neither sql nor sqlFile': [
      () => new ExecuteSQL(untyped({ db: 'dwh' })),
      'ExecuteSQL has neither sql nor sqlFile. Give one of them.',
    ],
    'an unknown option': [
      () => new ExecuteSQL(untyped({ sqlfile: 'a.sql' })),
      'ExecuteSQL has an unknown option: "sqlfile" (did you mean "sqlFile"?).',
    ],
    'sql of a wrong type': [
      () => new ExecuteSQL(untyped({ sql: 1 })),
      'ExecuteSQL: sql must be a string or a function, not 1.',
    ],
    'a replacement of a wrong type': [
      () => new ExecuteSQL(untyped({ sql: '@x@', replace: { '@x@': true } })),
      'ExecuteSQL: "@x@" must be replaced by a string, a number or a function, not true.',
    ],
    'an empty text to replace': [
      () => new ExecuteSQL({ sql: '@x@', replace: { '': 'a' } }),
      'ExecuteSQL: a text to replace must not be empty.',
    ],
    'file dependencies that are no list': [
      () => new ExecuteSQL(untyped({ sql: 'select 1', fileDependencies: 'a.sql' })),
      'ExecuteSQL: fileDependencies must be an array of file names, not "a.sql".',
    ],
    'an empty shell command': [
      () => new RunBash(' '),
      'RunBash: command must be a string that is not empty, or a function, not " ".',
    ],
    'no shell command': [
      () => new RunBash(untyped({})),
      'RunBash: command must be a string that is not empty, or a function, not undefined.',
    ],
    'an environment of a wrong type': [
      () => new RunBash(untyped({ command: 'true', env: { SECRET: 42 } })),
      'RunBash: the environment variable SECRET must be a string or undefined.',
    ],
    'arguments of a wrong type': [
      () => new RunProcess(untyped({ command: 'ls', args: ['-l', 1] })),
      'RunProcess: args must be an array of strings, not one with other values.',
    ],
    'a function that is none': [
      () => new RunFunction(untyped({ fn: 'load' })),
      'RunFunction: fn must be a function, not "load".',
    ],
    'a script that nothing runs': [
      () => new RunScript({ file: 'script.lua' }),
      'RunScript: nothing is known that runs "script.lua". Its name must end in one of .ts .mts .cts .js .mjs .cjs .py .sh .rb .pl .R; run other programs with RunProcess.',
    ],
    'no table': [() => new ReadFile(untyped({ file: 'a.csv' })), 'ReadFile: table is missing.'],
    'an unknown compression': [
      () => new ReadFile(untyped({ file: 'a.csv', table: 't', compression: 'bzip2' })),
      'ReadFile: compression must be "none", "gzip", "zip" or "tar.gz", not "bzip2".',
    ],
    'a format that is none': [
      () => new ReadFile(untyped({ file: 'a.csv', table: 't', format: 'csv' })),
      'ReadFile: format must be csv(), jsonl() or parquet(), not "csv".',
    ],
    'a long delimiter': [
      () => csv({ delimiter: '||' }),
      'csv(): delimiter must be one ASCII character, not "||".',
    ],
    'the same delimiter and quote': [
      () => csv({ delimiter: '"' }),
      'csv(): delimiter and quote must not be the same character.',
    ],
  };
  for (const [what, [make, message]] of Object.entries(mistakes)) {
    it(`reports ${what}`, async () => {
      assert.equal(await messageOf(make), message);
    });
  }

  it('is red in the editor where it is wrong', () => {
    const makers = [
      // @ts-expect-error -- one of them
      () => new ExecuteSQL({ sql: 'select 1', sqlFile: 'a.sql' }),
      // @ts-expect-error -- one of them
      () => new ExecuteSQL({ db: 'dwh' }),
      // @ts-expect-error -- there is no such option
      () => new ExecuteSQL({ sql: 'select 1', echo: true }),
      // @ts-expect-error -- the function takes a number
      () => new RunFunction({ fn: (_, count: number) => count > 0, args: ['one'] }),
      // @ts-expect-error -- the function needs an argument
      () => new RunFunction({ fn: (_, count: number) => count > 0 }),
      // @ts-expect-error -- a command must be given
      () => new RunBash({ cwd: 'sub' }),
      // @ts-expect-error -- not made by csv() or jsonl()
      () => new ReadFile({ file: 'a.csv', table: 't', format: 'csv' }),
    ];
    assert.equal(makers.length, 7);
  });

  it('shows what would run', () => {
    const shown: readonly (readonly [Command, string])[] = [
      [new RunBash('  ping -c 3 localhost\n'), 'ping -c 3 localhost'],
      [new RunBash(() => 'echo a'), 'echo a'],
      [
        new RunProcess({ command: 'git', args: ['log', '--format=%h %s', "it's", ''] }),
        "git log '--format=%h %s' 'it'\\''s' ''",
      ],
      [new RunScript({ file: 'a.ts', args: ['x y'] }), "node a.ts 'x y'"],
      [new RunScript({ file: 'a.py' }), 'python3 a.py'],
      [
        new RunFunction(function load(context) {
          context.log.info('');
        }),
        'load()',
      ],
      [
        new RunFunction({ fn: (_, a: number, b: object) => a > 0 && 'c' in b, args: [1, { c: 'd' }] }),
        'fn(1, {"c":"d"})',
      ],
      [new ExecuteSQL({ sqlFile: 'sql/a b.sql' }), "millrace sql dwh -f 'sql/a b.sql'"],
      [
        new ExecuteSQL({ sql: 'select @x@', replace: { '@x@': 1 }, db: 'shop' }),
        "millrace sql shop -c 'select 1'",
      ],
      [
        new ReadFile({
          file: 'a.csv.gz',
          table: 'raw.a',
          format: csv({ header: true, delimiter: '\t', nullValue: 'N' }),
        }),
        `gunzip --stdout data/a.csv.gz | millrace sql dwh -c 'COPY raw.a FROM STDIN WITH (FORMAT csv, DELIMITER E'\\''\\t'\\'', HEADER, NULL '\\''N'\\'')'`,
      ],
    ];
    for (const [command, text] of shown) assert.equal(command.shellCommand(), text);
  });

  it('documents itself, and shows in place what cannot be shown', async () => {
    await using folder = await temporaryFolder({ 'load.sql': 'select @x@;' });
    const command = new ExecuteSQL({
      sqlFile: 'load.sql',
      replace: { '@x@': () => 1 },
      timezone: 'UTC',
      fileDependencies: ['load.sql'],
    });
    taskWith(command, folder.path);
    assert.deepEqual(command.docs(), [
      { label: 'db', value: 'dwh (default)', language: 'text' },
      { label: 'timezone', value: 'UTC', language: 'text' },
      { label: 'sql file', value: 'load.sql', language: 'file' },
      { label: 'sql', value: 'select @x@;', language: 'sql' },
      { label: 'sql after replacement', value: 'select 1;', language: 'sql' },
      { label: 'command', value: "millrace sql dwh -c 'select 1;'", language: 'bash' },
      { label: 'file dependency', value: 'load.sql', language: 'file' },
    ]);
    const missing = new ExecuteSQL({ sqlFile: 'gone.sql' });
    taskWith(missing, folder.path);
    assert.deepEqual(missing.docs()[2], {
      label: 'sql',
      value: `cannot be shown: Task "shop/load": there is no file ${folder.path}/gone.sql ("gone.sql" is relative to the base path of pipeline "shop").`,
      language: 'text',
    });
  });

  it('never shows values of the environment', () => {
    const docs = JSON.stringify(new RunBash({ command: 'true', env: { TOKEN: 's3cret' } }).docs());
    assert.ok(docs.includes('TOKEN') && !docs.includes('s3cret'));
  });

  it('travels to another process unless it holds a function', () => {
    const plain = [
      new RunBash({ command: 'ls', cwd: 'sub', env: { A: 'b' } }),
      new RunProcess({ command: 'ls', args: ['-l'] }),
      new RunScript({ file: 'a.sh', args: ['x'] }),
      new ExecuteSQL({ sql: 'select @x@', replace: { '@x@': 1 } }),
      new ReadFile({ file: 'a.jsonl', table: 't', format: jsonl() }),
    ];
    for (const command of plain) {
      const spec = command.spec();
      assert.ok(spec !== undefined);
      const [revived] = reviveCommands([JSON.parse(JSON.stringify(spec)) as typeof spec], commandRegistry);
      assert.equal(revived?.constructor, command.constructor);
      assert.deepEqual(revived.docs(), command.docs());
    }
    const bound = [
      new RunBash(() => 'ls'),
      new RunProcess({ command: 'ls', args: () => [] }),
      new RunScript({ file: 'a.sh', args: () => [] }),
      new RunFunction(() => undefined),
      new ExecuteSQL({ sql: () => 'select 1' }),
      new ExecuteSQL({ sql: '@x@', replace: { '@x@': () => 1 } }),
    ];
    for (const command of bound) assert.equal(command.spec(), undefined);
  });
});
