import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import ts from 'typescript';
import { jsonModuleSource } from '../../runner/loader/json-module.ts';
import { readModuleSyntax } from '../../runner/loader/module-format.ts';
import { placeOf, SourceError } from '../../runner/loader/source-error.ts';
import { transpile, TYPESCRIPT_VERSION } from '../../runner/loader/transpile.ts';
import { TranspileCache } from '../../runner/loader/transpile-cache.ts';
import { Transpiler } from '../../runner/loader/transpiler.ts';
import { TsConfigs } from '../../runner/loader/tsconfig.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('readModuleSyntax', () => {
  const formats: [source: string, format: 'module' | 'commonjs'][] = [
    ["import { a } from './a';", 'module'],
    ["import type { A } from './a'; const b = require('./b');", 'module'],
    ['export const a = 1;', 'module'],
    ['export default 1;', 'module'],
    ['await Promise.resolve();', 'module'],
    ['for await (const a of []) a;', 'module'],
    ['await using a = null;', 'module'],
    ['const url = import.meta.url;', 'module'],
    ['const a: number = 1;', 'module'],
    ['async function f() { await 1; } f();', 'module'],
    ["const a = require('./a');", 'commonjs'],
    ['module.exports = 1;', 'commonjs'],
    ['exports.a = 1;', 'commonjs'],
    ["exports['a'] = 1;", 'commonjs'],
    ['const a = 1; export = a;', 'commonjs'],
    ["import { a } from './a'; module.exports = { a };", 'commonjs'],
    ["const a = require('./a'); await a;", 'module'],
    ['const a = { exports: 1, module: 2, require: 3 };', 'module'],
    ["const text = 'module.exports = 1'; // require('x')", 'module'],
  ];
  for (const [source, format] of formats) {
    it(`${source} → ${format}`, () => {
      assert.equal(readModuleSyntax(ts, 'a.ts', source).format, format);
    });
  }

  it('believes the extension', () => {
    assert.equal(readModuleSyntax(ts, 'a.cts', 'export const a = 1;').format, 'commonjs');
    assert.equal(readModuleSyntax(ts, 'a.mts', "require('a');").format, 'module');
  });

  it('finds what an ES module uses of CommonJS, unless the module declares it', () => {
    const missing = (source: string) => readModuleSyntax(ts, 'a.mts', source).missing;
    assert.deepEqual(missing('f(__dirname, __filename, require);'), ['__dirname', '__filename', 'require']);
    assert.deepEqual(missing('const { a: __dirname, b: [require] } = x; f(__dirname, require);'), []);
    assert.deepEqual(missing("import { x as require } from 'y'; require();"), []);
    assert.deepEqual(missing('function require() {} require();'), []);
    assert.deepEqual(missing('a.require(); a.__dirname;'), []);
  });
});

describe('transpile', () => {
  it('is told the right version of the compiler', () => {
    assert.equal(TYPESCRIPT_VERSION, ts.version);
  });

  const messageOf = (source: string): string => {
    try {
      transpile(ts, '/project/a.pipeline.ts', source, {});
    } catch (error) {
      if (error instanceof SourceError) return error.message;
      throw error;
    }
    return 'no error';
  };

  it('says where a file is not TypeScript', () => {
    assert.equal(
      messageOf('const a = 1;\n\tconst b = = 2;\n'),
      '/project/a.pipeline.ts:2:12: Expression expected.\n\tconst b = = 2;\n\t          ^',
    );
    assert.equal(messageOf('f(\n'), "/project/a.pipeline.ts:2:1: ')' expected.\n\n^");
    assert.equal(
      messageOf('\r\nconst a: = 1'),
      '/project/a.pipeline.ts:2:10: Type expected.\nconst a: = 1\n         ^',
    );
  });
});

describe('placeOf', () => {
  it('gives the line and the column of every offset', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', '\r\n', '😀') });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { line, column, text: whole } = placeOf(before + after, before.length);
        const lines = `${before}${after}`.split(/\r\n|\n/);
        assert.equal(lines[line - 1], whole);
        const above = lines.slice(0, line - 1).join('').length;
        const ends = before.length - before.replaceAll(/\r\n|\n/g, '').length;
        assert.equal(above + ends + column - 1, before.length);
      }),
    );
  });
});

describe('jsonModuleSource', () => {
  const importOf = async (text: string): Promise<Record<string, unknown>> =>
    (await import(`data:text/javascript,${encodeURIComponent(jsonModuleSource('a.json', text))}`)) as Record<
      string,
      unknown
    >;

  it('exports the value and its members', async () => {
    const exports = await importOf('\uFEFF{ "a": 1, "class": 2, "no-name": 3, "default": 4, "é": 5 }');
    assert.deepEqual(
      { ...exports },
      {
        a: 1,
        class: 2,
        default: { a: 1, class: 2, 'no-name': 3, default: 4, é: 5 },
        é: 5,
      },
    );
    assert.deepEqual({ ...(await importOf('[1]')) }, { default: [1] });
    assert.deepEqual({ ...(await importOf('null')) }, { default: null });
  });

  it('says where a file is not JSON', () => {
    const messageOf = (text: string): string => {
      try {
        jsonModuleSource('/project/a.json', text);
        return 'no error';
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    assert.equal(
      messageOf('{\n  "oops": oops\n}'),
      '/project/a.json:2:11: Unexpected token \'o\'\n  "oops": oops\n          ^',
    );
    assert.equal(
      messageOf('{ "a": 1 "b": 2 }'),
      '/project/a.json:1:10: Expected \',\' or \'}\' after property value\n{ "a": 1 "b": 2 }\n         ^',
    );
    assert.equal(
      messageOf('{ "a": '),
      '/project/a.json:1:8: Unexpected end of JSON input\n{ "a": \n       ^',
    );
  });
});

describe('TranspileCache', () => {
  const file = '/project/a.ts';
  const source = 'export const a: number = 1;';

  function transpilerFor(directory: string): { transpiler: Transpiler; compilations: () => number } {
    let count = 0;
    const counting = {
      ...ts,
      transpileModule: (...given: Parameters<typeof ts.transpileModule>) => {
        count++;
        return ts.transpileModule(...given);
      },
    };
    const transpiler = new Transpiler({
      tsConfigs: new TsConfigs(),
      cache: new TranspileCache(directory),
      loadTypeScript: () => counting,
    });
    return { transpiler, compilations: () => count };
  }

  it('makes the compiler superfluous', async () => {
    await using folder = await temporaryFolder();
    const cold = transpilerFor(join(folder.path, 'new/cache'));
    const made = cold.transpiler.translate(file, source);
    assert.equal(cold.compilations(), 1);
    const warm = new Transpiler({
      tsConfigs: new TsConfigs(),
      cache: new TranspileCache(join(folder.path, 'new/cache')),
      loadTypeScript: () => assert.fail('not needed'),
    });
    assert.deepEqual(warm.translate(file, source), made);
    assert.deepEqual(warm.translate('/elsewhere/a.ts', source), made);
  });

  it('depends on the text, the name and the options of the compiler', () => {
    const cache = new TranspileCache('/nowhere');
    const keys = [
      cache.key(file, source, {}),
      cache.key(file, `${source} `, {}),
      cache.key('/project/b.ts', source, {}),
      cache.key('/project/a.cts', source, {}),
      cache.key(file, source, { experimentalDecorators: true }),
      cache.key(file, source, { emitDecoratorMetadata: true }),
      cache.key(file, source, { useDefineForClassFields: false }),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });

  it('replaces damaged entries', async () => {
    await using folder = await temporaryFolder();
    const { transpiler, compilations } = transpilerFor(folder.path);
    const made = transpiler.translate(file, source);
    const [entry = ''] = (await readdir(folder.path)).filter(name => name.endsWith('.js'));
    const path = join(folder.path, entry);
    const whole = await readFile(path, 'utf8');
    for (const damaged of ['', whole.slice(0, -10), whole.replace('const', 'CONST'), '\0'.repeat(100)]) {
      await writeFile(path, damaged);
      const before = compilations();
      assert.deepEqual(transpiler.translate(file, source), made);
      assert.equal(compilations(), before + 1);
      assert.equal(await readFile(path, 'utf8'), whole);
    }
  });

  it('does without a directory that cannot be used', async () => {
    await using folder = await temporaryFolder({ file: '' });
    const { transpiler, compilations } = transpilerFor(join(folder.path, 'file'));
    const made = transpiler.translate(file, source);
    assert.deepEqual(transpiler.translate(file, source), made);
    assert.equal(compilations(), 2);
    await mkdir(join(folder.path, 'locked'));
    await chmod(join(folder.path, 'locked'), 0o500);
    assert.deepEqual(transpilerFor(join(folder.path, 'locked')).transpiler.translate(file, source), made);
  });

  it('forgets old entries, at most once a day', async () => {
    await using folder = await temporaryFolder({
      'old.js': '',
      'old.1.tmp': '',
      'young.js': '',
      'other.txt': '',
    });
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    for (const name of ['old.js', 'old.1.tmp', 'other.txt'])
      await utimes(join(folder.path, name), longAgo, longAgo);
    transpilerFor(folder.path).transpiler.translate(file, source);
    const kept = (await readdir(folder.path)).filter(name => !/^[0-9a-f]{40}\.js$/.test(name)).sort();
    assert.deepEqual(kept, ['other.txt', 'pruned', 'young.js']);
    await utimes(join(folder.path, 'young.js'), longAgo, longAgo);
    transpilerFor(folder.path).transpiler.translate(file, `${source} `);
    assert.ok((await readdir(folder.path)).includes('young.js'));
  });
});
