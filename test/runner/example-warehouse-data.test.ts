/** The data of the example warehouse: what is invented, and how files are written. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { tabSeparated } from '../../examples/python-project-stats/collect_data/bigquery/csv-lines.ts';
import {
  dayBefore,
  daysBackwards,
  writeLines,
} from '../../examples/python-project-stats/collect_data/day-files.ts';
import {
  activityLines,
  activityOf,
  downloadLines,
  downloadsOf,
  type SampleDay,
} from '../../examples/python-project-stats/collect_data/sample/generate.ts';
import { projectName } from '../../examples/python-project-stats/collect_data/sample/names.ts';
import { temporaryFolder } from '../support/temp.ts';

const signal = new AbortController().signal;

const samples = fc.record({
  day: fc.constantFrom('2018-04-09', '2018-04-10', '2020-02-29'),
  rows: fc.integer({ min: 0, max: 3000 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

describe('invented days of the example warehouse', () => {
  it('are the same for the same seed, and others for another seed or day', () => {
    const sample: SampleDay = { day: '2018-04-10', rows: 200, seed: 1 };
    const text = (changes: Partial<SampleDay>): string =>
      [...downloadLines({ ...sample, ...changes }), ...activityLines({ ...sample, ...changes })].join('\n');
    assert.equal(text({}), text({}));
    assert.notEqual(text({}), text({ seed: 2 }));
    assert.notEqual(
      text({}).replaceAll('20180410', ''),
      text({ day: '2018-04-09' }).replaceAll('20180409', ''),
    );
    // What they are must not change unnoticed: users compare runs with one another.
    assert.deepEqual([...downloadLines(sample)].slice(0, 2), [
      '20180410\tagile-anchor\t0.0.0\t3.6\tsetuptools\t3',
      '20180410\tagile-anchor\t0.0.0\t3.5\tBrowser\t2',
    ]);
  });

  it('have as many rows as were asked for, each only once, and numbers in all of them', () => {
    fc.assert(
      fc.property(samples, sample => {
        const downloads = [...downloadsOf(sample)];
        assert.equal(downloads.length, sample.rows);
        const keys = downloads.map(row => [row.project, row.version, row.python, row.installer].join('\t'));
        assert.equal(new Set(keys).size, sample.rows);
        assert(downloads.every(row => row.downloads > 0));
        const activity = [...activityOf(sample)];
        assert.equal(activity.length, sample.rows);
        assert.equal(new Set(activity.map(row => `${row.user}/${row.repository}`)).size, sample.rows);
        assert(activity.every(row => (row.forks ?? 0) + (row.commits ?? 0) + (row.pullRequests ?? 0) > 0));
      }),
      { numRuns: 30 },
    );
  });

  it('name each project differently', () => {
    const names = Array.from({ length: 20_000 }, (_, number) => projectName(number));
    assert.equal(new Set(names).size, names.length);
    assert(!names.includes('flask'));
  });
});

describe('files of days', () => {
  it('have their name when they are complete, and leave nothing behind otherwise', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, '2018', '04', '10', 'pypi', 'downloads-v1.csv.gz');
    const seen: string[][] = [];
    async function* lines(isBroken: boolean): AsyncGenerator<string> {
      yield 'a';
      seen.push(await readdir(join(file, '..')));
      yield 'b';
      if (isBroken) throw new Error('the source is gone');
    }
    await assert.rejects(writeLines(file, lines(true), signal), { message: 'the source is gone' });
    assert.deepEqual(await readdir(join(file, '..')), []);
    await writeLines(file, lines(false), signal);
    assert.deepEqual(await readdir(join(file, '..')), ['downloads-v1.csv.gz']);
    assert.equal(gunzipSync(await readFile(file)).toString(), 'a\nb\n');
    assert(seen.flat().every(name => name.endsWith('.incomplete')));
  });

  it('go backwards over the ends of months and years', () => {
    assert.deepEqual(
      [...daysBackwards('2020-03-01', '2020-02-28')],
      ['2020-03-01', '2020-02-29', '2020-02-28'],
    );
    assert.deepEqual([...daysBackwards('2020-03-01', '2020-03-02')], []);
    assert.equal(dayBefore('2018-01-01'), '2017-12-31');
    assert.equal(dayBefore('2018-01-10', 9), '2018-01-01');
  });

  it('hold what bq prints, whatever its values are and wherever its output is cut', async () => {
    const value = fc.string({ unit: fc.constantFrom('a', 'é', ',', '"', '\t', '\n', ' ') });
    const rows = fc.array(fc.array(value, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 7 }), async (table, length) => {
        const quoted = (text: string, special: RegExp): string =>
          special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const csv = table.map(row => `${row.map(text => quoted(text, /[",\n]/)).join(',')}\n`).join('');
        const pieces = csv.match(new RegExp(`[^]{1,${length}}`, 'gu')) ?? [];
        const lines: string[] = [];
        for await (const line of tabSeparated(Readable.from(pieces))) lines.push(line);
        assert.deepEqual(
          lines,
          table.map(row => row.map(text => quoted(text, /["\t\n]/)).join('\t')),
        );
      }),
    );
  });
});
