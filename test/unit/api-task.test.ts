import assert from 'node:assert/strict';
import { Command } from '../../runner/api/command.ts';
import { PipelineError } from '../../runner/api/errors.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';

class Echo extends Command {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  override shellCommand(): string {
    return `echo ${this.text}`;
  }
}

function texts(commands: readonly Command[] | null): string[] | undefined {
  return commands?.map(command => command.shellCommand().slice('echo '.length));
}

/** For callers without types. */
function untyped(value: unknown): never {
  return value as never;
}

describe('api: Task', () => {
  it('has commands in order', async () => {
    const task = new Task({ id: 'a', commands: [new Echo('1')] });
    task.addCommand(new Echo('2')).addCommands([new Echo('3'), new Echo('4')]);
    task.addCommand(new Echo('0'), { prepend: true });
    assert.deepEqual(texts(task.commands), ['0', '1', '2', '3', '4']);
    assert.equal(await task.resolveCommands(), task.commands);
    assert(task.commands?.every(command => command.parent === task));
  });

  it('has no commands by default, and can get some later', () => {
    const task = new Task({ id: 'a' });
    assert.deepEqual(task.commands, []);
    assert.deepEqual(texts(task.addCommand(new Echo('1')).commands), ['1']);
    assert.deepEqual(new Task({ id: 'b' }).commands, []);
  });

  it('does not change with the array that it was given', () => {
    const commands = [new Echo('1')];
    const task = new Task({ id: 'a', commands });
    commands.push(new Echo('2'));
    assert.deepEqual(texts(task.commands), ['1']);
  });

  const sources: readonly (readonly [string, () => unknown])[] = [
    ['an array', () => [new Echo('1'), new Echo('2')]],
    ['a promise of an array', () => Promise.resolve([new Echo('1'), new Echo('2')])],
    [
      'a generator',
      function* () {
        yield new Echo('1');
        yield new Echo('2');
      },
    ],
    [
      'an asynchronous generator',
      async function* () {
        yield await Promise.resolve(new Echo('1'));
        yield new Echo('2');
      },
    ],
  ];
  for (const [name, source] of sources) {
    it(`computes its commands when they are resolved: ${name}`, async () => {
      let calls = 0;
      const task = new Task({
        id: 'a',
        commands: () => {
          calls++;
          return untyped(source());
        },
      });
      assert.equal(task.commands, null);
      assert.equal(calls, 0);
      const commands = await task.resolveCommands();
      assert.deepEqual(texts(commands), ['1', '2']);
      assert(commands.every(command => command.parent === task));
      await task.resolveCommands();
      assert.equal(calls, 2);
    });
  }

  it('lets what a function throws through', async () => {
    const task = new Task({
      id: 'a',
      commands: () => {
        throw new Error('no files');
      },
    });
    await assert.rejects(task.resolveCommands(), { name: 'Error', message: 'no files' });
  });

  it('takes settings', () => {
    const { maxRetries, retryDelay, timeout } = new Task({
      id: 'a',
      maxRetries: 0,
      retryDelay: 0.5,
      timeout: 90,
    });
    assert.deepEqual({ maxRetries, retryDelay, timeout }, { maxRetries: 0, retryDelay: 0.5, timeout: 90 });
  });

  describe('mistakes', () => {
    const cases: readonly (readonly [string, () => unknown, string])[] = [
      [
        'maxRetries below 0',
        () => new Task({ id: 'a', maxRetries: -1 }),
        'Task "a": maxRetries must be a whole number of at least 0, not -1.',
      ],
      [
        'maxRetries with a fraction',
        () => new Task({ id: 'a', maxRetries: 1.5 }),
        'Task "a": maxRetries must be a whole number of at least 0, not 1.5.',
      ],
      [
        'maxRetries as text',
        () => new Task({ id: 'a', maxRetries: untyped('3') }),
        'Task "a": maxRetries must be a whole number of at least 0, not "3".',
      ],
      [
        'retryDelay below 0',
        () => new Task({ id: 'a', retryDelay: -1 }),
        'Task "a": retryDelay must be a number of at least 0, not -1.',
      ],
      [
        'timeout of 0',
        () => new Task({ id: 'a', timeout: 0 }),
        'Task "a": timeout must be more than 0 seconds. Leave it out for no limit.',
      ],
      [
        'timeout that is no number',
        () => new Task({ id: 'a', timeout: NaN }),
        'Task "a": timeout must be a number of at least 0, not NaN.',
      ],
      [
        'timeout beyond what timers can',
        () => new Task({ id: 'a', timeout: 3_000_000 }),
        'Task "a": timeout must be at most 2147483 seconds (24 days), not 3000000.',
      ],
      [
        'a command of another task',
        () => {
          const command = new Echo('1');
          new Pipeline({ id: 'p' }).add(new Task({ id: 'a', commands: [command] }));
          new Task({ id: 'b', commands: [command] });
        },
        'Task "b": this Echo command is part of task "p/a" already. Make a command of its own for each task.',
      ],
      [
        'a single command',
        () => new Task({ id: 'a', commands: untyped(new Echo('1')) }),
        'Task "a": commands must be an array of commands, not an object (Echo).',
      ],
      [
        'a text as command',
        () => new Task({ id: 'a', commands: [untyped('true')] }),
        'Task "a": "true" is not a command.',
      ],
      [
        'a class as command',
        () => new Task({ id: 'a' }).addCommand(untyped(Echo)),
        'Task "a": the class Echo is not a command.',
      ],
      [
        'addCommand on a dynamic task',
        () => new Task({ id: 'a', commands: () => [] }).addCommand(new Echo('1')),
        'Task "a" computes its commands at run time, so none can be added. Return all of them from the function given as commands.',
      ],
      [
        'addCommands on a dynamic task',
        () => new Task({ id: 'a', commands: () => [] }).addCommands([new Echo('1')]),
        'Task "a" computes its commands at run time, so none can be added. Return all of them from the function given as commands.',
      ],
      [
        'unknown options',
        () => new Task(untyped({ id: 'a', retries: 3, command: [] })),
        'Task "a" has unknown options: "retries" (did you mean "maxRetries"?), "command" (did you mean "commands"?).',
      ],
    ];
    for (const [name, act, message] of cases) {
      it(name, () => {
        assert.throws(act, { name: 'PipelineError', message });
      });
    }

    it('a function that gives no commands', async () => {
      const task = (given: unknown): Task => new Task({ id: 'a', commands: () => untyped(given) });
      await assert.rejects(task('true').resolveCommands(), {
        name: 'PipelineError',
        message: 'Task "a": the function for commands must return an array of commands, not "true".',
      });
      await assert.rejects(task([1]).resolveCommands(), {
        name: 'PipelineError',
        message: 'Task "a": 1 is not a command.',
      });
    });

    it('take no command when one of several is wrong', () => {
      const command = new Echo('1');
      const task = new Task({ id: 'a' });
      assert.throws(() => task.addCommands([command, untyped('x')]), PipelineError);
      assert.deepEqual(task.commands, []);
      assert.equal(command.parent, undefined);
    });
  });
});
