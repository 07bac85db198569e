import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { attemptsOf, eventsOf, linesOf, outcomesOf, testProject } from '../support/project.ts';

describe('parameters of a run', () => {
  const files = {
    'p.pipeline.ts': `
      import { Pipeline, RunFunction, Task } from 'millrace';
      export default new Pipeline({ id: 'p', params: {
        table: { type: 'string' },
        limit: { type: 'number', default: 10 },
        dry: { type: 'boolean', default: false },
        since: { type: 'date', default: '2026-01-01' },
        mode: { type: 'string', default: 'full', choices: ['full', 'new'] },
      } }).add(new Task({ id: 'show', commands: [new RunFunction(({ params, log }) => log.info(JSON.stringify(params)))] }));`,
  };

  it('have the types that they are declared with, and are kept for --resume', async () => {
    await using project = await testProject(files);
    const given = [
      '--param',
      'table=a=b',
      '--param',
      'limit=2.5',
      '--param',
      'dry=true',
      '--param',
      'mode=new',
    ];
    const { exitCode, stdout, stderr } = await project.run(['run', 'p', ...given, '--json']);
    assert.equal(exitCode, 0, stderr);
    const expected = { table: 'a=b', limit: 2.5, dry: true, since: '2026-01-01', mode: 'new' };
    const last = linesOf(eventsOf(stdout), 'p/show').at(-1) ?? '';
    assert.deepEqual(JSON.parse(last), expected);
    const [row] = await project.query('SELECT params FROM run');
    assert.deepEqual(row, { params: expected });
  });

  it('that do not fit are all named, and nothing runs', async () => {
    await using project = await testProject(files);
    const given = ['limit=many', 'dry=1', 'since=yesterday', 'mode=old', 'tabel=x'];
    const args = given.flatMap(text => ['--param', text]);
    assert.deepEqual(await project.run(['run', 'p', ...args]), {
      exitCode: 2,
      stdout: '',
      stderr:
        'millrace: There is no parameter "tabel". Did you mean "table"?\n' +
        'The parameter "table" has no value: give it with --param table=…\n' +
        'The parameter "limit" must be a number, not "many".\n' +
        'The parameter "dry" must be true or false, not "1".\n' +
        'The parameter "since" must be a date as YYYY-MM-DD, not "yesterday".\n' +
        'The parameter "mode" must be one of full, new, not "old".\n',
    });
  });
});

describe('parameters of a run in SQL and programs', () => {
  const files = {
    'millrace.config.ts': `import { defineConfig } from 'millrace';
      export default defineConfig({ passwordMasks: ['s3cret'] });`,
    'day.sh': 'printf "script %s\\n" "$MILLRACE_PARAM_DAY"\n',
    'rates.sh': 'printf "%s\\n" "$MILLRACE_PARAM_DAY"\n',
    'shop.pipeline.ts': `
      import { ExecuteSQL, Pipeline, ReadScriptOutput, RunBash, RunFunction, RunProcess, RunScript, Task } from 'millrace';
      const shop = new Pipeline({ id: 'shop', params: {
        day: { type: 'date' }, name: { type: 'string', default: 'nobody' }, token: { type: 'string', default: '' } } });
      const add = (id, ...commands) => shop.add(new Task({ id, commands }), [...shop.nodes.keys()].slice(-1));
      add('sql',
        new ExecuteSQL({ sql: "drop schema if exists shop_@day@ cascade; create schema shop_@day@; create table shop_@day@.days (day text, name text)",
          replace: { '@day@': ({ params }) => params.day.replaceAll('-', '') } }),
        new ExecuteSQL({ sqlFile: 'insert.sql', replace: { '@compact@': ({ params }) => params.day.replaceAll('-', ''), '@day@': ({ params }) => params.day } }),
        new ReadScriptOutput({ file: 'rates.sh', table: 'shop_20260203.names' }),
        new ExecuteSQL({ sql: ({ params }) => \`select day from shop_\${params.day.replaceAll('-', '')}.days\` }));
      add('text', new RunBash(({ params }) => \`echo text \${params.day}\`));
      add('simple', new RunBash('printenv MILLRACE_PARAM_NAME'));
      add('script', new RunBash('printf "<%s>\\n" "$MILLRACE_PARAM_NAME" | cat'));
      add('file', new RunScript({ file: 'day.sh' }));
      add('process', new RunProcess({ command: 'printenv', args: ['MILLRACE_PARAM_DAY'] }));
      add('own', new RunFunction(async ({ processes }) => { await processes.shell('echo own $MILLRACE_PARAM_DAY'); }));
      add('outer', new RunBash('echo "outer \${MILLRACE_PARAM_OUTER-none}"'));
      add('masked', new RunBash('echo "token $MILLRACE_PARAM_TOKEN"'));
      shop.add(new Task({ id: 'dynamic', commands: ({ params }) => [new RunProcess({ command: 'echo', args: [\`dynamic \${params.day}\`] })] }), ['masked']);
      export default shop;`,
    'insert.sql':
      "insert into shop_@compact@.days values ('@day@');\ncreate table shop_@compact@.names (name text);\n",
  };

  it('are those of the run; what a text for the shell holds stays data', async () => {
    await using project = await testProject(files);
    const hostile = '$(touch hacked) `touch hacked` "; touch hacked; \' && touch hacked #';
    const given = ['--param', 'day=2026-02-03', '--param', `name=${hostile}`, '--param', 'token=s3cret'];
    const { exitCode, stdout, stderr } = await project.run(['run', 'shop', ...given, '--json'], {
      env: { MILLRACE_PARAM_OUTER: 'of the run around this one' },
    });
    const events = eventsOf(stdout);
    assert.equal(exitCode, 0, `${stderr}\n${stdout}`);
    const last = (id: string): string => linesOf(events, `shop/${id}`).at(-1) ?? '';
    assert(
      linesOf(events, 'shop/sql').some(line => line.includes('2026-02-03')),
      'the result of the SQL',
    );
    assert.equal(last('text'), 'text 2026-02-03');
    assert.equal(last('simple'), hostile);
    assert.equal(last('script'), `<${hostile}>`);
    assert.equal(last('file'), 'script 2026-02-03');
    assert.equal(last('process'), '2026-02-03');
    assert.equal(last('own'), 'own 2026-02-03');
    assert.equal(last('outer'), 'outer none');
    assert.equal(last('masked'), 'token ***');
    assert.equal(last('dynamic'), 'dynamic 2026-02-03');
    assert(!existsSync(join(project.path, 'hacked')));
  });

  it('are shown by `millrace docs`, as far as they are known', async () => {
    await using project = await testProject(files);
    const { stdout } = await project.run(['docs', 'shop/text']);
    assert.match(stdout, /"value": "echo text <day>"/);
    const graph = await project.run(['graph', 'shop', '--format', 'json']);
    assert.match(graph.stdout, /"summary": ?"echo text <day>"/);
  });

  it('of two pipelines that would be one variable are told before anything runs', async () => {
    await using project = await testProject({
      'p.pipeline.ts': `import { Pipeline } from 'millrace';
        export default new Pipeline({ id: 'p', params: { day: 1 } }).add(new Pipeline({ id: 'q', params: { Day: 2 } }));`,
    });
    assert.deepEqual(await project.run(['run', 'p']), {
      exitCode: 2,
      stdout: '',
      stderr:
        'millrace: The parameters "Day" and "day" are the same environment variable, MILLRACE_PARAM_DAY. ' +
        'Give one of them another name.\n',
    });
  });
});

describe('what does not depend on anything that has changed', () => {
  it('is unchanged, until a file, the window of days or a failure says otherwise', async () => {
    await using project = await testProject({
      'input.txt': 'one\n',
      'p.pipeline.ts': `
        import { existsSync } from 'node:fs';
        import { Pipeline, RunFunction, Task } from 'millrace';
        export default new Pipeline({ id: 'p' }).add(new Task({ id: 'load', commands: [
          new RunFunction({ fn: ({ log }) => { log.info('works'); return !existsSync('broken'); }, fileDependencies: ['input.txt'] })] }));`,
    });
    const run = async (env: Record<string, string> = {}): Promise<string> => {
      const { stdout } = await project.run(['run', 'p', '--json'], { env });
      const outcomes = outcomesOf(eventsOf(stdout));
      return `${outcomes['p/load'] ?? ''} in ${outcomes['p'] ?? ''}`;
    };
    assert.equal(await run(), 'succeeded in succeeded');
    assert.equal(await run(), 'unchanged in unchanged');
    await project.write({ 'input.txt': 'two\n' });
    assert.equal(await run(), 'succeeded in succeeded');
    assert.equal(await run(), 'unchanged in unchanged');
    // A run that fails, then everything as it was when it last succeeded: it has to run again.
    await project.write({ 'input.txt': 'three\n', broken: '' });
    assert.equal(await run(), 'failed in failed');
    await project.write({ 'input.txt': 'two\n' });
    assert.equal(await run(), 'failed in failed');
    await project.write({
      'p.pipeline.ts': readFileSync(join(project.path, 'p.pipeline.ts'), 'utf8').replace('broken', 'no'),
    });
    assert.equal(await run(), 'succeeded in succeeded');
    assert.equal(await run({ MILLRACE_FIRST_DATE: '2020-01-01' }), 'succeeded in succeeded');
    assert.equal(await run({ MILLRACE_FIRST_DATE: '2020-01-01' }), 'unchanged in unchanged');
    const reset = await project.run(['reset', 'p', '--yes']);
    assert.equal(reset.exitCode, 0, reset.stderr);
    assert.equal(await run({ MILLRACE_FIRST_DATE: '2020-01-01' }), 'succeeded in succeeded');
  });

  it('is not unchanged with parameters other than those of the last time, though the ones before are known', async () => {
    await using project = await testProject({
      'input.txt': 'one\n',
      'p.pipeline.ts': `
        import { ExecuteSQL, Pipeline, Task } from 'millrace';
        const pipeline = new Pipeline({ id: 'p', params: { day: { type: 'date' } } });
        pipeline.add(new Task({ id: 'load', commands: [
          new ExecuteSQL({ sql: ({ params }) => \`SELECT '\${new Date(params.day as string).toISOString()}'\`, fileDependencies: ['input.txt'] })] }));
        export default pipeline;`,
    });
    const outcomes: (string | undefined)[] = [];
    for (const day of ['2026-01-01', '2026-01-02', '2026-01-01', '2026-01-01']) {
      const { stdout } = await project.run(['run', 'p', '--json', '--param', `day=${day}`]);
      outcomes.push(outcomesOf(eventsOf(stdout))['p/load']);
    }
    assert.deepEqual(outcomes, ['succeeded', 'succeeded', 'succeeded', 'unchanged']);
  });
});

describe('event handlers of the project', () => {
  it('get every event; what they throw is told once and changes nothing', async () => {
    await using project = await testProject({
      'millrace.config.ts': `
        import { appendFileSync } from 'node:fs';
        import { defineConfig } from 'millrace';
        export default defineConfig({ systemStatisticsInterval: 0, eventHandlers: [
          event => { appendFileSync('events', JSON.stringify(event) + '\\n'); },
          () => { throw new Error('at once'); },
          async () => { await Promise.reject(new Error('later')); },
          async event => {
            if (event.type !== 'run_finished') return;
            await new Promise(resolve => setTimeout(resolve, 300));
            appendFileSync('slow', 'done');
            throw new Error('at the very end');
          },
        ] });`,
      'p.pipeline.ts': `
        import { Pipeline, RunBash, Task } from 'millrace';
        export default new Pipeline({ id: 'p' }).add(new Task({ id: 'talks', commands: [new RunBash('seq 1000')] }));`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--json']);
    assert.equal(exitCode, 0);
    assert.equal(readFileSync(join(project.path, 'events'), 'utf8'), stdout);
    assert.equal(readFileSync(join(project.path, 'slow'), 'utf8'), 'done');
    assert.equal(
      stderr,
      'millrace: An event handler of millrace.config.ts failed: at once\n' +
        'millrace: An event handler of millrace.config.ts failed: later\n' +
        'millrace: An event handler of millrace.config.ts failed: at the very end\n',
    );
  });
});

describe('secrets', () => {
  it('are shown nowhere', async () => {
    const password = 'hunter2-very-secret';
    await using project = await testProject({
      '.env': `SHOP_PASSWORD=${password}\n`,
      'millrace.config.ts': `
        import { defineConfig, postgres } from 'millrace';
        export default defineConfig({
          databases: { shop: postgres({ url: 'postgres://ann:' + process.env.SHOP_PASSWORD + '@localhost:1/shop' }) },
          passwordMasks: ['token-4711'],
        });`,
      'p.pipeline.ts': `
        import { ExecuteSQL, Pipeline, RunBash, RunFunction, Task } from 'millrace';
        export default new Pipeline({ id: 'p', onFailure: 'runAll' })
          .add(new Task({ id: 'prints', commands: [new RunBash('echo "it is $SHOP_PASSWORD and token-4711"; echo "$SHOP_PASSWORD" >&2')] }))
          .add(new Task({ id: 'throws', commands: [new RunFunction(() => { throw new Error('refused ' + process.env['SHOP_PASSWORD']); })] }))
          .add(new Task({ id: 'connects', commands: [new ExecuteSQL({ sql: "select 'token-4711'" })] }))
          .add(new Task({ id: 'waits', commands: [new RunBash('until [ -e go ]; do sleep 0.01; done')] }));`,
    });
    const mark = new ProcessMark();
    await using run = await project.start(['run', 'p', '--json', '--parallel', '2'], { env: mark.env });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'p/waits').length > 0);
    if (canListProcesses) {
      const processes = mark.running();
      assert.ok(processes.length > 1);
      assert.deepEqual(
        processes.filter(({ command }) => command.includes(password)),
        [],
      );
    }
    await project.write({ go: '' });
    const { stdout, stderr } = await run.end;
    const events = eventsOf(stdout);
    assert.deepEqual(linesOf(events, 'p/prints').slice(1).sort(), ['***', 'it is *** and ***']);
    assert.match(attemptsOf(events, 'p/throws')[0]?.error ?? '', /^refused \*\*\*\n/);
    const logs = await project.run(['logs', String(events[0]?.runId)]);
    const shown = await project.run(['show', String(events[0]?.runId), '--json']);
    const graph = await project.run(['graph', '--format', 'json']);
    const list = await project.run(['list', '--json']);
    const stored = await project.query(
      `SELECT row_to_json(run)::text AS text FROM run UNION ALL SELECT row_to_json(node_run)::text FROM node_run
      UNION ALL SELECT message FROM node_output`,
    );
    const everything = [stdout, stderr, JSON.stringify(stored)].concat(
      ...[logs, shown, graph, list].map(end => [end.stdout, end.stderr]),
    );
    for (const text of everything) {
      assert.ok(!text.includes(password), text);
      assert.ok(!text.includes('token-4711'), text);
    }
  });
});

describe('settings', () => {
  it('are overridden by millrace.local.ts, then .env, then the environment', async () => {
    await using project = await testProject({
      'millrace.config.ts': `
        import { defineConfig } from 'millrace';
        export default defineConfig({ dataDir: 'by-config', firstDate: '2001-01-01', lastDate: '2001-12-31', maxParallelTasks: 1 });`,
      'millrace.local.ts': `export default { firstDate: '2002-01-01', lastDate: '2002-12-31' };`,
      '.env':
        'MILLRACE_LAST_DATE=2003-12-31\nMILLRACE_MAX_PARALLEL_TASKS=2\n# a comment\nOWN="from the file"\n',
      'p.pipeline.ts': `
        import { Pipeline, RunBash, RunFunction, Task } from 'millrace';
        export default new Pipeline({ id: 'p' })
          .add(new Task({ id: 'show', commands: [new RunFunction(({ project, log }) => log.info(JSON.stringify(project))), new RunBash('echo "$OWN"')] }))
          .add(new Task({ id: 'other', commands: [new RunBash('true')] }))
          .add(new Task({ id: 'third', commands: [new RunBash('true')] }));`,
    });
    const lines = async (env: Record<string, string>): Promise<string[]> => {
      const { stdout, stderr } = await project.run(['run', 'p', '--json', '--no-store'], { env });
      assert.equal(stderr, '');
      return linesOf(eventsOf(stdout), 'p/show');
    };
    const [, settings = '', , own] = await lines({});
    assert.deepEqual(JSON.parse(settings), {
      dataDir: join(project.path, 'by-config'),
      firstDate: '2002-01-01',
      lastDate: '2003-12-31',
    });
    assert.equal(own, 'from the file');
    const [, others = '', , ownOther] = await lines({
      MILLRACE_LAST_DATE: '2004-12-31',
      OWN: 'from outside',
    });
    assert.equal((JSON.parse(others) as { lastDate: string }).lastDate, '2004-12-31');
    assert.equal(ownOther, 'from outside');
  });
});
