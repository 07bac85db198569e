import assert from 'node:assert/strict';
import { Command } from '../../runner/api/command.ts';
import type { CommandSpec } from '../../runner/pool/protocol.ts';
import {
  expandParallelTask,
  ParallelTask,
  type ParallelTaskOptions,
  reviveCommands,
  toExpandedNodes,
} from '../../runner/api/parallel-task.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';
import { expansionContext } from '../support/expansion.ts';

class Echo extends Command {
  readonly options: { readonly text: string };

  constructor(options: { readonly text: string }) {
    super();
    this.options = options;
  }

  override shellCommand(): string {
    return `echo ${this.options.text}`;
  }

  override spec(): CommandSpec {
    return { kind: 'Echo', options: this.options };
  }
}

class Call extends Command {
  readonly fn: () => void;

  constructor(fn: () => void) {
    super();
    this.fn = fn;
  }

  override shellCommand(): string {
    return this.fn.name;
  }
}

class Fan extends ParallelTask {
  readonly fill: (subPipeline: Pipeline) => void | Promise<void>;

  constructor(options: ParallelTaskOptions, fill: (subPipeline: Pipeline) => void | Promise<void>) {
    super(options);
    this.fill = fill;
  }

  override addParallelTasks(subPipeline: Pipeline): void | Promise<void> {
    return this.fill(subPipeline);
  }
}

const settings = expansionContext({ dataDir: '/data' });

function echo(text: string): Echo {
  return new Echo({ text });
}

function addTwo(subPipeline: Pipeline): void {
  subPipeline.add(new Task({ id: 'a', commands: [echo('a')] }));
  subPipeline.add(new Task({ id: 'b', commands: [echo('b')], maxRetries: 0 }));
}

function edgesOf(pipeline: Pipeline): string[] {
  return [...pipeline.nodes.values()]
    .flatMap(node => [...node.downstreams].map(downstream => `${node.id}>${downstream.id}`))
    .sort();
}

describe('api: ParallelTask', () => {
  it('expands to a pipeline at its own path', async () => {
    const fan = new Fan(
      {
        id: 'fan',
        description: 'Fans out',
        labels: { a: 'b' },
        maxParallelTasks: 2,
        maxRetries: 3,
        commandsBefore: [echo('before')],
        commandsAfter: [echo('after')],
      },
      addTwo,
    );
    const top = new Pipeline({ id: 'top', basePath: '/somewhere' }).add(fan);
    const expanded = await expandParallelTask(fan, settings);
    assert.deepEqual(expanded.path, ['top', 'fan']);
    assert.deepEqual(expanded.nodes.get('a')?.path, ['top', 'fan', 'a']);
    assert.equal(expanded.basePath, top.basePath);
    assert.equal(expanded.maxParallelTasks, 2);
    assert.equal(expanded.description, 'Fans out');
    assert.deepEqual(expanded.labels, { a: 'b' });
    assert.deepEqual(edgesOf(expanded), ['a>after', 'b>after', 'before>a', 'before>b']);
    assert.deepEqual(
      [...expanded.nodes.values()].map(node => node instanceof Task && node.maxRetries),
      [3, 3, 3, 0],
    );
    assert.equal(top.nodes.get('fan'), fan);
  });

  it('has no task before or after without commands for it', async () => {
    const expanded = await expandParallelTask(new Fan({ id: 'fan' }, addTwo), settings);
    assert.deepEqual([...expanded.nodes.keys()], ['a', 'b']);
    assert.deepEqual(edgesOf(expanded), []);
    const before = await expandParallelTask(
      new Fan({ id: 'fan' }, () => undefined).addCommandBefore(echo('1')),
      settings,
    );
    assert.deepEqual([...before.nodes.keys()], ['before']);
    const after = await expandParallelTask(
      new Fan({ id: 'fan' }, () => undefined).addCommandAfter(echo('1')),
      settings,
    );
    assert.deepEqual([...after.nodes.keys()], ['after']);
  });

  it('expands again to the same children, also when that takes time', async () => {
    const fan = new Fan({ id: 'fan', commandsBefore: [echo('x')] }, async subPipeline => {
      await Promise.resolve();
      addTwo(subPipeline);
    });
    const first = toExpandedNodes(await expandParallelTask(fan, settings));
    assert.deepEqual(toExpandedNodes(await expandParallelTask(fan, settings)), first);
  });

  it('lets what addParallelTasks throws through', async () => {
    const fan = new Fan({ id: 'fan' }, () => {
      throw new Error('no such folder');
    });
    await assert.rejects(expandParallelTask(fan, settings), { message: 'no such folder' });
  });

  it('travels as JSON, with commands where all of them can', async () => {
    const fan = new Fan({ id: 'fan', maxRetries: 1, commandsAfter: [echo('done')] }, subPipeline => {
      subPipeline.add(new Task({ id: 'plain', commands: [echo('1'), echo('2')], timeout: 5, retryDelay: 0 }));
      subPipeline.add(new Task({ id: 'mixed', commands: [echo('1'), new Call(addTwo as () => void)] }), [
        'plain',
      ]);
      subPipeline.add(new Task({ id: 'dynamic', commands: () => [echo('1')] }), ['mixed', 'plain']);
      subPipeline.add(
        new Pipeline({ id: 'sub', onFailure: 'runAll', maxParallelTasks: 1 }).add(new Task({ id: 'leaf' })),
      );
      subPipeline.add(new Fan({ id: 'inner', maxParallelTasks: 4 }, addTwo));
    });
    const nodes = toExpandedNodes(await expandParallelTask(fan, settings));
    const node = { description: '', labels: {} };
    assert.deepEqual(JSON.parse(JSON.stringify(nodes)), [
      {
        ...node,
        id: 'after',
        kind: 'task',
        description: 'Runs the commands after',
        upstreams: ['dynamic', 'sub', 'inner'],
        maxRetries: 1,
        commands: [{ kind: 'Echo', options: { text: 'done' } }],
      },
      {
        ...node,
        id: 'plain',
        kind: 'task',
        upstreams: [],
        maxRetries: 1,
        retryDelay: 0,
        timeout: 5,
        commands: [
          { kind: 'Echo', options: { text: '1' } },
          { kind: 'Echo', options: { text: '2' } },
        ],
      },
      { ...node, id: 'mixed', kind: 'task', upstreams: ['plain'], maxRetries: 1 },
      { ...node, id: 'dynamic', kind: 'task', upstreams: ['plain', 'mixed'], maxRetries: 1 },
      {
        ...node,
        id: 'sub',
        kind: 'pipeline',
        upstreams: [],
        onFailure: 'runAll',
        maxParallelTasks: 1,
        nodes: [{ ...node, id: 'leaf', kind: 'task', upstreams: [], maxRetries: 1, commands: [] }],
      },
      { ...node, id: 'inner', kind: 'parallel', upstreams: [], maxRetries: 1, maxParallelTasks: 4 },
    ]);
  });

  it('revives commands by their class', () => {
    const [command] = reviveCommands([{ kind: 'Echo', options: { text: 'hi' } }], { Echo });
    assert(command instanceof Echo);
    assert.equal(command.shellCommand(), 'echo hi');
    assert.throws(() => reviveCommands([{ kind: 'toString', options: {} }], { Echo }), {
      name: 'PipelineError',
      message:
        'There is no command "toString" that could be made from its options. Its method spec() must return undefined.',
    });
  });

  it('reports mistakes by the name of its class', () => {
    const wrong: unknown = { id: 'fan', retries: 1 };
    assert.throws(() => new Fan(wrong as ParallelTaskOptions, addTwo), {
      message: 'Fan "fan" has an unknown option: "retries" (did you mean "maxRetries"?).',
    });
    assert.throws(() => new Fan({ id: 'fan', maxParallelTasks: 0 }, addTwo), {
      message: 'Fan "fan": maxParallelTasks must be a whole number of at least 1, not 0.',
    });
    const command = echo('1');
    const task = new Task({ id: 'a', commands: [command] });
    assert.throws(() => new Fan({ id: 'fan', commandsBefore: [command] }, addTwo), {
      message:
        'Parallel task "fan": this Echo command is part of task "a" already. Make a command of its own for each task.',
    });
    assert.equal(command.parent, task);
  });
});
