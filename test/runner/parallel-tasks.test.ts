import assert from 'node:assert/strict';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { attemptsOf, eventsOf, linesOf, outcomesOf, testProject } from '../support/project.ts';

describe('parallel tasks', () => {
  it('run SQL, functions and scripts once for each parameter, in any worker', async () => {
    await using project = await testProject({
      'shop/work.pipeline.ts': `
        import { Command, ParallelExecuteSQL, ParallelRunFunction, ParallelRunScript, Pipeline, RunFunction, Task } from 'millrace';
        let calls = 0;
        const pipeline = new Pipeline({ id: 'work' });
        pipeline.add(new ParallelExecuteSQL({ id: 'sql', sqlFile: 'insert.sql', parameters: () => [['a', 1], ["it's", 2]],
          placeholders: ['@name@', '@number@'], replace: { '@schema@': () => 'par' },
          commandsBefore: [new RunFunction(async ({ db }) => { await (await db()).query('create schema par');
            await (await db()).query('create table par.t (name text, number int)'); })] }));
        pipeline.add(new ParallelRunFunction({ id: 'fn',
          parameters: async ({ db }) => { calls++; return (await (await db()).query('select name, number from par.t')).rows; },
          fn: async ({ log, node }, { name, number }) => { log.info(node.id + ' got ' + String(name) + ' ' + String(number + 1) + ', listed ' + calls); } }), ['sql']);
        pipeline.add(new ParallelRunScript({ id: 'script', file: 'say.sh', env: { WORD: 'hi' },
          parameters: async function* () { yield ['x y', 1]; yield 'z'; } }));
        export default pipeline;`,
      'shop/insert.sql': `insert into @schema@.t values ($$@name@$$, @number@);`,
      'shop/say.sh': 'echo "$WORD $# $1"',
    });
    const run = await project.run(['run', 'work', '--parallel', '3', '--json']);
    const events = eventsOf(run.stdout);
    const outcomes = outcomesOf(events);
    const children = Object.keys(outcomes).sort();
    assert.deepEqual(
      Object.values(outcomes).filter(outcome => outcome !== 'succeeded'),
      [],
      run.stderr,
    );
    assert.deepEqual(
      children.filter(path => path.startsWith('work/sql')),
      ['work/sql', 'work/sql/a_1', 'work/sql/before', 'work/sql/it_s_2_c96d4012b1'],
    );
    // In whatever worker they run, the parameters are not asked for again.
    const fn = children.filter(path => path.startsWith('work/fn/'));
    const said = fn.flatMap(path => linesOf(events, path)).filter(line => line.includes(' got '));
    assert.deepEqual(
      said
        .map(line => line.replace(/^.* got /, '').replace(/listed [01]$/, 'listed once or elsewhere'))
        .sort(),
      ['a 2, listed once or elsewhere', "it's 3, listed once or elsewhere"],
    );
    assert.deepEqual(
      children
        .filter(path => path.startsWith('work/script/'))
        .flatMap(path => linesOf(events, path))
        .sort(),
      ["bash say.sh 'x y' 1", 'bash say.sh z', 'hi 1 z', 'hi 2 x y'],
    );
  });

  it('may make whole pipelines, with policies and limits of their own', async () => {
    await using project = await testProject({
      'work.pipeline.ts': `
        import { ParallelTask, Pipeline, RunBash, RunFunction, Task } from 'millrace';
        class Countries extends ParallelTask {
          override addParallelTasks(sub: Pipeline) {
            for (const onFailure of process.env['POLICIES'].split(' ')) {
              const country = new Pipeline({ id: onFailure.toLowerCase(), onFailure, maxParallelTasks: 1 });
              country.add(new Task({ id: 'bad', maxRetries: 1, retryDelay: 0, commands: [new RunBash('exit 3')] }));
              country.add(new Task({ id: 'next', commands: [new RunBash('true')] }), ['bad']);
              country.add(new Task({ id: 'other', commands: [new RunFunction(() => {})] }), []);
              sub.add(country);
            }
            sub.add(new Countries2({ id: 'inner' }), ['ignore']);
          }
        }
        class Countries2 extends ParallelTask {
          override addParallelTasks(sub: Pipeline) { sub.add(new Task({ id: 'x', commands: [new RunFunction(({ node }) => console.log(node.path.join('/')))] })); }
        }
        const pipeline = new Pipeline({ id: 'work', onFailure: 'runAll' });
        pipeline.add(new Countries({ id: 'countries', commandsAfter: [new RunBash('echo after')] }));
        export default pipeline;`,
    });
    const start = (policies: string) =>
      project.run(['run', 'work', '--parallel', '1', '--json'], { env: { POLICIES: policies } });
    const run = await start('stop skipDownstream runAll ignore');
    assert.equal(run.exitCode, 1);
    const events = eventsOf(run.stdout);
    const outcomes = outcomesOf(events);
    assert.equal(outcomes['work/countries/stop/bad'], 'failed');
    assert.equal(attemptsOf(events, 'work/countries/stop/bad').length, 2);
    assert.equal(outcomes['work/countries/stop/next'], 'skipped');
    // A parallel task acts as a pipeline that stops.
    assert.equal(outcomes['work/countries'], 'failed');
    assert.equal(outcomes['work/countries/after'], 'skipped');
    const ignored = await start('ignore');
    assert.equal(ignored.exitCode, 0);
    assert.deepEqual(outcomesOf(eventsOf(ignored.stdout)), {
      work: 'succeeded',
      'work/countries': 'succeeded',
      'work/countries/ignore': 'succeeded',
      'work/countries/ignore/bad': 'failed',
      'work/countries/ignore/next': 'succeeded',
      'work/countries/ignore/other': 'succeeded',
      'work/countries/inner': 'succeeded',
      'work/countries/inner/x': 'succeeded',
      'work/countries/after': 'succeeded',
    });
  });

  it('says what is wrong with parameters', async () => {
    await using project = await testProject({
      'work.pipeline.ts': `
        import { ParallelExecuteSQL, ParallelRunFunction, Pipeline } from 'millrace';
        const pipeline = new Pipeline({ id: 'work', onFailure: 'runAll' });
        const fn = () => {};
        pipeline.add(new ParallelRunFunction({ id: 'date', fn, parameters: () => ['a', new Date(0)] }));
        pipeline.add(new ParallelRunFunction({ id: 'none', fn, parameters: () => [] }));
        pipeline.add(new ParallelRunFunction({ id: 'no_list', fn, parameters: () => 7 as never }));
        pipeline.add(new ParallelRunFunction({ id: 'throws', fn, parameters: () => { throw new Error('no countries'); } }));
        pipeline.add(new ParallelExecuteSQL({ id: 'count', sql: 's', parameters: () => [['a', 'b']], placeholders: ['@'] }));
        pipeline.add(new ParallelExecuteSQL({ id: 'named', sql: 'select @a, @b', parameters: () => [{ '@a': 1, '@b': 2 }] }));
        export default pipeline;`,
    });
    const run = await project.run(['run', 'work', '--json']);
    const events = eventsOf(run.stdout);
    const errorOf = (id: string): string | null | undefined =>
      attemptsOf(events, `work/${id}`)[0]?.error?.split('\n')[0];
    assert.equal(
      errorOf('date'),
      'Parallel task "work/date": parameter 2 is an object (Date), which JSON cannot hold as it is. ' +
        'Use texts, numbers, true, false, null, and arrays and plain objects of these.',
    );
    assert.equal(outcomesOf(events)['work/none'], 'succeeded');
    assert.deepEqual(linesOf(events, 'work/none'), ['No parameters']);
    assert.equal(
      errorOf('no_list'),
      'Parallel task "work/no_list": parameters must return an array or another list of values, not 7.',
    );
    assert.equal(errorOf('throws'), 'no countries');
    assert.equal(
      errorOf('count'),
      'Parallel task "work/count": parameter 1 is 2 values, but the number of placeholders is 1 (@).',
    );
    assert.equal(outcomesOf(events)['work/named'], 'succeeded');
  });

  it('may have very many children', async function () {
    this.timeout(120_000);
    await using project = await testProject({
      'work.pipeline.ts': `
        import { ParallelRunFunction, Pipeline } from 'millrace';
        const pipeline = new Pipeline({ id: 'work' });
        pipeline.add(new ParallelRunFunction({ id: 'many', parameters: function* () { for (let n = 0; n < 10_000; n++) yield n; },
          fn: (_context, n) => n === 7_000 ? false : undefined }));
        export default pipeline;`,
    });
    const run = await project.run(['run', 'work', '--parallel', '2']);
    assert.equal(run.exitCode, 1, run.stderr.slice(-1000));
    assert.match(run.stderr + run.stdout, /work \/ many \/ 7000: .*returned false/);
  });
});

describe('reset of loaded files', () => {
  it('says and forgets what the databases remember, and says which cannot be asked', async () => {
    await using project = await testProject({
      'data/a.csv': '1\n',
      'data/b.csv': '2\n',
      'load.pipeline.ts': `
        import { ExecuteSQL, ParallelReadFile, Pipeline } from 'millrace';
        const pipeline = new Pipeline({ id: 'load' });
        pipeline.add(new ParallelReadFile({ id: 'files', filePattern: '*.csv', readMode: 'onlyNew', table: 'event' }));
        export default pipeline;`,
    });
    const count = async (): Promise<string | undefined> =>
      (await project.run(['sql', 'dwh', '-c', 'select count(*) from event'])).stdout.split('\n')[2]?.trim();
    await project.run(['sql', 'dwh', '-c', 'create table event (n int)']);
    assert.equal((await project.run(['run', 'load'])).exitCode, 0);
    const again = await project.run(['run', 'load', '--json']);
    assert.deepEqual(linesOf(eventsOf(again.stdout), 'load/files'), ['No newer files (of 2)']);
    assert.equal(await count(), '2');
    const reset = await project.run(['reset', 'load', '--yes']);
    assert.equal(
      reset.stdout,
      'load/files: 2 processed files\nload/files: 2 files loaded into event (database "dwh")\n',
    );
    assert.equal(reset.stderr, 'millrace: Forgot the incremental state of 1 node.\n');
    assert.equal(
      (await project.run(['reset', 'load', '--yes'])).stderr,
      'millrace: Nothing is remembered of "load".\n',
    );
    assert.equal((await project.run(['run', 'load'])).exitCode, 0);
    assert.equal(await count(), '4');
    await project.write({
      'millrace.config.ts': `
        import { defineConfig, postgres } from 'millrace';
        export default defineConfig({ databases: { away: postgres({ host: '/nowhere', database: 'x' }) }, defaultDatabase: 'away' });`,
    });
    const away = await project.run(['reset', 'load', '--yes']);
    assert.equal(away.exitCode, 1);
    assert.equal(away.stdout, 'load/files: 2 processed files\n');
    assert.match(
      away.stderr,
      /^millrace: What database "away" remembers of loaded files cannot be seen, and is kept: .*\n(?:.*\n)*millrace: Forgot the incremental state of 1 node.\n$/,
    );
  });
});

describe('kill -9 of the runner while files are loaded', function () {
  before(function () {
    if (!canListProcesses) this.skip();
  });

  it('leaves each file loaded once, after --resume or after another run', async function () {
    this.timeout(240_000);
    const files = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => {
        const name = `f${String(index).padStart(3, '0')}.csv`;
        return [`data/${name}`, `${name},1\n`.repeat(50)];
      }),
    );
    for (const mode of ['onlyNew', 'all'] as const) {
      await using project = await testProject({
        ...files,
        'load.pipeline.ts': `
          import { ExecuteSQL, ParallelReadFile, Pipeline, Task } from 'millrace';
          const pipeline = new Pipeline({ id: 'load' });
          pipeline.add(new Task({ id: 'table', commands: [new ExecuteSQL({ sql: 'create table if not exists event (file text, n int)' })] }));
          pipeline.add(new ParallelReadFile({ id: 'files', filePattern: '*.csv', readMode: '${mode}', table: 'event',
            commandsBefore: [new ExecuteSQL({ sql: ${mode === 'all' ? "'truncate event'" : "'select 1'"} })] }), ['table']);
          export default pipeline;`,
      });
      await project.run(['store', 'start']);
      const rows = async (): Promise<string> =>
        (
          await project.run([
            'sql',
            'dwh',
            '-c',
            "select count(distinct file) || ' ' || count(*) as n from event",
          ])
        ).stdout
          .split('\n')[2]
          ?.trim() ?? '';
      let runId: number | undefined;
      for (const wait of [5, 25, 60]) {
        const mark = new ProcessMark();
        const args = runId === undefined ? ['run', 'load'] : ['run', '--resume', String(runId)];
        await using run = await project.start([...args, '--parallel', '2', '--json'], { env: mark.env });
        let ended = false;
        void run.end.then(() => (ended = true));
        await run.until(() => ended || run.stdout.split('"message":"COPY 50"').length > wait);
        runId = eventsOf(run.stdout)[0]?.runId ?? runId;
        run.signal('SIGKILL');
        const { exitCode } = await run.end;
        await mark.untilGone();
        // On a fast machine the run may be over before the signal comes; then there is nothing to resume.
        if (exitCode === 0) runId = undefined;
      }
      const goOn = runId === undefined ? ['run', 'load'] : ['run', '--resume', String(runId)];
      const resumed = await project.run([...goOn, '--parallel', '2']);
      assert.equal(resumed.exitCode, 0, resumed.stderr + resumed.stdout);
      assert.equal(await rows(), '120 6000', mode);
      const again = await project.run(['run', 'load', '--parallel', '2']);
      assert.equal(again.exitCode, 0, again.stderr);
      assert.equal(await rows(), '120 6000', mode);
    }
  });
});
