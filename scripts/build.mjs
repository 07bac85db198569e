// Bundles the runner into dist/: one ES module per process it starts, sharing chunks, so that what a start does not
// need is not loaded. `typescript` is a file of its own, read only when a pipeline file is not in the transpile cache.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { pinnedNode, root } from './setup.mjs';

const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });

const shared = {
  absWorkingDir: root,
  platform: 'node',
  target: 'node22.15',
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  external: ['pg-native'],
  define: { MILLRACE_BUNDLED: 'true' },
};

await Promise.all([
  build({
    ...shared,
    format: 'esm',
    splitting: true,
    outdir: dist,
    chunkNames: 'chunk-[hash]',
    entryPoints: {
      millrace: 'runner/cli/launch.ts',
      cli: 'runner/cli/main.ts',
      worker: 'runner/pool/launch-worker.ts',
      keeper: 'runner/store/embedded/keeper-main.ts',
      'script-loader': 'runner/loader/script-loader.ts',
      api: 'runner/api/index.ts',
    },
    // Packages in CommonJS ask for Node's modules by require().
    banner: {
      js: "import{createRequire as __millraceRequire}from'node:module';const require=__millraceRequire(import.meta.url);",
    },
  }),
  build({
    ...shared,
    format: 'cjs',
    keepNames: false,
    minify: true,
    outfile: join(dist, 'typescript.cjs'),
    entryPoints: ['typescript'],
  }),
]);
chmodSync(join(dist, 'millrace.js'), 0o755);

const types = spawnSync(
  pinnedNode(),
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.types.json'],
  { cwd: root, stdio: 'inherit' },
);
if (types.status !== 0) process.exit(1);
