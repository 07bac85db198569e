/**
 * Bundles into dist/, in parts that can be built alone:
 *
 *   node scripts/build.mjs [runner] [extension] [webview]
 *
 * What is there stays usable meanwhile: files are written aside and moved into place, and those of the build before are
 * kept, because a process that was started with them may still load one.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { onlyFlowcharts } from './mermaid-flowcharts.mjs';
import { buildRecord, parts, pinnedNode, root, sourceFingerprint } from './setup.mjs';

const node = {
  absWorkingDir: root,
  platform: 'node',
  target: 'node22.15',
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};

/** One ES module per process that is started, sharing chunks, so that what a start does not need is not loaded. */
const entries = {
  millrace: 'runner/cli/launch.ts',
  cli: 'runner/cli/main.ts',
  worker: 'runner/pool/launch-worker.ts',
  keeper: 'runner/store/embedded/keeper-main.ts',
  'script-loader': 'runner/loader/script-loader.ts',
  api: 'runner/api/index.ts',
  service: 'runner/service/main.ts',
  'language-server': 'extension/language/main.ts',
  check: 'extension/language/check-main.ts',
};

/** Of ts-morph, the analysis uses the parser: not its own classes, nor the declarations of the standard library. */
const morphParser = 'ts-morph-parser.cjs';

/** Waits for all, also when one fails: another would write into a folder that is gone. */
async function bundle(builds) {
  const ends = await Promise.allSettled(builds);
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ends.map(({ value }) => value.metafile);
}

/** Has a package loaded by `require()` from a file beside the bundle. */
function apart(filter, file) {
  return {
    name: `apart: ${file}`,
    setup: ({ onResolve }) => {
      onResolve({ filter }, ({ kind }) =>
        kind === 'entry-point' ? null : { path: `./${file}`, external: true },
      );
    },
  };
}

async function buildRunner(directory) {
  const metafiles = await bundle([
    build({
      ...node,
      format: 'esm',
      splitting: true,
      outdir: directory,
      chunkNames: 'chunk-[hash]',
      external: ['pg-native'],
      plugins: [apart(/^ts-morph$/, morphParser)],
      entryPoints: entries,
      define: { MILLRACE_BUNDLED: 'true', __dirname: '__millraceDirname', __filename: '__millraceFilename' },
      // Packages in CommonJS ask for Node's modules by require(), and for files beside them by __dirname.
      banner: {
        js:
          "import{createRequire as __millraceRequire}from'node:module';const require=__millraceRequire(import.meta.url)," +
          '__millraceDirname=import.meta.dirname,__millraceFilename=import.meta.filename;',
      },
    }),
    // Files of their own, of which no name is ever shown: `typescript` is read only when a pipeline file is not in the
    // transpile cache, the TypeScript of ts-morph by the analysis.
    ...Object.entries({
      'typescript.cjs': "module.exports = require('typescript');",
      [morphParser]: "export { default as ts } from '@ts-morph/common/dist/typescript.js';",
    }).map(([file, contents]) =>
      build({
        ...node,
        format: 'cjs',
        keepNames: false,
        minify: true,
        outfile: join(directory, file),
        stdin: { contents, resolveDir: root },
      }),
    ),
  ]);
  chmodSync(join(directory, 'millrace.js'), 0o755);
  copyFileSync(
    join(root, 'node_modules/libpg-query/wasm/libpg-query.wasm'),
    join(directory, 'libpg-query.wasm'),
  );
  // What `millrace init --template` copies; a new project has its own project files.
  cpSync(join(root, 'examples/python-project-stats'), join(directory, 'templates/warehouse'), {
    recursive: true,
    filter: source =>
      !/[\\/](?:data|node_modules|\.millrace|\.env|millrace\.local\.ts|package\.json|tsconfig\.json|\.gitignore)$/.test(
        source,
      ),
  });
  const types = spawnSync(
    pinnedNode(),
    [
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      'tsconfig.types.json',
      '--outDir',
      join(directory, 'types'),
    ],
    { cwd: root, stdio: 'inherit' },
  );
  if (types.status !== 0) throw new Error('the types of the API could not be written');
  return metafiles;
}

/**
 * CommonJS, which every VS Code loads alike. What activation does not need has files of their own, because it would wait
 * for their parsing: the client of the language server, and the checks of what pages say. Such a file is loaded when the
 * module that imports it runs, so that module is to be imported by `import()`, or what it imports.
 */
async function buildExtension(directory) {
  const shared = {
    ...node,
    // Functions and classes keep their names, which stacks in the log show.
    minify: true,
    format: 'cjs',
    external: ['vscode'],
    // require() stands in for import(): the hooks of VS Code for `vscode` are made for it.
    supported: { 'dynamic-import': false },
  };
  const client = 'language-client.cjs';
  const checks = 'page-message.cjs';
  const metafiles = await bundle([
    build({
      ...shared,
      outfile: join(directory, 'extension.cjs'),
      entryPoints: ['extension/activate.ts'],
      define: { MILLRACE_BUNDLED: 'true' },
      plugins: [
        apart(/^vscode-languageclient(\/node)?$/, client),
        apart(/^\.\.?\/(?:.*\/)?page-message\.ts$/, checks),
      ],
    }),
    build({ ...shared, outfile: join(directory, client), entryPoints: ['vscode-languageclient/node'] }),
    build({ ...shared, outfile: join(directory, checks), entryPoints: ['extension/panels/page-message.ts'] }),
  ]);
  return metafiles;
}

/** A module and chunks for each page, and the style sheets. */
async function buildWebview(directory) {
  const target = join(directory, 'webview');
  const pages = globSync('webview/pages/*/main.tsx', { cwd: root });
  const { metafile } = await build({
    absWorkingDir: root,
    platform: 'browser',
    target: 'chrome120',
    format: 'esm',
    bundle: true,
    splitting: true,
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    outdir: target,
    chunkNames: 'chunks/[name]-[hash]',
    external: ['./codicon.css', './codicon.ttf'],
    plugins: [onlyFlowcharts],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryPoints: [
      ...pages.map(source => ({ in: source, out: `${basename(dirname(source))}-page` })),
      { in: 'webview/styles/page.css', out: 'page' },
    ],
  });
  mkdirSync(target, { recursive: true });
  for (const name of ['codicon.css', 'codicon.ttf'])
    copyFileSync(join(root, 'node_modules/@vscode/codicons/dist', name), join(target, name));
  return [metafile];
}

const builders = { runner: buildRunner, extension: buildExtension, webview: buildWebview };

/**
 * Builds parts into a directory and says how large they are.
 *
 * @returns esbuild's accounts of what is in the bundles
 */
export async function buildInto(directory, wanted = parts) {
  const metafiles = [];
  for (const part of wanted) {
    const fingerprint = sourceFingerprint(part);
    const aside = join(directory, `.building-${part}-${process.pid}`);
    rmSync(aside, { recursive: true, force: true });
    mkdirSync(aside, { recursive: true });
    try {
      const [main, ...others] = await builders[part](aside);
      printSizes(part, aside, main);
      metafiles.push(main, ...others);
      replace(part, aside, directory, fingerprint);
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  }
  return metafiles;
}

function replace(part, aside, directory, fingerprint) {
  const record = buildRecord(directory, part);
  const before = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : { files: [], before: [] };
  const files = readdirSync(aside, { recursive: true }).filter(name => statSync(join(aside, name)).isFile());
  // What others import is in place before they are.
  files.sort((a, b) => Number(/chunk/.test(b)) - Number(/chunk/.test(a)));
  for (const name of files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    renameSync(join(aside, name), join(directory, name));
  }
  const kept = new Set([...files, ...before.files]);
  for (const name of before.before) if (!kept.has(name)) rmSync(join(directory, name), { force: true });
  const replaced = before.files.filter(name => !files.includes(name));
  writeFileSync(record, JSON.stringify({ fingerprint, files, before: replaced }));
}

/** For each entry: itself, with what it loads at once, and with what it may load later. */
function printSizes(part, directory, { outputs }) {
  const lines = Object.entries(outputs).flatMap(([path, output]) => {
    if (output.entryPoint === undefined || path.includes('chunk')) return [];
    const atOnce = reachable(outputs, path, ['import-statement', 'require-call', 'import-rule']);
    const all = reachable(outputs, path, null);
    const later = sum(outputs, all) - sum(outputs, atOnce);
    return `  ${relative(directory, join(root, path)).padEnd(24)} ${kilobytes(sum(outputs, atOnce))}${later > 0 ? `, later ${kilobytes(later)}` : ''}`;
  });
  process.stderr.write(`millrace: ${part}\n${lines.join('\n')}\n`);
}

function reachable(outputs, entry, kinds) {
  const seen = new Set([entry]);
  for (const path of seen)
    for (const { path: imported, kind, external } of outputs[path]?.imports ?? [])
      if (external !== true && (kinds === null || kinds.includes(kind))) seen.add(imported);
  return seen;
}

function sum(outputs, paths) {
  return [...paths].reduce((total, path) => total + (outputs[path]?.bytes ?? 0), 0);
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter(name => !parts.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`millrace: no such part: ${unknown.join(', ')}; there are ${parts.join(', ')}\n`);
    process.exit(1);
  }
  try {
    await buildInto(join(root, 'dist'), wanted.length > 0 ? wanted : parts);
  } catch (error) {
    // esbuild has said what is wrong, and where.
    if (!Array.isArray(error.errors)) throw error;
    process.exitCode = 1;
  }
}
