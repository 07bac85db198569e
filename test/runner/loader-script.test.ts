/** A user's own script below Node, with the loader. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { entryFile } from '../../runner/entry-files.ts';
import { temporaryFolder } from '../support/temp.ts';

function run(
  home: string,
  script: string,
  ...args: string[]
): { output: string; errors: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', pathToFileURL(entryFile('script-loader')).href, script, ...args],
    { encoding: 'utf8', env: { ...process.env, MILLRACE_HOME: home } },
  );
  return { output: stdout, errors: stderr, status };
}

describe('the loader below a script', () => {
  it('gives it TypeScript and the API', async () => {
    await using folder = await temporaryFolder({
      'script.ts': `import { value } from './lib/value';
import { Task } from 'millrace';
const { Pipeline } = require('millrace');
enum Kind { One = 'one' }
const pipeline = new Pipeline({ id: 'a' }).add(new Task({ id: 'b' }));
console.log(value, Kind.One, pipeline.nodes.size, process.argv.slice(2), import.meta.main, typeof __dirname);`,
      'lib/value.ts': "export const value: string = 'value';",
      'commonjs.ts': "const x: string = 'x';\nconsole.log(require.main === module, x);",
    });
    const home = join(folder.path, 'home');
    assert.deepEqual(run(home, join(folder.path, 'script.ts'), 'one', '--two'), {
      output: "value one 1 [ 'one', '--two' ] true string\n",
      errors: '',
      status: 0,
    });
    assert.deepEqual(run(home, join(folder.path, 'commonjs.ts')), {
      output: 'true x\n',
      errors: '',
      status: 0,
    });
  });

  it('shows the lines of the source when it fails', async () => {
    await using folder = await temporaryFolder({
      'fails.ts':
        "interface Gone {\n  a: 1;\n}\n\nfunction fail(): never {\n  throw new Error('broken');\n}\nfail();",
    });
    const { errors, status } = run(join(folder.path, 'home'), join(folder.path, 'fails.ts'));
    assert.equal(status, 1);
    assert.deepEqual(errors.replaceAll(folder.path, '').split('\n').slice(0, 7), [
      '/fails.ts:6',
      "  throw new Error('broken');",
      '        ^',
      '',
      'Error: broken',
      '    at fail (/fails.ts:6:9)',
      '    at <anonymous> (/fails.ts:8:1)',
    ]);
  });
});
