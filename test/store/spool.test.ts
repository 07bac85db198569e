import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { closeLostRuns } from '../../runner/store/liveness.ts';
import { replaySpools } from '../../runner/store/replay.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { spoolFolder } from '../../runner/store/spool.ts';
import type { Store } from '../../runner/store/store.ts';
import { ownStore, type OwnStore } from '../support/own-store.ts';
import { ended, finished, lines, newRun, started } from '../support/runs.ts';
import { temporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

const run = promisify(execFile);

describe('the store goes away in mid-run', function () {
  this.timeout(120_000);
  let own: OwnStore;
  let store: Store;

  before(async () => {
    own = await ownStore();
    store = own.store;
  });
  after(() => own[Symbol.asyncDispose]());
  afterEach(() => (own.keepAway = false));

  const folder = (): string => spoolFolder(store.databaseName, own.home);
  const begin = (waitAtEnd = 60): Promise<RunRecorder> =>
    RunRecorder.begin(store, newRun(), { spoolFolder: folder(), waitAtEnd });

  async function query(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = await store.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  const countLines = async (nodeRunId: number): Promise<unknown> => {
    const [counted] = await query(
      `SELECT count(*) AS lines, count(DISTINCT seq) AS different, max(seq) AS last,
        count(*) FILTER (WHERE message = 'line ' || seq) AS right FROM node_output WHERE node_run_id = $1`,
      [nodeRunId],
    );
    return counted;
  };

  /** Writes numbered lines, `pause`d by what the recorder can take. */
  async function writeLines(recorder: RunRecorder, id: number, from: number, to: number): Promise<void> {
    for (let first = from; first <= to; first += 100) {
      const numbers = Array.from({ length: Math.min(100, to - first + 1) }, (_, i) => first + i);
      recorder.onOutput(lines(recorder, id, first, numbers.map(n => `line ${n}`).join('\n')));
      await new Promise(setImmediate);
      await recorder.drained();
    }
  }

  it('loses and doubles nothing when the server is stopped and killed again and again', async () => {
    const recorder = await begin();
    const output = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'print']), output);
    const tasks: number[] = [];
    let blow: Promise<void> = Promise.resolve();
    for (let first = 1; first <= 200_000; first += 1_000) {
      if (first % 20_000 === 1) {
        await blow;
        await query('SELECT'); // there is a server to hit, and the recorder may be just writing the spool to it
        blow = first % 40_000 === 1 ? own.kill() : own.stop();
      }
      const id = recorder.nextNodeRunId();
      tasks.push(id);
      recorder.onEvent(started(recorder, ['demo', `task-${tasks.length}`]), id);
      await writeLines(recorder, output, first, first + 999);
      recorder.onEvent(ended(recorder, ['demo', `task-${tasks.length}`]), id);
      await recorder.flush();
    }
    await blow;
    recorder.onEvent(ended(recorder, ['demo', 'print']), output);
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.deepEqual(await countLines(output), {
      lines: 200_000,
      different: 200_000,
      last: 200_000,
      right: 200_000,
    });
    const states = await query('SELECT status, count(*) FROM node_run WHERE run_id = $1 GROUP BY status', [
      recorder.runId,
    ]);
    assert.deepEqual(states, [{ status: 'succeeded', count: tasks.length + 1 }]);
    const [row] = await query('SELECT status FROM run WHERE run_id = $1', [recorder.runId]);
    assert.deepEqual(row, { status: 'succeeded' });
    assert.deepEqual(await readdir(folder()), []);
    assert.match(recorder.notes[0] ?? '', /^The store was away for \d+\.\d s \(.+\)\.$/);
  });

  it('keeps lines that were stored, but were not on the disk yet when the server crashed', async () => {
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    for (let n = 1; n <= 5; n++) {
      recorder.onOutput(lines(recorder, id, n, `line ${n}`));
      await recorder.flush();
      await own.kill();
      await waitUntil(
        () => recorder.notes.length === n && recorder.notes.every(note => note.includes('was away')),
      );
    }
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.deepEqual(await countLines(id), { lines: 5, different: 5, last: 5, right: 5 });
  });

  it('opens the run again when somebody took it for dead meanwhile', async () => {
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'a']), id);
    await recorder.flush();
    const other = await own.open();
    own.keepAway = true;
    await own.stop();
    await waitUntil(() => recorder.notes.length > 0);
    recorder.onOutput(lines(recorder, id, 1, 'line 1'));
    assert.deepEqual(await closeLostRuns(other, { grace: 0 }), [recorder.runId]);
    await other.close();
    own.keepAway = false;
    await waitUntil(() => recorder.notes.some(note => note.startsWith('The store was away for')));
    await recorder.flush();
    const status = await query(
      'SELECT r.status AS run, n.status AS node FROM run r JOIN node_run n USING (run_id) WHERE r.run_id = $1',
      [recorder.runId],
    );
    assert.deepEqual(status, [{ run: 'running', node: 'running' }]);
    assert.deepEqual(await countLines(id), { lines: 1, different: 1, last: 1, right: 1 });
    recorder.onEvent(ended(recorder, ['demo', 'a']), id);
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
  });

  it('hears of a request to cancel that came while it was away', async () => {
    const recorder = await begin();
    const other = await own.open();
    own.keepAway = true;
    await own.stop();
    await waitUntil(() => recorder.notes.length > 0);
    const client = await other.connect();
    await client.query('UPDATE run SET cancel_requested_at = now() WHERE run_id = $1', [recorder.runId]);
    await client.end();
    await other.close();
    const heard = new Promise<void>(resolve => {
      recorder.onCancelRequested(resolve);
    });
    own.keepAway = false;
    await heard;
    recorder.onEvent(finished(recorder, 'cancelled'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
  });

  /** A run that ends while the store is away, with 1,000 lines of which the first 500 are stored. */
  async function leaveSpool(
    end: 'ended' | 'torn' = 'ended',
  ): Promise<{ runId: number; id: number; path: string }> {
    const recorder = await begin(0.1);
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'a']), id);
    await writeLines(recorder, id, 1, 500);
    await recorder.flush();
    own.keepAway = true;
    await own.kill();
    await waitUntil(() => recorder.notes.length > 0);
    await writeLines(recorder, id, 501, 1_000);
    await recorder.flush();
    recorder.onEvent(ended(recorder, ['demo', 'a']), id);
    recorder.onEvent(finished(recorder, 'succeeded'));
    const result = await recorder.finish();
    own.keepAway = false;
    if (result.kind !== 'spooled') assert.fail(`the record is ${result.kind}`);
    const { path, message } = result;
    assert.match(path, new RegExp(`/spool/${store.databaseName}/${recorder.runId}\\.\\d+\\.spool$`));
    assert.match(
      message,
      /^The store is away \(.+\)\. The record of run \d+ is complete in \/.+\.spool; it is stored by the next command that reaches the store\.$/,
    );
    if (end === 'torn') {
      await truncate(path, (await stat(path)).size - 10);
      await utimes(path, 0, 0);
    }
    return { runId: recorder.runId, id, path };
  }

  it('leaves a spool when the store stays away, which many processes may find at once', async () => {
    const { runId, id, path } = await leaveSpool();
    const others = await Promise.all(Array.from({ length: 6 }, () => own.open()));
    const outcomes = (
      await Promise.all(others.map(other => replaySpools(other, { folder: folder() })))
    ).flat();
    for (const other of others) await other.close();
    assert.deepEqual(
      outcomes.filter(outcome => outcome.kind !== 'busy'),
      [{ kind: 'replayed', path, runId, ended: true }],
    );
    assert.deepEqual(await countLines(id), { lines: 1_000, different: 1_000, last: 1_000, right: 1_000 });
    const found = await query(
      'SELECT r.status AS run, n.status AS node FROM run r JOIN node_run n USING (run_id) WHERE r.run_id = $1',
      [runId],
    );
    assert.deepEqual(found, [{ run: 'succeeded', node: 'succeeded' }]);
    assert.deepEqual(await readdir(folder()), []);
    assert.deepEqual(await replaySpools(store, { folder: folder() }), []);
  });

  it('writes what is whole of a spool that breaks off, and closes its run as lost', async () => {
    const { runId, id, path } = await leaveSpool('torn');
    assert.deepEqual(await replaySpools(store, { folder: folder() }), [
      { kind: 'replayed', path, runId, ended: false },
    ]);
    assert.deepEqual(await countLines(id), { lines: 1_000, different: 1_000, last: 1_000, right: 1_000 });
    const found = await query('SELECT status FROM run WHERE run_id = $1', [runId]);
    assert.deepEqual(found, [{ status: 'lost' }]);
  });

  it('leaves alone a spool of another store, and one that is still written', async () => {
    const { runId, path } = await leaveSpool();
    await query("UPDATE run SET started_at = started_at - interval '1 microsecond' WHERE run_id = $1", [
      runId,
    ]);
    assert.deepEqual(await replaySpools(store, { folder: folder() }), [{ kind: 'foreign', path, runId }]);
    await query("UPDATE run SET started_at = started_at + interval '1 microsecond' WHERE run_id = $1", [
      runId,
    ]);
    const now = new Date();
    await utimes(path, now, now);
    assert.deepEqual(await replaySpools(store, { folder: folder() }), [{ kind: 'busy', path }]);
    await utimes(path, 0, 0);
    assert.equal((await replaySpools(store, { folder: folder() }))[0]?.kind, 'replayed');
  });

  it('says clearly that neither the store nor the spool can be written, and goes on without a hang', async function () {
    await using disk = await temporaryFolder();
    const full = join(disk.path, 'full');
    await mkdir(full);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', full]);
    } catch {
      return this.skip(); // only root can make a small disk
    }
    try {
      const recorder = await RunRecorder.begin(store, newRun(), {
        spoolFolder: join(full, 'spool'),
        waitAtEnd: 0.1,
      });
      const id = recorder.nextNodeRunId();
      own.keepAway = true;
      await own.stop();
      await waitUntil(() => recorder.notes.length > 0);
      const fatal = new Promise<string>(resolve => {
        recorder.onFatal(resolve);
      });
      await writeLines(recorder, id, 1, 100_000);
      const message = await fatal;
      const path = join(full, 'spool', (await readdir(join(full, 'spool')))[0] ?? '');
      const reason = /^The store is away \((.+)\), and/.exec(message)?.[1] ?? '';
      const expected =
        `The store is away (${reason}), and the spool ${path} cannot be written: ENOSPC: no space left on device, write. ` +
        'Make room on that disk, or set MILLRACE_HOME to a folder on another one.';
      assert.equal(message, expected);
      recorder.onEvent(finished(recorder, 'failed'));
      assert.deepEqual(await recorder.finish(), {
        kind: 'incomplete',
        message: `${expected} The record of run ${recorder.runId} is not complete.`,
      });
    } finally {
      own.keepAway = false;
      await run('umount', [full]);
    }
  });

  it('stores what it kept when the store comes back after the spool could not be written', async function () {
    await using disk = await temporaryFolder({ spool: 'a file where a folder should be' });
    const recorder = await RunRecorder.begin(store, newRun(), {
      spoolFolder: join(disk.path, 'spool'),
      waitAtEnd: 60,
    });
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'a']), id);
    await recorder.flush();
    own.keepAway = true;
    await own.stop();
    await waitUntil(() => recorder.notes.length > 0);
    const fatal = new Promise<string>(resolve => {
      recorder.onFatal(resolve);
    });
    recorder.onOutput(lines(recorder, id, 1, 'line 1'));
    await fatal;
    recorder.onOutput(lines(recorder, id, 2, 'line 2\nline 3'));
    assert.equal(recorder.notes.at(-1), '2 lines of output are lost.');
    recorder.onEvent(ended(recorder, ['demo', 'a'], { status: 'failed' }), id);
    recorder.onEvent(finished(recorder, 'failed'));
    own.keepAway = false;
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.deepEqual(await countLines(id), { lines: 1, different: 1, last: 1, right: 1 });
    const found = await query(
      'SELECT r.status AS run, n.status AS node FROM run r JOIN node_run n USING (run_id) WHERE r.run_id = $1',
      [recorder.runId],
    );
    assert.deepEqual(found, [{ run: 'failed', node: 'failed' }]);
  });
});
