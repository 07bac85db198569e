import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { eventsOf, outcomesOf, testProject, type TestProject, untilUnlocked } from '../support/project.ts';

/**
 * With three slots: `retries` fails and waits; `stubborn`, `spins` and `polite` run; `queued` waits for a slot; `after`
 * waits for a task.
 */
const pipeline = `
  import { writeFileSync } from 'node:fs';
  import { Pipeline, RunBash, RunFunction, Task } from 'millrace';
  const work = new Pipeline({ id: 'work' });
  work.add(new Task({ id: 'retries', maxRetries: 2, retryDelay: 1000, commands: [new RunBash('exit 7')] }));
  work.add(new Task({ id: 'stubborn', commands: [new RunBash("trap '' TERM INT HUP; touch stubborn; while :; do sleep 1; done")] }));
  work.add(new Task({ id: 'spins', commands: [new RunFunction(() => {
    writeFileSync('spins', '');
    for (;;);
  })] }));
  work.add(new Task({ id: 'polite', commands: [new RunBash('touch polite; sleep 1000 & wait')] }));
  work.add(new Task({ id: 'queued', commands: [new RunBash('true')] }));
  work.add(new Task({ id: 'after', commands: [new RunBash('true')] }), ['polite']);
  export default work;`;

const cancelling = 'millrace: Cancelling: tasks are asked to end. Press Ctrl-C again to kill them.\n';

async function begin(project: TestProject, mark: ProcessMark, killTimeout: string) {
  const run = await project.start(['run', 'work', '--parallel', '3', '--json'], {
    env: { ...mark.env, MILLRACE_KILL_TIMEOUT: killTimeout },
  });
  const files = ['stubborn', 'spins', 'polite'].map(name => join(project.path, name));
  await run.until(() => files.every(existsSync) && run.output().stdout.includes('"retryIn":1000'));
  return run;
}

async function assertCancelled(project: TestProject, mark: ProcessMark, stdout: string): Promise<void> {
  assert.deepEqual(outcomesOf(eventsOf(stdout)), {
    work: 'cancelled',
    'work/retries': 'cancelled',
    'work/stubborn': 'cancelled',
    'work/spins': 'cancelled',
    'work/polite': 'cancelled',
    'work/queued': 'cancelled',
    'work/after': 'cancelled',
  });
  const reason = 'the run was cancelled';
  const cancelled = { attempt: 1, status: 'cancelled', exit_code: null, error: null, reason, open: false };
  const rows = await project.query(
    `SELECT array_to_string(node_path, '/') AS path, attempt, status, exit_code, error, reason, ended_at IS NULL AS open
    FROM node_run ORDER BY 1, 2`,
  );
  assert.deepEqual(rows, [
    { path: 'work', ...cancelled, reason: null },
    { path: 'work/after', ...cancelled },
    { path: 'work/polite', ...cancelled },
    { path: 'work/queued', ...cancelled },
    {
      path: 'work/retries',
      attempt: 1,
      status: 'failed',
      exit_code: 7,
      error: 'exit code 7',
      reason: null,
      open: false,
    },
    { path: 'work/retries', ...cancelled, attempt: 2 },
    { path: 'work/spins', ...cancelled },
    { path: 'work/stubborn', ...cancelled },
  ]);
  const runs = await project.query('SELECT status, ended_at IS NULL AS open FROM run');
  assert.deepEqual(runs, [{ status: 'cancelled', open: false }]);
  if (canListProcesses) await mark.untilGone();
}

describe('cancelling a run', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal}`, async () => {
      await using project = await testProject({ 'work.pipeline.ts': pipeline });
      await project.run(['store', 'start']);
      const mark = new ProcessMark();
      await using run = await begin(project, mark, '0.2');
      run.signal(signal);
      const { exitCode, stdout, stderr } = await run.end;
      assert.equal(stderr, cancelling);
      assert.equal(exitCode, 130);
      await assertCancelled(project, mark, stdout);
    });
  }

  it('by a second Ctrl-C at once', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await begin(project, mark, '10000');
    run.signal('SIGINT');
    await run.until(() => run.output().stderr === cancelling);
    run.signal('SIGINT');
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(stderr, cancelling);
    assert.equal(exitCode, 130);
    await assertCancelled(project, mark, stdout);
  });

  it('by "millrace cancel" from another process', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await begin(project, mark, '0.2');
    const id = String(eventsOf(run.output().stdout)[0]?.runId);
    const cancel = await project.run(['cancel', id]);
    assert.deepEqual(cancel, { exitCode: 0, stdout: '', stderr: `millrace: Run ${id} is asked to end.\n` });
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(stderr, '');
    assert.equal(exitCode, 130);
    await assertCancelled(project, mark, stdout);

    const again = await project.run(['cancel', id]);
    assert.deepEqual(again, {
      exitCode: 2,
      stdout: '',
      stderr: `millrace: Run ${id} is over: it ended as cancelled.\n`,
    });
    const unknown = await project.run(['cancel', '12345']);
    assert.deepEqual(unknown, {
      exitCode: 2,
      stdout: '',
      stderr: 'millrace: There is no run 12345 in this project. See "millrace runs".\n',
    });
  });

  it('whose runner is dead closes it as lost', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await begin(project, mark, '0.2');
    const id = String(eventsOf(run.output().stdout)[0]?.runId);
    run.signal('SIGKILL');
    await run.end;
    await untilUnlocked(project, Number(id));
    const cancel = await project.run(['cancel', id]);
    assert.deepEqual(cancel, {
      exitCode: 0,
      stdout: '',
      stderr: `millrace: The runner of run ${id} had died; the run is closed as lost.\n`,
    });
    if (canListProcesses) await mark.untilGone();
  });

  it('before it has begun leaves nothing', async () => {
    await using project = await testProject({
      'work.pipeline.ts': `
        import { writeFileSync } from 'node:fs';
        import { Pipeline, RunBash, Task } from 'millrace';
        writeFileSync('loading', '');
        await new Promise(resolve => setTimeout(resolve, 1_000_000));
        export default new Pipeline({ id: 'work' }).add(new Task({ id: 'a', commands: [new RunBash('true')] }));`,
    });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await project.start(['run'], { env: mark.env });
    await run.until(() => existsSync(join(project.path, 'loading')));
    run.signal('SIGINT');
    // Nothing was begun that would have to be put in order: the signal does what it does to any program.
    assert.deepEqual(await run.end, { exitCode: null, stdout: '', stderr: '' });
    if (canListProcesses) await mark.untilGone();
  });
});
