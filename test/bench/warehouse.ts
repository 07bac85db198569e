/**
 * E1: the example warehouse with two days of a million rows in each of their two files, and then one day more. What counts
 * is how much of the time no SQL accounts for: along the chain of tasks that ends last, the time between two tasks, and the
 * time within a task in which its statement does not work.
 */
import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { applicationNameOf } from '../../runner/databases/application-name.ts';
import { warehouseConfig } from '../../runner/store/embedded/databases.ts';
import { BenchProject } from './contestants.ts';

const resources = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(resources, 'dist', 'millrace.js');
const example = join(resources, 'examples', 'python-project-stats');

/** Rows of each file; two files a day. */
const ROWS = Number(process.env['BENCH_ROWS'] ?? 1_000_000);

/** Milliseconds between two looks at the server. */
const SAMPLING = 4;

/** A node's part of a run; seconds since the epoch. */
interface Span {
  readonly run: number;
  readonly path: string;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

interface Sample {
  /** Seconds since the epoch. */
  readonly time: number;
  /** Tasks with a statement that works, and does not wait for its client, by what the server calls their sessions. */
  readonly working: ReadonlySet<string>;
}

export async function exampleWarehouse(folder: string): Promise<void> {
  const project = await BenchProject.create(folder, 'warehouse', '');
  await rm(join(project.directory, 'warehouse.pipeline.ts'));
  await cp(example, project.directory, {
    recursive: true,
    filter: source => !/[\\/](?:data|node_modules|\.millrace)$/.test(source),
  });
  await project.millrace('store', 'migrate');
  const params = ['--param', `sample_rows=${String(ROWS)}`];
  console.log(
    `\nE1: the example warehouse, ${ROWS.toLocaleString('en')} rows in each of two files a day, 2 at once`,
  );
  const collect = (...more: readonly string[]): Promise<void> =>
    project.millrace('run', 'python_project_stats/collect_data', ...params, ...more);
  await collect();
  await report(project, 'two days');
  await collect('--param', 'sample_last_day=2018-04-11');
  await report(project, 'one day more');
}

async function report(project: BenchProject, what: string): Promise<void> {
  const home = project.environment['MILLRACE_HOME'] ?? '';
  const client = new pg.Client(
    await warehouseConfig({ home, resources, projectDirectory: project.directory }),
  );
  await client.connect();
  const samples: Sample[] = [];
  const ended = new AbortController();
  const sampling = sample(client, samples, ended.signal);
  const began = Date.now() / 1000;
  let processorSeconds: number;
  try {
    processorSeconds = await runWithProcessorTime(project);
  } finally {
    ended.abort();
    await sampling;
    await client.end();
  }
  const wall = Date.now() / 1000 - began;
  const spans = await spansOfLastRun(project);
  const overhead = overheadOf(spans, samples, began, began + wall);
  console.log(`  ${what.padEnd(38)}  ${wall.toFixed(2).padStart(7)} s from the command to its end`);
  for (const { path, start, end } of spans.filter(
    ({ kind, path }) => kind === 'pipeline' && path.split('/').length === 2,
  ))
    console.log(`    ${path.padEnd(36)}  ${(end - start).toFixed(2).padStart(7)} s`);
  const share = (seconds: number): string =>
    `${seconds.toFixed(2).padStart(7)} s, ${((100 * seconds) / wall).toFixed(1)} %`;
  console.log(`    ${'start-up and end of the command'.padEnd(36)}  ${share(overhead.outside)}`);
  console.log(`    ${'between tasks of the last chain'.padEnd(36)}  ${share(overhead.between)}`);
  console.log(`    ${'within them, no statement works'.padEnd(36)}  ${share(overhead.within)}`);
  const all = overhead.outside + overhead.between + overhead.within;
  console.log(`    ${'overhead in all (goal: < 5 %)'.padEnd(36)}  ${share(all)}`);
  console.log(`    ${'processor time of Millrace'.padEnd(36)}  ${processorSeconds.toFixed(2).padStart(7)} s`);
}

/** Runs everything; seconds of processor time of the runner and all its workers, not of the server. */
async function runWithProcessorTime(project: BenchProject): Promise<number> {
  const script = 'TIMEFORMAT="%U %S"; time "$0" "$@" > /dev/null 2>&1';
  const command = [process.execPath, launcher, 'run', 'python_project_stats', '--parallel', '2'];
  const { stderr } = await promisify(execFile)('bash', ['-c', script, ...command], {
    cwd: project.directory,
    env: project.environment,
  });
  return stderr
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds), 0);
}

async function sample(client: pg.Client, samples: Sample[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await client.query<{ time: number; working: readonly string[] }>(
      `SELECT extract(epoch FROM clock_timestamp())::float AS time, coalesce(array_agg(application_name), '{}') AS working
      FROM pg_stat_activity
      WHERE application_name LIKE 'millrace %' AND state = 'active' AND datname = current_database()
        AND backend_type = 'client backend' AND wait_event_type IS DISTINCT FROM 'Client'`,
    );
    for (const { time, working } of rows) samples.push({ time, working: new Set(working) });
    await wait(SAMPLING);
  }
}

async function spansOfLastRun(project: BenchProject): Promise<readonly Span[]> {
  const runs = JSON.parse(await outputOf(project, 'runs', '--limit', '1', '--json')) as { runId: number }[];
  const run = runs[0]?.runId ?? 0;
  const { nodeRuns } = JSON.parse(await outputOf(project, 'show', String(run), '--json')) as {
    nodeRuns: { path: string[]; kind: string; startedAt: string | null; endedAt: string | null }[];
  };
  return nodeRuns.flatMap(({ path, kind, startedAt, endedAt }) =>
    startedAt === null || endedAt === null
      ? []
      : [
          {
            run,
            path: path.join('/'),
            kind,
            start: Date.parse(startedAt) / 1000,
            end: Date.parse(endedAt) / 1000,
          },
        ],
  );
}

function overheadOf(
  spans: readonly Span[],
  samples: readonly Sample[],
  began: number,
  ended: number,
): { readonly outside: number; readonly between: number; readonly within: number } {
  const tasks = spans.filter(({ kind }) => kind === 'task').toSorted((a, b) => a.end - b.end);
  const chain: Span[] = [];
  for (let at = tasks.at(-1); at !== undefined;) {
    chain.push(at);
    const { start } = at;
    at = tasks.findLast(({ end }) => end <= start + 0.001 && end < (chain.at(-1)?.end ?? 0));
  }
  const first = chain.at(-1)?.start ?? began;
  const last = chain[0]?.end ?? ended;
  const busy = chain.reduce((sum, { start, end }) => sum + end - start, 0);
  let within = 0;
  for (const { run, path, start, end } of chain) {
    const name = applicationNameOf(run, path.split('/'));
    const seen = samples.filter(({ time }) => time >= start && time < end);
    const idle = seen.filter(({ working }) => !working.has(name));
    // A task that is shorter than the time between two looks counts as idle.
    within += (end - start) * (seen.length === 0 ? 1 : idle.length / seen.length);
  }
  return { outside: ended - began - (last - first), between: Math.max(0, last - first - busy), within };
}

async function outputOf(project: BenchProject, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, ...args], {
    cwd: project.directory,
    env: project.environment,
    maxBuffer: 100_000_000,
  });
  return stdout;
}
