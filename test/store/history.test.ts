import assert from 'node:assert/strict';
import { averageDurations, averagePipelineDurations } from '../../runner/store/durations.ts';
import { followRun, type Followed } from '../../runner/store/follow.ts';
import { getRun, lastOutcomes, listRuns, nodeRuns, systemStatistics } from '../../runner/store/history.ts';
import {
  getOutput,
  outputInOrder,
  searchOutput,
  type OutputLine,
} from '../../runner/store/output-history.ts';
import { resumeState } from '../../runner/store/resume-state.ts';
import { RunRecorder } from '../../runner/store/run-recorder.ts';
import type { Store } from '../../runner/store/store.ts';
import { ended, finished, lines, newRun, skipped, started, timeAt } from '../support/runs.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';

describe('history', function () {
  this.timeout(60_000); // the first test starts the server
  let project: TemporaryStore;
  let store: Store;

  beforeEach(async () => {
    project = await temporaryStore();
    store = project.store;
  });
  afterEach(() => project[Symbol.asyncDispose]());

  const begin = (overrides = {}): Promise<RunRecorder> => RunRecorder.begin(store, newRun(overrides));
  const end = async (
    recorder: RunRecorder,
    status: 'succeeded' | 'failed' = 'succeeded',
  ): Promise<number> => {
    recorder.onEvent(finished(recorder, status));
    assert.deepEqual(await recorder.finish(), { kind: 'stored' });
    return recorder.runId;
  };
  /** An attempt that takes so many seconds. */
  const attempt = (recorder: RunRecorder, path: string[], seconds: number, overrides = {}): number => {
    const id = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, path), id);
    recorder.onEvent(ended(recorder, path, { time: timeAt(recorder, seconds), ...overrides }), id);
    return id;
  };
  const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
  };
  const messages = (found: readonly OutputLine[]): string[] => found.map(line => line.message);

  it('lists runs newest first, page by page, by path and by status, with what failed first', async () => {
    const first = await begin();
    attempt(first, ['demo', 'a'], 1, { status: 'failed', error: 'no such table\ndetails', exitCode: 1 });
    attempt(first, ['demo', 'b'], 2, { status: 'failed', error: 'later' });
    await end(first, 'failed');
    const second = await begin({
      pipelinePath: ['other'],
      nodePaths: [['other', 'x']],
      params: { day: '2026-01-01' },
    });
    attempt(second, ['other', 'x'], 1);
    await end(second);
    const third = await begin();
    const ids = async (filter = {}): Promise<number[]> =>
      (await listRuns(store, filter)).map(run => run.runId);
    assert.deepEqual(await ids(), [third.runId, second.runId, first.runId]);
    assert.deepEqual(await ids({ limit: 2 }), [third.runId, second.runId]);
    assert.deepEqual(await ids({ before: second.runId }), [first.runId]);
    assert.deepEqual(await ids({ path: ['demo'] }), [third.runId, first.runId]);
    assert.deepEqual(await ids({ path: ['other', 'x'] }), [second.runId]);
    assert.deepEqual(await ids({ status: 'failed' }), [first.runId]);
    assert.deepEqual(await ids({ path: ['demo'], status: 'running', limit: 1 }), [third.runId]);
    const [failed] = await listRuns(store, { status: 'failed' });
    assert.deepEqual(failed?.failure, { nodePath: ['demo', 'a'], error: 'no such table' });
    const [selected] = await listRuns(store, { path: ['other'] });
    assert.deepEqual(selected?.nodePaths, [['other', 'x']]);
    assert.deepEqual(selected.params, { day: '2026-01-01' });
    await end(third);
  });

  it('shows one run whole, counting each node by its last attempt', async () => {
    const graph = {
      id: 'demo',
      path: ['demo'],
      kind: 'pipeline',
      description: '',
      labels: {},
      upstreams: [],
      nodes: [],
      commands: null,
    } as const;
    const recorder = await begin({ graph });
    attempt(recorder, ['demo'], 9, { kind: 'pipeline' });
    attempt(recorder, ['demo', 'a'], 1, { status: 'failed', retryIn: 1, error: 'once' });
    attempt(recorder, ['demo', 'a'], 2, { attempt: 2 });
    recorder.onEvent(skipped(recorder, ['demo', 'b'], 'because', ['demo', 'a']), recorder.nextNodeRunId());
    await end(recorder);
    const run = await getRun(store, recorder.runId);
    assert.deepEqual(run?.graph, graph);
    assert.deepEqual(
      run.nodeRuns.map(node => [node.nodePath.join('/'), node.attempt, node.status, node.error, node.reason]),
      [
        ['demo', 1, 'succeeded', null, null],
        ['demo/a', 1, 'failed', 'once', null],
        ['demo/a', 2, 'succeeded', null, null],
        ['demo/b', 1, 'skipped', null, 'because'],
      ],
    );
    assert.deepEqual(run.counts, {
      running: 0,
      succeeded: 1,
      failed: 0,
      skipped: 1,
      cancelled: 0,
      unchanged: 0,
      lost: 0,
    });
    assert.equal(run.failure, null);
    assert.equal(await getRun(store, 999_999), null);
    assert.deepEqual(await systemStatistics(store, recorder.runId), []);
  });

  it('knows the last outcome of each node and the attempts of one', async () => {
    const first = await begin();
    attempt(first, ['demo', 'a'], 1);
    attempt(first, ['demo', 'b'], 1);
    attempt(first, ['demo', 'b', 'c'], 1);
    attempt(first, ['demo2', 'a'], 1);
    await end(first);
    const second = await begin();
    const newest = attempt(second, ['demo', 'b'], 1, { status: 'failed', error: 'no' });
    await end(second, 'failed');
    const outcomes = async (path: string[]): Promise<string[]> =>
      (await lastOutcomes(store, path)).map(node => `${node.nodePath.join('/')} ${node.status}`);
    assert.deepEqual(await outcomes([]), [
      'demo/a succeeded',
      'demo/b failed',
      'demo/b/c succeeded',
      'demo2/a succeeded',
    ]);
    assert.deepEqual(await outcomes(['demo']), ['demo/a succeeded', 'demo/b failed', 'demo/b/c succeeded']);
    assert.deepEqual(await outcomes(['demo', 'b', 'c']), ['demo/b/c succeeded']);
    assert.deepEqual(await outcomes(['dem']), []);
    const history = await nodeRuns(store, ['demo', 'b']);
    assert.deepEqual(
      history.map(node => [node.runId, node.status]),
      [
        [second.runId, 'failed'],
        [first.runId, 'succeeded'],
      ],
    );
    assert.deepEqual(
      (await nodeRuns(store, ['demo', 'b'], { before: newest })).map(node => node.runId),
      [first.runId],
    );
  });

  it('averages durations over what succeeded, of pipelines only where they ran whole', async () => {
    const whole = await begin();
    attempt(whole, ['demo'], 10, { kind: 'pipeline' });
    attempt(whole, ['demo', 'p'], 6, { kind: 'pipeline' });
    attempt(whole, ['demo', 'p', 'a'], 2);
    attempt(whole, ['demo', 'p', 'each'], 3, { kind: 'parallel' });
    attempt(whole, ['demo-2', 'a'], 100);
    await end(whole);
    const partial = await begin({
      nodePaths: [
        ['demo', 'p'],
        ['demo', 'q', 'x'],
      ],
    });
    attempt(partial, ['demo'], 1, { kind: 'pipeline' });
    attempt(partial, ['demo', 'p'], 8, { kind: 'pipeline' });
    attempt(partial, ['demo', 'q'], 1, { kind: 'pipeline' });
    attempt(partial, ['demo', 'p', 'a'], 4);
    attempt(partial, ['demo', 'p', 'a'], 50, { status: 'failed', error: 'x' });
    await end(partial, 'failed');
    const resumed = await begin({ resumedFrom: partial.runId });
    attempt(resumed, ['demo'], 1, { kind: 'pipeline' });
    await end(resumed);
    assert.deepEqual(
      await averageDurations(store, ['demo']),
      new Map([
        ['demo/p/a', 3],
        ['demo/p/each', 3],
      ]),
    );
    assert.deepEqual(
      await averagePipelineDurations(store, ['demo']),
      new Map([
        ['demo', 10],
        ['demo/p', 7],
      ]),
    );
    assert.deepEqual(
      [...(await averageDurations(store, [])).keys()],
      ['demo/p/a', 'demo/p/each', 'demo-2/a'],
    );
    const client = await store.connect();
    assert.deepEqual(await averageDurations(client, ['demo', 'p', 'each']), new Map([['demo/p/each', 3]]));
    assert.deepEqual(await averageDurations(client, ['nothing']), new Map());
    await client.end();
  });

  it('tells what a resumed run may skip, over a chain of runs', async () => {
    const first = await begin({ nodePaths: [['demo', 'p']], withUpstreams: true, params: { n: 1 } });
    attempt(first, ['demo'], 1, { kind: 'pipeline' });
    attempt(first, ['demo', 'a'], 1);
    attempt(first, ['demo', 'b'], 1, { status: 'failed', error: 'x' });
    attempt(first, ['demo', 'c'], 1, { status: 'unchanged' });
    recorderSkips(first, ['demo', 'd']);
    await end(first, 'failed');
    const second = await begin({ resumedFrom: first.runId, nodePaths: [['demo', 'p']] });
    attempt(second, ['demo', 'b'], 1);
    attempt(second, ['demo', 'd'], 1, { status: 'failed', retryIn: 1, error: 'x' });
    attempt(second, ['demo', 'd'], 2, { status: 'failed', attempt: 2, error: 'x' });
    await end(second, 'failed');
    const one = await resumeState(store, first.runId);
    assert.deepEqual(one, {
      runId: first.runId,
      status: 'failed',
      pipelinePath: ['demo'],
      nodePaths: [['demo', 'p']],
      withUpstreams: true,
      params: { n: 1 },
      succeeded: new Set(['demo/a', 'demo/c']),
      unsuccessful: new Set(['demo/b', 'demo/d']),
      chain: `${first.runId}@${first.startedAt.toISOString()}`,
    });
    const two = await resumeState(store, second.runId);
    assert.deepEqual(two?.succeeded, new Set(['demo/a', 'demo/b', 'demo/c']));
    assert.deepEqual(two.unsuccessful, new Set(['demo/d']));
    assert.equal(two.chain, one.chain);
    assert.equal(await resumeState(store, 999_999), null);
  });

  function recorderSkips(recorder: RunRecorder, path: string[]): void {
    recorder.onEvent(skipped(recorder, path, 'because', ['demo', 'b']), recorder.nextNodeRunId());
  }

  it('pages through output, by node, errors only, and searches it', async () => {
    const recorder = await begin();
    const [a, b, c] = [
      attempt(recorder, ['demo', 'p', 'a'], 1),
      attempt(recorder, ['demo', 'p', 'b'], 1),
      attempt(recorder, ['demo', 'c'], 1),
    ];
    recorder.onOutput(lines(recorder, a, 1, 'a1\na2\na3'));
    recorder.onOutput(lines(recorder, b, 1, 'b1 Needle'));
    recorder.onOutput(lines(recorder, b, 2, 'b2', { isError: true, format: 'italics' }));
    recorder.onOutput(lines(recorder, c, 1, 'c1 needle%_\nc2'));
    await end(recorder);
    const { runId } = recorder;
    const pages: string[][] = [];
    let after: { nodeRunId: number; seq: number } | null | undefined;
    while (after !== null) {
      const page = await getOutput(store, runId, { limit: 2, ...(after === undefined ? {} : { after }) });
      pages.push(messages(page.lines));
      after = page.next;
    }
    assert.deepEqual(pages, [['a1', 'a2'], ['a3', 'b1 Needle'], ['b2', 'c1 needle%_'], ['c2']]);
    const of = async (query = {}): Promise<string[]> =>
      messages((await getOutput(store, runId, query)).lines);
    assert.deepEqual(await of({ path: ['demo', 'p'] }), ['a1', 'a2', 'a3', 'b1 Needle', 'b2']);
    assert.deepEqual(await of({ path: ['demo', 'p'], errorsOnly: true }), ['b2']);
    const [error] = (await getOutput(store, runId, { errorsOnly: true })).lines;
    assert.deepEqual(error, {
      nodeRunId: b,
      nodePath: ['demo', 'p', 'b'],
      attempt: 1,
      seq: 2,
      at: recorder.startedAt,
      format: 'italics',
      isError: true,
      message: 'b2',
    });
    const search = async (text: string, query = {}): Promise<string[]> =>
      messages((await searchOutput(store, runId, text, query)).lines);
    assert.deepEqual(await search('needle'), ['b1 Needle', 'c1 needle%_']);
    assert.deepEqual(await search('E%_'), ['c1 needle%_']);
    assert.deepEqual(await search('needle', { path: ['demo', 'p'] }), ['b1 Needle']);
    assert.deepEqual(await search('needle', { after: { nodeRunId: b, seq: 1 } }), ['c1 needle%_']);
    assert.deepEqual(await searchOutput(store, runId, 'nowhere \0'), { lines: [], next: null });
  });

  it('searches slice by slice', async () => {
    const recorder = await begin();
    const id = attempt(recorder, ['demo', 'a'], 1);
    for (let first = 1; first <= 45_000; first += 5_000) {
      recorder.onOutput(
        lines(recorder, id, first, Array.from({ length: 5_000 }, (_, i) => `line ${first + i}.`).join('\n')),
      );
    }
    await end(recorder);
    const found: string[] = [];
    const stops: (number | undefined)[] = [];
    let after: { nodeRunId: number; seq: number } | null | undefined;
    while (after !== null) {
      const page = await searchOutput(store, recorder.runId, '0000.', after === undefined ? {} : { after });
      found.push(...messages(page.lines));
      after = page.next;
      stops.push(after?.seq);
    }
    assert.deepEqual(found, ['line 10000.', 'line 20000.', 'line 30000.', 'line 40000.']);
    assert.deepEqual(stops, [20_000, 40_000, undefined]);
  });

  it('gives all output in the order of time, whatever the sizes of pages', async () => {
    const recorder = await begin();
    const ids = ['a', 'b', 'c'].map(name => attempt(recorder, ['demo', name], 1));
    const base = recorder.startedAt.getTime();
    // a and b take turns of 700 lines, c has a line in the middle
    for (let turn = 0; turn < 6; turn++) {
      const id = ids[turn % 2] ?? 0;
      const first = Math.floor(turn / 2) * 700 + 1;
      recorder.onOutput(
        lines(recorder, id, first, Array.from({ length: 700 }, (_, i) => `${turn}-${i}`).join('\n'), {
          time: base + turn * 10,
        }),
      );
    }
    recorder.onOutput(lines(recorder, ids[2] ?? 0, 1, 'c', { time: base + 25, isError: true }));
    await end(recorder);
    const expected = Array.from({ length: 6 }, (_, turn) =>
      Array.from({ length: 700 }, (_, i) => `${turn}-${i}`),
    );
    const all = await collect(outputInOrder(store, recorder.runId));
    assert.deepEqual(messages(all), [...expected.slice(0, 3).flat(), 'c', ...expected.slice(3).flat()]);
    assert.deepEqual(messages(await collect(outputInOrder(store, recorder.runId, { errorsOnly: true }))), [
      'c',
    ]);
    assert.equal(
      (await collect(outputInOrder(store, recorder.runId, { path: ['demo', 'b'] }))).length,
      2_100,
    );
  });

  it('follows a run from its beginning to its end, as it goes on', async () => {
    const recorder = await begin();
    const a = recorder.nextNodeRunId();
    recorder.onEvent(started(recorder, ['demo', 'a']), a);
    recorder.onOutput(lines(recorder, a, 1, 'before'));
    await recorder.flush();
    const seen: string[] = [];
    const describeItem = (item: Followed): string => {
      switch (item.type) {
        case 'line':
          return item.line.message;
        case 'node':
          return `${item.nodePath.join('/')} ${item.status}`;
        case 'end':
          return `end ${item.status}`;
      }
    };
    const following = (async () => {
      for await (const item of followRun(store, recorder.runId, { lookAfter: 600 })) {
        const text = describeItem(item);
        seen.push(text);
        // Every step is answered by the next one, so nothing is left to chance or to the slow look.
        if (text === 'before') recorder.onOutput(lines(recorder, a, 2, 'during\nmore'));
        if (text === 'more') {
          const b = recorder.nextNodeRunId();
          recorder.onEvent(started(recorder, ['demo', 'b']), b);
          recorder.onOutput(lines(recorder, b, 1, 'of b'));
          recorder.onEvent(ended(recorder, ['demo', 'a']), a);
        }
        if (text === 'of b') {
          recorder.onOutput(lines(recorder, a, 4, 'last words'));
          await end(recorder);
        }
      }
    })();
    await following;
    assert.deepEqual(seen, [
      'demo/a running',
      'before',
      'during',
      'more',
      'demo/a succeeded',
      'demo/b running',
      'of b',
      'demo/b lost',
      'last words',
      'end succeeded',
    ]);
    const again = await collect(followRun(store, recorder.runId, { path: ['demo', 'b'] }));
    assert.deepEqual(again.map(describeItem), ['demo/b lost', 'of b', 'end succeeded']);
  });

  it('ends following when the runner is dead, when told so, and when there is no such run', async () => {
    const recorder = await begin();
    const stopped = AbortSignal.abort();
    assert.deepEqual(await collect(followRun(store, recorder.runId, { signal: stopped })), []);
    await assert.rejects(collect(followRun(store, 999_999)), {
      message: 'There is no run 999999 in the store.',
    });
    await end(recorder);
    const client = await store.connect();
    await client.query("UPDATE run SET status = 'running', ended_at = NULL WHERE run_id = $1", [
      recorder.runId,
    ]);
    await client.end();
    const [last] = await collect(followRun(store, recorder.runId, { lookAfter: 0.01 }));
    assert.equal(last?.type === 'end' && last.status, 'lost');
  });
});
