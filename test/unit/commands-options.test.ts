import assert from 'node:assert/strict';
import { Command } from '../../runner/api/command.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { reviveCommands } from '../../runner/api/parallel-task.ts';
import {
  assertAlmostEqual,
  assertEqual,
  assertNotFound,
  CopyFile,
  csv,
  ExecuteSQL,
  HttpRequest,
  jsonl,
  ParallelExecuteSQL,
  parquet,
  ReadFile,
  ReadScriptOutput,
  RemoveFile,
  RunBash,
  RunFunction,
  RunProcess,
  RunScript,
  WriteFile,
} from '../../runner/commands/index.ts';
import { commandDocs } from '../../runner/commands/docs.ts';
import { commandRegistry } from '../../runner/commands/registry.ts';
import { masker } from '../../runner/engine/masks.ts';
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
    'a mapper that nothing runs': [
      () => new ReadFile({ file: 'a.csv', table: 't', mapper: 'map.lua' }),
      'ReadFile: nothing is known that runs "map.lua". Its name must end in one of .ts .mts .cts .js .mjs .cjs .py .sh .rb .pl .R.',
    ],
    'a mapper for Parquet': [
      () => new ReadFile({ file: 'a.parquet', table: 't', mapper: 'map.py' }),
      'ReadFile: a mapper reads text, so it cannot be used with parquet().',
    ],
    'a packed Parquet file': [
      () => new ReadFile({ file: 'a.parquet.gz', table: 't' }),
      'ReadFile: a Parquet file cannot be read from a gzip file: it is packed inside. Set compression to "none".',
    ],
    'makeUnique of a wrong type': [
      () => new ReadFile(untyped({ file: 'a.csv', table: 't', makeUnique: 'yes' })),
      'ReadFile: makeUnique must be true or false, not "yes".',
    ],
    'Parquet of a script': [
      () => new ReadScriptOutput(untyped({ file: 'a.py', table: 't', format: parquet() })),
      'ReadScriptOutput: format must be csv() or jsonl(), not parquet().',
    ],
    'a header to match in a file that is written': [
      () => new WriteFile({ file: 'a.csv', sql: 'select 1', format: csv({ header: 'match' }) }),
      'WriteFile: header must be true or false and footer false: they are for reading.',
    ],
    'a zip file to write': [
      () => new WriteFile(untyped({ file: 'a.zip', sql: 'select 1', compression: 'zip' })),
      'WriteFile: compression must be "none" or "gzip", not "zip".',
    ],
    'a file to write outside of dataDir': [
      () => new WriteFile({ file: 'a/../../b.csv', sql: 'select 1' }),
      'WriteFile: file must be a file below the project\'s dataDir, and "a/../../b.csv" leads out of it.',
    ],
    'a file to copy outside of dataDir': [
      () => new CopyFile({ from: 'a', to: '/etc/passwd' }),
      'CopyFile: to must be a file below the project\'s dataDir, and "/etc/passwd" leads out of it.',
    ],
    'the directory itself': [
      () => new RemoveFile({ file: '.' }),
      'RemoveFile: file must be a file below the project\'s dataDir, and "." leads out of it.',
    ],
    'no file': [() => new RemoveFile(untyped({})), 'RemoveFile: file is missing.'],
    'a check without a description': [
      () => assertNotFound(untyped({ sql: 'select 1' })),
      'assertNotFound: description must be a string that is not empty, not undefined.',
    ],
    'a check with nothing to compare with': [
      () => assertEqual(untyped({ description: 'd', sql: 'select 1' })),
      'assertEqual has neither expected nor otherSql. Give one of them.',
    ],
    'a check with too much to compare with': [
      () => assertEqual(untyped({ description: 'd', sql: 'select 1', expected: 1, otherSql: 'select 1' })),
      'assertEqual has both expected and otherSql. Give one of them.',
    ],
    'a check without a tolerance': [
      () => assertAlmostEqual(untyped({ description: 'd', sql: 'select 1', expected: 1 })),
      'assertAlmostEqual: give either tolerance or relativeTolerance.',
    ],
    'an option of another check': [
      () => assertNotFound(untyped({ description: 'd', sql: 'select 1', expected: 1 })),
      'assertNotFound has an unknown option: "expected". It takes: sql, sqlFile, replace, description, db.',
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
    const shown: (readonly [Command, string])[] = [
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
    shown.push(
      [
        new ReadFile({
          file: 'a.zip',
          table: 't',
          mapper: 'map.py',
          format: csv({ footer: true }),
          makeUnique: true,
        }),
        "unzip -p data/a.zip | python3 map.py | sed '$d' | millrace sql dwh -c 'COPY t FROM STDIN WITH (FORMAT csv) /* then each record once */'",
      ],
      [
        new ReadScriptOutput({ file: 'a.sh', args: ['x y'], table: 't', format: jsonl() }),
        "bash a.sh 'x y' | millrace sql dwh -c 'COPY t FROM STDIN'",
      ],
      [
        new WriteFile({ file: 'a.csv.gz', sql: 'select 1;' }),
        "millrace sql dwh -c 'COPY (select 1\n) TO STDOUT WITH (FORMAT csv)' | gzip > data/a.csv.gz",
      ],
      [
        new HttpRequest({ url: 'https://a.de/?key=x', body: '{}', headers: { accept: '*/*' }, retries: 2 }),
        "curl --fail-with-body --location --request POST --retry 2 --max-time 300 --header 'accept: */*' --data-binary '{}' 'https://a.de/?key=***'",
      ],
      [new CopyFile({ from: 'a', to: 'b c' }), "cp data/a 'data/b c'"],
      [new RemoveFile({ file: 'a' }), 'rm -f data/a'],
      [
        assertEqual({ description: 'd', sql: 'select 1', expected: 'x', db: 'shop' }),
        "# assertEqual: d\nmillrace sql shop -c 'select 1'\n# expected: 'x'",
      ],
    );
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

  it('shows SQL that runs once for each parameter with its placeholders, and no shell command', async () => {
    await using folder = await temporaryFolder({ 'load.sql': "select '@day@' from @schema@.t;\n" });
    const task = new ParallelExecuteSQL({
      id: 'load',
      sqlFile: 'load.sql',
      replace: { '@schema@': 'raw' },
      parameters: () => ['2026-01-01'],
      placeholders: ['@day@'],
    });
    new Pipeline({ id: 'shop', basePath: folder.path }).add(task);
    assert.deepEqual(task.docs(), [
      { label: 'parameters', value: "() => ['2026-01-01']", language: 'typescript' },
      { label: 'placeholders', value: '@day@', language: 'text' },
      { label: 'db', value: 'dwh (default)', language: 'text' },
      { label: 'sql file', value: 'load.sql', language: 'file' },
      { label: 'sql', value: "select '@day@' from @schema@.t;\n", language: 'sql' },
      { label: 'sql after replacement', value: "select '@day@' from raw.t;\n", language: 'sql' },
    ]);
  });

  it('shows files with their content', async () => {
    await using folder = await temporaryFolder({ 'map.py': 'print(1)\n' });
    const command = new ReadFile({
      file: 'a.csv.gz',
      table: 't',
      mapper: 'map.py',
      format: csv({ header: true }),
    });
    taskWith(command, folder.path);
    assert.deepEqual(command.docs(), [
      { label: 'file', value: 'a.csv.gz', language: 'file' },
      { label: 'table', value: 't', language: 'text' },
      { label: 'db', value: 'dwh (default)', language: 'text' },
      { label: 'format', value: 'csv({ header: true })', language: 'text' },
      { label: 'compression', value: 'gzip', language: 'text' },
      { label: 'mapper', value: 'map.py', language: 'file' },
      { label: 'mapper content', value: 'print(1)\n', language: 'text' },
      {
        label: 'command',
        value:
          "gunzip --stdout data/a.csv.gz | python3 map.py | millrace sql dwh -c 'COPY t FROM STDIN WITH (FORMAT csv, HEADER)'",
        language: 'bash',
      },
    ]);
  });

  it('masks secrets, and shows in place that a command cannot say what it does', () => {
    const leaky = new RunBash('echo p4ssword');
    assert.deepEqual(commandDocs(leaky, masker(['p4ssword'])), [
      { label: 'command', value: 'echo ***', language: 'bash' },
    ]);
    class Broken extends Command {
      override shellCommand(): string {
        throw new Error('no p4ssword');
      }
    }
    assert.deepEqual(commandDocs(new Broken(), masker(['p4ssword'])), [
      { label: 'command', value: 'cannot be shown: no ***', language: 'text' },
    ]);
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
      new ReadFile({ file: 'a.zip', table: 't', mapper: 'a.py', makeUnique: true }),
      new ReadScriptOutput({ file: 'a.py', args: ['x'], table: 't' }),
      new WriteFile({ file: 'a.csv', sql: 'select 1', format: csv({ header: true }) }),
      new HttpRequest({ url: 'http://a.de/', headers: { accept: '*/*' }, timeout: 3 }),
      new CopyFile({ from: 'a', to: 'b' }),
      new RemoveFile({ file: 'a' }),
      assertEqual({ description: 'd', sql: 'select 1', otherSql: 'select 2' }),
      assertEqual({ description: 'd', sql: 'select 1', expected: 12345678901234567890n }),
      assertNotFound({ description: 'd', sqlFile: 'a.sql', replace: { '@a@': 1 } }),
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
      new ReadScriptOutput({ file: 'a.py', args: () => [], table: 't' }),
      new WriteFile({ file: 'a.csv', sql: () => 'select 1' }),
      new HttpRequest({ url: () => 'http://a.de/' }),
      assertEqual({ description: 'd', sql: 'select 1', otherSql: () => 'select 2' }),
    ];
    for (const command of bound) assert.equal(command.spec(), undefined);
  });
});
