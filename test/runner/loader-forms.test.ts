/** Every form in which people write TypeScript, imported by the loader in a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/temp.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'loader');

/** What each file exports as `result`. */
const forms: Readonly<Record<string, unknown>> = {
  'import-ts.ts': 'value',
  'import-extensionless.ts': ['value', 'dots'],
  'import-js.ts': 'source of .js',
  'import-js-with-both.ts': 'the source',
  'import-javascript.ts': ['plain JavaScript', 'plain JavaScript'],
  'import-index.ts': ['index', 'index', 'index'],
  'import-dot.ts': 'parent index',
  'import-space.ts': 'space',
  'import-paths.ts': ['aliased', 'aliased index', 'aliased .js'],
  'import-package-imports.ts': 'value',
  'import-dynamic.ts': ['value', 'index'],
  'import-query.ts': ['value', false],
  'import-equals.ts': ['in a box', 'b'],
  'import-meta.ts': ['import-meta.ts', true, true, false],
  'import-meta-url.ts': 2,
  'top-level-await.ts': 'awaited',
  'top-level-await-only.ts': null,
  'json-with-attribute.ts': 'data',
  'json-without-attribute.ts': ['data', 2, true, 'data'],
  'json-require.ts': 'data',
  'cts-and-mts.ts': ['mts', 'mts', 'cts', 'cts', 'cts-with-exports.cts'],
  'form.mts': true,
  'form.cts': 'value',
  'using.ts': ['second', 'first'],
  'satisfies.ts': 2,
  'enum.ts': [['load', 'transform'], 5, 'High'],
  'const-enum.ts': 'blue',
  'parameter-properties.ts': ['crm', 'crm_data', 1],
  'angle-cast.ts': 'cast',
  'namespace.ts': 'FIRST',
  'type-import.ts': 'named',
  'type-import-marked.ts': 'named',
  'optional-types.ts': ['derived 1', '1', false],
  'decorators.ts': 'HELLO NAME:WORLD',
  'dirname.ts': [true, 'dirname.ts'],
  'dirname-declared.ts': ['dirname-declared.ts', 'value', true],
  'require-in-module.ts': ['value', 'value'],
  'require-resolve.ts': 'index.ts',
  'commonjs.ts': ['value', 'one', 'commonjs.ts'],
  'commonjs-exports.ts': ['object', 'function', 'exports'],
  'commonjs-import.ts': ['text', 'a/b', 'a/b'],
  'commonjs-in-esm-clothes.ts': 'value',
  'mentions-commonjs.ts': [26, 1, 2, 'string'],
  'export-equals.ts': 'value',
  'hashbang.ts': true,
  'api-import.ts': ['from the runner', true, 'none'],
  'api-dynamic-import.ts': 'from the runner',
  'api-require.ts': 'from the runner',
  'api-identity.ts': [true, true],
  'api-in-package.ts': ['from the runner', true],
  'stack.ts': 'stack.ts:13:29)',
  'stack-with-preamble.ts': 'stack-with-preamble.ts:5:24)',
  'stack-commonjs.ts': 'stack-commonjs.ts:3:15)',
};

type Answer = { readonly result: unknown } | { readonly error: string };

/** Imports files in one process; with the same cache directory, a second time makes no use of the compiler. */
async function importAll(files: readonly string[], cacheDirectory: string): Promise<Answer[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(fixtures, 'import-forms.ts'),
    cacheDirectory,
    ...files,
  ]);
  return JSON.parse(stdout) as Answer[];
}

for (const type of ['module', 'commonjs', undefined]) {
  describe(`forms of TypeScript in a package of type ${type ?? '(none)'}`, () => {
    const names = Object.keys(forms);
    let cold: Answer[] = [];
    let warm: Answer[] = [];

    before(async () => {
      await using folder = await temporaryFolder({
        // A copy of its own is not what the project gets.
        'project/node_modules/millrace/package.json': '{ "exports": "./index.js" }',
        'project/node_modules/millrace/index.js': "exports.Marker = class { text = 'installed' };",
        'project/node_modules/helper/package.json': '{ "type": "module", "exports": "./index.js" }',
        'project/node_modules/helper/index.js': "export { Marker } from 'millrace';",
      });
      const project = join(folder.path, 'project');
      await cp(join(fixtures, 'forms'), project, { recursive: true });
      const manifest = { type, imports: { '#value': './lib/value.js' } };
      await writeFile(join(project, 'package.json'), JSON.stringify(manifest));
      const files = names.map(name => join(project, name));
      const cache = join(folder.path, 'cache');
      cold = await importAll(files, cache);
      warm = await importAll(files, cache);
    });

    for (const [index, name] of names.entries()) {
      it(name, () => {
        assert.deepEqual(cold[index], { result: forms[name] });
        assert.deepEqual(warm[index], { result: forms[name] });
      });
    }
  });
}

describe('forms of TypeScript with experimentalDecorators', () => {
  it('legacy-decorators.ts', async () => {
    await using folder = await temporaryFolder();
    const project = join(folder.path, 'project');
    await cp(join(fixtures, 'legacy'), project, { recursive: true });
    assert.deepEqual(await importAll([join(project, 'legacy-decorators.ts')], join(folder.path, 'cache')), [
      { result: ['Service.name', 'parameter 0', 'Service.run', 'service'] },
    ]);
  });
});
