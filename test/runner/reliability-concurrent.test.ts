import assert from 'node:assert/strict';
import { eventsOf, linesOf, outcomesOf, testProject, type TestProject } from '../support/project.ts';
import { waitUntil } from '../support/wait.ts';

/** Tasks that say whose run they belong to and go on until there is a file \`go\`. */
const files = {
  'both.pipeline.ts': `
    import { Pipeline, RunBash, Task } from 'millrace';
    function make(id: string) {
      const pipeline = new Pipeline({ id });
      for (const name of ['a', 'b'])
        pipeline.add(new Task({ id: name, commands: [
          new RunBash('for i in $(seq 200); do echo "$WHO $i"; done; until [ -e go ]; do sleep 0.01; done; echo "$WHO ends"')] }));
      return pipeline;
    }
    export const one = make('one');
    export const two = make('two');`,
};

async function begin(project: TestProject, who: string, args: readonly string[]) {
  const run = await project.start(['run', ...args, '--json'], {
    env: { WHO: who, MILLRACE_SYSTEM_STATISTICS_INTERVAL: '0.02' },
  });
  await run.until(() => run.output().stdout.includes(`${who} 200`));
  return run;
}

describe('two runs at once', () => {
  it('of the same nodes are refused, and not with --allow-concurrent', async () => {
    await using project = await testProject(files);
    await using first = await begin(project, 'first', ['one', '--parallel', '2']);
    const id = eventsOf(first.output().stdout)[0]?.runId;
    const [row] = await project.query<{ started_at: Date }>('SELECT started_at FROM run');
    const refusal = (what: string) =>
      `millrace: Run ${String(id)} of ${what} has been at work on the same nodes since ` +
      `${row?.started_at.toISOString() ?? ''}. Wait for it, end it with "millrace cancel ${String(id)}", ` +
      'or start this one beside it with --allow-concurrent.\n';
    // The same pipeline, the root that contains it, a task in it.
    for (const args of [['one'], [], ['one/a'], ['one', '--nodes', 'b']]) {
      assert.deepEqual(await project.run(['run', ...args]), {
        exitCode: 2,
        stdout: '',
        stderr: refusal('"one"'),
      });
    }
    assert.deepEqual(await project.query('SELECT count(*) AS n FROM run'), [{ n: 1 }]);

    await using second = await begin(project, 'second', ['one', '--parallel', '2', '--allow-concurrent']);
    await using third = await begin(project, 'third', ['two', '--parallel', '2']);
    // Statistics of all three while all three go on.
    await first.until(async () => {
      const rows = await project.query(
        'SELECT run_id FROM system_statistics GROUP BY run_id HAVING count(*) > 3',
      );
      return rows.length === 3;
    });
    await project.write({ go: '' });
    for (const [run, who, pipeline] of [
      [first, 'first', 'one'],
      [second, 'second', 'one'],
      [third, 'third', 'two'],
    ] as const) {
      const { exitCode, stdout, stderr } = await run.end;
      assert.equal(exitCode, 0, stderr);
      const events = eventsOf(stdout);
      const runId = events[0]?.runId;
      assert.deepEqual(new Set(events.map(event => event.runId)), new Set([runId]));
      assert.deepEqual(outcomesOf(events), {
        [pipeline]: 'succeeded',
        [`${pipeline}/a`]: 'succeeded',
        [`${pipeline}/b`]: 'succeeded',
      });
      const expected = [
        ...Array.from({ length: 200 }, (_, index) => `${who} ${String(index + 1)}`),
        `${who} ends`,
      ];
      for (const task of ['a', 'b']) {
        assert.deepEqual(linesOf(events, `${pipeline}/${task}`).slice(1), expected);
        const stored = await project.query<{ message: string }>(
          `SELECT message FROM node_output JOIN node_run USING (node_run_id)
          WHERE run_id = $1 AND node_path = $2 AND format = 'verbatim' ORDER BY seq`,
          [runId, [pipeline, task]],
        );
        assert.deepEqual(
          stored.map(({ message }) => message),
          expected,
        );
      }
      const samples = events.filter(event => event.type === 'system_statistics').map(event => event.time);
      const stored = await project.query<{ at: Date }>(
        'SELECT at FROM system_statistics WHERE run_id = $1 ORDER BY at',
        [runId],
      );
      assert.deepEqual(
        stored.map(({ at }) => at.toISOString()),
        samples,
      );
    }
  });

  it('that start in the same moment: exactly one is let in', async () => {
    await using project = await testProject(files);
    await project.run(['store', 'start']);
    await using started = new AsyncDisposableStack();
    const runs = await Promise.all(
      ['x', 'y', 'z'].map(who => project.start(['run', 'one', '--json'], { env: { WHO: who } })),
    );
    for (const run of runs) started.use(run);
    const ends = runs.map(run => run.end);
    let refused = 0;
    for (const end of ends) void end.then(({ exitCode }) => exitCode === 2 && refused++);
    await waitUntil(() => refused === 2);
    await project.write({ go: '' });
    const codes = (await Promise.all(ends)).map(({ exitCode }) => exitCode).sort();
    assert.deepEqual(codes, [0, 2, 2]);
  });
});
