import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import { CHANGES_CHANNEL } from '../../runner/store/run-lock.ts';
import { isAlive } from '../../runner/store/liveness.ts';
import { requestCancel } from '../../runner/store/cancel.ts';
import { ended, finished, lines, newRun, skipped, started, timeAt } from '../support/runs.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('RunRecorder', function () {
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

  const begin = (overrides = {}): Promise<RunRecorder> => RunRecorder.begin(project.store, newRun(overrides));
  const rows = async (sql: string, values: unknown[]): Promise<Record<string, unknown>[]> =>
    (await client.query<Record<string, unknown>>(sql, values)).rows;

  it('makes the row of the run, alive from the first moment that it can be seen', async () => {
    const recorder = await begin({
      pipelinePath: ['a', 'b "c"'],
      nodePaths: [
        ['a', 'x'],
        ['a', 'y', 'z'],
      ],
      withUpstreams: true,
      params: { day: '2026-01-01', n: 3, strange: 'nul \0 half \ud800' },
      trigger: 'schedule',
      startedBy: 'ann',
      host: 'box',
      pid: 42,
      codeVersion: 'abc-dirty',
      resumedFrom: 7,
    });
    assert.equal(await isAlive(client, recorder.runId), true);
    const [run] = await rows('SELECT * FROM run WHERE run_id = $1', [recorder.runId]);
    assert.deepEqual(
      { ...run, started_at: null },
      {
        run_id: recorder.runId,
        pipeline_path: ['a', 'b "c"'],
        node_paths: ['a/x', 'a/y/z'],
        with_upstreams: true,
        params: { day: '2026-01-01', n: 3, strange: 'nul \uFFFD half \uFFFD' },
        status: 'running',
        started_at: null,
        ended_at: null,
        trigger: 'schedule',
        started_by: 'ann',
        host: 'box',
        pid: 42,
        code_version: 'abc-dirty',
        runner_version: '0.1.0',
        resumed_from: 7,
        cancel_requested_at: null,
        graph: null,
      },
    );
    assert.deepEqual(run?.['started_at'], recorder.startedAt);
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.equal(await isAlive(client, recorder.runId), false);
    const [over] = await rows('SELECT status, ended_at FROM run WHERE run_id = $1', [recorder.runId]);
    assert.deepEqual(over, { status: 'succeeded', ended_at: new Date(timeAt(recorder, 2)) });
  });

  it('writes no line before the row of its node run, also of what comes while other rows are written', async () => {
    await client.query(`CREATE FUNCTION refuse_orphans() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM node_output LEFT JOIN node_run USING (node_run_id) WHERE run_id IS NULL)
        THEN RAISE 'a line without its node run'; END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER refuse_orphans AFTER INSERT ON node_output EXECUTE FUNCTION refuse_orphans()`);
    const recorder = await begin();
    const [first, second] = [recorder.nextNodeRunId(), recorder.nextNodeRunId()];
    await client.query('BEGIN; LOCK TABLE node_run IN SHARE MODE');
    recorder.onEvent(started(recorder, ['demo', 'a']), first);
    const flushed = recorder.flush();
    await waitUntil(
      async () => (await rows(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`, [])).length > 0,
    );
    recorder.onEvent(started(recorder, ['demo', 'b']), second);
    recorder.onOutput(lines(recorder, second, 1, 'said'));
    await client.query('COMMIT');
    await flushed;
    assert.deepEqual(recorder.notes, []);
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.deepEqual(await rows('SELECT message FROM node_output WHERE node_run_id = $1', [second]), [
      { message: 'said' },
    ]);
    await client.query('DROP FUNCTION refuse_orphans CASCADE');
  });

  it('has nothing end before its last line is stored, however many there are', async () => {
    const count = 30_000;
    await client.query(`CREATE FUNCTION refuse_early_ends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM node_output WHERE node_run_id = NEW.node_run_id) < ${String(count)}
        THEN RAISE 'an end without its last lines'; END IF;
        RETURN NULL;
      END $$;
      CREATE CONSTRAINT TRIGGER refuse_early_ends AFTER INSERT OR UPDATE ON node_run
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'succeeded')
      EXECUTE FUNCTION refuse_early_ends()`);
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'much']), id);
    const portion = `${'x'.repeat(99)}\n`.repeat(count / 10).trimEnd();
    for (let part = 0; part < 10; part += 1)
      recorder.onOutput(lines(recorder, id, 1 + (part * count) / 10, portion));
    recorder.onEvent(ended(recorder, ['demo', 'much']), id);
    await recorder.flush();
    assert.deepEqual(recorder.notes, []);
    recorder.onEvent(finished(recorder, 'succeeded'));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    assert.deepEqual(await rows('SELECT count(*)::int FROM node_output WHERE node_run_id = $1', [id]), [
      { count },
    ]);
    await client.query('DROP FUNCTION refuse_early_ends CASCADE');
  });

  it('keeps every attempt: succeeded, failed, skipped, and those that never started', async () => {
    const recorder = await begin();
    const ids = Array.from({ length: 4 }, () => recorder.nextNodeRunId());
    const [first = 0, second = 0, third = 0, fourth = 0] = ids;
    assert.deepEqual(
      ids,
      [1, 2, 3, 4].map(n => recorder.runId * 4_194_304 + n),
    );
    recorder.onEvent(started(recorder, ['demo', 'load'], { cost: 2.5 }), first);
    await recorder.flush();
    recorder.onEvent(
      ended(recorder, ['demo', 'load'], {
        status: 'failed',
        exitCode: 3,
        error: 'nul \0 here\nand more',
        retryIn: 8,
        rowsProcessed: 9,
      }),
      first,
    );
    recorder.onEvent(started(recorder, ['demo', 'load'], { attempt: 2 }), second);
    recorder.onEvent(ended(recorder, ['demo', 'load'], { attempt: 2 }), second);
    recorder.onEvent(skipped(recorder, ['demo', 'check'], 'an upstream failed', ['demo', 'load']), third);
    recorder.onEvent(
      ended(recorder, ['demo', 'late'], { status: 'cancelled', reason: 'cancelled before it started' }),
      fourth,
    );
    recorder.onEvent(finished(recorder, 'failed'));
    await recorder.finish();
    const at = (second: number): Date => new Date(timeAt(recorder, second));
    const sql = `SELECT node_run_id AS id, array_to_string(node_path, '/') AS path, kind, attempt, status, started_at, ended_at,
      cost, rows_processed, exit_code, error, reason FROM node_run WHERE run_id = $1 ORDER BY node_run_id`;
    const common = {
      kind: 'task',
      attempt: 1,
      cost: 0,
      rows_processed: null,
      exit_code: null,
      error: null,
      reason: null,
    };
    assert.deepEqual(await rows(sql, [recorder.runId]), [
      {
        id: first,
        path: 'demo/load',
        ...common,
        status: 'failed',
        started_at: at(0),
        ended_at: at(1),
        cost: 2.5,
        rows_processed: 9,
        exit_code: 3,
        error: 'nul \uFFFD here\nand more',
      },
      {
        id: second,
        path: 'demo/load',
        ...common,
        attempt: 2,
        status: 'succeeded',
        started_at: at(0),
        ended_at: at(1),
        exit_code: 0,
      },
      {
        id: third,
        path: 'demo/check',
        ...common,
        status: 'skipped',
        started_at: null,
        ended_at: at(1),
        reason: 'an upstream failed',
      },
      {
        id: fourth,
        path: 'demo/late',
        ...common,
        status: 'cancelled',
        started_at: at(0),
        ended_at: at(1),
        exit_code: 0,
        reason: 'cancelled before it started',
      },
    ]);
  });

  it('closes what is still open when the run ends', async () => {
    const recorder = await begin();
    recorder.onEvent(started(recorder, ['demo', 'a']), recorder.nextNodeRunId());
    recorder.onEvent(finished(recorder, 'failed'));
    await recorder.finish();
    const found = await rows('SELECT status, ended_at, reason FROM node_run WHERE run_id = $1', [
      recorder.runId,
    ]);
    assert.deepEqual(found, [
      { status: 'lost', ended_at: new Date(timeAt(recorder, 2)), reason: 'the run ended before it' },
    ]);
  });

  it('stores lines of any kind, byte for byte', async () => {
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    const long = 'ä€😀'.repeat(8_000);
    const texts = [
      '',
      '\\N',
      '\\.',
      'tab\tand\rreturn',
      'ünï € 😀',
      '"quotes\'',
      long,
      'nul \0 here',
      'half \ud83d',
    ];
    recorder.onOutput(lines(recorder, id, 1, texts.join('\n')));
    recorder.onOutput(
      lines(recorder, id, texts.length + 1, '', {
        format: 'italics',
        isError: true,
        time: 1_790_000_000_123,
      }),
    );
    await recorder.flush();
    const found = await rows(
      'SELECT seq, at, format, is_error, message FROM node_output WHERE node_run_id = $1 ORDER BY seq',
      [id],
    );
    assert.deepEqual(
      found.map(row => row['message']),
      [...texts.slice(0, 7), 'nul \uFFFD here', 'half \uFFFD', ''],
    );
    assert.deepEqual(
      found.map(row => row['seq']),
      texts.map((_, i) => i + 1).concat(texts.length + 1),
    );
    assert.deepEqual(found[0], {
      seq: 1,
      at: recorder.startedAt,
      format: 'verbatim',
      is_error: false,
      message: '',
    });
    assert.deepEqual(found.at(-1), {
      seq: 10,
      at: new Date(1_790_000_000_123),
      format: 'italics',
      is_error: true,
      message: '',
    });
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
  });

  it('stores statistics', async () => {
    const recorder = await begin();
    const base = {
      type: 'system_statistics',
      runId: recorder.runId,
      nodePath: ['demo'],
      attempt: 0,
    } as const;
    const sample = { cpu: 12.5, memory: 40, swap: 0 };
    recorder.onEvent({
      ...base,
      time: timeAt(recorder, 0),
      ...sample,
      diskRead: null,
      diskWrite: null,
      netReceived: null,
      netSent: null,
    });
    recorder.onEvent({
      ...base,
      time: timeAt(recorder, 1),
      ...sample,
      diskRead: 1,
      diskWrite: 2,
      netReceived: 3,
      netSent: 4,
    });
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
    const found = await rows('SELECT * FROM system_statistics WHERE run_id = $1 ORDER BY at', [
      recorder.runId,
    ]);
    assert.deepEqual(
      found.map(row => [row['at'], row['cpu'], row['disk_read'], row['net_sent']]),
      [
        [new Date(timeAt(recorder, 0)), 12.5, null, null],
        [new Date(timeAt(recorder, 1)), 12.5, 1, 4],
      ],
    );
  });

  it('wakes followers, and shows them the lines without being asked to', async () => {
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    const noticed = new Promise<string>(resolve => {
      client.on('notification', ({ channel, payload }) => {
        if (channel === CHANGES_CHANNEL && payload?.includes('"output"') === true) resolve(payload);
      });
    });
    await client.query(`LISTEN ${CHANGES_CHANNEL}`);
    recorder.onOutput(lines(recorder, id, 1, 'hello'));
    assert.deepEqual(JSON.parse(await noticed), { run: recorder.runId, changed: ['output'], nodeRuns: [id] });
    assert.equal((await rows('SELECT FROM node_output WHERE node_run_id = $1', [id])).length, 1);
    await client.query(`UNLISTEN ${CHANGES_CHANNEL}`);
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
  });

  it('hears of a request to cancel', async () => {
    const recorder = await begin();
    const other = await begin();
    const heard = new Promise<void>(resolve => {
      recorder.onCancelRequested(resolve);
    });
    let wrong = false;
    other.onCancelRequested(() => (wrong = true));
    assert.deepEqual(await requestCancel(project.store, recorder.runId), { kind: 'requested' });
    await heard;
    const again = await requestCancel(project.store, recorder.runId);
    assert.equal(again.kind, 'already-requested');
    for (const each of [recorder, other]) {
      each.onEvent(finished(each, 'cancelled'));
      await each.finish();
    }
    assert.equal(wrong, false);
    const over = await requestCancel(project.store, recorder.runId);
    assert.deepEqual(over, { kind: 'ended', status: 'cancelled', endedAt: new Date(timeAt(recorder, 2)) });
    assert.deepEqual(await requestCancel(project.store, 999_999), { kind: 'unknown' });
  });

  it('holds back whoever writes faster than the store', async () => {
    const recorder = await begin();
    const id = recorder.nextNodeRunId();
    const text = `${'x'.repeat(1_000)}\n`.repeat(1_000).slice(0, -1);
    let most = 0;
    for (let batch = 0; batch < 40; batch++) {
      recorder.onOutput(lines(recorder, id, batch * 1_000 + 1, text));
      most = Math.max(most, recorder.backlogBytes);
      await recorder.drained();
    }
    assert.ok(most > 4_000_000 && most < 12_000_000, `${most} bytes waited`);
    await recorder.flush();
    assert.equal(recorder.backlogBytes, 0);
    assert.deepEqual(await rows('SELECT count(*) FROM node_output WHERE node_run_id = $1', [id]), [
      { count: 40_000 },
    ]);
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
  });

  it('refuses to finish a run that has not ended', async () => {
    const recorder = await begin();
    await assert.rejects(recorder.finish(), {
      message: 'finish() was called before run_finished was taken up.',
    });
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
  });
});
