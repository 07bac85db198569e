/** The command line: parses arguments and loads the one command that is asked for. Exit codes stand in docs/cli.md. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../engine/errors.ts';
import { runnerVersion } from '../version.ts';
import { exitCodes } from './exit-codes.ts';
import { reportError } from './report-error.ts';
import { styleFor } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Runs the command line and gives the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that goes away (`millrace … | head`) is no error of ours: a run goes on without it.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const program = new Command();
  let exitCode: number = exitCodes.success;

  const terminal = (): Terminal => {
    const { project, color } = program.opts<{ project?: string; color: boolean }>();
    return {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      directory: process.cwd(),
      project,
      style: styleFor(process.stdout, color),
      errorStyle: styleFor(process.stderr, color),
    };
  };
  /** An action that is loaded when it is asked for. */
  const action =
    <Arguments extends unknown[]>(run: (terminal: Terminal, ...given: Arguments) => Promise<number>) =>
    async (...given: Arguments): Promise<void> => {
      exitCode = await run(terminal(), ...given);
    };

  program
    .name('millrace')
    .description('Data pipelines as TypeScript code; every run kept in Postgres.')
    .version(runnerVersion, '-V, --version', 'print the version')
    .option(
      '--project <directory>',
      'the project (default: the nearest directory upwards with millrace.config.ts, package.json or .git)',
    )
    .option('--no-color', 'no colours')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(millrace --help shows what there is)')
    .configureOutput({ writeErr: text => process.stderr.write(text.replace(/^error: /, 'millrace: ')) })
    .exitOverride();

  program
    .command('run')
    .description('run a pipeline, or a task with what it needs')
    .argument('[path]', 'the pipeline or task as a/b/c; without it everything runs')
    .option('--nodes <paths>', 'only these nodes below the path, as a,b/c', list)
    .option('--with-upstreams', 'also everything that the selected nodes wait for', false)
    .addOption(
      new Option(
        '--resume <run>',
        'run again what did not succeed in that run, with its selection and parameters',
      )
        .argParser(positiveInteger)
        .conflicts(['nodes', 'withUpstreams']),
    )
    .option('--param <name=value>', 'a parameter of the pipeline; may be repeated', parameter, {})
    .option(
      '--parallel <n>',
      'how many tasks run at once (default: maxParallelTasks of the config)',
      positiveInteger,
    )
    .option('--no-store', 'keep no history')
    .addOption(new Option('--detach', 'start the run, print its id and return').conflicts('store'))
    .option('--json', 'print one event a line as JSON')
    .option('--allow-concurrent', 'run although another run is at work on the same nodes', false)
    .addOption(
      new Option('--trigger <who>', 'who starts the run')
        .choices(['editor', 'cli', 'api', 'schedule'])
        .default('cli')
        .hideHelp(),
    )
    .action(
      action(async (t, path: string | undefined, options: import('./run-command.ts').RunCommandOptions) =>
        (await import('./run-command.ts')).runCommand(t, path, options),
      ),
    );

  program
    .command('list')
    .description('the tree of pipelines and tasks with durations, costs and last outcomes')
    .argument('[path]', 'only this node and below')
    .option('--json', 'as one JSON value')
    .action(
      action(async (t, path: string | undefined, options: { json?: true }) =>
        (await import('./list-command.ts')).listCommand(t, path, options),
      ),
    );

  program
    .command('graph')
    .description('the graph of a pipeline')
    .argument('[path]', 'only this node and below')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['json', 'mermaid', 'dot']).default('json'),
    )
    .option('--no-locations', 'leave out where the nodes stand in the source')
    .action(
      action(async (t, path: string | undefined, options: import('./graph-command.ts').GraphCommandOptions) =>
        (await import('./graph-command.ts')).graphCommand(t, path, options),
      ),
    );

  program
    .command('runs')
    .description('the history of runs, newest first')
    .argument('[path]', 'only runs of this pipeline or of nodes below it')
    .addOption(
      new Option('--status <status>', 'only runs with this status').choices([
        'running',
        'succeeded',
        'failed',
        'cancelled',
        'lost',
      ]),
    )
    .option('--limit <n>', 'how many', positiveInteger, 20)
    .option('--json', 'as one JSON value')
    .action(
      action(async (t, path: string | undefined, options: import('./runs-command.ts').RunsCommandOptions) =>
        (await import('./runs-command.ts')).runsCommand(t, path, options),
      ),
    );

  program
    .command('show')
    .description('one run with its node runs, attempts, reasons and first error lines')
    .argument('<run>', 'the id of the run', positiveInteger)
    .option('--json', 'as one JSON value')
    .action(
      action(async (t, run: number, options: { json?: true }) =>
        (await import('./show-command.ts')).showCommand(t, run, options),
      ),
    );

  program
    .command('logs')
    .description('stored output of a run, also of one that is going on')
    .argument('<run>', 'the id of the run', positiveInteger)
    .argument('[path]', 'only this node and below')
    .option('--follow', 'go on until the run ends', false)
    .option('--errors', 'only error output', false)
    .option('--json', 'one line of output a line, as JSON')
    .action(
      action(
        async (
          t,
          run: number,
          path: string | undefined,
          options: import('./logs-command.ts').LogsCommandOptions,
        ) => (await import('./logs-command.ts')).logsCommand(t, run, path, options),
      ),
    );

  program
    .command('cancel')
    .description('end a run that is going on, wherever it was started')
    .argument('<run>', 'the id of the run', positiveInteger)
    .action(action(async (t, run: number) => (await import('./cancel-command.ts')).cancelCommand(t, run)));

  program
    .command('menu')
    .description('walk the tree and run from the terminal')
    .action(action(async t => (await import('./menu-command.ts')).menuCommand(t)));

  program
    .command('reset')
    .description('forget the incremental state of a node and everything below it')
    .argument('[path]', 'the node; without it everything')
    .option('--yes', 'do not ask')
    .action(
      action(async (t, path: string | undefined, options: { yes?: true }) =>
        (await import('./reset-command.ts')).resetCommand(t, path, options),
      ),
    );

  const store = program.command('store').description('the Postgres that keeps the history');
  for (const [name, text, argument] of [
    ['status', 'where it is, whether it runs, how large it is', undefined],
    ['start', 'start the embedded server', undefined],
    ['stop', 'stop the embedded server', undefined],
    ['url', 'print how to connect, for psql and other clients', undefined],
    ['migrate', 'bring the schema up to date', undefined],
    ['prune', 'delete runs older than retentionDays', undefined],
    ['backup', 'write the whole store to a file', '<file>'],
    ['restore', 'read a backup into an empty store', '<file>'],
  ] as const) {
    const command = store.command(name).description(text);
    if (argument !== undefined) command.argument(argument);
    if (name === 'status') command.option('--json', 'as one JSON value');
    command.action(
      action(async (t, ...given: unknown[]) => {
        const module = await import('./store-command.ts');
        const file = typeof given[0] === 'string' ? given[0] : undefined;
        return module.storeCommand(t, name, file, command.opts<{ json?: true }>());
      }),
    );
  }

  program
    .command('sql')
    .description('run SQL in a database of the project; stops at the first error')
    .argument('<alias>', 'the alias of the database, for example dwh')
    .addOption(
      new Option('-f, --file <file>', 'run this file instead of standard input').conflicts('command'),
    )
    .option('-c, --command <sql>', 'run this text instead of standard input')
    .action(
      action(async (t, alias: string, options: import('./sql-command.ts').SqlCommandOptions) =>
        (await import('./sql-command.ts')).sqlCommand(t, alias, options),
      ),
    );

  program
    .command('init')
    .description('make a new project with a pipeline that runs; never overwrites a file')
    .argument('[directory]', 'where (default: here)')
    .action(
      action(async (t, directory: string | undefined) =>
        (await import('./init-command.ts')).initCommand(t, directory),
      ),
    );

  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message already; help and version are no errors.
      return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    }
    return reportError(error, process.stderr);
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('it must be a whole number from 1 on.');
  return value;
}

function parameter(text: string, previous: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write it as name=value.');
  const name = text.slice(0, at);
  if (Object.hasOwn(previous, name)) throw new UsageError(`parameter "${name}" is given twice`);
  return { ...previous, [name]: text.slice(at + 1) };
}
