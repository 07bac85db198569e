/** The example warehouse in a temporary folder, worked on through the real command line. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import {
  columns,
  dayFile,
  type DayFile,
} from '../../examples/python-project-stats/collect_data/day-files.ts';
import {
  activityLines,
  activityOf,
  downloadLines,
  downloadsOf,
  type SampleDay,
} from '../../examples/python-project-stats/collect_data/sample/generate.ts';
import { warehouseConfig } from '../../runner/store/embedded/databases.ts';
import { type MillraceEnd, type MillraceOptions, runMillrace, startMillrace } from './millrace.ts';
import type { RunningMillrace } from './millrace.ts';
import { resources, temporaryHome } from './store.ts';
import { temporaryFolder } from './temp.ts';
import { DayTotals, type ProjectTotals } from './warehouse-totals.ts';

export const exampleDirectory = join(resources, 'examples', 'python-project-stats');

/** A row of `pp_dim.python_project_activity` by day and project: `20180410 flask`. */
export type ProjectActivity = Readonly<Record<string, ProjectTotals>>;

type Options = Partial<Omit<MillraceOptions, 'cwd'>>;

export interface TestWarehouse extends AsyncDisposable {
  readonly path: string;
  /** `millrace ARGS`, to its end. */
  run(args: readonly string[], options?: Options): Promise<MillraceEnd>;
  start(args: readonly string[], options?: Options): Promise<RunningMillrace>;
  /** Writes the files of an invented day, and adds up what they hold. */
  writeDay(sample: SampleDay): Promise<DayTotals>;
  /** A connection to the warehouse; the caller ends it. */
  connect(): Promise<pg.Client>;
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
}

/** @param url of the warehouse; default: the embedded server */
export async function testWarehouse(url?: string): Promise<TestWarehouse> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'project');
  await cp(exampleDirectory, path, {
    recursive: true,
    filter: source => !/[\\/](?:data|node_modules|\.millrace)$/.test(source),
  });
  const environment = { DWH_URL: url ?? '', BIGQUERY_PROJECT: '', MILLRACE_DATA_DIR: '' };
  const options = ({ env, ...others }: Options): MillraceOptions => ({
    cwd: path,
    env: { ...environment, ...env },
    ...others,
  });
  async function connect(): Promise<pg.Client> {
    const home = await temporaryHome();
    const client = new pg.Client(url ?? (await warehouseConfig({ home, resources, projectDirectory: path })));
    await client.connect();
    return client;
  }
  return {
    path,
    run: (args, more = {}) => runMillrace(args, options(more)),
    start: (args, more = {}) => startMillrace(args, options(more)),
    async writeDay(sample) {
      await writeDayFile(path, sample.day, 'downloads', downloadLines(sample));
      await writeDayFile(path, sample.day, 'activity', activityLines(sample));
      const totals = new DayTotals();
      for (const row of downloadsOf(sample)) totals.addDownload(row);
      for (const row of activityOf(sample)) totals.addActivity(row);
      return totals;
    },
    connect,
    async query<Row extends pg.QueryResultRow>(sql: string) {
      const client = await connect();
      try {
        return (await client.query<Row>(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Writes a file of a day into the project's data directory. */
export async function writeDayFile(
  project: string,
  day: string,
  file: DayFile,
  lines: Iterable<string>,
): Promise<void> {
  const target = join(project, 'data', dayFile(day, file));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, gzipSync(`${[columns[file].join('\t'), ...lines].join('\n')}\n`));
}

/** The rows that the example ships, without the names of the columns. */
export async function readmeRows(file: DayFile): Promise<string[]> {
  const name = file === 'downloads' ? 'downloads.tsv' : 'repo-activity.tsv';
  const text = await readFile(join(exampleDirectory, 'collect_data', 'readme', name), 'utf8');
  return text.trimEnd().split('\n').slice(1);
}

/** What the warehouse should hold by day and project. */
export function expectedActivity(days: Readonly<Record<string, DayTotals>>): ProjectActivity {
  const projects = new Set(Object.values(days).flatMap(totals => [...totals.projects]));
  return Object.fromEntries(
    Object.entries(days)
      .flatMap(([day, totals]) =>
        [...totals.byProject(projects)].map(
          ([project, numbers]) => [`${day.replaceAll('-', '')} ${project}`, numbers] as const,
        ),
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What it holds. */
export async function publishedActivity(warehouse: TestWarehouse): Promise<ProjectActivity> {
  const rows = await warehouse.query<{ key: string; numbers: ProjectTotals }>(`
    SELECT day_id || ' ' || project_name AS key, json_build_object('downloads', number_of_downloads,
      'forks', number_of_forks, 'commits', number_of_commits, 'pullRequests', number_of_closed_pull_requests) AS numbers
    FROM pp_dim.python_project_activity
    JOIN pypi_dim.project ON project_id = project_fk
    JOIN time.day ON day_id = day_fk`);
  return Object.fromEntries(
    rows.map(({ key, numbers }) => [key, numbers] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
