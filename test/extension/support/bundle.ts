/** Makes one CommonJS module of test files, which every extension host can load, also one that knows no TypeScript. */
import { readFile } from 'node:fs/promises';
import { createRequire, SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * @param files absolute paths
 * @param directory where the module is written to
 * @returns its path
 */
export async function bundleTests(files: readonly string[], directory: string): Promise<string> {
  const outfile = join(directory, 'tests.cjs');
  const inside = join(import.meta.dirname, 'inside.ts');
  await build({
    stdin: {
      contents: [
        `import { runInside } from ${JSON.stringify(inside)};`,
        'export const run = () => runInside(() => {',
        ...files.map(file => `  require(${JSON.stringify(file)});`),
        '});',
      ].join('\n'),
      resolveDir: root,
      loader: 'ts',
    },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    outfile,
    sourcemap: 'linked',
    keepNames: true,
    logLevel: 'warning',
    external: ['vscode', 'pg-native'],
    plugins: [ownPlace, sameMocha],
  });
  return outfile;
}

/** A stack with the places in the sources instead of those in the bundle: VS Code does not let Node do it. */
export async function inSources(stack: string, bundle: string): Promise<string> {
  const map = new SourceMap(JSON.parse(await readFile(`${bundle}.map`, 'utf8')) as SourceMapPayload);
  return stack.replaceAll(
    /\(?(\/[^\s()]*tests\.cjs):(\d+):(\d+)\)?/g,
    (place, file: string, line: string, column: string) => {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
      if (file !== bundle || !('originalSource' in entry)) return place;
      const source = relative(root, resolve(dirname(bundle), entry.originalSource));
      return `(${source}:${entry.originalLine + 1}:${entry.originalColumn + 1})`;
    },
  );
}

/** Files find their neighbours by `import.meta`, which CommonJS does not have. */
const ownPlace: Plugin = {
  name: 'own-place',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: 'ts' };
    });
  },
};

/** Mocha finds its own files by their places. */
const sameMocha: Plugin = {
  name: 'same-mocha',
  setup({ onResolve }) {
    // Its CommonJS itself: versions of Node differ in what they make of a required ES module.
    const path = createRequire(import.meta.url).resolve('mocha/lib/mocha.cjs');
    onResolve({ filter: /^mocha$/ }, () => ({ path, external: true }));
  },
};
