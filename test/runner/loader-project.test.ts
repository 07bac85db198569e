/** Whole projects, each loaded in a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'loader');

interface Loaded {
  readonly root: string;
  readonly nodes: readonly string[];
  readonly basePaths: Readonly<Record<string, string>>;
  readonly locations?: Readonly<Record<string, unknown>>;
  readonly files: readonly { readonly file: string; readonly pipelines: readonly string[] }[];
  readonly problems: readonly Readonly<Record<string, unknown>>[];
  readonly formatted: readonly string[];
  readonly retentionDays: number;
  readonly variable?: string;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Shared by all tests, so that what they have in common is translated once. */
let cache: TemporaryFolder;
before(async () => {
  cache = await temporaryFolder();
});
after(async () => {
  await cache[Symbol.asyncDispose]();
});

/** Loads a project in another process. */
async function load(directory: string, ...args: string[]): Promise<Loaded> {
  const program = join(fixtures, 'load-project.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    '--cache',
    cache.path,
    directory,
    ...args,
  ]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Loaded;
}

/** What is wrong with a project, as the user reads it. */
async function problemsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await using folder = await temporaryFolder({ 'package.json': '{}', ...files });
  const { formatted, error } = await load(folder.path);
  assert.equal(error, undefined);
  return formatted.map(text => text.replaceAll(folder.path, '<project>'));
}

const imports = "import { Pipeline, Task } from 'millrace';\n";
const pipeline = (id: string): string => `${imports}export default new Pipeline({ id: '${id}' });\n`;

describe('loadProject', () => {
  it('makes one tree of all exported pipelines that are not part of another one', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'b.pipeline.ts': `${imports}
import { inner } from './parts/inner.pipeline';
export const outer = new Pipeline({ id: 'outer' }).add(inner);
export const again = outer;
export const text = 'no pipeline';
export default new Pipeline({ id: 'other' });`,
      'a/again.pipeline.ts': "export * from '../b.pipeline.ts';",
      'parts/inner.pipeline.ts': `${imports}
export const inner = new Pipeline({ id: 'inner' }).add(new Task({ id: 'task' }));`,
    });
    const { root, nodes, files, problems } = await load(folder.path);
    assert.equal(root, 'root');
    assert.deepEqual(problems, []);
    assert.deepEqual(nodes, ['outer', 'outer/inner', 'outer/inner/task', 'other']);
    assert.deepEqual(files, [
      { file: join(folder.path, 'a/again.pipeline.ts'), pipelines: ['outer'] },
      { file: join(folder.path, 'b.pipeline.ts'), pipelines: ['other'] },
      { file: join(folder.path, 'parts/inner.pipeline.ts'), pipelines: [] },
    ]);
  });

  it('calls a function that is exported by default when nothing else is exported', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'a.pipeline.ts': `${imports}export default function make(): Pipeline { return new Pipeline({ id: 'a' }); }`,
      'b.pipeline.ts': `${imports}export default async () => new Pipeline({ id: 'b' });`,
      'c.pipeline.ts': `${imports}
export const c = new Pipeline({ id: 'c' });
export default function main(): void { throw new Error('called'); }`,
      'd.pipeline.ts': `const { Pipeline } = require('millrace');\nmodule.exports = { d: new Pipeline({ id: 'd' }) };`,
      'e.pipeline.ts': `const { Pipeline } = require('millrace');\nmodule.exports = new Pipeline({ id: 'e' });`,
    });
    const { nodes, formatted } = await load(folder.path);
    assert.deepEqual(formatted, []);
    assert.deepEqual(nodes, ['a', 'b', 'c', 'd', 'e']);
  });

  it('gives a pipeline the directory of the file that exports it as its base path', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'all.pipeline.ts': `${imports}
import { load } from './load/load.pipeline.ts';
import { clean } from './clean/index';
export { load } from './load/load.pipeline.ts';
const local = new Pipeline({ id: 'local' });
const fixed = new Pipeline({ id: 'fixed', basePath: 'sql' });
export default new Pipeline({ id: 'all' }).addAll([load, clean, local, fixed]);`,
      'load/load.pipeline.ts': `${imports}export const load = new Pipeline({ id: 'load' });`,
      'clean/index.ts': `${imports}export const clean = new Pipeline({ id: 'clean' });`,
    });
    await symlink(folder.path, `${folder.path}-link`);
    try {
      for (const directory of [folder.path, `${folder.path}-link`]) {
        const { basePaths, formatted } = await load(directory);
        assert.deepEqual(formatted, []);
        assert.deepEqual(basePaths, {
          '': directory,
          all: directory,
          'all/load': join(directory, 'load'),
          'all/clean': join(directory, 'clean'),
          'all/local': directory,
          'all/fixed': join(directory, 'sql'),
        });
      }
    } finally {
      await rename(`${folder.path}-link`, join(folder.path, 'link'));
    }
  });

  it('loads only the files that it is given', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'a.pipeline.ts': pipeline('a'),
      'b.pipeline.ts': "throw new Error('not asked for');",
    });
    const { nodes, problems } = await load(folder.path, join(folder.path, 'a.pipeline.ts'));
    assert.deepEqual(nodes, ['a']);
    assert.deepEqual(problems, []);
  });

  it('knows where nodes are made, when asked', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'a.pipeline.ts': `${imports}
interface Gone { a: 1 }

export default new Pipeline({ id: 'a' })
  .add(new Task({ id: 'task' }));`,
    });
    const file = join(folder.path, 'a.pipeline.ts');
    assert.deepEqual((await load(folder.path, '--locations')).locations, {
      a: { file, line: 5, column: 16 },
      'a/task': { file, line: 6, column: 8 },
    });
  });

  it('uses the configuration, and its root instead of what files export', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      '.env': 'FROM_DOT_ENV=yes',
      'millrace.config.ts': `import { defineConfig, type ProjectConfig } from 'millrace';
import { everything } from './flows/everything';
enum Days { Kept = 3 }
export default defineConfig({ root: everything, retentionDays: Days.Kept } satisfies ProjectConfig);`,
      'millrace.local.ts': 'export default { retentionDays: 4 };',
      'flows/everything.ts': `${imports}import { part } from './part/part.ts';
export const everything = new Pipeline({ id: 'everything' }).add(part);`,
      'flows/part/part.ts': `${imports}export const part = new Pipeline({ id: 'part' });`,
      'a.pipeline.ts': "throw new Error('not looked for');",
    });
    const { root, nodes, basePaths, retentionDays, variable, formatted } = await load(folder.path);
    assert.deepEqual(formatted, []);
    assert.equal(root, 'everything');
    assert.deepEqual(nodes, ['part']);
    assert.deepEqual(basePaths, { '': folder.path, part: join(folder.path, 'flows/part') });
    assert.equal(retentionDays, 4);
    assert.equal(variable, 'yes');
  });
});

describe('loadProject with a configuration that cannot be used', () => {
  const errorOf = async (config: string): Promise<string> => {
    await using folder: TemporaryFolder = await temporaryFolder({ 'millrace.config.ts': config });
    const { error } = await load(folder.path);
    return `${error?.name ?? ''}: ${error?.message ?? ''}`;
  };

  it('says where it throws', async () => {
    assert.equal(
      await errorOf('interface A { a: 1 }\nthrow new TypeError("broken");'),
      'ProjectLoadError: millrace.config.ts:2:7: error: TypeError: broken\nthrow new TypeError("broken");\n      ^',
    );
    assert.equal(
      await errorOf("import './absent';"),
      'ProjectLoadError: millrace.config.ts:1:8: error: Cannot find "./absent", which is imported here.\n' +
        "import './absent';\n       ^",
    );
  });

  it('says what is wrong with it', async () => {
    assert.equal(
      await errorOf('export default { retentionDay: 1 };'),
      'ConfigError: millrace.config.ts has an unknown key: "retentionDay" (did you mean "retentionDays"?).',
    );
  });
});

describe('loadProject with files that cannot be loaded', () => {
  it('reports each of them and loads the others', async () => {
    await using folder = await temporaryFolder({
      'package.json': '{}',
      'a.pipeline.ts': "interface A { a: 1 }\nthrow new Error('broken');",
      'b.pipeline.ts': pipeline('b'),
      'c.pipeline.ts': 'export const c = ;',
      'd.pipeline.ts': pipeline('d'),
    });
    const { nodes, problems } = await load(folder.path);
    assert.deepEqual(nodes, ['b', 'd']);
    const [first, second] = problems.map(({ stack, ...problem }) => [problem, typeof stack]);
    assert.deepEqual(first, [
      { severity: 'error', file: join(folder.path, 'a.pipeline.ts'), line: 2, column: 7, message: 'broken' },
      'string',
    ]);
    assert.deepEqual(second, [
      {
        severity: 'error',
        file: join(folder.path, 'c.pipeline.ts'),
        line: 1,
        column: 18,
        message: 'Expression expected.',
      },
      'string',
    ]);
  });

  it('shows mistakes in the use of the API at the call', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': `${imports}type Gone = 1;\nconst a = new Pipeline({ id: 'a' });\na.add(new Task({ id: 'b' }), ['c']);`,
      }),
      [
        'a.pipeline.ts:4:3: error: Pipeline "a" has no node "c" (wanted as an upstream of "b"). It has: none.\n' +
          "a.add(new Task({ id: 'b' }), ['c']);\n  ^",
      ],
    );
  });

  it('shows where an imported file fails, and who needs it', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': "import './lib/fails';",
        'b.pipeline.ts': "import { fail } from './lib/fail';\nfail();",
        'lib/fails.ts': 'type Gone = 1;\nnull!.x;',
        'lib/fail.ts': "export function fail(): never {\n  throw new RangeError('called');\n}",
      }),
      [
        "lib/fails.ts:2:7: error: TypeError: Cannot read properties of null (reading 'x') (needed by a.pipeline.ts)\n" +
          'null!.x;\n      ^',
        'lib/fail.ts:2:9: error: RangeError: called (needed by b.pipeline.ts)\n' +
          "  throw new RangeError('called');\n        ^",
      ],
    );
  });

  it('says what an import does not find', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': "type Gone = 1;\n\nimport { a } from './absent';\nexport const b = a;",
        'b.pipeline.ts': "import a from '@scope/absent/sub';\nexport const b = a;",
        'c.pipeline.ts': "const a = require('./absent');\nexport const b = a;",
        'd.pipeline.ts': "import a from '#absent';\nexport const b = a;",
        'f.pipeline.ts': "import a from 'closed/sub';\nexport const b = a;",
        'node_modules/closed/package.json': '{ "exports": { ".": "./index.js" } }',
        'e.pipeline.ts': "type Gone = 1;\nimport { absent } from './lib';\nexport const b = absent;",
        'lib/index.ts': 'export interface absent {}',
        'g.pipeline.ts': "import { ExecuteSql } from 'millrace';\nexport const b = ExecuteSql;",
        'h.pipeline.ts': 'export const b = new Task();',
      }),
      [
        'a.pipeline.ts:3:19: error: Cannot find "./absent", which is imported here.\n' +
          "import { a } from './absent';\n                  ^",
        'b.pipeline.ts:1:15: error: Cannot find the package "@scope/absent". If its name is right, install it: ' +
          "npm install @scope/absent\nimport a from '@scope/absent/sub';\n              ^",
        'c.pipeline.ts:1:19: error: Cannot find "./absent", which is imported here.\n' +
          "const a = require('./absent');\n                  ^",
        'd.pipeline.ts:1:15: error: "imports" in package.json does not lead from "#absent" to a file.\n' +
          "import a from '#absent';\n              ^",
        'e.pipeline.ts:2:10: error: "./lib" exports no "absent". If it is a type that is exported again, write ' +
          "export type { absent } from './lib'.\nimport { absent } from './lib';\n         ^",
        'f.pipeline.ts:1:15: error: The package "closed" has nothing that can be imported as "closed/sub".\n' +
          "import a from 'closed/sub';\n              ^",
        'g.pipeline.ts:1:10: error: "millrace" exports no "ExecuteSql". Did you mean "ExecuteSQL"?\n' +
          "import { ExecuteSql } from 'millrace';\n         ^",
        "h.pipeline.ts:1:18: error: ReferenceError: Task is not defined. Import it: import { Task } from 'millrace';\n" +
          'export const b = new Task();\n                 ^',
      ],
    );
  });

  it('shows mistakes in JavaScript and JSON', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.mjs': 'export const a = 1;\nexport default ;',
        'b.pipeline.js': 'const a = 1;\nconst a = 2;',
        'c.pipeline.ts': "import './lib/broken.mjs';",
        'd.pipeline.ts': "import './lib/broken.json';",
        'lib/broken.mjs': 'let a = {;',
        'lib/broken.json': '{\n  "a": oops\n}',
      }),
      [
        "a.pipeline.mjs:2:16: error: SyntaxError: Unexpected token ';'\nexport default ;\n               ^",
        "b.pipeline.js:2:7: error: SyntaxError: Identifier 'a' has already been declared\nconst a = 2;\n      ^",
        "lib/broken.mjs:1:10: error: SyntaxError: Unexpected token ';' (needed by c.pipeline.ts)\nlet a = {;\n         ^",
        'lib/broken.json:2:8: error: Unexpected token \'o\' (needed by d.pipeline.ts)\n  "a": oops\n       ^',
      ],
    );
  });

  it('says what a broken tsconfig.json and a broken package have to do with it', async () => {
    const [tsconfig, thrown] = await problemsOf({
      'a/a.pipeline.ts': pipeline('a'),
      'a/tsconfig.json': '{ "extends": "./absent.json" }',
      'b.pipeline.ts': "import 'broken';",
      'node_modules/broken/package.json': '{ "main": "index.js" }',
      'node_modules/broken/index.js': "\nthrow new Error('in a package');",
    });
    assert.equal(
      tsconfig,
      "a/a.pipeline.ts: error: <project>/a/tsconfig.json cannot be used: File './absent.json' not found.",
    );
    assert.equal(
      thrown,
      'b.pipeline.ts: error: in a package (thrown at <project>/node_modules/broken/index.js:2)',
    );
  });

  it('is not ended or held up by them', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': 'type Gone = 1;\nprocess.exit(3);',
        'b.pipeline.ts': `${imports}try {\n  process.exit();\n} catch {}\nexport default new Pipeline({ id: 'b' });`,
        'c.pipeline.ts': 'await new Promise(() => {});',
        'd.pipeline.ts': "type Gone = 1;\nthrow 'only text';",
        'e.pipeline.ts': 'throw null;',
        'f.pipeline.ts': `type Gone = 1;\nvoid import('./absent');\n${pipeline('f')}`,
        'g.pipeline.ts': `type Gone = 1;\nvoid Promise.reject(new Error('lost'));\n${pipeline('g')}`,
        'h.pipeline.ts': 'await Promise.reject(new Error("found"));',
      }),
      [
        'a.pipeline.ts:2:9: error: process.exit(3) is called while the file is loaded. A pipeline file only describes ' +
          'what is to be done: take the call out, or move it into a command.\nprocess.exit(3);\n        ^',
        'b.pipeline.ts:3:11: error: process.exit() is called while the file is loaded. A pipeline file only describes ' +
          'what is to be done: take the call out, or move it into a command.\n  process.exit();\n          ^',
        'c.pipeline.ts: error: The file never finishes loading: an await at its top level waits for something that ' +
          'does not happen.',
        "d.pipeline.ts: error: The file throws something that is not an error: 'only text'",
        'e.pipeline.ts: error: The file throws something that is not an error: null',
        'f.pipeline.ts:2:13: error: A promise is rejected and nothing handles it: Cannot find "./absent", which is ' +
          "imported here.\nvoid import('./absent');\n            ^",
        'g.pipeline.ts:2:21: error: A promise is rejected and nothing handles it: lost\n' +
          "void Promise.reject(new Error('lost'));\n                    ^",
        'h.pipeline.ts:1:22: error: found\nawait Promise.reject(new Error("found"));\n                     ^',
      ],
    );
  });

  it('names both files that export a pipeline of the same id', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': pipeline('same'),
        'b.pipeline.ts': pipeline('same'),
        'c.pipeline.ts': `${imports}export const one = new Pipeline({ id: 'twice' });\nexport const two = new Pipeline({ id: 'twice' });`,
      }),
      [
        'b.pipeline.ts: error: Both a.pipeline.ts and b.pipeline.ts export a pipeline with the id "same". ' +
          'Only that of a.pipeline.ts is used: change one of the ids.',
        'c.pipeline.ts: error: The file exports two pipelines with the id "twice". Only the first one is used: ' +
          'change one of the ids.',
      ],
    );
  });

  it('warns about files that export no pipeline', async () => {
    assert.deepEqual(
      await problemsOf({
        'a.pipeline.ts': `${imports}const forgotten = new Pipeline({ id: 'a' });`,
        'b.pipeline.ts': 'export default () => 5;',
        'c.pipeline.ts': `${imports}export default class extends Pipeline {}`,
        'd.pipeline.ts': '',
      }),
      [
        'a.pipeline.ts: warning: The file exports no pipeline. Only what a file exports is found: ' +
          'export default pipeline;',
        'b.pipeline.ts: warning: The file exports no pipeline, and the function that it exports by default returns none.',
        'c.pipeline.ts: warning: The file exports no pipeline. Only what a file exports is found: ' +
          'export default pipeline;',
        'd.pipeline.ts: warning: The file exports no pipeline. Only what a file exports is found: ' +
          'export default pipeline;',
      ],
    );
  });
});

describe('loadProject with the cases of the static analysis', () => {
  it('loads all of them', async () => {
    await using folder = await temporaryFolder({ 'package.json': '{}' });
    const cases = join(folder.path, 'cases');
    await cp(join(fixtures, 'cases'), cases, { recursive: true });
    await rename(join(cases, 'packages'), join(cases, 'node_modules'));
    const { files, formatted } = await load(folder.path, '--stand-ins');
    const names = (await readdir(cases)).filter(name => name.endsWith('.pipeline.ts'));
    assert.equal(names.length, 75);
    // Four of them use the same id, which is right within a file.
    const first = 'cases/47-default-fn-export.pipeline.ts';
    assert.deepEqual(
      formatted,
      ['55-namespace-api', '56-alias-api', '71-cyclic-import'].map(
        name =>
          `cases/${name}.pipeline.ts: error: Both ${first} and cases/${name}.pipeline.ts export a pipeline with the ` +
          `id "p". Only that of ${first} is used: change one of the ids.`,
      ),
    );
    assert.equal(files.length, names.length);
  });
});
