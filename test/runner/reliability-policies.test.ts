import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { RunEvent } from '../../runner/events.ts';
import { formatPath } from '../../runner/model.ts';
import { attemptsOf, eventsOf, linesOf, outcomesOf, testProject } from '../support/project.ts';

interface Ran {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly events: RunEvent[];
  readonly outcomes: Record<string, string>;
}

/** Runs one pipeline file in a project of its own. */
async function ran(
  source: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Ran> {
  await using project = await testProject({ 'p.pipeline.ts': source });
  const { exitCode, stdout, stderr } = await project.run(['run', ...args, '--json'], { env });
  const events = eventsOf(stdout);
  return { exitCode, stderr, events, outcomes: outcomesOf(events) };
}

/** Declares `ok(id)`, `fails(id)` and a pipeline `p`; \`body\` fills it. */
const policy = (onFailure: string, body: string): string => `
  import { Pipeline, ParallelTask, RunBash, RunFunction, RunProcess, Task } from 'millrace';
  const ok = (id: string) => new Task({ id, commands: [new RunBash('echo ' + id)] });
  const fails = (id: string) => new Task({ id, commands: [new RunBash('echo ' + id + '; exit 3')] });
  const p = new Pipeline({ id: 'p', onFailure: '${onFailure}' });
  ${body}
  export default p;`;

/** `a` fails before the others start; \`c\` comes after it, \`d\` after that; \`b\` and \`e\` have nothing to do with it. */
const fan = `p.add(fails('a')).add(ok('b')).add(ok('c'), ['a']).add(ok('d'), ['c']).add(ok('e'), ['b']);`;
const reasons = (events: readonly RunEvent[]): string[] =>
  events.flatMap(event =>
    event.type === 'node_skipped' ? [`${formatPath(event.nodePath)}: ${event.reason}`] : [],
  );

describe('what a failure does', () => {
  const one = ['p', '--parallel', '1'];

  it('stop: nothing more starts', async () => {
    const { exitCode, outcomes, events } = await ran(policy('stop', fan), one);
    assert.equal(exitCode, 1);
    assert.deepEqual(outcomes, {
      p: 'failed',
      'p/a': 'failed',
      'p/b': 'skipped',
      'p/c': 'skipped',
      'p/d': 'skipped',
      'p/e': 'skipped',
    });
    assert.deepEqual(reasons(events).sort(), [
      'p/b: pipeline "p" stopped after "p/a" failed',
      'p/c: pipeline "p" stopped after "p/a" failed',
      'p/d: pipeline "p" stopped after "p/a" failed',
      'p/e: pipeline "p" stopped after "p/a" failed',
    ]);
  });

  it('skipDownstream: what comes after it is skipped', async () => {
    const { exitCode, outcomes, events } = await ran(policy('skipDownstream', fan), one);
    assert.equal(exitCode, 1);
    assert.deepEqual(outcomes, {
      p: 'failed',
      'p/a': 'failed',
      'p/b': 'succeeded',
      'p/c': 'skipped',
      'p/d': 'skipped',
      'p/e': 'succeeded',
    });
    assert.deepEqual(reasons(events).sort(), ['p/c: upstream "p/a" failed', 'p/d: upstream "p/a" failed']);
  });

  it('runAll: everything runs; ignore: and it counts as success', async () => {
    const all = {
      'p/a': 'failed',
      'p/b': 'succeeded',
      'p/c': 'succeeded',
      'p/d': 'succeeded',
      'p/e': 'succeeded',
    };
    const runAll = await ran(policy('runAll', fan), one);
    assert.equal(runAll.exitCode, 1);
    assert.deepEqual(runAll.outcomes, { p: 'failed', ...all });
    const ignore = await ran(policy('ignore', fan), one);
    assert.equal(ignore.exitCode, 0);
    assert.deepEqual(ignore.outcomes, { p: 'succeeded', ...all });
  });

  it('runAll in a pipeline that stops: the inner one goes on, the outer one does not', async () => {
    const { exitCode, outcomes } = await ran(
      policy(
        'stop',
        `const inner = new Pipeline({ id: 'inner', onFailure: 'runAll' })
          .add(fails('a')).add(ok('b'), ['a']).add(ok('c'), ['b']);
        p.add(inner).add(ok('after'), ['inner']).add(ok('beside'));`,
      ),
      one,
    );
    assert.equal(exitCode, 1);
    assert.deepEqual(outcomes, {
      p: 'failed',
      'p/inner': 'failed',
      'p/inner/a': 'failed',
      'p/inner/b': 'succeeded',
      'p/inner/c': 'succeeded',
      'p/after': 'skipped',
      'p/beside': 'skipped',
    });
  });

  it('ignore in a pipeline that stops: the outer one does not notice', async () => {
    const { exitCode, outcomes } = await ran(
      policy(
        'stop',
        `const inner = new Pipeline({ id: 'inner', onFailure: 'ignore' }).add(fails('a')).add(ok('b'), ['a']);
        p.add(inner).add(ok('after'), ['inner']);`,
      ),
      one,
    );
    assert.equal(exitCode, 0);
    assert.deepEqual(outcomes, {
      p: 'succeeded',
      'p/inner': 'succeeded',
      'p/inner/a': 'failed',
      'p/inner/b': 'succeeded',
      'p/after': 'succeeded',
    });
  });
});

describe('attempts', () => {
  it('each have their own row, output and error; the last one decides', async () => {
    await using project = await testProject({
      'p.pipeline.ts': policy(
        'runAll',
        `p.add(new Task({ id: 'third_time', maxRetries: 3, retryDelay: 0.01, commands: [
            new RunBash('echo x >> tries; n=$(wc -l < tries); echo "try $n"; [ "$n" = 3 ] || exit $n')] }));
        p.add(new Task({ id: 'never', maxRetries: 2, retryDelay: 0.01, commands: [new RunFunction(() => false)] }));
        p.add(new Task({ id: 'at_once', maxRetries: 0, commands: [new RunBash('exit 9')] }));
        p.add(new Task({ id: 'by_default', retryDelay: 0.01, commands: [new RunBash('exit 9')] }));`,
      ),
    });
    const env = { MILLRACE_DEFAULT_MAX_RETRIES: '1' };
    const { exitCode, stdout } = await project.run(['run', 'p', '--json'], { env });
    assert.equal(exitCode, 1);
    const events = eventsOf(stdout);
    const brief = (id: string): unknown[] =>
      attemptsOf(events, `p/${id}`).map(end => [
        end.attempt,
        end.status,
        end.exitCode,
        end.error,
        end.retryIn,
      ]);
    assert.deepEqual(brief('third_time'), [
      [1, 'failed', 1, 'exit code 1', 0.01],
      [2, 'failed', 2, 'exit code 2', 0.02],
      [3, 'succeeded', 0, null, null],
    ]);
    assert.deepEqual(brief('never'), [
      [1, 'failed', null, 'RunFunction returned false.', 0.01],
      [2, 'failed', null, 'RunFunction returned false.', 0.02],
      [3, 'failed', null, 'RunFunction returned false.', null],
    ]);
    assert.deepEqual(brief('at_once'), [[1, 'failed', 9, 'exit code 9', null]]);
    assert.deepEqual(brief('by_default'), [
      [1, 'failed', 9, 'exit code 9', 0.01],
      [2, 'failed', 9, 'exit code 9', null],
    ]);
    const rows = await project.query(
      `SELECT attempt, status, string_agg(message, ',' ORDER BY seq) FILTER (WHERE format = 'verbatim') AS output
      FROM node_run LEFT JOIN node_output USING (node_run_id) WHERE node_path = '{p,third_time}'
      GROUP BY node_run_id ORDER BY node_run_id`,
    );
    assert.deepEqual(rows, [
      { attempt: 1, status: 'failed', output: 'try 1' },
      { attempt: 2, status: 'failed', output: 'try 2' },
      { attempt: 3, status: 'succeeded', output: 'try 3' },
    ]);
  });

  it('fail when their time is over', async () => {
    const { exitCode, events } = await ran(
      policy(
        'runAll',
        `p.add(new Task({ id: 'shell', timeout: 0.3, commands: [new RunBash('echo begins; sleep 1000')] }));
        p.add(new Task({ id: 'code', timeout: 0.3, maxRetries: 1, retryDelay: 0.01, commands: [
          new RunFunction(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))))] }));`,
      ),
      ['p'],
    );
    assert.equal(exitCode, 1);
    for (const [id, attempts] of [
      ['shell', 1],
      ['code', 2],
    ] as const) {
      assert.deepEqual(
        attemptsOf(events, `p/${id}`).map(({ status, error }) => [status, error]),
        Array.from({ length: attempts }, () => ['failed', 'timed out after 0.3 s']),
      );
    }
  });
});

describe('functions of the project', () => {
  it('that throw are shown with the places in their TypeScript', async () => {
    await using project = await testProject({
      'lib/load.ts': `interface Unused { readonly a: string }

export function load(table: string): never {
  throw new TypeError(\`no table \${table}\`);
}
`,
      'p.pipeline.ts': `import { Pipeline, RunFunction, Task } from 'millrace';
import { load } from './lib/load.ts';
type Name = string;
function work(name: Name) {
  load(name);
}
export default new Pipeline({ id: 'p', onFailure: 'runAll' })
  .add(new Task({ id: 'throws', commands: [new RunFunction(function begin() { work('orders'); })] }))
  .add(new Task({ id: 'throws_text', commands: [new RunFunction(() => { throw 'just a text'; })] }))
  .add(new Task({ id: 'exits', commands: [new RunFunction(() => process.exit(4))] }))
  .add(new Task({ id: 'later', commands: [new RunFunction(async () => {
    setTimeout(() => { throw new Error('nobody waits for this'); }, 1);
    await new Promise(resolve => setTimeout(resolve, 100_000));
  })] }));
`,
    });
    const { stdout } = await project.run(['run', 'p', '--json']);
    const events = eventsOf(stdout);
    const at = (file: string): string => join(project.path, file);
    const errorOf = (id: string): string | null | undefined => attemptsOf(events, `p/${id}`)[0]?.error;
    assert.equal(errorOf('throws'), `TypeError: no table orders\n    at load (${at('lib/load.ts')}:4:9)`);
    assert.deepEqual(linesOf(events, 'p/throws'), [
      'begin()',
      'TypeError: no table orders',
      `    at load (${at('lib/load.ts')}:4:9)`,
      `    at work (${at('p.pipeline.ts')}:5:3)`,
      `    at begin (${at('p.pipeline.ts')}:8:79)`,
    ]);
    assert.equal(errorOf('throws_text'), 'just a text');
    assert.equal(errorOf('exits'), 'worker ended with exit code 4 while the task was running');
    const later = errorOf('later') ?? '';
    assert.match(later, /^nobody waits for this\n {4}at Timeout\.[^\n]+$/);
    assert.ok(later.endsWith(`(${at('p.pipeline.ts')}:12:30)`), later);
  });
});

describe('parallel tasks', () => {
  it('make their children when they are reached', async () => {
    const { exitCode, outcomes, events, stderr } = await ran(
      policy(
        'runAll',
        `class PerFile extends ParallelTask {
          override addParallelTasks(sub: Pipeline) {
            for (const name of ['x', 'y']) {
              sub.add(new Task({ id: 'shell_' + name, commands: [new RunBash('cat ' + name + '.txt')] }));
              sub.add(new Task({ id: 'code_' + name, commands: [new RunFunction(() => console.log('function ' + name))] }),
                ['shell_' + name]);
            }
            sub.add(new Pipeline({ id: 'nested' }).add(ok('one')).add(new Task({ id: 'two', commands: [
              new RunFunction({ fn: (context, n: number) => context.log.info('two ' + n), args: [2] })] }), ['one']));
          }
        }
        p.add(new Task({ id: 'prepare', commands: [new RunBash('echo x > x.txt; echo y > y.txt')] }));
        p.add(new PerFile({ id: 'files', maxParallelTasks: 1,
          commandsBefore: [new RunBash('echo before')], commandsAfter: [new RunFunction(() => console.log('after'))] }), ['prepare']);
        p.add(ok('end'), ['files']);
        class Broken extends ParallelTask {
          override addParallelTasks() { throw new Error('cannot list'); }
        }
        p.add(new Broken({ id: 'broken' }));
        class Twice extends ParallelTask {
          override addParallelTasks(sub: Pipeline) { sub.add(ok('same')); sub.add(ok('same')); }
        }
        p.add(new Twice({ id: 'twice' }));
        class Empty extends ParallelTask {
          override addParallelTasks() {}
        }
        p.add(new Empty({ id: 'empty' }));`,
      ),
      ['p', '--parallel', '3'],
    );
    assert.equal(exitCode, 1, stderr);
    assert.deepEqual(outcomes, {
      p: 'failed',
      'p/prepare': 'succeeded',
      'p/files': 'succeeded',
      'p/files/before': 'succeeded',
      'p/files/shell_x': 'succeeded',
      'p/files/code_x': 'succeeded',
      'p/files/shell_y': 'succeeded',
      'p/files/code_y': 'succeeded',
      'p/files/nested': 'succeeded',
      'p/files/nested/one': 'succeeded',
      'p/files/nested/two': 'succeeded',
      'p/files/after': 'succeeded',
      'p/end': 'succeeded',
      'p/broken': 'failed',
      'p/twice': 'failed',
      'p/empty': 'succeeded',
    });
    assert.deepEqual(linesOf(events, 'p/files/shell_x'), ['cat x.txt', 'x']);
    assert.equal(linesOf(events, 'p/files/code_y').at(-1), 'function y');
    assert.equal(linesOf(events, 'p/files/nested/two').at(-1), 'two 2');
    assert.equal(linesOf(events, 'p/files/after').at(-1), 'after');
    assert.match(
      attemptsOf(events, 'p/broken')[0]?.error ?? '',
      /^cannot list\n {4}at Broken.addParallelTasks \(/,
    );
    assert.match(attemptsOf(events, 'p/twice')[0]?.error ?? '', /"same"/);
    // One child at a time, the first before and the last after all others.
    let running = 0;
    const order: string[] = [];
    for (const event of events) {
      const isChild = event.nodePath[1] === 'files' && event.nodePath.length > 2;
      if (!isChild || !('kind' in event) || event.kind !== 'task') continue;
      running += event.type === 'node_started' ? 1 : -1;
      assert.ok(running <= 1);
      if (event.type === 'node_started') order.push(event.nodePath.at(-1) ?? '');
    }
    assert.equal(order[0], 'before');
    assert.equal(order.at(-1), 'after');
  });
});

describe('commands that are made when the task runs', () => {
  it('see the project as it is then; a failure of making them is one of the task', async () => {
    const { exitCode, events, outcomes } = await ran(
      policy(
        'runAll',
        `const { readFileSync } = await import('node:fs');
        p.add(new Task({ id: 'write', commands: [new RunBash('echo "echo made later" > commands.txt')] }));
        p.add(new Task({ id: 'made', commands: () => [new RunBash(readFileSync('commands.txt', 'utf8').trim())] }), ['write']);
        p.add(new Task({ id: 'made_async', commands: async () => [await Promise.resolve(new RunBash('echo async'))] }));
        p.add(new Task({ id: 'fails', commands: () => { throw new Error('cannot make them'); } }));
        p.add(new Task({ id: 'nothing', commands: [] }));`,
      ),
      ['p'],
    );
    assert.equal(exitCode, 1);
    assert.deepEqual(outcomes, {
      p: 'failed',
      'p/write': 'succeeded',
      'p/made': 'succeeded',
      'p/made_async': 'succeeded',
      'p/fails': 'failed',
      'p/nothing': 'succeeded',
    });
    assert.deepEqual(linesOf(events, 'p/made'), ['echo made later', 'made later']);
    assert.deepEqual(linesOf(events, 'p/made_async'), ['echo async', 'async']);
    assert.match(attemptsOf(events, 'p/fails')[0]?.error ?? '', /^cannot make them\n {4}at /);
  });
});

describe('a part of a pipeline', () => {
  const nested = policy(
    'stop',
    `p.add(ok('a')).add(ok('b'), ['a']);
    p.add(new Pipeline({ id: 'in' }).add(ok('x')).add(ok('y'), ['x']).add(ok('z'), ['y']), ['b']);
    p.add(ok('c'), ['in']).add(ok('d'), ['c']);`,
  );
  const order = (events: readonly RunEvent[]): string[] =>
    events.flatMap(event =>
      event.type === 'node_finished' && event.kind === 'task' ? [formatPath(event.nodePath)] : [],
    );

  it('keeps its order, whatever lies between', async () => {
    const { exitCode, events } = await ran(nested, ['p', '--nodes', 'd,a,in/z', '--parallel', '4']);
    assert.equal(exitCode, 0);
    assert.deepEqual(order(events), ['p/a', 'p/in/z', 'p/d']);
  });

  it('with what it waits for, across levels', async () => {
    const { events } = await ran(nested, ['p', '--nodes', 'in/y', '--with-upstreams', '--parallel', '4']);
    assert.deepEqual(order(events), ['p/a', 'p/b', 'p/in/x', 'p/in/y']);
    const task = await ran(nested, ['p/in/y', '--with-upstreams', '--parallel', '4']);
    assert.deepEqual(order(task.events), ['p/a', 'p/b', 'p/in/x', 'p/in/y']);
  });

  it('a nested pipeline, or one task', async () => {
    assert.deepEqual(order((await ran(nested, ['p/in'])).events), ['p/in/x', 'p/in/y', 'p/in/z']);
    assert.deepEqual(order((await ran(nested, ['p/in/y'])).events), ['p/in/y']);
  });
});
