/** What is told of a run that comes back after it was taken for dead. */
import assert from 'node:assert/strict';
import { RunFollower, type RunNews } from '../../runner/service/run-follower.ts';
import { markLost } from '../../runner/store/liveness.ts';
import { CHANGES_CHANNEL, changeNotice, type ChangeNotice } from '../../runner/store/run-lock.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { ended, finished, newRun, started } from '../support/runs.ts';
import { temporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('following a run', function () {
  this.timeout(60_000);

  it('tells that a lost run goes on, and how its nodes end', async () => {
    await using project = await temporaryStore();
    const { store } = project;
    await using ends = new AsyncDisposableStack();
    const client = await store.connect();
    ends.defer(() => client.end());
    const recorder = await RunRecorder.begin(store, newRun());
    const { runId } = recorder;
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'a']), id);
    await recorder.flush();

    const news: RunNews[] = [];
    const follower = new RunFollower(runId, {
      store: () => Promise.resolve(store),
      averages: () => Promise.resolve(new Map()),
      onNews: told => news.push(told),
      onFailure: assert.ifError,
    });
    ends.defer(() => {
      follower.close();
    });
    client.on('notification', ({ payload }) => {
      follower.onChange(JSON.parse(payload ?? '') as ChangeNotice);
    });
    await client.query(`LISTEN ${CHANGES_CHANNEL}`);
    await follower.start();
    const told = async (run: string, node: string): Promise<void> => {
      await waitUntil(() => {
        const nodeRuns = news.flatMap(each => each.nodeRuns).filter(({ nodeRunId }) => nodeRunId === id);
        return news.at(-1)?.run.status === run && nodeRuns.at(-1)?.status === node;
      });
    };
    const change = async (sql: string, changed: ChangeNotice['changed']): Promise<void> => {
      await client.query(sql, [runId]);
      await client.query(`SELECT pg_notify('${CHANGES_CHANNEL}', $1)`, [
        changeNotice({ run: runId, changed }),
      ]);
    };
    await markLost(client, runId);
    await told('lost', 'lost');
    // What a runner does that comes back: the run first, its nodes when everything before is stored.
    await change(`UPDATE run SET status = 'running', ended_at = NULL WHERE run_id = $1`, ['run']);
    await told('running', 'lost');
    await change(`UPDATE node_run SET status = 'running', ended_at = NULL WHERE run_id = $1`, ['nodes']);
    await told('running', 'running');
    recorder.onEvent(ended(recorder, ['demo', 'a']), id);
    await told('running', 'succeeded');
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    await told('succeeded', 'succeeded');
  });
});
