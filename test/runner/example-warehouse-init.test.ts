/** `millrace init --template warehouse`: the example as the beginning of a project. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runMillrace } from '../support/millrace.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';
import { exampleDirectory } from '../support/warehouse.ts';

const execute = promisify(execFile);

/** Files of a project by name, without what running it leaves. */
async function filesIn(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const names = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter(name => !/^(?:data|node_modules|\.millrace)\//.test(name))
    .sort();
  const files: Record<string, string> = {};
  for (const name of names) files[name] = await readFile(join(directory, name), 'utf8');
  return files;
}

/** What a project has of its own. */
const own = ['.gitignore', 'package.json', 'tsconfig.json'];

async function expectedFiles(): Promise<Record<string, string>> {
  const files = await filesIn(exampleDirectory);
  // A project does not have the pictures.
  files['README.md'] = (files['README.md'] ?? '').replace(
    /<!-- pictures -->[^]*<!-- end of pictures -->\n\n/,
    '',
  );
  return Object.fromEntries(Object.entries(files).filter(([name]) => !own.includes(name)));
}

function withoutOwn(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !own.includes(name)));
}

describe('millrace init --template warehouse', function () {
  this.timeout(120_000);

  it('copies the example, gives it the name of the folder, and says what to do', async () => {
    await using folder = await temporaryFolder();
    const made = await runMillrace(['init', 'My Warehouse', '--template', 'warehouse'], { cwd: folder.path });
    assert.equal(made.exitCode, 0);
    assert.equal(made.stderr.split('\n').at(-2), "millrace: ready; try: cd 'My Warehouse' && millrace run");
    const files = await filesIn(join(folder.path, 'My Warehouse'));
    assert.deepEqual(withoutOwn(files), await expectedFiles());
    assert.equal((JSON.parse(files['package.json'] ?? '') as { name: string }).name, 'my-warehouse');
    assert.match(files['.gitignore'] ?? '', /^data\/$/m);
  });

  it('never overwrites a file', async () => {
    await using folder = await temporaryFolder({ 'show_flask.sql': 'SELECT 1;\n' });
    const { stderr } = await runMillrace(['init', '--template', 'warehouse'], { cwd: folder.path });
    assert(stderr.includes('millrace: kept show_flask.sql, which is there already\n'));
    assert.equal(await readFile(join(folder.path, 'show_flask.sql'), 'utf8'), 'SELECT 1;\n');
  });

  it('is right by its types', async function () {
    // The types are made by the build, which `npm test` does first.
    if (!existsSync(join(resources, 'dist', 'types'))) this.skip();
    await using folder = await temporaryFolder();
    await runMillrace(['init', '--template', 'warehouse'], { cwd: folder.path });
    const config = JSON.parse(await readFile(join(folder.path, 'tsconfig.json'), 'utf8')) as {
      compilerOptions: object;
    };
    // In a project, `npm install` brings these types.
    await writeFile(
      join(folder.path, 'tsconfig.json'),
      JSON.stringify({
        ...config,
        compilerOptions: {
          ...config.compilerOptions,
          typeRoots: [join(resources, 'node_modules', '@types')],
          types: ['node'],
        },
      }),
    );
    const tsc = join(resources, 'node_modules', 'typescript', 'bin', 'tsc');
    const output = await execute(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: folder.path,
    }).then(
      ({ stdout }) => stdout,
      (error: unknown) => String((error as { stdout: unknown }).stdout),
    );
    assert.equal(output, '');
  });

  it('works from the bundle, without the sources', async function () {
    if (!existsSync(join(resources, 'dist', 'templates'))) this.skip();
    await using folder = await temporaryFolder();
    const launcher = join(resources, 'dist', 'millrace.js');
    await execute(process.execPath, [launcher, 'init', '--template', 'warehouse'], { cwd: folder.path });
    assert.deepEqual(Object.keys(withoutOwn(await filesIn(folder.path))), Object.keys(await expectedFiles()));
  });

  it('knows its templates', async () => {
    await using folder = await temporaryFolder();
    const { exitCode, stderr } = await runMillrace(['init', '--template', 'warehuose'], { cwd: folder.path });
    assert.equal(exitCode, 2);
    assert.equal(
      stderr,
      'millrace: Option "--template <name>" argument "warehuose" is invalid. Allowed choices are hello, warehouse.\n' +
        'See: millrace init --help\n',
    );
    assert.deepEqual(await readdir(folder.path), []);
  });
});
