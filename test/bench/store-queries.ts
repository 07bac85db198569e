/**
 * S1: the queries of pages and of the command line at 10,000,000 output lines and 100,000 node runs, each with its
 * time (minimum and median of five) and the nodes of its plan. The goal is 50 ms for each.
 *
 * Usage: node test/bench/store-queries.ts [output lines, default 1000000] [node runs, default 100000]
 */
import type { Client } from 'pg';
import type { NodeGraph } from '../../runner/model.ts';
import { AverageCache } from '../../runner/service/average-cache.ts';
import { readFigures, readGrid, readRunTimes } from '../../runner/service/node-figures.ts';
import { OutputView } from '../../runner/service/output-view.ts';
import { ProjectGraphs } from '../../runner/service/project-graph.ts';
import { readRunDetails } from '../../runner/service/run-details.ts';
import { readRunList } from '../../runner/service/run-queries.ts';
import { attemptsWithLines } from '../../runner/store/node-outcomes.ts';
import { READ_LINES_IN_ORDER } from '../../runner/store/output-lines.ts';
import { changedNodeRuns } from '../../runner/store/run-changes.ts';
import { averageDurations, averagePipelineDurations } from '../../runner/store/durations.ts';
import { getRun, lastOutcomes, listRuns, nodeRuns, systemStatistics } from '../../runner/store/history.ts';
import { getOutput, searchOutput } from '../../runner/store/output-history.ts';
import { resumeState } from '../../runner/store/resume-state.ts';
import type { Store } from '../../runner/store/store.ts';
import { ownStore } from '../support/own-store.ts';

const GOAL = 50;
const NODES = 500; // per run: 20 pipelines with 25 nodes each, of which the first is the pipeline itself
const ROUNDS = 5;

async function main(outputLines: number, nodeRunCount: number): Promise<void> {
  await using own = await ownStore();
  const { store } = own;
  const client = await store.connect();
  try {
    const runs = Math.ceil(nodeRunCount / NODES);
    const started = performance.now();
    await fill(client, runs, Math.floor(outputLines / (runs * (NODES / 10))));
    console.log(`filled in ${((performance.now() - started) / 1000).toFixed(0)} s`);
    console.log((await client.query('SELECT count(*) AS node_runs FROM node_run')).rows[0]);

    const last = runs;
    const graphs = new ProjectGraphs();
    const averages = new AverageCache();
    const known = { ...(await graphs.read(store)), averages: await averages.read(store) };
    await using output = await openOutput(store, last);
    const middle = { nodeRunId: Math.floor(last / 2) * 4_194_304 + 211, seq: 500 };
    const queries: Readonly<Record<string, () => Promise<unknown>>> = {
      'list runs': () => listRuns(store),
      'list failed runs': () => listRuns(store, { status: 'failed' }),
      'list runs of a task': () => listRuns(store, { path: ['all', 'p3', 't5'] }),
      'one run': () => getRun(store, last),
      'statistics of a run': () => systemStatistics(store, last),
      'last outcome of each node': () => lastOutcomes(store, []),
      'last outcomes in a pipeline': () => lastOutcomes(store, ['all', 'p3']),
      'history of a task': () => nodeRuns(store, ['all', 'p3', 't5']),
      'average durations, all': () => averageDurations(store, []),
      'average durations, a pipeline': () => averageDurations(store, ['all', 'p3']),
      'average pipeline durations': () => averagePipelineDurations(store, []),
      'output, first page': () => getOutput(store, last),
      'output, a page in the middle': () => getOutput(store, Math.floor(last / 2), { after: middle }),
      'output of a task': () => getOutput(store, last, { path: ['all', 'p8', 't11'] }),
      'errors only': () => getOutput(store, last, { errorsOnly: true }),
      'a search that finds nothing': () => searchOutput(store, last, 'nowhere to be found'),
      'what to resume': () => resumeState(store, last),
      'page: runs': () => readRunList(store, {}),
      'page: failed runs with a text': () => readRunList(store, { statuses: ['failed'], text: 'it failed' }),
      'page: a text that is nowhere': () => readRunList(store, { text: 'nowhere to be found' }),
      'page: unresolved failures': () => readRunList(store, { unresolvedOnly: true }),
      'page: runs of a task': () => readRunList(store, { path: ['all', 'p3', 't5'] }),
      'page: a run': () => readRunDetails(store, last, averages.read(store)),
      'page: what is new in a run': () => changedNodeRuns(store, last, last * 4_194_304 + 400, []),
      'page: figures of all nodes': () => readFigures(store, known, []),
      'page: figures of a pipeline': () => readFigures(store, known, ['all', 'p3']),
      'page: run times of a pipeline': () => readRunTimes(store, known, ['all', 'p3']),
      'page: attempts of a task': () => attemptsWithLines(store, ['all', 'p8', 't11']),
      'page: grid, 30 runs': () => readGrid(store, {}),
      'page: grid of a pipeline': () => readGrid(store, { path: ['all', 'p3'] }),
      'view: 200 lines in the middle': () => output.view.read(Math.floor(output.view.extent.lines / 2), 200),
      'view: 200 lines at the end': () => output.view.read(output.view.extent.lines - 200, 200),
    };
    for (const [name, query] of Object.entries(queries)) {
      await query();
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const before = performance.now();
        await query();
        times.push(performance.now() - before);
      }
      times.sort((a, b) => a - b);
      const [min = 0, , median = 0] = times;
      const verdict = median <= GOAL ? '' : `  over the goal of ${GOAL} ms`;
      console.log(
        `${name.padEnd(32)} ${min.toFixed(1).padStart(7)} ${median.toFixed(1).padStart(7)} ms${verdict}`,
      );
    }
    await printPlans(client, last);
  } finally {
    await client.end();
  }
}

/** A view on all output of a run, when it has counted all lines. */
async function openOutput(store: Store, runId: number): Promise<AsyncDisposable & { view: OutputView }> {
  const shared = await store.connect();
  await shared.query(READ_LINES_IN_ORDER);
  const counted = Promise.withResolvers<void>();
  const view = new OutputView(
    1,
    { runId },
    {
      shared: work => work(shared),
      connect: async () => {
        const client = await store.connect();
        await client.query(READ_LINES_IN_ORDER);
        return client;
      },
    },
    {
      onExtent: extent => {
        if (extent.complete) counted.resolve();
      },
      onFailure: counted.reject,
    },
  );
  const started = performance.now();
  await view.open();
  const opened = performance.now();
  await counted.promise;
  const all = performance.now();
  console.log(
    `output view of run ${runId}: ${view.extent.lines} lines, opened in ${(opened - started).toFixed(0)} ms, ` +
      `counted in ${(all - started).toFixed(0)} ms, ${(view.bytes / view.extent.lines).toFixed(1)} bytes a line`,
  );
  return {
    view,
    async [Symbol.asyncDispose]() {
      view.close();
      await shared.end();
    },
  };
}

/** Runs of 500 nodes; every tenth node has output, every twentieth line is an error. */
async function fill(client: Client, runs: number, linesPerNode: number): Promise<void> {
  await client.query('SET synchronous_commit = off');
  await client.query(
    `INSERT INTO run (pipeline_path, node_paths, with_upstreams, status, started_at, ended_at, trigger, started_by, host,
      pid, runner_version, graph)
    SELECT '{all}', '{}', false, CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END,
      now() - interval '25 days' + n * interval '1 hour', now() - interval '25 days' + n * interval '1 hour 1 minute',
      'cli', 'ann', 'box', 1, '0.1.0', $2::jsonb
    FROM generate_series(1, $1::integer) AS n`,
    [runs, JSON.stringify(graphOf())],
  );
  await client.query(
    `INSERT INTO node_run
    SELECT r.run_id * 4194304 + n, r.run_id,
      CASE WHEN n % 25 = 0 THEN ARRAY['all', 'p' || n / 25] ELSE ARRAY['all', 'p' || n / 25, 't' || n % 25] END,
      CASE WHEN n % 25 = 0 THEN 'pipeline' ELSE 'task' END, 1,
      CASE WHEN n % 100 = 7 AND r.run_id % 10 = 0 THEN 'failed' ELSE 'succeeded' END,
      r.started_at + n * interval '10 ms', r.started_at + n * interval '15 ms', 1, NULL, 0,
      CASE WHEN n % 100 = 7 AND r.run_id % 10 = 0 THEN repeat('it failed' || chr(10), 20) END, NULL
    FROM run r CROSS JOIN generate_series(1, $1::integer) AS n`,
    [NODES],
  );
  await client.query(
    `INSERT INTO system_statistics
    SELECT r.run_id, r.started_at + n * interval '1 second', 50, 40, 0, 1, 1, 1, 1
    FROM run r CROSS JOIN generate_series(1, 200) AS n`,
  );
  await client.query(
    `INSERT INTO node_output
    SELECT n.node_run_id, s, n.started_at + s * interval '100 us', 'verbatim', s % 20 = 0, repeat('x', 60) || s
    FROM node_run n CROSS JOIN generate_series(1, $1::integer) AS s
    WHERE n.node_run_id % 10 = 1`,
    [linesPerNode],
  );
  await client.query('VACUUM ANALYZE run, node_run, node_output, system_statistics');
}

/** The graph that the runs have: 20 pipelines in a chain, 24 tasks in each. */
function graphOf(): NodeGraph {
  const shared = { description: 'x'.repeat(60), labels: {}, upstreams: [], nodes: [], commands: null };
  return {
    ...shared,
    id: 'all',
    path: ['all'],
    kind: 'pipeline',
    nodes: Array.from({ length: NODES / 25 + 1 }, (_, p) => ({
      ...shared,
      id: `p${p}`,
      path: ['all', `p${p}`],
      kind: 'pipeline',
      upstreams: p === 0 ? [] : [`p${p - 1}`],
      nodes: Array.from({ length: 24 }, (__, t) => ({
        ...shared,
        id: `t${t + 1}`,
        path: ['all', `p${p}`, `t${t + 1}`],
        kind: 'task' as const,
        commands: [
          { kind: 'RunBash', summary: 'y'.repeat(200), location: { file: 'a/b.pipeline.ts', line: t } },
        ],
      })),
    })),
  };
}

/** The plans of the statements that pg_stat_statements would show most, by their own functions' SQL. */
async function printPlans(client: Client, runId: number): Promise<void> {
  const plans: Readonly<Record<string, string>> = {
    'a page of output': `SELECT n.node_run_id, l.seq FROM node_run n CROSS JOIN LATERAL (
        SELECT o.seq FROM node_output o WHERE o.node_run_id = n.node_run_id ORDER BY o.seq LIMIT 1000) l
      WHERE n.node_run_id >= ${runId * 4_194_304} AND n.node_run_id < ${(runId + 1) * 4_194_304}
      ORDER BY n.node_run_id, l.seq LIMIT 1000`,
    'errors of a node run': `SELECT seq FROM node_output WHERE node_run_id = ${runId * 4_194_304 + 211} AND seq > 5 AND is_error
      ORDER BY seq LIMIT 1000`,
    'history of a node': `SELECT * FROM node_run WHERE node_path = '{all,p3,t5}' ORDER BY node_run_id DESC LIMIT 100`,
    'average duration of a node': `SELECT avg(ended_at - started_at) FROM node_run
      WHERE status = 'succeeded' AND kind <> 'pipeline' AND node_path = '{all,p3,t5}'`,
    'first failure': `SELECT error FROM node_run WHERE run_id = ${runId} AND status = 'failed' AND kind <> 'pipeline' LIMIT 1`,
    'runs that go on': "SELECT run_id FROM run WHERE status = 'running'",
  };
  for (const [name, statement] of Object.entries(plans)) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) ${statement}`);
    const nodes = rows
      .map(row => row['QUERY PLAN'].trim().replace(/^-> +/, ''))
      .filter(
        line =>
          !/^[A-Z][A-Za-z ]+(?:Cond|Key|Filter|Group|Presorted)?:/.test(line) && !line.startsWith('Filter'),
      );
    console.log(`${name}: ${nodes.join(' < ')}`);
  }
}

await main(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 100_000));
