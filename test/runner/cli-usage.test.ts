import assert from 'node:assert/strict';
import { runMillrace, type MillraceEnd } from '../support/millrace.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

const pipelines = `
import { Pipeline, RunBash, Task } from 'millrace';
const load = new Pipeline({ id: 'load', description: 'Loads' });
load.add(new Task({ id: 'customers', commands: [new RunBash('true')] }));
load.add(new Task({ id: 'orders', commands: [new RunBash('true')] }), ['customers']);
const shop = new Pipeline({ id: 'shop', params: { since: { type: 'date' }, size: { type: 'number', default: 1 } } });
shop.add(load);
export default shop;
`;

describe('wrong usage of the command line', () => {
  let project: TestProject;
  before(async () => {
    project = await testProject({ 'shop.pipeline.ts': pipelines });
  });
  after(() => project[Symbol.asyncDispose]());

  /** Asserts exit code 2, nothing on standard output, and all of what is said. */
  async function refuses(args: readonly string[], message: string): Promise<void> {
    const { exitCode, stdout, stderr } = await runMillrace(args, { cwd: project.path });
    assert.equal(stderr, `millrace: ${message}\n`);
    assert.equal(stdout, '');
    assert.equal(exitCode, 2);
  }

  const cases: readonly (readonly [args: string, message: string])[] = [
    ['rnu', 'Unknown command "rnu". Did you mean "run"?\nSee: millrace --help'],
    ['xyzzy', 'Unknown command "xyzzy".\nSee: millrace --help'],
    ['store statsu', 'Unknown command "statsu". Did you mean "status"?\nSee: millrace store --help'],
    ['run --nodse a', 'Unknown option "--nodse". Did you mean "--nodes"?\nSee: millrace run --help'],
    ['--frob', 'Unknown option "--frob".\nSee: millrace --help'],
    [
      'run a b',
      'Too many arguments for "run". Expected 1 argument but got 2: a, b.\nSee: millrace run --help',
    ],
    ['show', 'Missing required argument "run".\nSee: millrace show --help'],
    [
      'show x',
      'Command-argument value "x" is invalid for argument "run". It must be a whole number from 1 on.\nSee: millrace show --help',
    ],
    [
      'run --parallel 0',
      'Option "--parallel <n>" argument "0" is invalid. It must be a whole number from 1 on.\nSee: millrace run --help',
    ],
    ['run --parallel', 'Option "--parallel <n>" argument missing.\nSee: millrace run --help'],
    [
      'runs --status done',
      'Option "--status <status>" argument "done" is invalid. Allowed choices are running, succeeded, failed, cancelled, lost.\nSee: millrace runs --help',
    ],
    [
      'run --resume 3 --nodes a',
      'Option "--resume <run>" cannot be used with option "--nodes <paths>".\nSee: millrace run --help',
    ],
    [
      'run --nodes ,',
      'Option "--nodes <paths>" argument "," is invalid. Name at least one node.\nSee: millrace run --help',
    ],
    [
      'run --param since',
      'Option "--param <name=value>" argument "since" is invalid. Write it as name=value.\nSee: millrace run --help',
    ],
    ['run --param a=1 --param a=2', 'The parameter "a" is given twice.'],
    ['run shop --resume 1', 'A run is resumed with its own selection: give either a path or --resume.'],
    ['run --resume 1 --no-store', 'A run cannot be resumed without the store.'],
    [
      'run --detach --no-store',
      'A run without the store cannot be detached: its output would be nowhere. Leave out --detach or --no-store.',
    ],
    ['run shopp', 'There is no node "shopp". Did you mean "shop"?'],
    ['run shop/lod', 'There is no node "shop/lod". Did you mean "shop/load"?'],
    ['run orders', 'There is no node "orders". Did you mean "shop/load/orders"?'],
    ['run xyz', 'There is no node "xyz". The project has: "shop".'],
    ['run shop/load/xyz', 'There is no node "shop/load/xyz". "shop/load" has: "customers", "orders".'],
    [
      'run shop/load/orders/x',
      'There is no node "shop/load/orders/x": "shop/load/orders" is a task and has no nodes of its own.',
    ],
    ['run shop --nodes load/order', 'There is no node "shop/load/order". Did you mean "shop/load/orders"?'],
    ['list shop/lod', 'There is no node "shop/lod". Did you mean "shop/load"?'],
    ['graph shop/lod', 'There is no node "shop/lod". Did you mean "shop/load"?'],
    ['run --no-store shop', 'The parameter "since" has no value: give it with --param since=…'],
    [
      'run --no-store shop --param sice=2026-01-01 --param since=2026-02-30 --param size=x',
      'There is no parameter "sice". Did you mean "since"?\n' +
        'The parameter "since" must be a date as YYYY-MM-DD, not "2026-02-30".\n' +
        'The parameter "size" must be a number, not "x".',
    ],
    ['menu', 'The menu needs a terminal. Without one there are "millrace list" and "millrace run".'],
    [
      'store prune --days -1',
      'Option "--days <n>" argument "-1" is invalid. It must be a number of days from 0 on.\nSee: millrace store prune --help',
    ],
  ];
  for (const [args, message] of cases) {
    it(`millrace ${args}`, () => refuses(args.split(' '), message));
  }

  it('names the project directory that does not exist', () =>
    refuses(
      ['list', '--project', 'nowhere'],
      `The project directory ${project.path}/nowhere does not exist.`,
    ));

  it('says where it looked for a project', async () => {
    await using folder = await temporaryFolder();
    const { exitCode, stderr } = await runMillrace(['list'], { cwd: folder.path });
    assert.equal(
      stderr,
      `millrace: No project found: neither ${folder.path} nor a directory above it has a millrace.config.ts, a package.json or a .git. ` +
        'Make one with "millrace init", or name the directory of an existing one with "--project DIR".\n',
    );
    assert.equal(exitCode, 2);
  });

  it('says that there is nothing to run', async () => {
    await using empty = await testProject({});
    const { exitCode, stderr } = await runMillrace(['run'], { cwd: empty.path });
    assert.equal(
      stderr,
      'millrace: There is nothing to run: the project has no pipelines. They are what files like "name.pipeline.ts" export; ' +
        '"millrace init" makes a first one.\n',
    );
    assert.equal(exitCode, 2);
  });

  it('exits with 3 when nobody listens where the store should be', async () => {
    const { exitCode, stderr } = await runMillrace(['runs'], {
      cwd: project.path,
      env: { MILLRACE_STORE_URL: 'postgres://ann:secret-password@127.0.0.1:1/history' },
    });
    assert.equal(
      stderr,
      'millrace: Cannot reach the store: nobody listens on 127.0.0.1:1. Start the Postgres server there, or correct MILLRACE_STORE_URL.\n',
    );
    assert.equal(exitCode, 3);
  });
});

describe('help of the command line', () => {
  let project: TemporaryFolder;
  before(async () => {
    project = await temporaryFolder();
  });
  after(() => project[Symbol.asyncDispose]());
  const help = (...args: string[]): Promise<MillraceEnd> => runMillrace(args, { cwd: project.path });

  it('lists the commands, and is on standard error when no command is given', async () => {
    const asked = await help('--help');
    const commands = [...asked.stdout.matchAll(/^ {2}([a-z]+)(?: [[<].*?)? {2,}[A-Zp]/gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual(commands, [
      ...[
        'run',
        'cancel',
        'menu',
        'list',
        'graph',
        'check',
        'config',
        'reset',
        'sql',
        'init',
        'runs',
        'show',
        'logs',
        'store',
        'help',
      ],
    ]);
    assert.equal(asked.exitCode, 0);
    const bare = await help();
    assert.deepEqual(bare, { exitCode: 2, stdout: '', stderr: asked.stdout });
  });

  it('has an example for every command, which that command understands', async () => {
    const commands = [
      ...[
        'run',
        'cancel',
        'menu',
        'list',
        'graph',
        'check',
        'config',
        'reset',
        'sql',
        'init',
        'runs',
        'show',
        'logs',
        'store',
      ],
      ...['status', 'start', 'stop', 'url', 'migrate', 'prune', 'backup', 'restore'].map(
        name => `store ${name}`,
      ),
    ];
    for (const command of commands) {
      const { exitCode, stdout } = await help(...command.split(' '), '--help');
      assert.equal(exitCode, 0, command);
      const examples = stdout.split(/^Examples?:\n/m)[1] ?? '';
      assert.ok(examples.includes(`millrace ${command}`), `${command}: ${stdout}`);
    }
  });

  it('wraps at 80 columns and shows the options of a command', async () => {
    const { stdout } = await help('run', '--help');
    assert.equal(
      stdout,
      `Usage: millrace run [options] [path]

Runs a pipeline, or a task within its pipeline.

Arguments:
  path                   the pipeline or task as a/b/c; without it everything
                         runs

Options:
  --nodes <paths>        only these nodes below the path, as a,b/c
  --with-upstreams       also everything that the selected nodes wait for
  --resume <run>         run again what did not succeed in that run, with its
                         selection and parameters
  --param <name=value>   a parameter of the pipeline; may be repeated
  --parallel <n>         how many tasks run at once (default: maxParallelTasks
                         of the project)
  --no-store             keep no history
  --detach               start the run, print its id and return; it goes on in
                         the background
  --json                 print one event a line as JSON
  --allow-concurrent     run although another run is at work on the same nodes
  --trigger <who>        who starts the run, for the history (default: cli)
                         (choices: "editor", "cli", "api", "schedule")
  -h, --help             print this help

Global Options:
  -V, --version          print the version
  --project <directory>  the project (default: the nearest directory upwards
                         with millrace.config.ts, package.json or .git)
  --no-color             no colours (as with NO_COLOR)

Examples:
  millrace run
  millrace run shop/load --param since=2026-01-01 --parallel 8
  millrace run shop --nodes load/customers,load/orders --with-upstreams
  millrace run --resume 42
`,
    );
  });

  it('prints the version', async () => {
    const { exitCode, stdout } = await help('--version');
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(exitCode, 0);
  });
});
