import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NodeGraph, NodeKind, NodeRunStatus } from '../../runner/model.ts';
import type { NodeRunRecord, RunDetailsRecord, RunRecord, StatisticsRecord } from '../../runner/records.ts';
import { progressSegments } from '../../webview/pages/run/progress.ts';
import { roundUp, share, ticks } from '../../webview/timeline/axis.ts';
import { layoutTimeline, MIN_BAR, type Segment, type TimelineNode } from '../../webview/timeline/layout.ts';
import { labelOf, nodeHistories, timelineContent } from '../../webview/timeline/nodes.ts';
import { linePath, statisticsSeries, valueAt } from '../../webview/timeline/statistics.ts';

const measure = (text: string): number => 24 + text.length * 6;

const segment = (start: number, end: number, kind: Segment['kind'] = 'attempt'): Segment => ({
  kind,
  state: 'succeeded',
  start,
  end,
  nodeRunId: null,
  attempt: null,
  critical: false,
});

const node = (label: string, ...segments: Segment[]): TimelineNode => ({
  path: label.split(' / '),
  label,
  short: label.split(' / ').at(-1) ?? '',
  state: 'succeeded',
  container: false,
  segments,
});

const anyNode = fc
  .record({
    label: fc.string({ minLength: 1, maxLength: 40 }),
    container: fc.boolean(),
    parts: fc.array(fc.record({ pause: fc.nat(50), length: fc.nat(200), waits: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
    start: fc.nat(500),
  })
  .map(({ label, container, parts, start }): TimelineNode => {
    const segments: Segment[] = [];
    let at = start;
    for (const { pause, length, waits } of parts) {
      if (waits && segments.length > 0) segments.push(segment(at, at + pause, 'wait'));
      at += pause;
      segments.push(segment(at, at + length));
      at += length;
    }
    return { ...node(label, ...segments), container };
  });

describe('timeline: layout', () => {
  const scale = { from: 0, to: 100 };

  it('a label stands in the widest part, else right, else left, else without its path, else over the bar', () => {
    const place = (width: number, one: TimelineNode): [string, string] => {
      const [placed] = layoutTimeline([one], { scale, width, measure }).tasks.placed;
      assert.ok(placed !== undefined);
      return [placed.label.place, placed.label.text];
    };
    assert.deepEqual(place(1000, node('a / b', segment(0, 2), segment(2, 90))), ['inside', 'a / b']);
    assert.deepEqual(place(1000, node('a / b', segment(10, 11))), ['right', 'a / b']);
    assert.deepEqual(place(1000, node('a / b', segment(98, 100))), ['left', 'a / b']);
    assert.deepEqual(place(100, node('abcdef / b', segment(30, 65))), ['inside', 'b']);
    assert.deepEqual(place(100, node('abcdef / bcdefg', segment(30, 65))), ['over', 'bcdefg']);
    assert.deepEqual(place(30, node('abcdef', segment(0, 1))), ['over', 'abcdef']);
  });

  it('what is expected of an attempt is one bar with it', () => {
    const [placed] = layoutTimeline([node('abcdefgh', segment(20, 50), segment(50, 80, 'expected'))], {
      scale,
      width: 150,
      measure,
    }).tasks.placed;
    assert.deepEqual(placed?.label, { text: 'abcdefgh', left: 30, width: 72, place: 'inside' });
  });

  it('stands across the moment only where there is no room beside the bar', () => {
    const one = node('a / bc', segment(0, 50), segment(50, 80, 'expected'));
    const [placed] = layoutTimeline([one], { scale, width: 100, measure }).tasks.placed;
    assert.deepEqual(placed?.label, { text: 'bc', left: 0, width: measure('bc'), place: 'inside' });
    const [wide] = layoutTimeline([one], { scale, width: 400, measure }).tasks.placed;
    assert.equal(wide?.label.place, 'inside');
    const [late] = layoutTimeline([node('abcd / efgh', segment(40, 50), segment(50, 60, 'expected'))], {
      scale,
      width: 500,
      measure,
    }).tasks.placed;
    assert.equal(late?.label.place, 'right');
  });

  it('packs what does not meet into one lane', () => {
    const { tasks } = layoutTimeline(
      [node('a', segment(0, 10)), node('b', segment(5, 15)), node('c', segment(50, 60))],
      { scale, width: 1000, measure },
    );
    assert.deepEqual(
      tasks.placed.map(placed => [placed.node.label, placed.lane]),
      [
        ['a', 0],
        ['b', 1],
        ['c', 0],
      ],
    );
    assert.equal(tasks.count, 2);
  });

  it('nothing in a lane overlaps, nothing leaves the picture, no bar is too thin to hit', () => {
    fc.assert(
      fc.property(
        fc.array(anyNode, { maxLength: 60 }),
        fc.integer({ min: 40, max: 1400 }),
        (nodes, width) => {
          const layout = layoutTimeline(nodes, { scale: { from: 0, to: 1500 }, width, measure });
          assert.equal(layout.tasks.placed.length + layout.containers.placed.length, nodes.length);
          for (const { placed, count } of [layout.tasks, layout.containers]) {
            const ends: number[] = [];
            for (const { lane, segments, label } of placed) {
              const left = Math.min(label.left, ...segments.map(each => each.left));
              const right = Math.max(
                label.left + label.width,
                ...segments.map(each => each.left + each.width),
              );
              assert.ok(left >= 0 && right <= width + 0.001, `${left} to ${right} of ${width}`);
              assert.ok(left >= (ends[lane] ?? 0));
              ends[lane] = right;
              for (const { segment: each, width: wide } of segments)
                assert.ok(each.kind === 'wait' || wide >= MIN_BAR);
            }
            assert.equal(ends.length, count);
          }
        },
      ),
    );
  });
});

describe('timeline: axis', () => {
  it('has round ticks', () => {
    const labels = (from: number, to: number, width: number): string[] =>
      ticks({ from, to }, width).map(tick => tick.label);
    assert.deepEqual(labels(0, 120, 1100), [
      '0:00', '0:20', '0:40', '1:00', '1:20', '1:40', '2:00',
    ]); // prettier-ignore
    assert.deepEqual(labels(0, 0.4, 600), ['0:00.0', '0:00.1', '0:00.2', '0:00.3', '0:00.4']);
    assert.deepEqual(labels(0, 7200, 500), ['0:00', '30:00', '1:00:00', '1:30:00', '2:00:00']);
    assert.deepEqual(labels(0, 0, 500), ['0:00']);
  });

  it('has ticks in order, within the scale, with room for their labels', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0.001, max: 1e7, noNaN: true }),
        fc.integer({ min: 200, max: 1400 }),
        (from, span, width) => {
          const scale = { from, to: from + span };
          const list = ticks(scale, width);
          for (const [index, { at }] of list.entries()) {
            assert.ok(at >= scale.from - span * 1e-6 && at <= scale.to + span * 1e-6);
            const next = list[index + 1];
            if (next !== undefined) assert.ok((share(scale, next.at) - share(scale, at)) * width >= 60);
          }
        },
      ),
    );
  });

  it('a run that goes on has a round end that is not before what is expected', () => {
    assert.equal(roundUp(115), 120);
    assert.equal(roundUp(0), 0.2);
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e6, noNaN: true }), seconds => {
        assert.ok(roundUp(seconds) >= seconds && roundUp(seconds) <= Math.max(seconds, 1) * 1.6);
      }),
    );
  });
});

const T0 = Date.UTC(2026, 10, 20, 9, 38, 12);

const graph = (
  path: string,
  kind: NodeKind,
  upstreams: string[] = [],
  nodes: NodeGraph[] = [],
): NodeGraph => ({
  id: path.split('/').at(-1) ?? '',
  path: path === '' ? [] : path.split('/'),
  kind,
  description: '',
  labels: {},
  upstreams,
  nodes,
  commands: [],
  maxRetries: 1,
});

let lastId = 0;
const attempt = (
  path: string,
  status: NodeRunStatus,
  start: number | null,
  end: number | null,
  number = 1,
  kind: NodeKind = 'task',
): NodeRunRecord => ({
  nodeRunId: ++lastId,
  runId: 1,
  nodePath: path.split('/'),
  kind,
  attempt: number,
  status,
  startedAt: start === null ? null : T0 + start * 1000,
  endedAt: end === null ? null : T0 + end * 1000,
  cost: 0,
  rowsProcessed: null,
  exitCode: null,
  error: null,
  reason: null,
});

const details = (changes: Partial<RunDetailsRecord>, run: Partial<RunRecord> = {}): RunDetailsRecord => ({
  run: {
    runId: 1,
    pipelinePath: ['p'],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    status: 'running',
    startedAt: T0,
    endedAt: null,
    trigger: 'editor',
    startedBy: 'eva',
    host: 'h',
    codeVersion: null,
    runnerVersion: '1',
    resumedFrom: null,
    cancelRequestedAt: null,
    failure: null,
    ...run,
  },
  graph: graph('', 'pipeline', [], [
    graph('p', 'pipeline', [], [
      graph('p/a', 'task'),
      graph('p/b', 'task', ['a']),
      graph('p/q', 'pipeline', ['a'], [graph('p/q/c', 'task'), graph('p/q/d', 'task', ['c'])]),
    ]),
    graph('other', 'pipeline'),
  ]),
  nodeRuns: [],
  expected: { 'p/a': 10, 'p/b': 5, 'p/q/c': 20, 'p/q/d': 30 },
  progress: { fraction: 0, finished: 0, total: 4, left: null },
  criticalPath: [],
  ...changes,
}); // prettier-ignore

describe('timeline: what a run shows', () => {
  const content = (record: RunDetailsRecord, seconds: number, scope?: readonly string[]): unknown[] =>
    timelineContent(record, nodeHistories(record), T0 + seconds * 1000, scope).nodes.map(each => [
      each.label,
      each.state,
      ...each.segments.map(
        part => `${part.kind} ${part.start}–${part.end}${part.critical ? ' critical' : ''}`,
      ),
    ]);

  it('what goes on, what is queued at its expected time, and the critical path that is expected', () => {
    const record = details({
      nodeRuns: [attempt('p', 'running', 0, null, 1, 'pipeline'), attempt('p/a', 'running', 0, null)],
    });
    assert.deepEqual(content(record, 4), [
      ['a', 'running', 'attempt 0–4 critical', 'expected 4–10 critical'],
      ['b', 'queued', 'expected 10–15'],
      ['q', 'queued', 'expected 10–60'],
      ['q / c', 'queued', 'expected 10–30 critical'],
      ['q / d', 'queued', 'expected 30–60 critical'],
    ]);
  });

  it('a pipeline that goes on although something in it failed', () => {
    const record = details({
      nodeRuns: [
        attempt('p/q', 'running', 0, null, 1, 'pipeline'),
        attempt('p/q/c', 'failed', 0, 5, 2),
        attempt('p/q/d', 'running', 5, null),
      ],
    });
    const { nodes } = timelineContent(record, nodeHistories(record), T0 + 10_000);
    const states = nodes.map(({ label, state }) => `${label} ${state}`);
    assert.ok(states.includes('q failed') && states.includes('q / d running'), states.join());
  });

  it('attempts apart, with the wait between them', () => {
    const record = details({
      nodeRuns: [
        attempt('p/a', 'failed', 0, 2),
        attempt('p/a', 'succeeded', 5, 8, 2),
        attempt('p/b', 'failed', 8, 9),
      ],
    });
    assert.deepEqual(content(record, 12).slice(0, 2), [
      ['a', 'succeeded', 'attempt 0–2', 'wait 2–5', 'attempt 5–8'],
      ['b', 'waiting', 'attempt 8–9', 'wait 9–12', 'expected 12–17'],
    ]);
  });

  it('after the end only what happened; what was skipped has no bar', () => {
    const skipped = { ...attempt('p/b', 'skipped', null, 3), reason: 'upstream "p/a" failed' };
    const record = details(
      { nodeRuns: [attempt('p/a', 'failed', 0, 3), skipped] },
      { status: 'failed', endedAt: T0 + 3000 },
    );
    assert.deepEqual(content(record, 100), [['a', 'failed', 'attempt 0–3']]);
    assert.deepEqual(
      nodeHistories(record).map(({ path, state }) => [path.join('/'), state]),
      [
        ['p/a', 'failed'],
        ['p/b', 'skipped'],
      ],
    );
  });

  it('a selection with what it waits for', () => {
    const planned = (run: Partial<RunRecord>): string[] =>
      nodeHistories(details({}, run)).map(({ path }) => path.join('/'));
    assert.deepEqual(planned({ nodePaths: [['p', 'q', 'd']] }), ['p/q', 'p/q/d']);
    assert.deepEqual(planned({ nodePaths: [['p', 'q', 'd']], withUpstreams: true }), [
      'p/a',
      'p/q',
      'p/q/c',
      'p/q/d',
    ]);
    assert.deepEqual(planned({ nodePaths: [['p']] }), ['p/a', 'p/b', 'p/q', 'p/q/c', 'p/q/d']);
  });

  it('a node and what is below it', () => {
    const record = details({
      nodeRuns: [
        attempt('p/a', 'succeeded', 0, 10),
        attempt('p/q', 'running', 10, null, 1, 'pipeline'),
        attempt('p/q/c', 'running', 10, null),
      ],
    });
    assert.deepEqual(content(record, 12, ['p', 'q']), [
      ['q', 'running', 'attempt 10–12', 'expected 12–60'],
      ['q / c', 'running', 'attempt 10–12 critical', 'expected 12–30 critical'],
      ['q / d', 'queued', 'expected 30–60 critical'],
    ]);
    assert.equal(timelineContent(record, nodeHistories(record), T0, ['p', 'q']).from, 10);
  });

  it('names nodes below the pipeline that ran', () => {
    assert.equal(labelOf(['p', 'q', 'c'], ['p']), 'q / c');
    assert.equal(labelOf(['p'], ['p']), 'p');
    assert.equal(labelOf(['x', 'y'], ['p']), 'x / y');
  });
});

describe('run: progress', () => {
  it('is the fraction of the whole, shared out by expected duration', () => {
    const record = details({
      nodeRuns: [
        attempt('p/a', 'succeeded', 0, 10),
        attempt('p/b', 'failed', 10, 15, 2),
        attempt('p/q/c', 'running', 10, null),
      ],
    });
    assert.deepEqual(
      progressSegments(
        nodeHistories(record),
        { fraction: 0.5, finished: 2, total: 4, left: 40 },
        false,
        T0 + 20_000,
      ),
      [
        { state: 'succeeded', share: 20 },
        { state: 'failed', share: 10 },
        { state: 'running', share: 20 },
        { state: 'queued', share: 50 },
      ],
    );
  });

  it('leaves what did not run, when the run is over', () => {
    const over = { fraction: 1, finished: 4, total: 4, left: null };
    const shares = (...nodeRuns: readonly NodeRunRecord[]): Record<string, number> =>
      Object.fromEntries(
        progressSegments(nodeHistories(details({ nodeRuns }, { status: 'cancelled' })), over, true, T0).map(
          ({ state, share }) => [state, Math.round(share)],
        ),
      );
    assert.deepEqual(shares(attempt('p/x', 'succeeded', 0, 10), attempt('p/y', 'cancelled', 10, 15)), {
      succeeded: 25,
      failed: 0,
      running: 0,
      queued: 75,
    });
    assert.deepEqual(shares(), { running: 0, queued: 100 });
  });

  it('fills the bar, whatever happened', () => {
    const status = fc.constantFrom<NodeRunStatus>(
      'running',
      'succeeded',
      'failed',
      'skipped',
      'cancelled',
      'lost',
    );
    fc.assert(
      fc.property(
        fc.array(status, { maxLength: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (all, fraction, isOver) => {
          const record = details({
            nodeRuns: all.map((each, index) => attempt(`p/n${index}`, each, 0, null)),
          });
          const parts = progressSegments(
            nodeHistories(record),
            { fraction, finished: 0, total: 9, left: null },
            isOver,
            T0,
          );
          assert.ok(parts.every(part => part.share >= 0));
          assert.ok(Math.abs(parts.reduce((sum, part) => sum + part.share, 0) - 100) < 1e-6);
        },
      ),
    );
  });
});

describe('timeline: statistics', () => {
  const sample = (seconds: number, cpu: number | null, diskRead: number | null = null): StatisticsRecord => ({
    at: T0 + seconds * 1000,
    cpu,
    memory: null,
    swap: null,
    diskRead,
    diskWrite: null,
    netReceived: null,
    netSent: null,
  });

  it('shows what the platform tells', () => {
    const series = statisticsSeries([sample(0, 10), sample(1, 50, 5), sample(2, null, 20)], T0);
    assert.deepEqual(
      series.map(({ id, samples, top }) => [id, samples.map(each => each.value), top]),
      [
        ['cpu', [10, 50], 100],
        ['disk', [5, 20], 20],
      ],
    );
    const [cpu] = series;
    assert.ok(cpu !== undefined);
    assert.equal(valueAt(cpu, 1.5), 50);
    assert.equal(valueAt(cpu, -1), null);
    assert.deepEqual(linePath(cpu, { from: 0, to: 2 }), {
      line: 'M0 32.6L500 19.0',
      area: 'M0 32.6L500 19.0L500 36L0 36Z',
    });
  });

  it('draws a single sample as a point', () => {
    const [cpu] = statisticsSeries([sample(1, 50)], T0);
    assert.ok(cpu !== undefined);
    assert.deepEqual(linePath(cpu, { from: 0, to: 2 }), { line: 'M500 19.0h0', area: '' });
    assert.deepEqual(linePath(cpu, { from: 5, to: 9 }), { line: '', area: '' });
  });

  it('has not more points than can be seen, and keeps the peaks', () => {
    const records = Array.from({ length: 20_000 }, (_, index) => sample(index, index === 777 ? 100 : 1));
    const [cpu] = statisticsSeries(records, T0);
    assert.ok(cpu !== undefined);
    const { line } = linePath(cpu, { from: 0, to: 20_000 });
    assert.ok(line.split('L').length <= 2001);
    assert.match(line, / 2\.0L/);
  });
});
