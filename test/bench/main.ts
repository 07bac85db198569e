/**
 * The workloads of docs/performance.md: `npm run bench`, or `npm run bench -- W1 W4` for some of them. Everything is
 * compared with a baseline in the same run; every run of Millrace writes its history to the embedded Postgres.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchProject, doNothing, execute, makefile, pipelineFile, sleepFor } from './contestants.ts';
import { copyPostgres } from './copy.ts';
import { copyBaseline } from './copy-baseline.ts';
import { editor } from './editor.ts';
import { extensionHost } from './extension-host.ts';
import { loadGzipCsv } from './load.ts';
import { compare, describeMachine, seconds } from './measure.ts';
import { pages } from './pages.ts';
import { pageOfRun } from './pages-run.ts';
import { exampleWarehouse } from './warehouse.ts';
import {
  chain,
  independent,
  layered,
  lowerBound,
  RANDOM_LAYERS_SEEDS,
  randomLayers,
  shortTasksBeforeChain,
  type WorkloadTask,
} from './workloads.ts';

type Workload = (folder: string) => Promise<void>;

const workloads: Readonly<Record<string, Workload>> = {
  W1: folder => againstMake(folder, 'w1', 'W1: 1,000 independent tasks `true`', independent(1000), '≤ 1.5'),
  W2: folder => againstMake(folder, 'w2', 'W2: chain of 200 `true`', chain(200), '≤ 2'),
  W3: folder => againstMake(folder, 'w3', 'W3: 20 layers × 25 `true`', layered(20, 25), '≤ 2'),
  W4: outputIntoTheStore,
  W5a: folder =>
    againstLowerBound(
      folder,
      'w5a',
      'W5a: short tasks declared before a chain',
      shortTasksBeforeChain(),
      '≤ 1.06 with history, ≤ 1.15 without',
    ),
  W5r: async folder => {
    for (const seed of RANDOM_LAYERS_SEEDS) {
      await againstLowerBound(
        folder,
        `w5r${seed}`,
        `W5r, seed ${seed}: 8 layers × 6`,
        randomLayers(seed),
        '≤ 1.03 × the ideal schedule',
      );
    }
  },
  W6: startUp,
  W7: nestedPipelines,
  W8: manyFunctions,
  D1: copyPostgres,
  D1b: loadGzipCsv,
  E1: exampleWarehouse,
  A1: staticAnalysis,
  U1: async () => {
    console.log('\nU1: pages, in plain Chromium');
    await pages();
    await pageOfRun();
  },
  U2: folder => editor(folder),
  U3: folder => extensionHost(folder),
  S1: pageQueries,
};

async function againstMake(
  folder: string,
  name: string,
  title: string,
  tasks: readonly WorkloadTask[],
  goal: string,
): Promise<void> {
  const project = await BenchProject.create(folder, name, pipelineFile(name, tasks, doNothing));
  const make = await makefile(folder, name, tasks, doNothing);
  await project.run(2);
  for (const parallel of [2, 8]) {
    await compare({
      title: `${title}, ${parallel} at once`,
      contestants: { 'make, SHELL=/bin/bash': () => make(parallel), millrace: () => project.run(parallel) },
      rounds: 5,
      goal,
    });
  }
}

async function againstLowerBound(
  folder: string,
  name: string,
  title: string,
  tasks: readonly WorkloadTask[],
  goal: string,
): Promise<void> {
  const project = await BenchProject.create(folder, name, pipelineFile(name, tasks, sleepFor));
  for (const parallel of [2, 4]) {
    await project.millrace('store', 'migrate');
    await compare({
      title: `${title}, ${parallel} at once`,
      contestants: {
        'lower bound': () => Promise.resolve(lowerBound(tasks, parallel)),
        // Without a store there is no history.
        'millrace without history': () => project.run(parallel, '--no-store'),
        'millrace with history': () => project.run(parallel),
      },
      rounds: 3,
      goal,
    });
  }
}

async function outputIntoTheStore(folder: string): Promise<void> {
  const lines = 100_000;
  const file = join(folder, 'lines.txt');
  await writeFile(
    file,
    Array.from({ length: lines }, (_, index) => `${String(index).padStart(9, '0')} ${'x'.repeat(70)}\n`).join(
      '',
    ),
  );
  const project = await BenchProject.create(
    folder,
    'w4',
    pipelineFile('w4', independent(8), () => `cat ${file}`),
  );
  await project.run(2);
  let memory = 0;
  await using baseline = await copyBaseline(folder, file, 8);
  await compare({
    title: 'W4: 8 tasks × 100,000 lines of 80 characters, until all are stored, 2 at once',
    contestants: {
      'COPY of the same lines by one process': () => baseline.run(),
      millrace: async () => {
        const run = await project.runWithMemory(2);
        memory = Math.max(memory, run.megabytes);
        return run.seconds;
      },
    },
    rounds: 5,
    goal: '≤ 1.3',
  });
  console.log(`  runner and workers together: ${memory.toFixed(0)} MB (goal: ≤ 200)`);
}

async function startUp(folder: string): Promise<void> {
  const mark = join(folder, 'started');
  const one = [{ id: 'only', upstreams: [], durationSeconds: 0 }];
  const project = await BenchProject.create(
    folder,
    'w6',
    pipelineFile('w6', one, () => `echo $EPOCHREALTIME > ${mark}`),
  );
  await project.run(2);
  await compare({
    title: 'W6: one task, warm store',
    contestants: {
      'node -e 0': () => seconds(() => execute(process.execPath, ['-e', '0'], folder, process.env)),
      'command to the start of the task': async () => {
        const before = (performance.timeOrigin + performance.now()) / 1000;
        await project.run(2);
        return Number(await readFile(mark, 'utf8')) - before;
      },
      'command to the end of the command': () => project.run(2),
    },
    rounds: 15,
    goal: 'start of the task ≤ 0.2 s',
  });
}

async function nestedPipelines(folder: string): Promise<void> {
  const nested = (isChained: boolean): string => `import { Pipeline, RunBash, Task } from 'millrace';
const pipeline = new Pipeline({ id: 'nested' });
for (let p = 0; p < 10; p++) {
  const child = new Pipeline({ id: \`p\${p}\` });
  for (let t = 0; t < 100; t++) child.add(new Task({ id: \`t\${t}\`, commands: [new RunBash('true')] }));
  pipeline.add(child, ${isChained ? 'p > 0 ? [`p${p - 1}`] : []' : '[]'});
}
export default pipeline;
`;
  const flat = await BenchProject.create(
    folder,
    'w7flat',
    pipelineFile('w7flat', independent(1000), doNothing),
  );
  const side = await BenchProject.create(folder, 'w7side', nested(false));
  const chained = await BenchProject.create(folder, 'w7chained', nested(true));
  for (const project of [flat, side, chained]) await project.run(2);
  for (const parallel of [2, 8]) {
    await compare({
      title: `W7: 10 pipelines × 100 \`true\`, ${parallel} at once`,
      contestants: {
        'flat, as W1': () => flat.run(parallel),
        'side by side': () => side.run(parallel),
        chained: () => chained.run(parallel),
      },
      rounds: 5,
      goal: '≤ 1.1',
    });
  }
}

async function manyFunctions(folder: string): Promise<void> {
  const functions = (count: number): string => `import { Pipeline, RunFunction, Task } from 'millrace';
const pipeline = new Pipeline({ id: 'many' });
for (let t = 0; t < ${count}; t++) pipeline.add(new Task({ id: \`t\${t}\`, commands: [new RunFunction(() => {})] }));
export default pipeline;
`;
  const counts = [1000, 10_000, 100_000];
  const projects = await Promise.all(
    counts.map(count => BenchProject.create(folder, `w8x${count}`, functions(count))),
  );
  const contestants: Record<string, () => Promise<number>> = {};
  const memory = new Map<number, number>();
  for (const [index, count] of counts.entries()) {
    const project = projects[index];
    if (project === undefined) continue;
    await project.millrace('list');
    contestants[`milliseconds per task, ${count.toLocaleString('en')} tasks`] = async () => {
      const run = await project.runWithMemory(2);
      memory.set(count, Math.max(memory.get(count) ?? 0, run.megabytes));
      return (run.seconds * 1000) / count;
    };
  }
  await compare({
    title: 'W8: functions that return at once, 2 at once',
    contestants,
    rounds: 3,
    goal: '≤ 1.5',
  });
  for (const [count, megabytes] of memory) {
    console.log(`  ${count.toLocaleString('en')} tasks: ${megabytes.toFixed(0)} MB (goal: ≤ 400)`);
  }
}

/** In processes of their own, because the first graph is that of a new process. */
async function staticAnalysis(): Promise<void> {
  console.log('\nA1: the static analysis, processor time (goal: first graph ≤ 1,500 ms, an edit ≤ 100 ms)');
  await script('analysis.ts');
  console.log('\nA1: the language server, ms of wall time as its editor sees it');
  await script('language-server.ts');
}

async function pageQueries(): Promise<void> {
  const lines = process.env['BENCH_LINES'] ?? '10000000';
  console.log(`\nS1: page queries at ${Number(lines).toLocaleString('en')} lines (goal: each ≤ 50 ms)`);
  await script('store-queries.ts', lines);
}

async function script(name: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, name), ...args], { stdio: 'inherit' });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${String(code)}`));
    });
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !Object.hasOwn(workloads, name));
if (unknown.length > 0)
  throw new Error(
    `there is no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`,
  );
const folder = await mkdtemp(join(tmpdir(), 'mb-'));
// As root, the server runs under another account.
await chmod(folder, 0o755);
const project = await BenchProject.create(folder, 'keep', 'export {};\n');
try {
  console.log(describeMachine());
  for (const name of wanted.length > 0 ? wanted : Object.keys(workloads)) await workloads[name]?.(folder);
} finally {
  await project.millrace('store', 'stop');
  await rm(folder, { recursive: true, force: true });
}
