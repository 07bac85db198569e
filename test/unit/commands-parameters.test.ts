/** Parameters of a run in the functions that commands are given, when they run and when they are shown. */
import assert from 'node:assert/strict';
import { Pipeline, Task } from '../../runner/api/index.ts';
import type { Command } from '../../runner/api/command.ts';
import type { CommandContext, ParameterContext } from '../../runner/api/context.ts';
import { toGraph } from '../../runner/api/graph.ts';
import {
  assertEqual,
  Copy,
  CopyIncrementally,
  ExecuteSQL,
  HttpRequest,
  ParallelExecuteSQL,
  ReadScriptOutput,
  ReadSQLite,
  RunBash,
  RunFunction,
  RunProcess,
  RunScript,
  WriteFile,
} from '../../runner/commands/index.ts';
import { SqlText } from '../../runner/commands/sql-text.ts';
import { withParameters } from '../../runner/pool/parameter-variables.ts';
import { testContext } from '../support/commands.ts';
import { temporaryFolder } from '../support/temp.ts';

const day = ({ params }: ParameterContext): string => String(params['day']);

/** A task below two pipelines with parameters. */
function inPipelines(command: Command, basePath = '/'): Task {
  const task = new Task({ id: 'load', commands: [command] });
  const inner = new Pipeline({ id: 'inner', params: { day: '2020-01-01', size: 3 } }).add(task);
  new Pipeline({
    id: 'outer',
    basePath,
    params: { day: { type: 'date', default: '2026-01-01' }, name: { type: 'string' }, full: false },
  }).add(inner);
  return task;
}

function shown(command: Command): string {
  inPipelines(command);
  return command.shellCommand();
}

async function lines(command: Command, params: CommandContext['params']): Promise<readonly string[]> {
  await using folder = await temporaryFolder({ 'a.sh': 'echo "script $1"' });
  inPipelines(command, folder.path);
  const context = testContext(command, { basePath: folder.path, params });
  await command.run(context);
  return context.lines;
}

describe('parameters of a run in commands', () => {
  const params = { day: '2026-05-05', name: 'x', size: 3, full: false };

  it('reach the functions of programs', async () => {
    assert.deepEqual(await lines(new RunBash(context => `echo ${day(context)}`), params), [
      '> echo 2026-05-05',
      '2026-05-05',
    ]);
    assert.deepEqual(
      await lines(new RunProcess({ command: 'echo', args: context => [day(context)] }), params),
      ['> echo 2026-05-05', '2026-05-05'],
    );
    assert.deepEqual(await lines(new RunScript({ file: 'a.sh', args: context => [day(context)] }), params), [
      '> bash a.sh 2026-05-05',
      'script 2026-05-05',
    ]);
  });

  it('reach SQL', async () => {
    for (const options of [
      { sql: (context: ParameterContext) => `select '${day(context)}'` },
      { sql: "select '@day@'", replace: { '@day@': day } },
      { sql: () => "select '@day@'", replace: { '@day@': day } },
    ]) {
      const command = new ExecuteSQL(options);
      inPipelines(command);
      const context = testContext(command, { basePath: '/', params });
      assert.equal((await new SqlText('ExecuteSQL', options).load(context)).script, "select '2026-05-05'");
      assert.match(command.shellCommand(), /2026-01-01/);
    }
  });

  it('reach the commands of a dynamic task', async () => {
    const task = new Task({ id: 'a', commands: context => [new RunBash(`echo ${day(context)}`)] });
    const [command] = await task.resolveCommands({ params });
    assert.equal(command?.shellCommand(), 'echo 2026-05-05');
  });

  it('are shown with the defaults of the pipelines around, of which the outer ones win', () => {
    const text = ({ params }: ParameterContext): string => JSON.stringify(params);
    assert.equal(shown(new RunBash(text)), '{"day":"2026-01-01","size":3,"name":"<name>","full":false}');
    assert.equal(
      shown(new RunProcess({ command: 'echo', args: context => [day(context)] })),
      'echo 2026-01-01',
    );
    assert.equal(
      shown(new RunScript({ file: 'a.sh', args: context => [day(context)] })),
      'bash a.sh 2026-01-01',
    );
    assert.equal(
      shown(new ReadScriptOutput({ file: 'a.sh', args: context => [day(context)], table: 't' })).split(
        ' |',
      )[0],
      'bash a.sh 2026-01-01',
    );
    const sql = (context: ParameterContext): string => `select ${day(context)}`;
    for (const command of [
      new Copy({ from: 'a', table: 't', sql }),
      new CopyIncrementally({
        ...{ from: 'a', table: 't', sql, sourceTable: 's', primaryKeys: [] },
        ...{ modificationComparison: 'm', comparisonValuePlaceholder: '@m@' },
      }),
      new ReadSQLite({ file: 'a.db', table: 't', sql }),
      new WriteFile({ file: 'a.csv', sql }),
      assertEqual({ description: 'd', sql, expected: 1 }),
      assertEqual({ description: 'd', sql: 'select 1', otherSql: sql }),
      assertEqual({ description: 'd', sql: 'select @day@', expected: 1, replace: { '@day@': day } }),
    ])
      assert.match(shown(command), /select 2026-01-01/);
    const request = new HttpRequest({
      url: context => `https://example.com/${day(context)}`,
      headers: context => ({ Accept: day(context) }),
      body: context => day(context),
    });
    assert.match(
      shown(request),
      /--header 'Accept: 2026-01-01' --data-binary 2026-01-01 https:\/\/example\.com\/2026-01-01$/,
    );
    assert.deepEqual(
      request.docs().flatMap(({ label, value }) => (label === 'url' || label === 'body' ? [value] : [])),
      ['https://example.com/2026-01-01', '2026-01-01'],
    );
  });

  it('that have no default are shown as their names, and what cannot be done with these is told', () => {
    const name = ({ params }: ParameterContext): string => String(params['name']);
    assert.equal(shown(new RunBash(context => `echo ${name(context)}`)), 'echo <name>');
    const year = new RunBash(context => new Date(name(context)).toISOString());
    const task = inPipelines(year);
    assert.deepEqual(year.docs(), [
      { label: 'command', value: 'cannot be shown: Invalid time value', language: 'text' },
    ]);
    assert.equal(toGraph(task).commands?.[0]?.summary, 'Invalid time value');
  });

  it('are shown in a command of a parallel task', () => {
    const task = new ParallelExecuteSQL({
      id: 'all',
      sql: 'select @day@, @n@',
      replace: { '@day@': day },
      parameters: () => [1],
      placeholders: ['@n@'],
    });
    new Pipeline({ id: 'p', params: { day: '2026-01-01' } }).add(task);
    assert.equal(
      task.docs().find(({ label }) => label === 'sql after replacement')?.value,
      'select 2026-01-01, @n@',
    );
    const child = task.childCommand(7);
    child.parent = task;
    assert.match(child.shellCommand(), /select 2026-01-01, 7/);
  });

  it('leave alone which commands travel to other processes', () => {
    assert.equal(new RunBash(day).spec(), undefined);
    assert.equal(new ExecuteSQL({ sql: 'select @day@', replace: { '@day@': day } }).spec(), undefined);
    assert.equal(new RunProcess({ command: 'a', args: () => [] }).spec(), undefined);
    assert.equal(new HttpRequest({ url: day }).spec(), undefined);
    assert.deepEqual(new RunBash('true').spec(), { kind: 'RunBash', options: { command: 'true' } });
  });

  it('count as a file that work depends on, those that it has read', async () => {
    await using folder = await temporaryFolder({ 'a.txt': '' });
    let calls = 0;
    const command = new RunFunction({
      fn: (context: CommandContext) => context.params['day'] !== '' && calls++ >= 0,
      fileDependencies: ['a.txt'],
    });
    inPipelines(command, folder.path);
    const stored = new Map<string, string>();
    const run = async (given: CommandContext['params']): Promise<number> => {
      await command.run(testContext(command, { basePath: folder.path, stored, params: given }));
      return calls;
    };
    assert.equal(await run(params), 1);
    assert.equal(await run({ full: false, size: 3, name: 'x', day: '2026-05-05' }), 1);
    assert.equal(await run({ ...params, size: 4, of_another_pipeline: 1 }), 1);
    assert.equal(await run({ ...params, day: '2026-05-06' }), 2);
    assert.equal(await run(params), 3);
  });
});

describe('parameters of a run in the environment of programs', () => {
  const context = testContext(new RunBash('true'), { basePath: '/' });
  const environmentOf = async (
    params: CommandContext['params'],
    env: Readonly<Record<string, string>> = {},
  ): Promise<readonly string[]> => {
    context.lines.length = 0;
    const processes = withParameters(context.processes, params);
    await processes.run('env', [], { env });
    await processes.shell('env', { env });
    const found = context.lines.filter(line => line.startsWith('MILLRACE_PARAM_')).sort();
    // Once by each way.
    assert.deepEqual(
      found,
      found.filter((_, index) => index % 2 === 0).flatMap(line => [line, line]),
    );
    return found.filter((_, index) => index % 2 === 0);
  };

  it('have the names of the parameters, and are texts', async () => {
    assert.deepEqual(await environmentOf({ firstDay: '2026-01-01', days: 7.5, full: true, _a1: '' }), [
      'MILLRACE_PARAM_DAYS=7.5',
      'MILLRACE_PARAM_FIRSTDAY=2026-01-01',
      'MILLRACE_PARAM_FULL=true',
      'MILLRACE_PARAM__A1=',
    ]);
  });

  it('give way to what a command sets itself', async () => {
    assert.deepEqual(await environmentOf({ day: 'a' }, { MILLRACE_PARAM_DAY: 'b' }), [
      'MILLRACE_PARAM_DAY=b',
    ]);
  });

  it('change nothing when there are none', () => {
    assert.equal(withParameters(context.processes, {}), context.processes);
  });
});
