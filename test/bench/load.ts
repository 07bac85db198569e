/** D1b: loading a gzip CSV, against `gunzip | psql \copy` into the same table of the same server. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { BenchProject, execute } from './contestants.ts';
import { compare, median, seconds } from './measure.ts';

const ROWS = 1_000_000;

/** A tenth of the rows: memory must be the same. */
const FEW = ROWS / 10;

export async function loadGzipCsv(folder: string): Promise<void> {
  const project = await BenchProject.create(folder, 'd1b', pipelineText(folder));
  const connection = await connectionOf(project);
  await writeFile(
    join(project.directory, 'millrace.config.ts'),
    `import { defineConfig, postgres } from 'millrace';
export default defineConfig({ dataDir: ${JSON.stringify(folder)}, databases: { dwh: postgres({ url: process.env.BENCH_URL ?? '' }) } });
`,
  );
  for (const rows of [FEW, ROWS]) await writeRows(join(folder, `${String(rows)}.csv.gz`), rows);
  const psql = (script: string): Promise<void> =>
    execute('bash', ['-o', 'pipefail', '-c', script], folder, { ...process.env, ...connection.psql });
  await psql(
    'psql -qXc "create table public.loaded (id bigint, at timestamptz, name text, price numeric, is_new boolean, note text)"',
  );
  const choose = (rows: number): void => {
    process.env['BENCH_ROWS'] = String(rows);
    process.env['BENCH_URL'] = connection.url;
  };
  // By itself: looking at the memory of processes slows them down.
  choose(FEW);
  const few = (await project.runWithMemory(2)).megabytes;
  choose(ROWS);
  const many = (await project.runWithMemory(2)).megabytes;
  const whole: number[] = [];
  await compare({
    title: `D1b: load a gzip CSV of ${ROWS.toLocaleString('en')} rows`,
    contestants: {
      'gunzip | psql \\copy': async () => {
        await psql("psql -qXc 'truncate public.loaded'");
        return await seconds(() =>
          psql(`gunzip -c ${String(ROWS)}.csv.gz | psql -qXc '\\copy public.loaded from pstdin csv'`),
        );
      },
      'the task of millrace': async () => {
        whole.push(await project.run(2));
        return await lastDuration(project, 'load');
      },
    },
    rounds: 5,
    goal: '≤ 1.25 (0.8 of the throughput)',
  });
  console.log(`  from the command to its end: ${median(whole).toFixed(3)} s (median)`);
  console.log(
    `  runner and workers together: ${few.toFixed(0)} MB for ${FEW.toLocaleString('en')} rows, ${many.toFixed(0)} MB for ${ROWS.toLocaleString('en')}`,
  );
  await psql('psql -qXc "drop table public.loaded"');
}

function pipelineText(folder: string): string {
  return `import { ExecuteSQL, Pipeline, ReadFile, Task } from 'millrace';
const pipeline = new Pipeline({ id: 'd1b' });
pipeline.add(new Task({ id: 'truncate', commands: [new ExecuteSQL({ sql: 'truncate public.loaded' })] }));
pipeline.add(new Task({ id: 'load', commands: [
  new ReadFile({ file: ${JSON.stringify(folder)} + '/' + process.env.BENCH_ROWS + '.csv.gz', table: 'public.loaded' }),
] }), ['truncate']);
export default pipeline;
`;
}

/** The store's own database serves as the warehouse: psql and Millrace go the same way to it. */
async function connectionOf(
  project: BenchProject,
): Promise<{ readonly url: string; readonly psql: NodeJS.ProcessEnv }> {
  await project.millrace('store', 'migrate');
  const url = new URL((await outputOf(project, 'store', 'url')).trim().replace('@/', '@localhost/'));
  return {
    url: url.href,
    psql: {
      PGHOST: url.searchParams.get('host') ?? url.hostname,
      PGPORT: url.searchParams.get('port') ?? url.port,
      PGUSER: url.username,
      PGPASSWORD: decodeURIComponent(url.password),
      PGDATABASE: url.pathname.slice(1),
    },
  };
}

/** Seconds that a task took in the last run, as the history has it. */
async function lastDuration(project: BenchProject, task: string): Promise<number> {
  const runs = JSON.parse(await outputOf(project, 'runs', '--limit', '1', '--json')) as { runId: number }[];
  const text = await outputOf(project, 'show', String(runs[0]?.runId), '--json');
  const { nodeRuns } = JSON.parse(text) as { nodeRuns: { path: string[]; duration: number }[] };
  return nodeRuns.find(({ path }) => path.at(-1) === task)?.duration ?? Number.NaN;
}

async function outputOf(project: BenchProject, ...args: readonly string[]): Promise<string> {
  const launcher = join(import.meta.dirname, '..', '..', 'dist', 'millrace.js');
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, ...args], {
    cwd: project.directory,
    env: project.environment,
  });
  return stdout;
}

async function writeRows(file: string, rows: number): Promise<void> {
  function* lines(): Generator<string> {
    let text = '';
    for (let id = 1; id <= rows; id++) {
      const day = String((id % 28) + 1).padStart(2, '0');
      text += `${String(id)},2026-01-${day} 12:34:56+00,name ${String((id * 7919) % 100_003)},${((id % 10_000) / 100).toFixed(2)},${String(id % 3 === 0)},"a note, quoted"\n`;
      if (text.length < 1 << 16) continue;
      yield text;
      text = '';
    }
    yield text;
  }
  await pipeline(Readable.from(lines()), createGzip({ level: 6 }), createWriteStream(file));
}
