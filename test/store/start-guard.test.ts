/** The moment in which a run begins. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { startGuarded } from '../../runner/engine/start-guard.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { newRun } from '../support/runs.ts';
import { temporaryStore } from '../support/store.ts';

describe('a run that begins', function () {
  this.timeout(60_000); // the server is started

  for (const allowConcurrent of [false, true])
    it(`says so when the store goes away in this moment (${allowConcurrent ? 'beside others' : 'alone'})`, async () => {
      await using project = await temporaryStore();
      const client = await project.store.connect();
      const other = await project.store.connect();
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const ended = new Promise(resolve => client.once('end', resolve));
      await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
      await ended;
      const begin = (): Promise<RunRecorder> => RunRecorder.begin(project.store, newRun(), { client });
      await assert.rejects(
        startGuarded(client, { pipelinePath: [], nodePaths: [] }, allowConcurrent, begin),
        {
          name: 'StoreError',
          code: 'unreachable',
          exitCode: 3,
          message:
            'The store went away before the run could begin: Client has encountered a connection error and is not ' +
            'queryable. Nothing has run; try again.',
        },
      );
      assert.deepEqual((await other.query('SELECT FROM run')).rowCount, 0);
      await other.end();
    });
});
