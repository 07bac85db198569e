import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { packTar, readTar, unpackEntries, type TarEntry } from '../../runner/store/embedded/tar.ts';
import { temporaryFolder } from '../support/temp.ts';

const name = fc.stringMatching(/^[a-zA-Z0-9_é-]{1,60}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'));
const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  fc.record({ type: fc.constant('directory' as const), path }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('link' as const), path, target: path }, { noNullPrototype: true }),
  fc.record(
    {
      type: fc.constant('file' as const),
      path,
      executable: fc.boolean(),
      content: fc.uint8Array({ maxLength: 1500 }).map(bytes => Buffer.from(bytes)),
    },
    { noNullPrototype: true },
  ),
);

describe('tar archives', () => {
  it('are read as they were packed', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), entries => {
        assert.deepEqual([...readTar(packTar(entries))], entries);
      }),
    );
  });

  it('of the system’s tar are unpacked with modes, links and long names', async () => {
    const long = `${'a'.repeat(60)}/${'b'.repeat(60)}.txt`;
    await using folder = await temporaryFolder({ 'in/bin/program': 'run me', [`in/${long}`]: 'far away' });
    execFileSync('sh', ['-c', 'chmod 700 bin/program; ln -s program bin/link; tar cf ../archive.tar .'], {
      cwd: join(folder.path, 'in'),
    });
    await folder.write({ 'out/.keep': '' });
    const out = join(folder.path, 'out');
    await unpackEntries(readTar(await readFile(join(folder.path, 'archive.tar'))), out);
    assert.equal(await readFile(join(out, long), 'utf8'), 'far away');
    assert.equal(await readlink(join(out, 'bin/link')), 'program');
    assert.equal((await stat(join(out, 'bin/program'))).mode & 0o777, 0o755);
    assert.equal((await stat(join(out, long))).mode & 0o777, 0o644);
  });

  it('never write outside of their directory', async () => {
    await using folder = await temporaryFolder({ 'out/.keep': '' });
    const content = Buffer.from('x');
    const evil: [TarEntry, string][] = [
      [{ type: 'file', path: '../x', executable: false, content }, 'the entry ../x leads out of the archive'],
      [{ type: 'link', path: 'a/b', target: '../../x' }, 'the entry a/b leads out of the archive'],
      [{ type: 'link', path: 'b', target: '/etc' }, 'the link b leads out of the archive'],
    ];
    for (const [one, message] of evil) {
      await assert.rejects(unpackEntries([one], join(folder.path, 'out')), { message });
    }
  });

  it('that are cut off or damaged are refused', () => {
    const archive = packTar([{ type: 'file', path: 'a', executable: false, content: Buffer.alloc(600) }]);
    assert.throws(() => [...readTar(archive.subarray(0, 1000))], { message: 'the archive is cut off' });
    assert.throws(() => [...readTar(archive.subarray(0, 1536))], { message: 'the archive is cut off' });
    archive[3] = 65;
    assert.throws(() => [...readTar(archive)], { message: 'the archive is damaged at byte 0' });
  });
});
