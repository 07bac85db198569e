import assert from 'node:assert/strict';
import { attemptsOf, eventsOf, linesOf, outcomesOf, testProject } from '../support/project.ts';

interface GraphNode {
  readonly id: string;
  readonly nodes: readonly GraphNode[];
}

const countOf = (node: GraphNode): number => node.nodes.reduce((sum, child) => sum + countOf(child), 1);

describe('pipelines of any size', () => {
  it('without a task', async () => {
    await using project = await testProject({
      'p.pipeline.ts': `import { Pipeline } from 'millrace'; export default new Pipeline({ id: 'p' }).add(new Pipeline({ id: 'q' }));`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'p']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /\n✓ run 1 succeeded in [\d.]+m?s: nothing to do\n$/);
    assert.deepEqual(await project.query('SELECT status FROM run'), [{ status: 'succeeded' }]);
  });

  it('with 2,000 tasks', async () => {
    await using project = await testProject({
      'p.pipeline.ts': `
        import { Pipeline, RunFunction, Task } from 'millrace';
        const p = new Pipeline({ id: 'p' });
        for (let i = 0; i < 2000; i++)
          p.add(new Task({ id: 't' + i, commands: [new RunFunction(() => undefined)] }), i < 1000 ? [] : ['t' + (i - 1000)]);
        export default p;`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--json']);
    assert.equal(exitCode, 0, stderr);
    const end = eventsOf(stdout).at(-1);
    assert.ok(end?.type === 'run_finished');
    assert.equal(end.counts.succeeded, 2000);
    const rows = await project.query('SELECT status, count(*) AS n FROM node_run GROUP BY 1');
    assert.deepEqual(rows, [{ status: 'succeeded', n: 2001 }]);
  });

  it('with 10,000 nodes is listed and drawn', async () => {
    await using project = await testProject({
      'p.pipeline.ts': `
        import { Pipeline, RunBash, Task } from 'millrace';
        const p = new Pipeline({ id: 'p' });
        for (let i = 0; i < 100; i++) {
          const inner = new Pipeline({ id: 'in_' + i });
          for (let j = 0; j < 99; j++)
            inner.add(new Task({ id: 't' + j, commands: [new RunBash('true')] }), j === 0 ? [] : ['t' + (j - 1)]);
          p.add(inner, i === 0 ? [] : ['in_' + (i - 1)]);
        }
        export default p;`,
    });
    for (const args of [
      ['list', '--json'],
      ['graph', '--format', 'json'],
    ]) {
      const { exitCode, stdout, stderr } = await project.run(args);
      assert.equal(exitCode, 0, stderr);
      const { root } = JSON.parse(stdout) as { root: GraphNode };
      // The root and p itself besides.
      assert.equal(countOf(root), 10_002);
    }
    for (const format of ['mermaid', 'dot']) {
      const { exitCode, stdout } = await project.run(['graph', '--format', format]);
      assert.equal(exitCode, 0);
      assert.ok(stdout.split('\n').length > 10_000);
    }
    const list = await project.run(['list']);
    assert.equal(list.stdout.split('\n').length, 10_001 + 2);
  });
});

describe('ids that mean something elsewhere', () => {
  it('are ids like any other', async () => {
    const ids = [
      'constructor',
      '__proto__',
      '1',
      'tostring',
      'hasownproperty',
      'null',
      'undefined',
      'before',
      '0',
    ];
    await using project = await testProject({
      'p.pipeline.ts': `
        import { ParallelTask, Pipeline, RunBash, RunFunction, Task } from 'millrace';
        const ids = ${JSON.stringify(ids)};
        const p = new Pipeline({ id: '__proto__', onFailure: 'skipDownstream' });
        ids.forEach((id, index) => p.add(new Task({ id, commands: [new RunBash('echo ' + id)] }), index === 0 ? [] : [ids[index - 1]]));
        class Each extends ParallelTask {
          override addParallelTasks(sub: Pipeline) {
            for (const id of ids) sub.add(new Task({ id, commands: [new RunFunction(() => console.log(id))] }));
          }
        }
        p.add(new Each({ id: 'each' }), ['0']);
        export default p;`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', '__proto__', '--json']);
    assert.equal(exitCode, 0, stderr);
    const events = eventsOf(stdout);
    for (const id of ids) {
      assert.equal(linesOf(events, `__proto__/${id}`).at(-1), id);
      assert.equal(attemptsOf(events, `__proto__/${id}`)[0]?.status, 'succeeded');
      assert.equal(linesOf(events, `__proto__/each/${id}`).at(-1), id);
    }
    const part = await project.run(['run', '--json', '--nodes', '__proto__/__proto__,__proto__/1']);
    assert.deepEqual(outcomesOf(eventsOf(part.stdout)), {
      '': 'succeeded',
      ['__proto__']: 'succeeded',
      '__proto__/__proto__': 'succeeded',
      '__proto__/1': 'succeeded',
    });
    const list = await project.run(['list', '__proto__', '--json']);
    assert.deepEqual(
      (JSON.parse(list.stdout) as { root: GraphNode }).root.nodes.map(({ id }) => id),
      [...ids, 'each'],
    );
    const logs = await project.run(['logs', '1', '__proto__/constructor']);
    assert.match(
      logs.stdout,
      /^__proto__ \/ constructor: echo constructor\n__proto__ \/ constructor: constructor\n$/,
    );
    const runs = await project.run(['runs', '__proto__/1', '--json']);
    assert.equal((JSON.parse(runs.stdout) as unknown[]).length, 2);
    // Looks like an option: commander wants it after "--".
    const option = await project.run(['run', '--', '-x']);
    assert.equal(option.stderr, 'millrace: There is no node "-x". The project has: "__proto__".\n');
    assert.equal(option.exitCode, 2);
  });
});
