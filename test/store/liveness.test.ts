import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Client } from 'pg';
import { requestCancel } from '../../runner/store/cancel.ts';
import { closeLostRuns, isAlive } from '../../runner/store/liveness.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { spoolFolder } from '../../runner/store/spool.ts';
import { ownStore } from '../support/own-store.ts';
import { finished, newRun } from '../support/runs.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('liveness of runs', function () {
  this.timeout(60_000); // the first test starts the server
  let project: TemporaryStore;
  let client: Client;

  before(async () => {
    project = await temporaryStore();
    client = await project.store.connect();
  });
  after(async () => {
    await client.end();
    await project[Symbol.asyncDispose]();
  });

  /** A runner in a process of its own that has begun a run, killed in the middle of it. */
  async function killedRun(): Promise<number> {
    const child = fork(join(import.meta.dirname, '..', 'support', 'begin-run.ts'), {
      env: { ...process.env, ...project.environment, PROJECT: project.projectDirectory },
    });
    const [runId] = (await once(child, 'message')) as [number];
    assert.equal(await isAlive(client, runId), true);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await waitUntil(async () => !(await isAlive(client, runId)));
    return runId;
  }

  it('closes a run whose runner was killed, at the time when it was last heard of', async () => {
    const runId = await killedRun();
    const alive = await RunRecorder.begin(project.store, newRun());
    const stores = await Promise.all(Array.from({ length: 6 }, () => project.open()));
    const closed = (await Promise.all(stores.map(store => closeLostRuns(store)))).flat();
    for (const store of stores) await store.close();
    assert.deepEqual(closed, [runId]);
    const { rows } = await client.query(
      `SELECT r.status AS run, n.status AS node, n.reason, n.ended_at - n.started_at = interval '3 seconds' AS at_last_line,
        n.ended_at = r.ended_at AS together FROM run r JOIN node_run n USING (run_id) WHERE run_id = $1`,
      [runId],
    );
    const expected = {
      run: 'lost',
      node: 'lost',
      reason: 'the runner died',
      at_last_line: true,
      together: true,
    };
    assert.deepEqual(rows, [expected]);
    const { rows: others } = await client.query('SELECT status FROM run WHERE run_id = $1', [alive.runId]);
    assert.deepEqual(others, [{ status: 'running' }]);
    alive.onEvent(finished(alive, 'succeeded'));
    await alive.finish();
    assert.deepEqual(await closeLostRuns(project.store), []);
  });

  it('gives runners that live time to come back to a store that was started again', async () => {
    await using own = await ownStore();
    // No system gives such an id, so nobody else has got it meanwhile.
    const dead = 2 ** 30;
    const options = { spoolFolder: spoolFolder(own.store.databaseName, own.home) };
    const gone = await RunRecorder.begin(own.store, newRun({ pid: dead }), options);
    const here = await RunRecorder.begin(own.store, newRun(), options);
    const elsewhere = await RunRecorder.begin(own.store, newRun({ pid: dead, host: 'elsewhere' }), options);
    own.keepAway = true;
    await own.stop();
    await waitUntil(() => [gone, here, elsewhere].every(({ notes }) => notes.length > 0));
    await using other = await own.open();

    assert.deepEqual(await closeLostRuns(other, { grace: 600 }), [gone.runId]);
    assert.deepEqual(await requestCancel(other, here.runId), { kind: 'requested' });
    assert.deepEqual(await closeLostRuns(other, { grace: 0 }), [here.runId, elsewhere.runId]);

    own.keepAway = false;
    for (const recorder of [gone, here, elsewhere]) {
      recorder.onEvent(finished(recorder, 'succeeded'));
      assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    }
  });

  it('closes a dead run instead of asking it to cancel', async () => {
    const runId = await killedRun();
    assert.deepEqual(await requestCancel(project.store, runId), { kind: 'lost' });
    const result = await requestCancel(project.store, runId);
    assert.equal(result.kind === 'ended' && result.status, 'lost');
  });
});
