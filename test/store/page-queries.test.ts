/** The queries of pages: which runs they find, and that an index fits each of them. */
import assert from 'node:assert/strict';
import type { RunOutcome } from '../../runner/model.ts';
import { averageDurations } from '../../runner/store/durations.ts';
import { getRun, lastOutcomes } from '../../runner/store/history.ts';
import {
  attemptsWithLines,
  childrenInHistory,
  graphOf,
  gridCells,
  newestOutcomes,
  newestRuns,
} from '../../runner/store/node-outcomes.ts';
import {
  attemptsInScope,
  READ_LINES_IN_ORDER,
  readLineTimes,
  readStretches,
  searchStretches,
  withMoreLines,
} from '../../runner/store/output-lines.ts';
import { nodeRunIds } from '../../runner/store/rows.ts';
import { changedNodeRuns, newStatistics, runsGoingOn } from '../../runner/store/run-changes.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { countRuns, runsById, searchRuns } from '../../runner/store/run-search.ts';
import { ended, finished, newRun, started, timeAt } from '../support/runs.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('queries of pages', function () {
  this.timeout(60_000);
  let project: TemporaryStore;

  beforeEach(async () => {
    project = await temporaryStore();
  });
  afterEach(() => project[Symbol.asyncDispose]());

  const run = async (status: RunOutcome, overrides = {}): Promise<number> => {
    const recorder = await RunRecorder.begin(project.store, newRun(overrides));
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'task']), id);
    recorder.onEvent(ended(recorder, ['demo', 'task'], { time: timeAt(recorder, 1) }), id);
    recorder.onEvent(finished(recorder, status));
    await recorder.finish();
    return recorder.runId;
  };

  it('finds failures that nothing has made good', async () => {
    const unresolved = async (): Promise<number[]> =>
      (await searchRuns(project.store, { unresolvedOnly: true })).map(({ runId }) => runId);
    const all = await run('failed');
    const one = await run('failed', { nodePaths: [['demo', 'a']] });
    const two = await run('lost', {
      nodePaths: [
        ['demo', 'a'],
        ['demo', 'b'],
      ],
    });
    const other = await run('failed', { pipelinePath: ['other'] });
    await run('cancelled');
    assert.deepEqual(await unresolved(), [other, two, one, all]);
    await run('succeeded', { nodePaths: [['demo', 'a']] });
    assert.deepEqual(await unresolved(), [other, two, all]);
    await run('failed', { nodePaths: [['demo', 'b']] });
    await run('succeeded');
    assert.deepEqual(await unresolved(), [other]);
    const { matching, byStatus } = await countRuns(project.store, {
      unresolvedOnly: true,
      statuses: ['lost'],
    });
    assert.deepEqual([matching, byStatus], [0, { failed: 1 }]);
  });

  it('knows the newest run of each pipeline, and what goes on', async () => {
    assert.deepEqual(await runsGoingOn(project.store), { running: [], newest: 0 });
    await run('succeeded');
    const other = await run('failed', { pipelinePath: [] });
    const newest = await run('failed');
    assert.deepEqual(await newestRuns(project.store), [
      { runId: other, path: [] },
      { runId: newest, path: ['demo'] },
    ]);
    const recorder = await RunRecorder.begin(project.store, newRun());
    assert.deepEqual(await runsGoingOn(project.store), { running: [recorder.runId], newest: recorder.runId });
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
  });

  it('reads no table as a whole but that of runs', async () => {
    const client = await project.store.connect();
    try {
      await client.query(`
        INSERT INTO run (pipeline_path, node_paths, with_upstreams, status, started_at, ended_at, trigger, started_by,
          host, pid, runner_version)
        SELECT '{all}', '{}', false, 'succeeded', now(), now(), 'cli', 'ann', 'box', 1, '0.1.0' FROM generate_series(1, 40);
        INSERT INTO node_run
        SELECT r.run_id * 4194304 + n, r.run_id,
          CASE n % 25 WHEN 0 THEN ARRAY['all', 'p' || n / 25] ELSE ARRAY['all', 'p' || n / 25, 't' || n % 25] END,
          CASE n % 25 WHEN 0 THEN 'pipeline' ELSE 'task' END, 1,
          CASE WHEN n = 7 AND r.run_id % 10 = 0 THEN 'failed' ELSE 'succeeded' END, now(), now(), 1, NULL, 0, NULL, NULL
        FROM run r CROSS JOIN generate_series(1, 500) AS n;
        INSERT INTO node_output
        SELECT node_run_id, s, now(), 'verbatim', s % 20 = 0, repeat('x', 60) || s
        FROM node_run CROSS JOIN generate_series(1, 200) AS s WHERE node_run_id % 50 = 1;
        INSERT INTO system_statistics SELECT run_id, now() + s * interval '1 s' FROM run, generate_series(1, 100) AS s`);
      await client.query('VACUUM ANALYZE');
      const scans = async (): Promise<Record<string, number>> => {
        const { rows } = await client.query<{ name: string; count: number }>(
          `SELECT relname AS name, seq_scan AS count FROM pg_stat_user_tables
          WHERE relname IN ('node_run', 'node_output', 'system_statistics')`,
        );
        return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
      };
      await client.query('SELECT pg_stat_force_next_flush()');
      const before = await scans();

      const store = await project.open();
      const task = ['all', 'p3', 't5'];
      await searchRuns(store, { path: task, statuses: ['failed'] });
      await countRuns(store, { path: task, text: 'nowhere', unresolvedOnly: true });
      await runsById(store, [1, 2, 3]);
      await newestOutcomes(store, [['all', 'p3'], task], 10);
      await attemptsWithLines(store, task);
      await gridCells(store, [1, 2, 3], ['all', 'p3']);
      await childrenInHistory(store, ['all'], 100);
      await newestRuns(store);
      await graphOf(store, 1);
      await lastOutcomes(store, []);
      await averageDurations(store, []);
      await getRun(store, 3);
      await changedNodeRuns(store, 3, 3 * 4_194_304 + 490, [3 * 4_194_304 + 1]);
      await newStatistics(store, 3, new Date());
      const reader = await store.connect();
      await reader.query(READ_LINES_IN_ORDER);
      await attemptsInScope(reader, { runId: 3, path: ['all', 'p3'] });
      const first = nodeRunIds(3).first + 39;
      await withMoreLines(reader, [{ nodeRunId: first, seq: 10 }]);
      await readLineTimes(reader, [{ nodeRunId: first, seq: 10 }], { limit: 100, errorsOnly: true });
      await readStretches(reader, [{ nodeRunId: first, first: 10, count: 50 }]);
      await searchStretches(reader, [{ nodeRunId: first, first: 10, count: 50 }], 'x1');
      await reader.end();
      // What a session has counted is told when it ends.
      await store.close();
      await waitUntil(async () => {
        const { rows } = await client.query<{ count: number }>(
          `SELECT count(*) AS count FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'test'`,
        );
        return rows[0]?.count === 0;
      });
      assert.deepEqual(await scans(), before);
    } finally {
      await client.end();
    }
  });

  it('reads where lines are and finds them by their place', async () => {
    const client = await project.store.connect();
    try {
      const runId = await run('succeeded');
      const { first } = nodeRunIds(runId);
      await client.query(
        `INSERT INTO node_output
        SELECT $1::bigint + 1, s, '2026-01-02T03:04:05Z'::timestamptz + s * interval '1 microsecond', 'verbatim',
          s IN (2, 3), 'Line ' || s
        FROM generate_series(1, 5) AS s`,
        [first],
      );
      const nodeRunId = first + 1;
      const [attempt, ...others] = await attemptsInScope(client, { runId });
      assert.deepEqual([attempt?.nodeRunId, attempt?.nodePath, others], [nodeRunId, ['demo', 'task'], []]);
      assert.deepEqual(await attemptsInScope(client, { runId, path: ['demo', 'other'] }), []);
      assert.deepEqual(await attemptsInScope(client, { runId, nodeRunId: nodeRunId + 1 }), []);
      const micros = (Date.UTC(2026, 0, 2, 3, 4, 5) - Date.UTC(2000, 0, 1)) * 1000;
      const read = async (seq: number, errorsOnly: boolean, limit = 9): Promise<unknown> => {
        const lines = (await readLineTimes(client, [{ nodeRunId, seq }], { limit, errorsOnly })).get(
          nodeRunId,
        );
        return lines === undefined
          ? null
          : Array.from(lines.seq, (at, index) => [at, (lines.at[index] ?? 0) - micros, lines.isError[index]]);
      };
      assert.deepEqual(await read(3, false), [
        [4, 4, 0],
        [5, 5, 0],
      ]);
      assert.deepEqual(await read(0, true), [
        [2, 2, 1],
        [3, 3, 1],
      ]);
      assert.deepEqual(await read(0, false, 1), [[1, 1, 0]]);
      assert.equal(await read(5, false), null);
      const places = [
        { nodeRunId, first: 4, count: 2 },
        { nodeRunId, first: 1, count: 2 },
      ];
      assert.deepEqual(
        (await readStretches(client, places)).map(({ message }) => message),
        ['Line 4', 'Line 5', 'Line 1', 'Line 2'],
      );
      assert.deepEqual(await searchStretches(client, places, 'LINE 2'), [3]);
      assert.deepEqual(await searchStretches(client, places, 'line'), [0, 1, 2, 3]);
      const more = [
        { nodeRunId, seq: 5 },
        { nodeRunId, seq: 4 },
      ];
      assert.deepEqual(await withMoreLines(client, more), [{ nodeRunId, seq: 4 }]);
    } finally {
      await client.end();
    }
  });
});
