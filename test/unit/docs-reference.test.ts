/** The tables and examples of the pages docs/pipelines.md and docs/configuration.md. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectConfigKeys, type ProjectConfig } from '../../runner/api/config.ts';
import { ParallelTask, parallelTaskOptionKeys } from '../../runner/api/parallel-task.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';
import { ConfigError, environmentVariable, loadConfig } from '../../runner/loader/config.ts';
import type { NodeGraph } from '../../runner/model.ts';
import { messageOf } from '../support/commands.ts';
import { testProject } from '../support/project.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

const readPage = (name: string): Promise<string> => readFile(join(resources, 'docs', name), 'utf8');

/** The text below a heading, up to the next one. */
function sectionOf(page: string, heading: string): string {
  const section = page.split(/^#+ /m).find(text => text.startsWith(`${heading}\n`));
  assert(section !== undefined, `there is no section ${heading}`);
  return section;
}

/** The rows of the tables in a text, without their heads. */
function rowsOf(section: string): string[][] {
  return [...section.matchAll(/^\| (.*) \|$/gm)]
    .map(([, row = '']) => row.split(' | ').map(cell => cell.trim()))
    .filter(([first = '']) => first.startsWith('`'));
}

/** What stands in backticks: `` `id`, `labels` `` names two. */
const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const namesOf = (section: string): string[] => rowsOf(section).flatMap(([first]) => namesIn(first));

/** Files by the name in the first line of an example; the others, which are parts of a file, by a number. */
function examplesOf(page: string): { readonly file: string | undefined; readonly code: string }[] {
  return [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => ({
    file: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
    code,
  }));
}

describe('docs/pipelines.md', function () {
  this.timeout(120_000);

  let page: string;
  before(async () => {
    page = await readPage('pipelines.md');
  });

  it('lists the options of pipelines, tasks and parallel tasks', async () => {
    const classes = { Pipeline, Task } as const;
    for (const [name, Made] of Object.entries(classes)) {
      const message = await messageOf(() => new Made({ id: 'x', '?': 1 } as { id: string }));
      const takes = /It takes: (.*)\.$/.exec(message)?.[1]?.split(', ') ?? [];
      assert.ok(takes.length > 3, message);
      assert.deepEqual(namesOf(sectionOf(page, name)).sort(), takes.sort(), name);
    }
    assert.deepEqual(
      namesOf(sectionOf(page, 'ParallelTask')).sort(),
      [...parallelTaskOptionKeys].sort(),
      'ParallelTask',
    );
  });

  it('names every method that builds a pipeline, and what tasks have', () => {
    // `add(node, upstreams)` is the method `add`.
    const methods = namesOf(sectionOf(page, 'Building a pipeline')).map(name => name.replace(/\(.*/, ''));
    const told = new Set([...methods, 'constructor', 'kind', 'basePath']);
    const untold = Object.getOwnPropertyNames(Pipeline.prototype).filter(name => !told.has(name));
    assert.deepEqual(untold, []);
    for (const method of methods) assert.ok(method in Pipeline.prototype, method);
    for (const method of ['addCommand', 'addCommands']) {
      assert.ok(method in Task.prototype && page.includes(`\`${method}(`), method);
    }
    for (const method of ['addCommandBefore', 'addCommandAfter']) {
      assert.ok(method in ParallelTask.prototype && page.includes(`\`${method}(`), method);
    }
  });

  it('lists what commands are given', async () => {
    const source = await readFile(join(resources, 'runner/api/context.ts'), 'utf8');
    const [, body = ''] = /^export interface CommandContext \{\n([^]*?)^\}/m.exec(source) ?? [];
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, name = '']) => name);
    assert.ok(members.includes('log') && members.includes('unchanged'));
    const table = sectionOf(page, "Commands of one's own").split('| of the context |')[1];
    const listed = namesOf(table ?? '').map(name => name.replace(/\(.*/, ''));
    assert.deepEqual(listed.sort(), members.sort());
  });

  describe('examples', () => {
    const files: Record<string, string> = {};
    before(() => {
      files['tsconfig.json'] = /^```json\n([^]*?)^```$/m.exec(page)?.[1] ?? '';
      // What the examples name.
      Object.assign(files, {
        'shop/load.sql': 'select 1;\n',
        'shop/load_country.sql': "select '@country@';\n",
        'orders.sql': "select '@day@';\n",
      });
      let number = 0;
      for (const { file, code } of examplesOf(page)) {
        if (file === undefined) {
          number++;
          files[`part_${String(number)}.pipeline.ts`] =
            `import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';
export const shop = new Pipeline({ id: 'part_${String(number)}' });
${code}`;
        } else {
          assert.ok(!(file in files), file);
          files[file] = code;
        }
      }
      assert.ok(number >= 2 && Object.keys(files).length > 8);
    });

    it('load, and the analysis finds the same without loading', async () => {
      await using project = await testProject(files);
      const loaded = await project.run(['graph', '--no-locations']);
      assert.equal(loaded.stderr, '');
      const analysed = await project.run(['graph', '--no-locations', '--static']);
      const check = await project.run(['check']);
      assert.equal(check.stdout, '');
      assert.deepEqual(pathsIn(analysed.stdout), pathsIn(loaded.stdout));
      assert.ok(pathsIn(loaded.stdout).includes('countries/load_it'));
    });

    it('take parameters', async () => {
      await using project = await testProject(files);
      const args = ['run', 'days', '--no-store', '--param', 'since=2026-01-01'];
      const { stdout, stderr, exitCode } = await project.run(args);
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /de from 2026-01-01 on/);
      assert.match(stdout, /and the shell: from 2026-01-01 on/);
      const without = await project.run(['run', 'days', '--no-store']);
      assert.match(without.stderr, /"since" has no value/);
    });

    it('are right by their types, as those of docs/configuration.md are', async () => {
      const own = await readPage('configuration.md');
      const others = Object.fromEntries(
        examplesOf(own).map(({ file = '', code }, index) => [
          // Two of them are the same file at different times.
          file.startsWith('millrace.') ? `configuration/${String(index)}.ts` : `configuration/${file}`,
          code,
        ]),
      );
      await using project = await testProject({
        ...files,
        ...others,
        'tsconfig.json': JSON.stringify({
          extends: join(resources, 'tsconfig.json'),
          compilerOptions: {
            typeRoots: [join(resources, 'node_modules', '@types')],
            types: ['node'],
            noUnusedLocals: false,
            paths: { millrace: [join(resources, 'runner/api/index.ts')] },
          },
          include: ['**/*.ts'],
        }),
      });
      const compiler = join(resources, 'node_modules', 'typescript', 'bin', 'tsc');
      const output = await promisify(execFile)(process.execPath, [compiler, '-p', project.path], {
        cwd: project.path,
      }).then(
        ({ stdout }) => stdout,
        (error: unknown) => (error as { readonly stdout: string }).stdout,
      );
      // Errors of the sources themselves are the business of the compiler's own run.
      const names = [...Object.keys(files), ...Object.keys(others)];
      const mistakes = output.split('\n').filter(line => names.some(name => line.startsWith(`${name}(`)));
      assert.deepEqual(mistakes, []);
    });
  });
});

/** Paths of all nodes in the output of `millrace graph`. */
function pathsIn(json: string): string[] {
  const { root } = JSON.parse(json) as { readonly root: NodeGraph };
  const visit = (node: NodeGraph): string[] => [node.path.join('/'), ...node.nodes.flatMap(visit)];
  return visit(root).sort();
}

describe('docs/configuration.md', function () {
  this.timeout(120_000);

  let page: string;
  before(async () => {
    page = await readPage('configuration.md');
  });

  it('lists every key', () => {
    assert.deepEqual(namesOf(sectionOf(page, 'Keys')).sort(), [...projectConfigKeys].sort());
  });

  it('gives the environment variable of each key that has one', async () => {
    for (const [key = '', , , variable = ''] of rowsOf(sectionOf(page, 'Keys'))) {
      const name = namesIn(key)[0] as keyof ProjectConfig;
      const expected = (await isRead(name)) ? [environmentVariable(name)] : [];
      assert.deepEqual(namesIn(variable), expected, name);
    }
  });

  it('gives the defaults', async () => {
    await using folder = await temporaryFolder();
    const { config } = await loadConfig({ directory: folder.path, environment: {} });
    for (const [key = '', , shown = ''] of rowsOf(sectionOf(page, 'Keys'))) {
      const name = namesIn(key)[0] as keyof ProjectConfig;
      const value: unknown = config[name];
      const [written] = namesIn(shown);
      // Other defaults are told in words.
      if (written === undefined || name === 'databases' || name === 'shell') continue;
      assert.ok(
        String(value) === written || (name === 'dataDir' && value === join(folder.path, written)),
        `${name}: ${written} is ${String(value)}`,
      );
    }
  });

  it('names every environment variable that the runner reads', async () => {
    // What processes of Millrace tell each other, and what it sets for others.
    const ownAffairs = /^MILLRACE_(?:ANNOUNCE_FD|BUNDLED|PREPARED|LAUNCHED|SERVICE|WORKER|PARAM_\w*)$/;
    const directory = join(resources, 'runner');
    const names = (await readdir(directory, { recursive: true })).filter(name => name.endsWith('.ts'));
    const sources = await Promise.all(names.map(name => readFile(join(directory, name), 'utf8')));
    const read = new Set(sources.flatMap(text => text.match(/\bMILLRACE_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []));
    assert.ok(read.has('MILLRACE_HOME'));
    const untold = [...read].filter(name => !ownAffairs.test(name) && !page.includes(`\`${name}\``));
    assert.deepEqual(untold, []);
  });

  it('has examples that can be used', async () => {
    const examples = examplesOf(page).map(({ file = '', code }) => ({ file, code }));
    const isConfiguration = (file: string): boolean => file.startsWith('millrace.');
    const shared = Object.fromEntries(
      examples.filter(({ file }) => !isConfiguration(file)).map(({ file, code }) => [file, code]),
    );
    const configurations = examples.filter(({ file }) => isConfiguration(file));
    assert.equal(configurations.length, 3);
    for (const { file, code } of configurations) {
      await using project = await testProject({ ...shared, [file]: code });
      const { stdout, stderr } = await project.run(['config']);
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(` ${file.replaceAll('.', '\\.')}$`, 'm'));
    }
  });

  it('tells of a failed run by an event handler, once and with the reason', async () => {
    const files = Object.fromEntries(examplesOf(page).map(({ file = '', code }) => [file, code]));
    await using project = await testProject({
      'notify.ts': files['notify.ts'] ?? '',
      // The last one of this name, which takes the other file.
      'millrace.config.ts': files['millrace.config.ts'] ?? '',
      'told.ts': `import { notify } from './notify.ts';
const told: unknown[] = [];
process.env['CHAT_WEBHOOK'] = 'http://chat.example';
globalThis.fetch = (url, init) => {
  told.push(init?.body);
  return Promise.resolve(new Response());
};
export async function tell() {
  const task = { type: 'node_finished', kind: 'task', status: 'failed', nodePath: ['a', 'b'] };
  await notify({ ...task, error: 'first', retryIn: 8 } as never);
  await notify({ ...task, error: 'exit code 1', retryIn: null } as never);
  await notify({ type: 'run_finished', runId: 7, status: 'failed' } as never);
  return told.join();
}
`,
      'a.pipeline.ts': `import { Pipeline } from 'millrace';
import { tell } from './told.ts';
export default new Pipeline({ id: 'a', description: await tell() });
`,
    });
    const { stdout, stderr } = await project.run(['graph', 'a']);
    assert.equal(stderr, '');
    const { root } = JSON.parse(stdout) as { readonly root: NodeGraph };
    assert.deepEqual(JSON.parse(root.description), { text: 'Run 7 has failed\na/b: exit code 1' });
  });
});

/** Whether a variable for a key is looked at: it changes the value, or is refused. */
async function isRead(key: keyof ProjectConfig): Promise<boolean> {
  await using folder = await temporaryFolder();
  try {
    const { origins } = await loadConfig({
      directory: folder.path,
      environment: { [environmentVariable(key)]: '1' },
    });
    return origins[key] === 'environment';
  } catch (error) {
    if (error instanceof ConfigError) return error.message.includes(environmentVariable(key));
    throw error;
  }
}
