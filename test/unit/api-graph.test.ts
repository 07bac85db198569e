import assert from 'node:assert/strict';
import { Command } from '../../runner/api/command.ts';
import { toGraph } from '../../runner/api/graph.ts';
import { ParallelTask } from '../../runner/api/parallel-task.ts';
import { makeRoot, Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';

class Echo extends Command {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override shellCommand(): string {
    if (this.text === '') throw new Error('file not found: a.sql');
    return `echo ${this.text}`;
  }
}

class Fan extends ParallelTask {
  override addParallelTasks(): void {
    throw new Error('must not be called for a graph');
  }
}

describe('api: toGraph', () => {
  it('gives a whole tree as JSON', () => {
    const demo = new Pipeline({
      id: 'demo',
      description: 'Shows the secret',
      maxParallelTasks: 2,
      params: { days: 7 },
    });
    demo.addFinal(new Task({ id: 'last', commands: [new Echo('')] }));
    demo.add(
      new Task({ id: 'one', commands: [new Echo('secret')], maxRetries: 2, timeout: 60, labels: { a: 'b' } }),
    );
    demo.add(new Fan({ id: 'fan', maxParallelTasks: 3 }));
    demo.add(
      new Task({
        id: 'dynamic',
        commands: () => {
          throw new Error('must not be called for a graph');
        },
      }),
      ['fan', 'one'],
    );
    demo.addInitial(new Task({ id: 'first' }));
    const root = makeRoot(new Pipeline({ id: 'root', onFailure: 'runAll' })).add(demo);
    const plain = { description: '', labels: {}, nodes: [] };
    const graph = toGraph(root, { mask: text => text.replace('secret', '***') });
    assert.deepEqual(JSON.parse(JSON.stringify(graph)), {
      ...plain,
      id: 'root',
      path: [],
      kind: 'pipeline',
      upstreams: [],
      commands: [],
      onFailure: 'runAll',
      nodes: [
        {
          ...plain,
          id: 'demo',
          path: ['demo'],
          kind: 'pipeline',
          description: 'Shows the ***',
          upstreams: [],
          commands: [],
          maxParallelTasks: 2,
          onFailure: 'stop',
          params: { days: { type: 'number', default: 7 } },
          nodes: [
            {
              ...plain,
              id: 'last',
              path: ['demo', 'last'],
              kind: 'task',
              upstreams: ['dynamic'],
              commands: [{ kind: 'Echo', summary: 'file not found: a.sql' }],
            },
            {
              ...plain,
              id: 'one',
              path: ['demo', 'one'],
              kind: 'task',
              labels: { a: 'b' },
              upstreams: ['first'],
              commands: [{ kind: 'Echo', summary: 'echo ***' }],
              maxRetries: 2,
              timeout: 60,
            },
            {
              ...plain,
              id: 'fan',
              path: ['demo', 'fan'],
              kind: 'parallel',
              upstreams: ['first'],
              commands: null,
              maxParallelTasks: 3,
            },
            {
              ...plain,
              id: 'dynamic',
              path: ['demo', 'dynamic'],
              kind: 'task',
              upstreams: ['one', 'fan'],
              commands: null,
            },
            { ...plain, id: 'first', path: ['demo', 'first'], kind: 'task', upstreams: [], commands: [] },
          ],
        },
      ],
    });
  });

  it('gives a single node with its upstreams', () => {
    const b = new Task({ id: 'b' });
    new Pipeline({ id: 'p' }).add(new Task({ id: 'a' })).add(b, ['a']);
    assert.deepEqual(toGraph(b).upstreams, ['a']);
    assert.deepEqual(toGraph(new Task({ id: 'alone' })).upstreams, []);
  });
});
