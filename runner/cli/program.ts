/**
 * What can be said on the command line: commands, arguments, options and their help. A command's code is loaded when the
 * command is asked for.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../engine/errors.ts';
import { runnerVersion } from '../version.ts';
import { styleFor } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Gets the exit code of the command that ran. */
export type Conclude = (exitCode: number) => void;

/** An action that tells its exit code, with the terminal as the first argument. */
type Run = <Arguments extends unknown[]>(
  run: (terminal: Terminal, ...given: Arguments) => Promise<number>,
) => (...given: Arguments) => Promise<void>;

export function makeProgram(conclude: Conclude): Command {
  const program = new Command();
  const run: Run =
    command =>
    async (...given) => {
      conclude(await command(terminalOf(program), ...given));
    };

  program
    .name('millrace')
    .usage('<command> [options]')
    .description('Data pipelines as TypeScript code; every run kept in Postgres.')
    .version(runnerVersion, '-V, --version', 'print the version')
    .option(
      '--project <directory>',
      'the project (default: the nearest directory upwards with millrace.config.ts, package.json or .git)',
    )
    .option('--no-color', 'no colours (as with NO_COLOR)')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();

  addRunCommands(program, run);
  addProjectCommands(program, run);
  addHistoryCommands(program, run);
  addStoreCommands(program, run);

  program.addHelpText(
    'after',
    `
A path is a/b/c, from the top of the tree; no path means everything.

Exit codes: 0 success · 1 the run failed · 2 wrong usage or an unknown path · 3 the store cannot be reached · 130 cancelled

Examples:
  millrace init shop && cd shop && millrace run hello
  millrace run load/customers --with-upstreams
  millrace logs 42 --follow`,
  );
  for (const command of allCommands(program)) adaptErrors(command);
  return program;
}

function addRunCommands(program: Command, run: Run): void {
  program
    .command('run')
    .description('Runs a pipeline, or a task within its pipeline.')
    .argument('[path]', 'the pipeline or task as a/b/c; without it everything runs')
    .option('--nodes <paths>', 'only these nodes below the path, as a,b/c', list)
    .option('--with-upstreams', 'also everything that the selected nodes wait for')
    .addOption(
      new Option(
        '--resume <run>',
        'run again what did not succeed in that run, with its selection and parameters',
      )
        .argParser(wholeNumber)
        .conflicts(['nodes', 'withUpstreams']),
    )
    .option('--param <name=value>', 'a parameter of the pipeline; may be repeated', parameter)
    .option(
      '--parallel <n>',
      'how many tasks run at once (default: maxParallelTasks of the project)',
      wholeNumber,
    )
    .option('--no-store', 'keep no history')
    .option('--detach', 'start the run, print its id and return; it goes on in the background')
    .option('--json', 'print one event a line as JSON')
    .option('--allow-concurrent', 'run although another run is at work on the same nodes')
    .addOption(
      new Option('--trigger <who>', 'who starts the run, for the history (default: cli)').choices([
        'editor',
        'cli',
        'api',
        'schedule',
      ]),
    )
    .action(
      run(
        async (
          terminal,
          path: string | undefined,
          given: Partial<import('./run-command.ts').RunCommandOptions>,
        ) => {
          const { runCommand } = await import('./run-command.ts');
          const defaults = {
            withUpstreams: false,
            param: {},
            store: true,
            allowConcurrent: false,
            trigger: 'cli',
          } as const;
          return runCommand(terminal, path, { ...defaults, ...given });
        },
      ),
    )
    .addHelpText(
      'after',
      examples(
        'millrace run',
        'millrace run shop/load --param since=2026-01-01 --parallel 8',
        'millrace run shop --nodes load/customers,load/orders --with-upstreams',
        'millrace run --resume 42',
      ),
    );

  program
    .command('cancel')
    .description('Ends a run that is going on, wherever it was started.')
    .argument('<run>', 'the id of the run', wholeNumber)
    .action(
      run(async (terminal, id: number) => (await import('./cancel-command.ts')).cancelCommand(terminal, id)),
    )
    .addHelpText('after', examples('millrace cancel 42'));

  program
    .command('menu')
    .description('Walks the tree and runs from the terminal: arrow keys, space to select, enter, q.')
    .action(run(async terminal => (await import('./menu-command.ts')).menuCommand(terminal)))
    .addHelpText('after', examples('millrace menu'));
}

function addProjectCommands(program: Command, run: Run): void {
  program
    .command('list')
    .description('The tree of pipelines and tasks with average durations, costs and last outcomes.')
    .argument('[path]', 'only this node and below')
    .option('--json', 'as one JSON value')
    .action(
      run(async (terminal, path: string | undefined, options: { json?: true }) =>
        (await import('./list-command.ts')).listCommand(terminal, path, options),
      ),
    )
    .addHelpText('after', examples('millrace list', 'millrace list shop/load --json'));

  program
    .command('graph')
    .description('The graph of a pipeline as the code declares it.')
    .argument('[path]', 'only this node and below')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['json', 'mermaid', 'dot']).default('json'),
    )
    .option('--no-locations', 'leave out where the nodes stand in the source')
    .option('--static', 'as the static analysis sees it, without running any code of the project')
    .action(
      run(
        async (
          terminal,
          path: string | undefined,
          options: import('./graph-command.ts').GraphCommandOptions,
        ) => (await import('./graph-command.ts')).graphCommand(terminal, path, options),
      ),
    )
    .addHelpText(
      'after',
      examples('millrace graph shop --format dot | dot -Tsvg > shop.svg', 'millrace graph --static'),
    );

  program
    .command('check')
    .description('Mistakes in pipelines and their SQL, found without running any code of the project.')
    .argument('[path]', 'only in this file or folder, or where this node is made')
    .option('--json', 'as one JSON value')
    .action(
      run(async (terminal, path: string | undefined, options: { json?: true }) =>
        (await import('./check-command.ts')).checkCommand(terminal, path, options),
      ),
    )
    .addHelpText('after', examples('millrace check', 'millrace check shop', 'millrace check --json'));

  program
    .command('config')
    .description('The configuration that is in force, and where each value comes from; secrets are masked.')
    .option('--json', 'as one JSON value')
    .addOption(new Option('--send', 'send it to the process that forked this one').hideHelp())
    .action(
      run(async (terminal, options: import('./config-command.ts').ConfigCommandOptions) =>
        (await import('./config-command.ts')).configCommand(terminal, options),
      ),
    )
    .addHelpText('after', examples('millrace config', 'millrace config --json'));

  // For the editor: its form may change with any version.
  program
    .command('docs', { hidden: true })
    .description('The commands of a task in all detail, as JSON.')
    .argument('<path>', 'the task')
    .addOption(new Option('--send', 'send it to the process that forked this one').hideHelp())
    .action(
      run(async (terminal, path: string, options: import('./docs-command.ts').DocsCommandOptions) =>
        (await import('./docs-command.ts')).docsCommand(terminal, path, options),
      ),
    );

  program
    .command('reset')
    .description(
      'Forgets the incremental state of a node and of everything below it; prints what it forgets.',
    )
    .argument('[path]', 'the node; without it everything')
    .option('--yes', 'do not ask')
    .action(
      run(async (terminal, path: string | undefined, options: { yes?: true }) =>
        (await import('./reset-command.ts')).resetCommand(terminal, path, options),
      ),
    )
    .addHelpText('after', examples('millrace reset shop/load', 'millrace reset shop/load/orders --yes'));

  program
    .command('sql')
    .description(
      'Runs SQL in a database of the project, from standard input by default; stops at the first error.',
    )
    .argument('<alias>', 'the alias of the database, for example dwh')
    .addOption(new Option('-f, --file <file>', 'run this file').conflicts('command'))
    .option('-c, --command <sql>', 'run this text')
    .action(
      run(async (terminal, alias: string, options: import('./sql-command.ts').SqlCommandOptions) =>
        (await import('./sql-command.ts')).sqlCommand(terminal, alias, options),
      ),
    )
    .addHelpText(
      'after',
      examples(
        `millrace sql dwh -c 'SELECT count(*) FROM shop.orders'`,
        `millrace sql dwh -c 'COPY shop.orders FROM STDIN (FORMAT csv)' < orders.csv`,
      ),
    );

  program
    .command('init')
    .description('Makes a new project with a pipeline that runs; never overwrites a file.')
    .argument('[directory]', 'where (default: here)')
    .addOption(
      new Option('--template <name>', 'what it begins with: a first pipeline, or a whole data warehouse')
        .choices(['hello', 'warehouse'])
        .default('hello'),
    )
    .action(
      run(
        async (
          terminal,
          directory: string | undefined,
          options: import('./init-command.ts').InitCommandOptions,
        ) => (await import('./init-command.ts')).initCommand(terminal, directory, options),
      ),
    )
    .addHelpText('after', examples('millrace init shop', 'millrace init dwh --template warehouse'));
}

function addHistoryCommands(program: Command, run: Run): void {
  program
    .command('runs')
    .description('The history of runs, newest first.')
    .argument('[path]', 'only runs that this node or something below it took part in')
    .addOption(
      new Option('--status <status>', 'only runs with this status').choices([
        'running',
        'succeeded',
        'failed',
        'cancelled',
        'lost',
      ]),
    )
    .addOption(new Option('--limit <n>', 'how many').argParser(wholeNumber).default(20))
    .option('--json', 'as one JSON value')
    .action(
      run(
        async (terminal, path: string | undefined, options: import('./runs-command.ts').RunsCommandOptions) =>
          (await import('./runs-command.ts')).runsCommand(terminal, path, options),
      ),
    )
    .addHelpText('after', examples('millrace runs', 'millrace runs shop/load --status failed --limit 5'));

  program
    .command('show')
    .description('One run with its node runs, attempts, reasons and first error lines.')
    .argument('<run>', 'the id of the run', wholeNumber)
    .option('--json', 'as one JSON value')
    .action(
      run(async (terminal, id: number, options: { json?: true }) =>
        (await import('./show-command.ts')).showCommand(terminal, id, options),
      ),
    )
    .addHelpText('after', examples('millrace show 42'));

  program
    .command('logs')
    .description('Stored output of a run, also of one that is going on anywhere.')
    .argument('<run>', 'the id of the run', wholeNumber)
    .argument('[path]', 'only this node and below')
    .option('--follow', 'go on until the run ends')
    .option('--errors', 'only error output')
    .option('--json', 'one line of output a line, as JSON')
    .action(
      run(
        async (
          terminal,
          id: number,
          path: string | undefined,
          options: import('./logs-command.ts').LogsCommandOptions,
        ) => (await import('./logs-command.ts')).logsCommand(terminal, id, path, options),
      ),
    )
    .addHelpText('after', examples('millrace logs 42 --follow', 'millrace logs 42 shop/load --errors'));
}

function addStoreCommands(program: Command, run: Run): void {
  const store = program
    .command('store')
    .usage('<command> [options]')
    .description('The Postgres that keeps the history.')
    .addHelpText('after', examples('millrace store status', 'millrace store backup millrace.sql.gz'));
  type StoreModule = typeof import('./store-command.ts');
  const load = (): Promise<StoreModule> => import('./store-command.ts');

  store
    .command('status')
    .description('Where it is, whether it runs, what it holds.')
    .option('--json', 'as one JSON value')
    .action(run(async (terminal, options: { json?: true }) => (await load()).storeStatus(terminal, options)))
    .addHelpText('after', examples('millrace store status --json'));
  store
    .command('start')
    .description('Starts the embedded server; it stops by itself when nobody has used it for some minutes.')
    .action(run(async terminal => (await load()).storeStart(terminal)))
    .addHelpText('after', examples('millrace store start'));
  store
    .command('stop')
    .description('Stops the embedded server unless somebody uses it.')
    .option(
      '--force',
      'also when somebody uses it: runs go on and keep what they have to say in a file meanwhile',
    )
    .action(run(async (terminal, options: { force?: true }) => (await load()).storeStop(terminal, options)))
    .addHelpText('after', examples('millrace store stop'));
  store
    .command('url')
    .description('Prints how to connect with psql and other clients, password included.')
    .option('--warehouse', 'to the database "dwh" of the embedded server instead of the store')
    .action(
      run(async (terminal, options: { warehouse?: true }) => (await load()).storeUrl(terminal, options)),
    )
    .addHelpText(
      'after',
      examples('psql "$(millrace store url)"', 'psql "$(millrace store url --warehouse)"'),
    );
  store
    .command('migrate')
    .description('Brings the schema up to date, as every command that opens the store does.')
    .action(run(async terminal => (await load()).storeMigrate(terminal)))
    .addHelpText('after', examples('millrace store migrate'));
  store
    .command('prune')
    .description('Deletes old runs with their output, never incremental state.')
    .addOption(
      new Option('--days <n>', 'older than so many days (default: retentionDays of the project)').argParser(
        days,
      ),
    )
    .action(run(async (terminal, options: { days?: number }) => (await load()).storePrune(terminal, options)))
    .addHelpText('after', examples('millrace store prune', 'millrace store prune --days 7'));
  store
    .command('backup')
    .description('Writes the whole store to a file (SQL, compressed with gzip) while runs go on.')
    .argument('<file>', 'the file; one that exists is replaced when the backup is complete')
    .action(run(async (terminal, file: string) => (await load()).storeBackup(terminal, file)))
    .addHelpText('after', examples('millrace store backup millrace.sql.gz'));
  store
    .command('restore')
    .description('Reads a backup into an empty store.')
    .argument('<file>', 'what "millrace store backup" wrote')
    .option('--overwrite', 'delete what the store holds')
    .action(
      run(async (terminal, file: string, options: { overwrite?: true }) =>
        (await load()).storeRestore(terminal, file, options),
      ),
    )
    .addHelpText('after', examples('millrace store restore millrace.sql.gz'));
}

function terminalOf(program: Command): Terminal {
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
}

function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map(line => `  ${line}`).join('\n')}`;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** What commander has to say, as sentences: `Unknown option "--nodse". Did you mean "--nodes"?` */
function adaptErrors(command: Command): void {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  command.configureOutput({
    outputError: (text, write) => {
      const [what = '', hint] = text
        .replace(/^error: /, '')
        .trim()
        .split('\n');
      const nearest = /Did you mean (?:one of )?(.*)\?/.exec(hint ?? '')?.[1];
      const suggestion =
        nearest === undefined ? '' : ` Did you mean ${nearest.split(', ').map(quoted).join(' or ')}?`;
      const sentence = what.replace(/'([^']*)'/g, '"$1"').replace(/\.?$/, '.');
      write(
        `millrace: ${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${suggestion}\nSee: ${names.join(' ')} --help\n`,
      );
    },
  });
}

function quoted(text: string): string {
  return `"${text}"`;
}

function list(text: string): string[] {
  const parts = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('Name at least one node.');
  return parts;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

function days(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It must be a number of days from 0 on.');
  return value;
}

function parameter(text: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.');
  const name = text.slice(0, at);
  if (Object.hasOwn(previous, name)) throw new UsageError(`The parameter "${name}" is given twice.`);
  return { ...previous, [name]: text.slice(at + 1) };
}
