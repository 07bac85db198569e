import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../runner/events.ts';
import { formatPath } from '../../runner/model.ts';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import {
  attemptsOf,
  eventsOf,
  linesOf,
  outcomesOf,
  testProject,
  type TestProject,
  untilUnlocked,
} from '../support/project.ts';

interface NodeRow {
  readonly path: string;
  readonly status: string;
  readonly reason: string | null;
  readonly open: boolean;
}

const nodeRows = (project: TestProject, runId: number): Promise<NodeRow[]> =>
  project.query<NodeRow>(
    `SELECT array_to_string(node_path, '/') AS path, status, reason, ended_at IS NULL AS open
    FROM node_run WHERE run_id = $1 ORDER BY node_run_id`,
    [runId],
  );

/** How often each task has begun its work: a line in its file each time. */
function workOf(project: TestProject): Record<string, number> {
  const folder = join(project.path, 'done');
  return Object.fromEntries(
    readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8').split('\n').length - 1]),
  );
}

const succeededIn = (events: readonly RunEvent[]): string[] =>
  Object.entries(outcomesOf(events))
    .filter(([path, outcome]) => path.includes('/') && outcome === 'succeeded')
    .map(([path]) => path);

const taskName = (index: number): string => `t${String(index).padStart(3, '0')}`;
const allTasks = Array.from({ length: 200 }, (_, index) => taskName(index));

describe('kill -9 of the runner', function () {
  before(function () {
    if (!canListProcesses) this.skip();
  });

  it('in the middle of 200 tasks: nothing is left, the record is closed, and --resume does the rest', async () => {
    await using project = await testProject({
      'done/.keep': '',
      'many.pipeline.ts': `
        import { existsSync, appendFileSync } from 'node:fs';
        import { Pipeline, RunBash, RunFunction, RunProcess, Task } from 'millrace';

        const many = new Pipeline({ id: 'many' });
        for (let index = 0; index < 200; index++) {
          const id = 't' + String(index).padStart(3, '0');
          const work = 'echo "at work"; echo x >> done/' + id;
          many.add(new Task({ id, commands: commands(index, id, work) }));
        }
        // Four in the middle do not end before there is a file "gate".
        function commands(index: number, id: string, work: string) {
          if (index === 100) return [new RunBash(work + '; [ -e gate ] || { (while :; do echo tick; sleep 0.01; done) & wait; }')];
          if (index === 101) return [new RunBash(work + '; [ -e gate ] || sleep 1000 | cat')];
          if (index === 102) return [new RunBash(work), new RunProcess({ command: 'bash', args: ['-c', '[ -e gate ] || sleep 1000'] })];
          if (index === 103) return [new RunFunction(async () => {
            console.log('at work');
            appendFileSync('done/' + id, 'x\\n');
            while (!existsSync('gate')) await new Promise(resolve => setTimeout(resolve, 10));
          })];
          return [new RunBash(work)];
        }
        export default many;`,
    });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await project.start(['run', 'many', '--parallel', '4', '--json'], { env: mark.env });
    const blockers = [100, 101, 102, 103].map(taskName);
    await run.until(() => {
      const lines = eventsOf(run.output().stdout);
      return blockers.every(id => linesOf(lines, `many/${id}`).includes('at work'));
    });
    const seen = eventsOf(run.output().stdout).filter(event => event.type === 'output');
    const runId = seen[0]?.runId ?? 0;
    // What is written is stored while the run goes on.
    await run.until(async () => {
      const [stored] = await project.query<{ n: number }>('SELECT count(*) AS n FROM node_output');
      return (stored?.n ?? 0) >= seen.length;
    });
    run.signal('SIGKILL');
    await run.end;
    await mark.untilGone();
    await untilUnlocked(project, runId);

    const runs = await project.run(['runs', '--json']);
    const [history] = JSON.parse(runs.stdout) as { runId: number; status: string }[];
    assert.equal(history?.runId, runId);
    assert.equal(history.status, 'lost');
    const rows = await nodeRows(project, runId);
    assert.deepEqual(
      rows.map(({ path, status, open }) => `${path} ${status}${open ? ' open' : ''}`).sort(),
      [
        'many lost',
        ...allTasks.slice(0, 100).map(id => `many/${id} succeeded`),
        ...blockers.map(id => `many/${id} lost`),
      ].sort(),
    );
    for (const { status, reason } of rows) {
      assert.equal(reason, status === 'lost' ? 'the runner died' : null);
    }
    // Every line that was there before the kill is there now, and no line is missing before the last one.
    const gaps = await project.query(
      'SELECT node_run_id FROM node_output GROUP BY node_run_id HAVING max(seq) <> count(*)',
    );
    assert.deepEqual(gaps, []);
    const stored = await project.query<{ path: string; seq: number; message: string }>(
      `SELECT array_to_string(node_path, '/') AS path, seq, message FROM node_output JOIN node_run USING (node_run_id)`,
    );
    const storedLines = new Map(stored.map(({ path, seq, message }) => [`${path} ${String(seq)}`, message]));
    for (const { nodePath, seq, message } of seen)
      assert.equal(storedLines.get(`${formatPath(nodePath)} ${String(seq)}`), message);

    await project.write({ gate: '' });
    const resumed = await project.run(['run', '--resume', String(runId), '--json']);
    assert.equal(resumed.exitCode, 0, resumed.stderr);
    assert.deepEqual(
      succeededIn(eventsOf(resumed.stdout)).sort(),
      allTasks.slice(100).map(id => `many/${id}`),
    );
    const { '.keep': _, ...work } = workOf(project);
    assert.deepEqual(work, Object.fromEntries(allTasks.map(id => [id, blockers.includes(id) ? 2 : 1])));
    const again = await project.run(['run', '--resume', String(eventsOf(resumed.stdout)[0]?.runId)]);
    assert.equal(again.exitCode, 2);
  });

  it('at full speed: what succeeded is not repeated, and the rest is done', async () => {
    await using project = await testProject({
      'done/.keep': '',
      'many.pipeline.ts': `
        import { Pipeline, RunBash, Task } from 'millrace';
        const many = new Pipeline({ id: 'many' });
        for (let index = 0; index < 200; index++) {
          const id = 't' + String(index).padStart(3, '0');
          // The second half begins when the test says so, and the last one keeps the run from being over.
          const gate = index === 199 ? 'gate' : index >= 100 ? 'go' : '.';
          many.add(new Task({ id, commands: [new RunBash('until [ -e ' + gate + ' ]; do sleep 0.01; done; echo x >> done/' + id)] }));
        }
        export default many;`,
    });
    await project.run(['store', 'start']);
    const mark = new ProcessMark();
    await using run = await project.start(['run', 'many', '--parallel', '4', '--json'], { env: mark.env });
    await run.until(async () => {
      const [stored] = await project.query<{ n: number }>(
        "SELECT count(*) AS n FROM node_run WHERE status = 'succeeded'",
      );
      return (stored?.n ?? 0) > 0;
    });
    await project.write({ go: '' });
    await run.until(() => run.output().stdout.split('"type":"node_finished"').length > 120);
    run.signal('SIGKILL');
    await run.end;
    await mark.untilGone();
    await untilUnlocked(project, eventsOf(run.output().stdout)[0]?.runId ?? 0);
    await project.write({ gate: '' });

    const { stdout } = await project.run(['runs', '--json']);
    const [lost] = JSON.parse(stdout) as { runId: number; status: string }[];
    assert.equal(lost?.status, 'lost');
    const rows = await nodeRows(project, lost.runId);
    const done = new Set(rows.filter(row => row.status === 'succeeded').map(row => row.path));
    assert.ok(done.size > 0 && done.size < 200);
    assert.deepEqual(
      rows.filter(row => row.status === 'running'),
      [],
    );

    const resumed = await project.run(['run', '--resume', String(lost.runId), '--json']);
    assert.equal(resumed.exitCode, 0, resumed.stderr);
    assert.deepEqual(
      succeededIn(eventsOf(resumed.stdout)).sort(),
      allTasks.map(id => `many/${id}`).filter(path => !done.has(path)),
    );
    const work = workOf(project);
    for (const id of allTasks) {
      const times = work[id] ?? 0;
      assert.ok(times === 1 || (times === 2 && !done.has(`many/${id}`)), `${id}: ${String(times)}`);
    }
  });
});

describe('kill -9 of a worker', () => {
  const files = {
    'work.pipeline.ts': `
      import { existsSync, writeFileSync } from 'node:fs';
      import { Pipeline, RunBash, RunFunction, Task } from 'millrace';
      const work = new Pipeline({ id: 'work', onFailure: 'runAll' });
      work.add(new Task({ id: 'victim', retryDelay: 0.01, ...(process.env['RETRIES'] && { maxRetries: 1 }),
        commands: [new RunFunction(async () => {
          if (existsSync('second')) return;
          writeFileSync('second', '');
          console.log('before the end');
          console.log('pid ' + process.pid);
          await new Promise(resolve => setTimeout(resolve, 1_000_000));
        })] }));
      for (let index = 0; index < 5; index++)
        work.add(new Task({ id: 'other_' + index, commands: [new RunBash('echo done')] }));
      work.add(new Task({ id: 'last', commands: [new RunBash('echo last')] }), ['victim']);
      export default work;`,
  };

  async function killWorker(
    project: TestProject,
    env: Record<string, string>,
  ): Promise<{ exitCode: number | null; events: RunEvent[] }> {
    await using run = await project.start(['run', 'work', '--parallel', '2', '--json'], { env });
    const pidOf = (): string | undefined => /"message":"pid (\d+)"/.exec(run.output().stdout)?.[1];
    await run.until(() => pidOf() !== undefined);
    process.kill(Number(pidOf()), 'SIGKILL');
    const { exitCode, stdout } = await run.end;
    return { exitCode, events: eventsOf(stdout) };
  }

  it('fails the task that it ran, and no other', async () => {
    await using project = await testProject(files);
    const { exitCode, events } = await killWorker(project, {});
    assert.equal(exitCode, 1);
    assert.deepEqual(outcomesOf(events), {
      work: 'failed',
      'work/victim': 'failed',
      'work/other_0': 'succeeded',
      'work/other_1': 'succeeded',
      'work/other_2': 'succeeded',
      'work/other_3': 'succeeded',
      'work/other_4': 'succeeded',
      'work/last': 'succeeded',
    });
    const [attempt] = attemptsOf(events, 'work/victim');
    assert.equal(attempt?.error, 'worker was killed by SIGKILL while the task was running');
    assert.equal(attempt.exitCode, null);
    assert.deepEqual(linesOf(events, 'work/victim').slice(0, 2), ['anonymous()', 'before the end']);
  });

  it('is retried like any other failure', async () => {
    await using project = await testProject(files);
    const { exitCode, events } = await killWorker(project, { RETRIES: '1' });
    assert.equal(exitCode, 0);
    assert.deepEqual(
      attemptsOf(events, 'work/victim').map(({ attempt, status, error, retryIn }) => ({
        attempt,
        status,
        error,
        retryIn,
      })),
      [
        {
          attempt: 1,
          status: 'failed',
          error: 'worker was killed by SIGKILL while the task was running',
          retryIn: 0.01,
        },
        { attempt: 2, status: 'succeeded', error: null, retryIn: null },
      ],
    );
    const rows = await project.query<{ attempt: number; status: string }>(
      `SELECT attempt, status FROM node_run WHERE node_path = '{work,victim}' ORDER BY node_run_id`,
    );
    assert.deepEqual(rows, [
      { attempt: 1, status: 'failed' },
      { attempt: 2, status: 'succeeded' },
    ]);
  });
});
