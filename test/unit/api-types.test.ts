/** What an editor shows in red. Each line below an `@ts-expect-error` must not compile; nothing of this is run. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Command } from '../../runner/api/command.ts';
import { defineConfig } from '../../runner/api/config.ts';
import { embeddedPostgres, postgres } from '../../runner/api/databases.ts';
import type { Node } from '../../runner/api/node.ts';
import { ParallelTask } from '../../runner/api/parallel-task.ts';
import { ExecuteSQL, HttpRequest, RunBash, RunProcess } from '../../runner/commands/index.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';

class Echo extends Command {
  override shellCommand(): string {
    return 'echo';
  }
}

export function right(): void {
  const pipeline = new Pipeline({
    id: 'p',
    onFailure: 'runAll',
    params: { days: 7, since: { type: 'date' } },
  });
  const task: Task = new Task({ id: 'a', commands: [new Echo()] });
  pipeline.add(task).add(new Task({ id: 'b', commands: () => [new Echo()] }), ['a', task]);
  pipeline.addAll([new Task({ id: 'c', commands: async () => Promise.resolve([new Echo()]) })]);
  pipeline.add(
    new Task({
      id: 'd',
      commands: function* () {
        yield new Echo();
      },
      maxRetries: undefined,
    }),
  );
  pipeline.add(
    new Task({
      id: 'e',
      commands: ({ params }) => [
        new ExecuteSQL({ sql: 'select @day@', replace: { '@day@': context => context.params['day'] } }),
        new ExecuteSQL({ sql: context => `select ${Number(context.params['days'])}` }),
        new RunBash(context => `echo ${String(context.params['day'])}`),
        new RunProcess({ command: 'echo', args: context => Object.keys(context.params) }),
        new HttpRequest({
          url: () => String(params['url']),
          headers: context => ({ a: typeof context.params }),
        }),
      ],
    }),
  );
  class Fan extends ParallelTask {
    override async addParallelTasks(subPipeline: Pipeline): Promise<void> {
      subPipeline.add(await Promise.resolve(new Task({ id: 'x' })));
    }
  }
  pipeline.add(new Fan({ id: 'fan', commandsBefore: [new Echo()] }));
  defineConfig({
    databases: { dwh: postgres({ url: 'postgres://localhost/dwh' }), own: embeddedPostgres() },
    eventHandlers: [
      event => {
        if (event.type === 'run_finished') process.stdout.write(event.status);
      },
    ],
  });
}

export function wrong(): void {
  const pipeline = new Pipeline({ id: 'p' });
  const task = new Task({ id: 'a' });
  const changeable: (Map<string, Node> | Set<Node>)[] = [];
  // @ts-expect-error an id is needed
  new Task({});
  // @ts-expect-error an id is a text
  new Task({ id: 1 });
  // @ts-expect-error there is no such option
  new Task({ id: 'a', maxRetry: 1 });
  // @ts-expect-error that is an option of pipelines
  new Task({ id: 'a', onFailure: 'stop' });
  // @ts-expect-error it must be a number
  new Task({ id: 'a', timeout: '60' });
  // @ts-expect-error it must be an array
  new Task({ id: 'a', commands: new Echo() });
  // @ts-expect-error they must be commands
  new Task({ id: 'a', commands: ['true'] });
  // @ts-expect-error they must be commands
  new Task({ id: 'a', commands: () => ['true'] });
  // @ts-expect-error one of four values
  new Pipeline({ id: 'p', onFailure: 'retry' });
  // @ts-expect-error there is no such option
  new Pipeline({ id: 'p', maxParallelTask: 1 });
  // @ts-expect-error labels are texts
  new Pipeline({ id: 'p', labels: { a: 1 } });
  // @ts-expect-error no such type of parameter
  new Pipeline({ id: 'p', params: { a: { type: 'int' } } });
  // @ts-expect-error unknown key of a parameter
  new Pipeline({ id: 'p', params: { a: { type: 'string', defualt: 'x' } } });
  // @ts-expect-error a text must be returned
  new RunBash(({ params }) => params);
  // @ts-expect-error there is no such thing in the argument
  new ExecuteSQL({ sql: ({ log }) => String(log) });
  // @ts-expect-error only nodes can be added
  pipeline.add('a');
  // @ts-expect-error it must be an array
  pipeline.add(task, 'a');
  // @ts-expect-error upstreams are ids or nodes
  pipeline.add(task, [1]);
  // @ts-expect-error it is read only
  changeable.push(pipeline.nodes);
  // @ts-expect-error it is read only
  changeable.push(task.upstreams);
  // @ts-expect-error it is read only
  task.id = 'b';
  // @ts-expect-error there is no such option
  task.addCommand(new Echo(), { append: true });
  // @ts-expect-error the class is abstract
  new ParallelTask({ id: 'a' });
  // @ts-expect-error addParallelTasks is missing
  class Nothing extends ParallelTask {}
  new Nothing({ id: 'a' });
  // @ts-expect-error shellCommand is missing
  class Silent extends Command {}
  new Silent();
  // @ts-expect-error either a URL or parts
  postgres({ url: 'postgres://a/b', host: 'c' });
  // @ts-expect-error the database is missing
  postgres({ host: 'c' });
  // @ts-expect-error it must be a number
  postgres({ database: 'd', port: '5432' });
  // @ts-expect-error one of four values
  postgres({ database: 'd', sslMode: 'prefer' });
  // @ts-expect-error there is no such setting
  defineConfig({ maxParalelTasks: 3 });
  // @ts-expect-error that is not a database
  defineConfig({ databases: { dwh: 'postgres://a/b' } });
}

describe('api: types', () => {
  it('make wrong options red', () => {
    const file = fileURLToPath(import.meta.url);
    const configFile = ts.findConfigFile(dirname(file), name => ts.sys.fileExists(name));
    assert(configFile !== undefined);
    const config: unknown = ts.readConfigFile(configFile, name => ts.sys.readFile(name)).config;
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configFile));
    const program = ts.createProgram([file], options);
    const diagnostics = program.getSemanticDiagnostics(program.getSourceFile(file));
    assert.deepEqual(
      diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
    );
  });
});
