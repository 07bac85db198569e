/** The task that downloads real days. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext } from 'millrace';
import {
  columns,
  dayBefore,
  type DayFile,
  dayFile,
  dayId,
  daysBackwards,
  exists,
  sampleMark,
  writeLines,
} from '../day-files.ts';
import { queryLines, TableNotFound } from './query-lines.ts';

const queries: Readonly<Record<DayFile, string>> = {
  downloads: 'pypi-downloads.sql',
  activity: 'github-repo-activity.sql',
};

const files: readonly DayFile[] = ['downloads', 'activity'];

/**
 * Downloads what is missing, day by day from yesterday (UTC) backwards to the project's firstDate. A file that is there is
 * not downloaded again; one that is not complete has another name. So it can be stopped at any time.
 */
export async function downloadDays(context: CommandContext): Promise<void> {
  const { project, params, log, run } = context;
  const { dataDir, firstDate, lastDate } = project;
  const payer = String(params['bigquery_project']) || (process.env['BIGQUERY_PROJECT'] ?? '');
  if (payer === '') {
    const reason = 'no Google Cloud project is named, so nothing is downloaded (see README.md)';
    log.info(reason);
    context.unchanged(reason);
    return;
  }
  if (await exists(sampleMark(dataDir))) {
    throw new Error(
      `${dataDir} holds invented days (sample-data.txt), and real ones are not put among them. ` +
        'Name another directory, for example MILLRACE_DATA_DIR=real-data, or remove this one; then run: millrace reset',
    );
  }
  const yesterday = dayBefore(run.startedAt.toISOString().slice(0, 10));
  const last = lastDate < yesterday ? lastDate : yesterday;
  let left = Number(params['bigquery_days']);
  for (const day of daysBackwards(last, firstDate)) {
    const missing: DayFile[] = [];
    for (const file of files) if (!(await exists(join(dataDir, dayFile(day, file))))) missing.push(file);
    if (missing.length === 0) continue;
    if (left-- <= 0) {
      log.info(`${day} and earlier days are left for the next run (bigquery_days)`);
      return;
    }
    for (const file of missing) await downloadFile(context, payer, day, file);
  }
  log.info(`There is every day from ${firstDate} to ${last}`);
}

async function downloadFile(
  context: CommandContext,
  payer: string,
  day: string,
  file: DayFile,
): Promise<void> {
  const { basePath, project, params, log, signal } = context;
  const name = dayFile(day, file);
  const query = (await readFile(join(basePath, 'bigquery', queries[file]), 'utf8'))
    .replaceAll('@day_id@', dayId(day))
    .replaceAll('@day@', day);
  log.command(`${queries[file]} (${day}) → ${name}`);
  const maxBytes = Math.floor(Number(params['bigquery_max_gib']) * 2 ** 30);
  let rows = -1; // The first line holds the names.
  async function* counted(): AsyncGenerator<string> {
    for await (const line of queryLines(context, { payer, query, maxBytes, columns: columns[file] })) {
      rows++;
      yield line;
    }
  }
  try {
    await writeLines(join(project.dataDir, name), counted(), signal);
  } catch (error) {
    if (!(error instanceof TableNotFound)) throw error;
    log.info(`BigQuery has no table for ${day} yet: ${error.message}`);
    return;
  }
  log.info(`${name}: ${rows.toLocaleString('en')} rows`);
  context.addRows(rows);
}
