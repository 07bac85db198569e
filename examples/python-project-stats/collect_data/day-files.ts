/** The files of a day: where they are, and how they are written. */
import { createWriteStream } from 'node:fs';
import { access, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Names below the folder of the day. When a query changes, its file gets a new version in its name. */
export const dayFiles = {
  downloads: 'pypi/downloads-v1.csv.gz',
  activity: 'github/repo-activity-v1.csv.gz',
} as const;

export type DayFile = keyof typeof dayFiles;

/** The columns of the files, in their order; tab separated, with a line of names. */
export const columns: Readonly<Record<DayFile, readonly string[]>> = {
  downloads: ['day_id', 'project', 'project_version', 'python_version', 'installer', 'number_of_downloads'],
  activity: [
    'day_id',
    'user',
    'repository',
    'number_of_forks',
    'number_of_commits',
    'number_of_closed_pull_requests',
  ],
};

/** `2018/04/10/pypi/downloads-v1.csv.gz`, relative to the data directory. */
export function dayFile(day: string, file: DayFile): string {
  return `${day.replaceAll('-', '/')}/${dayFiles[file]}`;
}

export async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/**
 * Writes lines to a compressed file, however many they are. The file gets its name when it is complete and on disk: what
 * is there is whole, whenever the power goes.
 */
export async function writeLines(
  file: string,
  lines: Iterable<string> | AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const incomplete = `${file}.${process.pid}.incomplete`;
  try {
    await pipeline(Readable.from(inBlocks(lines)), createGzip(), createWriteStream(incomplete), { signal });
    const written = await open(incomplete, 'r+');
    await written.sync();
    await written.close();
    await rename(incomplete, file);
  } finally {
    await rm(incomplete, { force: true });
  }
}

/** Whether there is the folder of any day. */
export async function hasDays(dataDir: string): Promise<boolean> {
  if (!(await exists(dataDir))) return false;
  for await (const entry of await opendir(dataDir)) {
    if (entry.isDirectory() && /^\d{4}$/.test(entry.name)) return true;
  }
  return false;
}

/** The days from one to another one, both as `YYYY-MM-DD` and included, newest first. */
export function* daysBackwards(last: string, first: string): Generator<string> {
  for (let day = last; day >= first; day = dayBefore(day)) yield day;
}

/** So many days before a day. */
export function dayBefore(day: string, count = 1): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - count);
  return date.toISOString().slice(0, 10);
}

/** `2018-04-10` as `20180410`. */
export function dayId(day: string): string {
  return day.replaceAll('-', '');
}

/** The file that says that the data directory holds invented days. */
export function sampleMark(dataDir: string): string {
  return join(dataDir, 'sample-data.txt');
}

/** A stream of single lines would be slow. */
async function* inBlocks(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  let block = '';
  for await (const line of lines) {
    block += `${line}\n`;
    if (block.length < 1 << 16) continue;
    yield block;
    block = '';
  }
  yield block;
}
