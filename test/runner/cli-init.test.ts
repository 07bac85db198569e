import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runMillrace } from '../support/millrace.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

const execute = promisify(execFile);
const files = [
  'package.json',
  'tsconfig.json',
  '.gitignore',
  'millrace.config.ts',
  'pipelines/hello/hello.pipeline.ts',
  'pipelines/hello/numbers.sql',
];

async function checkTypes(cwd: string): Promise<string> {
  const tsc = join(resources, 'node_modules', 'typescript', 'bin', 'tsc');
  return await execute(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd }).then(
    ({ stdout }) => stdout,
    (error: unknown) => String((error as { stdout: unknown }).stdout),
  );
}

describe('millrace init', function () {
  this.timeout(60_000);

  it('makes a project whose pipeline runs in the embedded Postgres', async () => {
    await using folder = await temporaryFolder();
    const made = await runMillrace(['init', 'My Shop'], { cwd: folder.path });
    assert.equal(
      made.stderr,
      [...files.map(name => `wrote ${name}`), `ready; try: cd 'My Shop' && millrace run hello`]
        .map(line => `millrace: ${line}\n`)
        .join(''),
    );
    assert.equal(made.exitCode, 0);
    const cwd = join(folder.path, 'My Shop');
    assert.equal(
      (JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8')) as { name: string }).name,
      'my-shop',
    );

    const run = await runMillrace(['run', 'hello'], { cwd });
    assert.ok(
      run.stdout.includes('hello / report: 100 numbers, their sum is 5050\n'),
      run.stdout + run.stderr,
    );
    assert.equal(run.exitCode, 0);

    const result = await runMillrace(['sql', 'dwh', '-c', 'SELECT max(n) AS top FROM hello.numbers'], {
      cwd,
    });
    assert.equal(result.stdout, ' top\n-----\n 100\n(1 row)\n');
  });

  it('gives an editor the types of the API without a network', async function () {
    // The types are made by the build, which `npm test` does first.
    if (!existsSync(join(resources, 'dist', 'types'))) this.skip();
    await using folder = await temporaryFolder();
    await runMillrace(['init'], { cwd: folder.path });
    assert.equal(await checkTypes(folder.path), '');
    await writeFile(
      join(folder.path, 'wrong.pipeline.ts'),
      "import { Task } from 'millrace';\nexport const task = new Task({ id: 'a', maxRetires: 3 });\n",
    );
    assert.match(
      await checkTypes(folder.path),
      /^wrong\.pipeline\.ts\(2,41\): error TS2561: .*'maxRetires' does not exist/,
    );
  });

  it('never overwrites a file', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{ "name": "mine" }',
      '.gitignore': 'mine\n',
    });
    const first = await runMillrace(['init'], { cwd: folder.path });
    assert.ok(
      first.stderr.startsWith(
        'millrace: kept package.json, which is there already\nmillrace: wrote tsconfig.json\n',
      ),
    );
    assert.ok(
      first.stderr.endsWith(
        'millrace: .gitignore should also have the lines .millrace/ .env millrace.local.ts\n' +
          'millrace: ready; try: millrace run hello\n',
      ),
    );
    assert.equal(await readFile(join(folder.path, 'package.json'), 'utf8'), '{ "name": "mine" }');
    assert.equal(await readFile(join(folder.path, '.gitignore'), 'utf8'), 'mine\n');
    const second = await runMillrace(['init'], { cwd: folder.path });
    assert.equal(
      second.stderr,
      [
        ...files.map(name => `kept ${name}, which is there already`),
        '.gitignore should also have the lines .millrace/ .env millrace.local.ts',
        'nothing to do: every file is there already',
      ]
        .map(line => `millrace: ${line}\n`)
        .join(''),
    );
    assert.equal(second.exitCode, 0);
  });

  it('says when there is a file where the project should be', async () => {
    await using folder = await temporaryFolder({ shop: 'a file' });
    const { exitCode, stderr } = await runMillrace(['init', 'shop/here'], { cwd: folder.path });
    assert.equal(
      stderr,
      `millrace: Cannot make a project in ${join(folder.path, 'shop', 'here')}: there is a file of that name.\n`,
    );
    assert.equal(exitCode, 2);
  });
});
