/** `millrace init`: a project that runs at once. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { shellQuote } from '../commands/shell-quote.ts';
import { UsageError } from '../engine/errors.ts';
import { errorCode } from '../store/errors.ts';
import { runnerVersion } from '../version.ts';
import { isBundled } from '../entry-files.ts';
import { exitCodes } from './exit-codes.ts';
import { say, type Terminal } from './terminal.ts';

export interface InitCommandOptions {
  /** What the project begins with: a first pipeline, or a whole warehouse. Default: `hello`. */
  readonly template?: 'hello' | 'warehouse';
}

export async function initCommand(
  terminal: Terminal,
  directory: string | undefined,
  { template = 'hello' }: InitCommandOptions = {},
): Promise<number> {
  const root = resolve(terminal.directory, directory ?? terminal.project ?? '.');
  const content = template === 'hello' ? helloFiles : await warehouseFiles();
  await makeFolder(root);
  let written = 0;
  const advice: string[] = [];
  for (const [name, text] of Object.entries({ ...projectFiles(basename(root)), ...content })) {
    const file = join(root, name);
    try {
      await mkdir(dirname(file), { recursive: true });
      // `wx`: never overwrite, also when the file appears in this very moment.
      await writeFile(file, text, { flag: 'wx' });
      written += 1;
      say(terminal, `wrote ${name}`);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw unwritable(root, error);
      say(terminal, `kept ${name}, which is there already`);
      advice.push(...adviceOn(name, await readFile(file, 'utf8')));
    }
  }
  await copyTypes(root);
  for (const each of advice) say(terminal, each);
  const where = relative(terminal.directory, root);
  const change = where === '' ? '' : `cd ${shellQuote(where)} && `;
  say(
    terminal,
    written === 0
      ? 'nothing to do: every file is there already'
      : `ready; try: ${change}millrace run${template === 'hello' ? ' hello' : ''}`,
  );
  return exitCodes.success;
}

/** What somebody else's file should have besides. */
function adviceOn(name: string, text: string): string[] {
  switch (name) {
    case '.gitignore': {
      const there = new Set(text.split(/\r?\n/).map(line => line.trim().replace(/^\/|\/$/g, '')));
      const lacking = ignored.filter(each => !there.has(each.replace(/\/$/, '')));
      return lacking.length === 0 ? [] : [`.gitignore should also have the lines ${lacking.join(' ')}`];
    }
    case 'tsconfig.json':
      return text.includes('millrace')
        ? []
        : [
            'so that an editor without the extension knows the module "millrace", tsconfig.json should have in ' +
              `"compilerOptions": "paths": ${JSON.stringify(modulePaths)}`,
          ];
    default:
      return [];
  }
}

async function makeFolder(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new UsageError(`Cannot make a project in ${root}: there is a file of that name.`, {
        cause: error,
      });
    throw unwritable(root, error);
  }
}

/** The types of the API, so that an editor knows them without a network. */
async function copyTypes(root: string): Promise<void> {
  const types = join(import.meta.dirname, ...(isBundled ? ['types'] : ['..', '..', 'dist', 'types']));
  if (!existsSync(types)) return;
  try {
    await cp(types, join(root, '.millrace', 'types'), { recursive: true });
  } catch (error) {
    throw unwritable(root, error);
  }
}

/** What is told of a folder that may not be written; any other error stays what it is. */
function unwritable(root: string, error: unknown): unknown {
  const code = errorCode(error) ?? '';
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return error;
  const path = error instanceof Error && 'path' in error ? ` (${String(error.path)})` : '';
  return new UsageError(`Cannot make a project in ${root}: you may not write there${path}.`, {
    cause: error,
  });
}

/** The example warehouse: beside the bundle, or where it is in the sources. Its own project files are left behind. */
async function warehouseFiles(): Promise<Record<string, string>> {
  const folder = join(
    import.meta.dirname,
    ...(isBundled ? ['templates', 'warehouse'] : ['..', '..', 'examples', 'python-project-stats']),
  );
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const name = relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
    if (!entry.isFile() || isLeftBehind(name)) continue;
    const text = await readFile(join(folder, name), 'utf8');
    // Pictures are beside the documentation, which a new project does not have.
    files[name] =
      name === 'README.md' ? text.replace(/<!-- pictures -->\n[^]*?<!-- end of pictures -->\n\n?/, '') : text;
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a new project has of its own, and what running the example has left. */
function isLeftBehind(name: string): boolean {
  return (
    ['package.json', 'tsconfig.json', '.gitignore', '.env', 'millrace.local.ts'].includes(name) ||
    /^(?:data|node_modules|\.millrace)\//.test(name)
  );
}

const modulePaths = { millrace: ['./node_modules/millrace', './.millrace/types/runner/api/index.d.ts'] };

/** What Millrace writes, and what holds passwords. */
const ignored = ['.millrace/', '.env', 'millrace.local.ts'];

function projectFiles(folder: string): Record<string, string> {
  const name =
    folder
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'pipelines';
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'package.json': json({
      name,
      private: true,
      type: 'module',
      scripts: { start: 'millrace run' },
      devDependencies: { millrace: `^${runnerVersion}`, '@types/node': '^24.0.0' },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'es2024',
        module: 'nodenext',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        paths: modulePaths,
      },
      include: ['**/*.ts'],
    }),
    '.gitignore': ['node_modules/', ...ignored, 'data/', ''].join('\n'),
  };
}

const helloFiles: Readonly<Record<string, string>> = {
  'millrace.config.ts': `import { defineConfig } from 'millrace';

export default defineConfig({
  // Without databases of your own, the alias \`dwh\` is a database in the embedded Postgres.
  // databases: { dwh: postgres({ url: process.env.DWH_URL }) },
});
`,
  'pipelines/hello/hello.pipeline.ts': `import { ExecuteSQL, Pipeline, RunBash, RunFunction, Task } from 'millrace';

const pipeline = new Pipeline({ id: 'hello', description: 'A first pipeline: shell, SQL and TypeScript' });

pipeline.add(
  new Task({
    id: 'greet',
    description: 'Says hello from the shell',
    commands: [new RunBash('echo "hello from $(uname -s)"')],
  }),
);

pipeline.add(
  new Task({
    id: 'make_numbers',
    description: 'Fills a table in the warehouse',
    commands: [new ExecuteSQL({ sqlFile: 'numbers.sql', replace: { '@limit@': '100' } })],
  }),
  ['greet'],
);

pipeline.add(
  new Task({
    id: 'report',
    description: 'Reads the table from TypeScript',
    commands: [
      new RunFunction(async function report(context) {
        const dwh = await context.db();
        const { rows } = await dwh.query('SELECT count(*)::int AS n, sum(n)::int AS total FROM hello.numbers');
        context.log.info(\`\${rows[0]?.n} numbers, their sum is \${rows[0]?.total}\`);
      }),
    ],
  }),
  ['make_numbers'],
);

export default pipeline;
`,
  'pipelines/hello/numbers.sql': `CREATE SCHEMA IF NOT EXISTS hello;
DROP TABLE IF EXISTS hello.numbers;
CREATE TABLE hello.numbers AS
SELECT n
FROM generate_series(1, @limit@) AS n;
`,
};
