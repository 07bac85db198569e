import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { window } from '../../runner/pool/output-flow.ts';
import { pipeFolderOf } from '../../runner/pool/pipes.ts';
import type { AttemptResult } from '../../runner/pool/protocol.ts';
import { PoolHarness } from '../fixtures/pool/harness.ts';
import { hasProc, residentMemory, runs, untilGone, waits } from '../fixtures/pool/processes.ts';
import { ProcessMark } from '../support/processes.ts';
import { waitUntil } from '../support/wait.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'pool');
const treeUrl = `file://${join(folder, 'tree.ts')}`;
const plain: AttemptResult = {
  status: 'succeeded',
  exitCode: null,
  error: null,
  reason: null,
  rowsProcessed: null,
};

/** Lines and columns of the fixture do not matter. */
function withoutPlaces(text: string | null): string | null {
  return text?.replaceAll(treeUrl, 'tree.ts').replace(/:\d+:\d+/g, ':L:C') ?? null;
}

describe('pool: tasks', function () {
  if (process.platform === 'win32') return;
  let harness: PoolHarness;
  before(() => (harness = new PoolHarness(1)));
  after(async () => {
    await harness[Symbol.asyncDispose]();
  });

  it('runs commands and keeps what they write', async () => {
    const { result, chunks } = await harness.run('echo');
    assert.deepEqual(result, { ...plain, exitCode: 0 });
    assert.deepEqual(
      new Set(chunks.map(chunk => JSON.stringify(chunk))),
      new Set([
        '{"format":"verbatim","isError":false,"text":"hello"}',
        '{"format":"verbatim","isError":true,"text":"oops"}',
      ]),
    );
  });

  it('fails with the exit code and stops at the first command that fails', async () => {
    const { result, lines } = await harness.run('fail');
    assert.deepEqual(
      { ...result, error: result.error?.split('\n')[0] },
      { ...plain, status: 'failed', exitCode: 7, error: 'exit code 7' },
    );
    assert.deepEqual(lines, ['before']);
    const explained = await harness.run('explains');
    assert.equal(explained.result.error?.split('\n')[0], 'exit code 3: ***: no such file');
    assert.deepEqual(explained.lines.slice(0, 3), ['! ***: no such file', '! bye', '! exit code 3']);
    assert.deepEqual((await harness.run('stops')).lines, []);
    assert.equal((await harness.run('killed')).result.error?.split('\n')[0], 'killed by SIGKILL');
  });

  it('fails with the message and the place of an error, with its stack in the output', async () => {
    const { result, lines } = await harness.run('throws');
    assert.equal(
      withoutPlaces(result.error),
      'RangeError: too much of ***\n    at Call.failing [as fn] (tree.ts:L:C)',
    );
    assert.deepEqual(lines.map(withoutPlaces), [
      '! RangeError: too much of ***',
      '!     at Call.failing [as fn] (tree.ts:L:C)',
      '!     at Call.run (tree.ts:L:C)',
    ]);
    assert.deepEqual((await harness.run('throws_string')).result, {
      ...plain,
      status: 'failed',
      error: 'just text',
    });
    assert.deepEqual((await harness.run('returns_false')).result, {
      ...plain,
      status: 'failed',
      error: 'Call returned false.',
    });
    const caused = await harness.run('throws_cause');
    assert.deepEqual(caused.lines.map(withoutPlaces), [
      '! outer',
      '!     at Call.throws_cause [as fn] (tree.ts:L:C)',
      '!     at Call.run (tree.ts:L:C)',
      '! Caused by: inner',
      '!     at Call.throws_cause [as fn] (tree.ts:L:C)',
      '!     at Call.run (tree.ts:L:C)',
    ]);
  });

  it('keeps what functions print, and nothing of it gets into the next task', async () => {
    assert.deepEqual((await harness.run('console')).lines, ['to stdout, ***', '! to stderr', 'no newline']);
    assert.deepEqual((await harness.run('nothing')).lines, []);
  });

  it('keeps lines of any kind', async () => {
    assert.deepEqual((await harness.run('nul')).lines, ['a\ufffdb']);
    assert.deepEqual((await harness.run('invalid')).lines, ['a\ufffdb']);
    assert.deepEqual((await harness.run('no_newline')).lines, ['first', 'last']);
    assert.deepEqual((await harness.run('secret')).lines, ['it is ***']);
    const long = await harness.run('long_line');
    assert.equal(long.lines.length, Math.ceil(10_000_000 / 65_536));
    assert.equal(long.lines.join('').length, 10_000_000);
  });

  it('runs programs without a shell', async () => {
    assert.deepEqual((await harness.run('program')).lines, ['from input', '0']);
    assert.deepEqual((await harness.run('on_stdout')).lines, ['got taken']);
    const { result } = await harness.run('no_program');
    assert.equal(
      withoutPlaces(result.error),
      'The program "no-such-program-here" was not found. Is it installed, and on the PATH?',
    );
  });

  it('runs several programs of a command at once', async () => {
    assert.deepEqual((await harness.run('two_at_once')).lines.toSorted(), ['a', 'b']);
  });

  it('counts rows, and is unchanged only if all commands are', async () => {
    assert.deepEqual((await harness.run('rows')).result, { ...plain, rowsProcessed: 7 });
    assert.deepEqual((await harness.run('unchanged')).result, {
      ...plain,
      status: 'unchanged',
      reason: 'nothing new',
    });
    assert.deepEqual((await harness.run('partly_unchanged')).result, plain);
    assert.deepEqual((await harness.run('settings')).lines, ['2000-01-01']);
  });

  it('asks the runner for state', async () => {
    const kept = new Map<string, unknown>();
    harness.answerState = ({ method, arguments: [, type, hash] }) => {
      if (method === 'setFileDependency') kept.set(String(type), hash);
      return kept.get(String(type)) ?? null;
    };
    assert.deepEqual((await harness.run('state')).lines, ['abc null']);
    assert.deepEqual(harness.states, [
      { method: 'setFileDependency', arguments: [['state'], 'sql', 'abc'] },
      { method: 'fileDependency', arguments: [['state'], 'sql'] },
      { method: 'fileDependency', arguments: [['state'], 'other'] },
      { method: 'deleteFileDependency', arguments: [['state'], 'sql'] },
    ]);
    harness.answerState = () => Promise.reject(new Error('The store is away.'));
    assert.equal((await harness.run('state')).result.error?.split('\n')[0], 'The store is away.');
  });

  it('computes the commands of dynamic tasks', async () => {
    assert.deepEqual((await harness.run('dynamic')).lines, ['dynamic']);
  });

  it('says what is missing', async () => {
    const { result } = await harness.run('no/such/task');
    assert.equal(
      result.error,
      `There is no node "no" in the worker's copy of the pipelines: ` +
        'what a pipeline file makes must not depend on when or by which process it is loaded.',
    );
  });

  it('expands parallel tasks, and runs their children with commands that have travelled or not', async () => {
    const expanded = await harness.expand('numbers');
    assert.ok('nodes' in expanded);
    assert.equal(expanded.maxParallelTasks, 2);
    assert.deepEqual(
      expanded.nodes.map(({ id, upstreams, commands }) => ({ id, upstreams, commands })),
      [
        { id: 'n1', upstreams: [], commands: [{ kind: 'Shell', options: { command: 'echo 1' } }] },
        { id: 'n2', upstreams: [], commands: [{ kind: 'Shell', options: { command: 'echo 2' } }] },
        { id: 'pid', upstreams: ['n1'], commands: undefined },
        { id: 'nested', upstreams: [], commands: undefined },
      ],
    );
    const [first] = expanded.nodes;
    assert.ok(first?.commands !== undefined);
    const from = { path: ['numbers'] };
    assert.deepEqual(
      (await harness.run('numbers/n1', { expandedFrom: { ...from, commands: first.commands } })).lines,
      ['1'],
    );
    assert.deepEqual((await harness.run('numbers/pid', { expandedFrom: from })).lines, [
      `in ${String(harness.pool.pids[0])}`,
    ]);
    assert.deepEqual((await harness.run('numbers/nested/fn', { expandedFrom: from })).lines, [
      'numbers/nested/fn',
    ]);
  });

  it('expands to very many children, which run without another expansion', async () => {
    const expanded = await harness.expand('many_100000');
    assert.ok('nodes' in expanded);
    assert.equal(expanded.nodes.length, 100_000);
    assert.equal(new Set(expanded.nodes.map(({ id }) => id)).size, 100_000);
    const last = expanded.nodes.at(-1);
    assert.deepEqual(last?.commands, [{ kind: '@child', options: 99_999 }]);
    const { lines } = await harness.run('many_100000/n99999', {
      expandedFrom: { path: ['many_100000'], commands: last.commands },
    });
    assert.deepEqual(lines, ['many_100000/n99999 got 99999, 0 expansions']);
    const few = await harness.expand('many_2');
    assert.ok('nodes' in few && few.nodes.length === 2);
  });

  it('says when a parallel task cannot be expanded, or not in the same way again', async () => {
    const broken = await harness.expand('broken');
    assert.ok('result' in broken);
    assert.equal(
      withoutPlaces(broken.result.error),
      'TypeError: no list of files\n    at Broken.addParallelTasks (tree.ts:L:C)',
    );
    const moody = await harness.run('moody/child_of_another', { expandedFrom: { path: ['moody'] } });
    assert.equal(
      moody.result.error,
      'Parallel task "moody" did not make its child "child_of_another" again: ' +
        'addParallelTasks must make children with the same ids whenever it is called in a run.',
    );
  });
});

describe('pool: workers that die', function () {
  if (process.platform === 'win32') return;
  let harness: PoolHarness;
  before(() => (harness = new PoolHarness(1)));
  after(async () => {
    await harness[Symbol.asyncDispose]();
  });

  it('fails the task with what happened, and goes on with another worker', async () => {
    const errors = [];
    for (const task of ['exit', 'kill', 'uncaught', 'rejection']) {
      errors.push(withoutPlaces((await harness.run(task)).result.error));
      assert.deepEqual((await harness.run('nothing')).result, plain);
    }
    assert.deepEqual(errors, [
      'worker ended with exit code 3 while the task was running',
      'worker was killed by SIGKILL while the task was running',
      'out of nowhere\n    at Timeout._onTimeout (tree.ts:L:C)',
      'nobody listens\n    at Call.rejection [as fn] (tree.ts:L:C)',
    ]);
  });

  it('ends what the task has started', async function () {
    if (!hasProc) this.skip();
    const command = harness.begin('group');
    const [child] = await command.lines(1);
    process.kill(harness.pool.pids[0] ?? 0, 'SIGKILL');
    assert.equal(
      (await command.finished).result.error,
      'worker was killed by SIGKILL while the task was running',
    );
    await untilGone([Number(child)]);

    const fn = harness.begin('spawns');
    const [grandchild] = await fn.lines(1);
    process.kill(harness.pool.pids[0] ?? 0, 'SIGKILL');
    await fn.finished;
    await untilGone([Number(grandchild)]);
  });

  it('gives up when no worker can be started', async () => {
    await using broken = new PoolHarness(2, { workerFile: join(folder, 'broken-worker.ts') });
    const { result } = await broken.run('nothing');
    const message =
      'No worker could be started: worker ended with exit code 9 before it was ready, 3 times in a row.';
    assert.deepEqual(result, { ...plain, status: 'failed', error: message });
    assert.equal(await broken.unusable.promise, message);
    assert.equal((await broken.run('nothing')).result.error, message);
  });

  it('says why the project cannot be loaded', async () => {
    await using broken = new PoolHarness(1, { files: [join(folder, 'broken-tree.ts')] });
    const { result } = await broken.run('nothing');
    assert.equal(result.error?.split('\n')[0], 'this project is broken');
    assert.equal(await broken.unusable.promise, result.error);
  });
});

describe('pool: cancel and timeout', function () {
  if (process.platform === 'win32') return;
  let harness: PoolHarness;
  before(() => (harness = new PoolHarness(1)));
  after(async () => {
    await harness[Symbol.asyncDispose]();
  });
  const cancelled = { ...plain, status: 'cancelled', reason: 'the run was cancelled' } as const;

  it('terminates commands, and kills those that do not end', async () => {
    const sleep = harness.begin('group');
    const [child] = await sleep.lines(1);
    harness.pool.cancel(sleep.ticket, 60);
    assert.deepEqual((await sleep.finished).result, cancelled);
    await untilGone([Number(child)]);
    const stubborn = harness.begin('stubborn');
    await stubborn.lines(1);
    harness.pool.cancel(stubborn.ticket, 0.1);
    assert.deepEqual((await stubborn.finished).result, cancelled);
    assert.deepEqual((await harness.run('nothing')).result, plain);
  });

  it('aborts the signal of functions', async () => {
    const { pids } = harness.pool;
    const task = harness.begin('signal');
    await task.lines(1);
    harness.pool.cancel(task.ticket, 60);
    assert.deepEqual((await task.finished).result, cancelled);
    assert.deepEqual(harness.pool.pids, pids);
  });

  it('gives up a worker whose function does not end, whether it waits or computes', async () => {
    for (const task of ['never', 'spin']) {
      // So that the task is not cancelled while it waits for a worker.
      await harness.run('nothing');
      const begun = harness.begin(task);
      const pids = harness.pool.pids;
      harness.pool.cancel(begun.ticket, 0.1);
      assert.deepEqual((await begun.finished).result, cancelled);
      await untilGone(pids);
    }
    assert.deepEqual((await harness.run('nothing')).result, plain);
  });

  it('kills at once when there is no time to wait', async () => {
    const begun = harness.begin('stubborn');
    await begun.lines(1);
    harness.pool.cancel(begun.ticket, 600);
    harness.pool.cancel(begun.ticket, 0);
    assert.deepEqual((await begun.finished).result, cancelled);
  });

  it('cancels what has not begun', async () => {
    const running = harness.begin('never');
    const queued = harness.begin('nothing');
    harness.pool.cancel(queued.ticket, 5);
    assert.deepEqual((await queued.finished).result, cancelled);
    harness.pool.cancel(running.ticket, 0);
    await running.finished;
  });

  it('ends tasks that take too long', async () => {
    assert.deepEqual((await harness.run('sleep', { timeout: 0.1 })).result, {
      ...plain,
      status: 'failed',
      error: 'timed out after 0.1 s',
    });
    assert.deepEqual((await harness.run('signal', { timeout: 0.1 })).result, {
      ...plain,
      status: 'failed',
      error: 'timed out after 0.1 s',
    });
    assert.deepEqual((await harness.run('nothing', { timeout: 60 })).result, plain);
  });

  it('kills everything, the worker before it can tell of its command, and gives it nothing more', async () => {
    // It is a matter of chance which of the two deaths the worker would see first.
    for (let round = 0; round < 5; round += 1) {
      const begun = harness.begin('group');
      const [child] = await begun.lines(1);
      harness.pool.killNow();
      assert.equal(
        (await begun.finished).result.error,
        'worker was killed by SIGKILL while the task was running',
      );
      await untilGone([Number(child)]);
    }
  });

  it('removes what a worker that was killed in the middle of things has left', async () => {
    const begun = harness.begin('group');
    await begun.lines(1);
    const left = harness.pool.pids.map(pipeFolderOf);
    for (const folder of left) mkdirSync(folder);
    harness.pool.killNow();
    await begun.finished;
    assert.deepEqual(left.map(existsSync), [false]);
  });
});

/** So many tasks at the same time, until all of them have begun. */
async function occupy(harness: PoolHarness, count: number): Promise<void> {
  const tasks = Array.from({ length: count }, () => harness.begin('group'));
  await Promise.all(tasks.map(async task => await task.lines(1)));
  for (const { ticket } of tasks) harness.pool.cancel(ticket, 0);
  await Promise.all(tasks.map(async ({ finished }) => await finished));
}

describe('pool: size and load', function () {
  if (process.platform === 'win32') return;

  it('starts workers ahead of need, reuses them, and changes its size', async () => {
    await using harness = new PoolHarness(3);
    harness.pool.start(2);
    assert.equal(harness.pool.pids.length, 2);
    await occupy(harness, 3);
    assert.equal(harness.pool.pids.length, 3);
    harness.pool.size = 1;
    await Promise.all(Array.from({ length: 5 }, async () => await harness.run('nothing')));
    assert.equal(harness.pool.pids.length, 1);
    harness.pool.size = 2;
    await occupy(harness, 2);
    assert.equal(harness.pool.pids.length, 2);
    assert.throws(() => (harness.pool.size = 0), { message: 'A pool needs at least 1 worker, not 0.' });
  });

  it('runs 1,000 commands on 8 workers', async function () {
    this.timeout(60_000);
    await using harness = new PoolHarness(8);
    const ends = await Promise.all(Array.from({ length: 1000 }, async () => await harness.run('true_')));
    assert.ok(
      ends.every(
        ({ result, lines }) => result.status === 'succeeded' && result.exitCode === 0 && lines.length === 0,
      ),
    );
  });

  it('holds up a program whose output is not taken up', async function () {
    if (!hasProc) this.skip();
    this.timeout(60_000);
    await using harness = new PoolHarness(1);
    harness.takes = false;
    const yes = harness.begin('yes');
    const program = Number((await yes.lines(1))[0]);
    await waitUntil(() => harness.outputBytes >= window);
    // It is held up when it waits, and the worker, which would read from it, waits as well.
    await waitUntil(() => [program, ...harness.pool.pids].every(waits));
    assert.ok(harness.outputBytes < 2 * window, String(harness.outputBytes));
    assert.ok(residentMemory(harness.pool.pids[0] ?? 0) < 150 * 1024 * 1024);
    harness.pool.cancel(yes.ticket, 5);
    assert.equal((await yes.finished).result.status, 'cancelled');
    await untilGone([program]);
  });

  it('leaves nothing behind when it is closed in the middle of things', async function () {
    if (!hasProc) this.skip();
    const harness = new PoolHarness(2);
    const begun = harness.begin('group');
    const [child] = await begun.lines(1);
    const pids = [...harness.pool.pids, Number(child)];
    await harness.pool.close();
    await untilGone(pids);
  });
});

describe('pool: a runner that is killed', function () {
  if (!hasProc) return;

  for (const how of ['sleep', 'spin'] as const) {
    it(`leaves no process behind (${how})`, async () => {
      const mark = new ProcessMark();
      const runner = spawn(process.execPath, [join(folder, 'runner.ts'), how], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...mark.env },
      });
      const [line] = (await once(createInterface(runner.stdout), 'line')) as [string];
      const workers = line.split(' ').map(Number);
      // What the shell has forked becomes a sleep a moment after the line is printed.
      await waitUntil(
        () => mark.running().filter(({ command }) => /^sleep 1234\.[27]5$/.test(command)).length === 2,
      );
      const workersRun = workers.map(runs);
      const left = workers.map(pipeFolderOf);
      for (const folder of left) mkdirSync(folder);
      runner.kill('SIGKILL');
      assert.deepEqual(workersRun, [true, true]);
      await mark.untilGone();
      assert.deepEqual(left.map(existsSync), [false, false]);
      runner.stdout.destroy();
    });
  }

  it('is not confused with one that has ended in good order', async () => {
    const runner = spawn(process.execPath, [join(folder, 'runner.ts'), 'close'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(runner.stdout)[Symbol.asyncIterator]();
    const workers = String((await lines.next()).value)
      .split(' ')
      .map(Number);
    assert.equal((await lines.next()).value, 'closed');
    await untilGone(workers);
    runner.kill('SIGKILL');
    await once(runner, 'exit');
  });
});
