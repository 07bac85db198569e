import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { FileDay } from '../../runner/commands/parallel/file-day.ts';
import { FilePattern } from '../../runner/commands/parallel/list-files.ts';
import { messageOf } from '../support/commands.ts';
import { temporaryFolder } from '../support/temp.ts';

const what = 'Parallel task "load"';

async function list(directory: string, pattern: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of new FilePattern(what, pattern).files(directory)) files.push(file);
  return files.sort();
}

describe('listing of files', () => {
  const names = [
    'a.csv',
    'b.CSV',
    'x/a.csv',
    'x/y/a.csv',
    'x/y/b.txt',
    'z/x/a.csv',
    '.hidden/a.csv',
    'x/.a.csv',
    '[1].csv',
    'x/{b}.csv',
  ];

  it('knows the usual patterns', async () => {
    await using folder = await temporaryFolder(Object.fromEntries(names.map(name => [name, ''])));
    const expected: Readonly<Record<string, readonly string[]>> = {
      '*.csv': ['[1].csv', 'a.csv'],
      'x/*.csv': ['x/a.csv', 'x/{b}.csv'],
      '*/*.csv': ['x/a.csv', 'x/{b}.csv'],
      '**/a.csv': ['a.csv', 'x/a.csv', 'x/y/a.csv', 'z/x/a.csv'],
      '**/x/**': ['x/a.csv', 'x/y/a.csv', 'x/y/b.txt', 'x/{b}.csv', 'z/x/a.csv'],
      'x/**/*.{csv,txt}': ['x/a.csv', 'x/y/a.csv', 'x/y/b.txt', 'x/{b}.csv'],
      '{x,z/x}/a.csv': ['x/a.csv', 'z/x/a.csv'],
      '?.csv': ['a.csv'],
      '[ab].csv': ['a.csv'],
      '[!b].csv': ['a.csv'],
      '\\[1\\].csv': ['[1].csv'],
      'x/{b}.csv': ['x/{b}.csv'],
      '.hidden/*': ['.hidden/a.csv'],
      'x/.*': ['x/.a.csv'],
      'nothing/**': [],
      './x//a.csv': ['x/a.csv'],
      x: [],
    };
    for (const [pattern, files] of Object.entries(expected))
      assert.deepEqual(await list(folder.path, pattern), files, pattern);
    assert.deepEqual(await list(join(folder.path, 'no such folder'), '**'), []);
  });

  it('follows links to files, and to directories where the pattern names them', async () => {
    await using folder = await temporaryFolder({ 'real/a.csv': '', 'other/.keep': '' });
    await symlink('../real', join(folder.path, 'other/link'));
    await symlink('../other', join(folder.path, 'other/circle'));
    await symlink('../real/a.csv', join(folder.path, 'other/b.csv'));
    await symlink('nowhere', join(folder.path, 'other/c.csv'));
    assert.deepEqual(await list(folder.path, '**/*.csv'), ['other/b.csv', 'real/a.csv']);
    assert.deepEqual(await list(folder.path, 'other/*/a.csv'), ['other/link/a.csv']);
    assert.deepEqual(await list(folder.path, 'other/link/*'), ['other/link/a.csv']);
  });

  it('agrees with Node about patterns of all kinds', async () => {
    await using folder = await temporaryFolder(
      Object.fromEntries(names.filter(name => !/[.[{](?!csv|CSV|txt)/.test(name)).map(name => [name, ''])),
    );
    const part = fc.constantFrom(
      '*',
      '**',
      'x',
      'y',
      'a.csv',
      '*.csv',
      '?.*',
      '[a-y]',
      '{x,y,z}',
      '{a,b}.{csv,txt}',
      '[!a]*',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async parts => {
        // What is in `a.csv/**` when `a.csv` is a file is a matter of taste.
        const pattern = [...parts, ...(parts.at(-1) === '**' ? ['*'] : [])].join('/');
        const expected = globSync(pattern, { cwd: folder.path, withFileTypes: true })
          .filter(entry => entry.isFile())
          .map(entry => join(entry.parentPath, entry.name).slice(folder.path.length + 1));
        assert.deepEqual(await list(folder.path, pattern), [...new Set(expected)].sort(), pattern);
      }),
      { numRuns: 200 },
    );
  });

  it('says what is no pattern', async () => {
    for (const pattern of ['/etc/*', '../*', 'a/../../b', '.', '{a,../b}'])
      assert.equal(
        await messageOf(() => new FilePattern(what, pattern)),
        `Parallel task "load": filePattern must stay below dataDir, which "${pattern}" does not.`,
      );
    assert.equal(
      await messageOf(() => new FilePattern(what, 7)),
      'Parallel task "load": filePattern must be a pattern like "events/*.csv.gz", not 7.',
    );
  });
});

describe('days of files', () => {
  it('come from named groups, or from the first three', () => {
    const named = new FileDay(() => what, /(?<day>\d+)\.(?<month>\d+)\.(?<year>\d{4})/g);
    assert.equal(named.of('x/1.2.2026.csv'), '2026-02-01');
    assert.equal(named.of('x/1.2.2026.csv'), '2026-02-01');
    assert.equal(new FileDay(() => what, '(\\d{4})/(\\d{2})/(\\d{2})/').of('2026/01/31/a.csv'), '2026-01-31');
  });

  it('fail with what is wrong', async () => {
    const day = new FileDay(() => what, /(\d{4})-(\d\d)-(\d\d)/);
    assert.equal(
      await messageOf(() => day.of('readme.txt')),
      'Parallel task "load": the file "readme.txt" does not match dateRegex /(\\d{4})-(\\d\\d)-(\\d\\d)/, so its day is not known. ' +
        'Change dateRegex, or filePattern so that it leaves the file out.',
    );
    assert.equal(
      await messageOf(() => day.of('2026-02-30.csv')),
      'Parallel task "load": dateRegex finds the day 2026-02-30 in "2026-02-30.csv", which there is not.',
    );
    for (const regex of [/\d/, /(\d)(\d)/, /(?<year>\d)(?<month>\d)(\d)/])
      assert.equal(
        await messageOf(() => new FileDay(() => what, regex)),
        'Parallel task "load": dateRegex must have the groups year, month and day: named ones, or the first three.',
      );
    assert.match(
      await messageOf(() => new FileDay(() => what, '(')),
      /^Parallel task "load": dateRegex is not valid: /,
    );
    assert.equal(
      await messageOf(() => new FileDay(() => what, 7)),
      'Parallel task "load": dateRegex must be a regular expression with groups for year, month and day, such as ' +
        '/(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)/, not 7.',
    );
  });
});
