/** The tasks that invent days. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext, ExpansionContext } from 'millrace';
import {
  columns,
  dayBefore,
  dayFile,
  daysBackwards,
  exists,
  hasDays,
  sampleMark,
  writeLines,
} from '../day-files.ts';
import { activityLines, downloadLines, type SampleDay } from './generate.ts';

const SEED = 1;

/** The day of which the rows in the folder `readme` are. */
const README_DAY = '2018-04-10';

/** Days that are wanted and not there, unless the data directory holds real days. */
export async function sampleDays({ dataDir, firstDate, lastDate, params, log }: ExpansionContext) {
  const last = String(params['sample_last_day']);
  const first = dayBefore(last, Number(params['sample_days']) - 1);
  const mark = sampleMark(dataDir);
  if (!(await exists(mark))) {
    if (await hasDays(dataDir)) {
      log.info(`${dataDir} holds days already, and invented ones are not put among them`);
      return [];
    }
    if (first < firstDate || last > lastDate) {
      throw new Error(
        `${dataDir} holds no days, and the days from ${first} to ${last} that would be invented are not between ` +
          `${firstDate} (MILLRACE_FIRST_DATE) and ${lastDate} (MILLRACE_LAST_DATE). ` +
          'Choose others: --param sample_last_day=2018-04-10 --param sample_days=2',
      );
    }
    await mkdir(dataDir, { recursive: true });
    await writeFile(mark, 'The days in this directory are invented. Real ones go into another directory.\n');
  }
  const missing: SampleDay[] = [];
  for (const day of daysBackwards(last, first)) {
    const files = [dayFile(day, 'downloads'), dayFile(day, 'activity')];
    const found = await Promise.all(files.map(file => exists(join(dataDir, file))));
    if (found.includes(false)) missing.push({ day, rows: Number(params['sample_rows']), seed: SEED });
  }
  return missing;
}

/** Writes both files of a day. */
export async function writeSampleDay(
  { project: { dataDir }, basePath, log, signal }: CommandContext,
  sample: SampleDay,
): Promise<void> {
  const sources = { downloads: downloadLines(sample), activity: activityLines(sample) };
  for (const [file, lines] of [
    ['downloads', sources.downloads],
    ['activity', sources.activity],
  ] as const) {
    const name = dayFile(sample.day, file);
    const target = join(dataDir, name);
    if (await exists(target)) continue;
    const readme = file === 'downloads' ? 'downloads.tsv' : 'repo-activity.tsv';
    const real = sample.day === README_DAY ? await readmeLines(join(basePath, 'readme', readme)) : [];
    await writeLines(target, withHeader(columns[file], real, lines), signal);
    log.info(`${name}: ${sample.rows.toLocaleString('en')} invented rows`);
  }
}

/** The rows that are no invention: the query of the last task answers with them. */
async function readmeLines(file: string): Promise<string[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines;
}

function* withHeader(
  names: readonly string[],
  real: readonly string[],
  lines: Iterable<string>,
): Generator<string> {
  yield names.join('\t');
  yield* real;
  yield* lines;
}
