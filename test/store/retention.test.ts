import assert from 'node:assert/strict';
import { pruneRuns } from '../../runner/store/retention.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { setFileDependency } from '../../runner/store/state.ts';
import { ended, finished, lines, newRun, started, timeAt } from '../support/runs.ts';
import { temporaryStore } from '../support/store.ts';

describe('retention', function () {
  this.timeout(60_000); // the first test starts the server

  it('deletes old runs with all that belongs to them, and nothing else', async () => {
    await using project = await temporaryStore();
    const { store } = project;
    const client = await store.connect();
    const record = async (daysAgo: number, end = true): Promise<RunRecorder> => {
      const recorder = await RunRecorder.begin(store, newRun());
      const id = recorder.nextNodeRunId();
      recorder.onEvent(started(recorder, ['demo', 'a']), id);
      recorder.onOutput(lines(recorder, id, 1, 'x\n'.repeat(25_000)));
      recorder.onEvent(ended(recorder, ['demo', 'a']), id);
      const sample = {
        cpu: 1,
        memory: 1,
        swap: 0,
        diskRead: null,
        diskWrite: null,
        netReceived: null,
        netSent: null,
      };
      recorder.onEvent({
        type: 'system_statistics',
        runId: recorder.runId,
        nodePath: ['demo'],
        attempt: 0,
        time: timeAt(recorder, 0),
        ...sample,
      });
      await recorder.flush();
      if (end) {
        recorder.onEvent(finished(recorder, 'succeeded'));
        await recorder.finish();
      }
      await client.query("UPDATE run SET started_at = started_at - $2 * interval '1 day' WHERE run_id = $1", [
        recorder.runId,
        daysAgo,
      ]);
      return recorder;
    };
    await record(31);
    const young = await record(29);
    const alive = await record(40, false);
    await setFileDependency(store, ['demo', 'a'], 'ExecuteSQL x.sql', 'hash');
    assert.deepEqual(await pruneRuns(store, 30), { runs: 1, nodeRuns: 1, outputLines: 25_001 });
    assert.deepEqual(await pruneRuns(store, 30), { runs: 0, nodeRuns: 0, outputLines: 0 });
    const { rows } = await client.query<{ left: unknown }>(
      `SELECT json_build_array(
        (SELECT array_agg(run_id ORDER BY run_id) FROM run), (SELECT count(*) FROM node_run),
        (SELECT count(*) FROM node_output), (SELECT count(*) FROM system_statistics), (SELECT count(*) FROM file_dependency)
      ) AS left`,
    );
    assert.deepEqual(rows[0]?.left, [[young.runId, alive.runId], 2, 50_002, 2, 1]);
    alive.onEvent(finished(alive, 'succeeded'));
    await alive.finish();
    await client.end();
  });
});
