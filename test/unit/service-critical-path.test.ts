import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { NodeRunRecord } from '../../runner/records.ts';
import { flatten, isWork, type RunGraph, type RunNode } from '../../runner/scheduler/run-graph.ts';
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import { criticalPath } from '../../runner/service/critical-path.ts';
import { expectedWork, peakConcurrency, runProgress } from '../../runner/service/run-progress.ts';

function node(path: NodePath, upstreams: string[], children: PlanNode[] = []): PlanNode {
  const kind = children.length > 0 || path.length === 0 ? 'pipeline' : 'task';
  return { id: path.at(-1) ?? '', path, kind, upstreams, children };
}

/** Pipelines up to three levels deep, each node after some of those before it. */
const plans: fc.Arbitrary<PlanNode> = fc
  .array(
    fc.record({
      children: fc.array(fc.array(fc.nat(3), { maxLength: 2 }), { maxLength: 3 }),
      upstreams: fc.array(fc.nat(5), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map(given => {
    const ids = (indexes: readonly number[], before: number): string[] => [
      ...new Set(indexes.filter(index => index < before).map(index => `n${index}`)),
    ];
    const children = given.map(({ children: inner, upstreams }, index) =>
      node(
        [`n${index}`],
        ids(upstreams, index),
        inner.map((wanted, at) => node([`n${index}`, `n${at}`], ids(wanted, at))),
      ),
    );
    return node([], [], children);
  });

let nextId = 0;

function ran(path: NodePath, startedAt: number, endedAt: number | null, overrides = {}): NodeRunRecord {
  return {
    nodeRunId: ++nextId,
    runId: 1,
    nodePath: path,
    kind: 'task',
    attempt: 1,
    status: endedAt === null ? 'running' : 'succeeded',
    startedAt,
    endedAt,
    cost: 0,
    rowsProcessed: null,
    exitCode: null,
    error: null,
    reason: null,
    ...overrides,
  };
}

/** Tasks whose end a task waits for: through the gates of pipelines. */
function waitsFor(): (task: RunNode) => Set<RunNode> {
  const leaves = (of: RunNode): RunNode[] => (of.children.length > 0 ? of.children.flatMap(leaves) : [of]);
  const known = new Map<RunNode, Set<RunNode>>();
  const of = (task: RunNode): Set<RunNode> => {
    const found = known.get(task);
    if (found !== undefined) return found;
    const waits = new Set<RunNode>();
    known.set(task, waits);
    for (let at: RunNode | null = task; at !== null; at = at.parent) {
      for (const upstream of at.upstreams)
        for (const leaf of leaves(upstream)) {
          waits.add(leaf);
          for (const further of of(leaf)) waits.add(further);
        }
    }
    return waits;
  };
  return of;
}

/** Lets every task start as soon as everything that it waits for has ended. */
function simulate(graph: RunGraph, durations: readonly number[]): NodeRunRecord[] {
  const waits = waitsFor();
  const ends = new Map<RunNode, number>();
  const endOf = (task: RunNode): number => {
    const known = ends.get(task);
    if (known !== undefined) return known;
    const start = Math.max(0, ...[...waits(task)].map(endOf));
    const end = start + 1 + (durations[task.index % durations.length] ?? 0);
    ends.set(task, end);
    return end;
  };
  return graph.nodes.filter(isWork).map(task => {
    const end = endOf(task);
    const start = Math.max(0, ...[...waits(task)].map(endOf));
    return ran(task.path, start, end);
  });
}

const durations = fc.array(fc.nat(50), { minLength: 1, maxLength: 12 });

describe('critical path of a run', () => {
  it('with enough slots leads without a gap from the beginning to the end', () => {
    fc.assert(
      fc.property(plans, durations, (plan, given) => {
        const graph = flatten(plan);
        const runs = simulate(graph, given);
        const byId = new Map(runs.map(run => [run.nodeRunId, run]));
        const chain = criticalPath(graph, runs).map(id => byId.get(id));
        const end = Math.max(0, ...runs.map(run => run.endedAt ?? 0));
        assert.equal(chain.at(-1)?.endedAt ?? 0, end);
        assert.equal(chain[0]?.startedAt ?? 0, 0);
        for (const [at, run] of chain.entries())
          if (at > 0) assert.equal(run?.startedAt, chain[at - 1]?.endedAt);
      }),
    );
  });

  it('is a chain of tasks that waited for one another, whatever ran', () => {
    fc.assert(
      fc.property(
        plans,
        durations,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        (plan, given, kept) => {
          const graph = flatten(plan);
          const runs = simulate(graph, given).filter((_, at) => kept[at % kept.length]);
          const waits = waitsFor();
          const nodes = new Map(graph.nodes.map(one => [formatPath(one.path), one]));
          const byId = new Map(runs.map(run => [run.nodeRunId, nodes.get(formatPath(run.nodePath))]));
          const chain = criticalPath(graph, runs).map(id => byId.get(id));
          assert.equal(chain.length > 0, runs.length > 0);
          for (const [at, task] of chain.entries()) {
            const before = chain[at - 1];
            if (at > 0) assert.ok(task !== undefined && before !== undefined && waits(task).has(before));
          }
        },
      ),
    );
  });

  it('goes through nested pipelines, attempts that were tried again, and what parallel tasks made', () => {
    const parallel: PlanNode = {
      id: 'many',
      path: ['many'],
      kind: 'parallel',
      upstreams: ['load'],
      children: [],
    };
    const graph = flatten(
      node(
        [],
        [],
        [
          node(['load'], [], [node(['load', 'a'], []), node(['load', 'b'], [])]),
          parallel,
          node(['end'], ['many']),
        ],
      ),
    );
    const runs = [
      ran(['load', 'a'], 0, 10),
      ran(['load', 'b'], 0, 20, { status: 'failed' }),
      ran(['load', 'b'], 28, 40, { attempt: 2 }),
      ran(['many'], 40, 90, { kind: 'parallel' }),
      ran(['many', 'before'], 41, 45),
      ran(['many', 'c0'], 45, 80),
      ran(['many', 'c1'], 45, 60),
      ran(['many', 'after'], 80, 90),
      ran(['end'], 90, 95),
    ];
    const names = new Map(runs.map(run => [run.nodeRunId, `${formatPath(run.nodePath)} ${run.attempt}`]));
    assert.deepEqual(
      criticalPath(graph, runs).map(id => names.get(id)),
      ['load/b 1', 'load/b 2', 'many 1', 'many/before 1', 'many/c0 1', 'many/after 1', 'end 1'],
    );
  });

  it('without a graph is the task that ended last, and nothing while none has', () => {
    const last = ran(['b'], 0, 20);
    assert.deepEqual(criticalPath(null, [ran(['a'], 0, 10), last]), [last.nodeRunId]);
    assert.deepEqual(criticalPath(null, [ran(['a'], 0, null)]), []);
    assert.deepEqual(criticalPath(flatten(node([], [])), []), []);
  });
});

describe('progress of a run', () => {
  const graph = flatten(
    node([], [], [node(['a'], []), node(['b'], ['a']), node(['c'], ['a']), node(['d'], ['b', 'c'])]),
  );
  const averages = new Map([
    ['a', 10],
    ['b', 20],
    ['c', 10],
  ]);

  it('goes by what tasks usually take; one without history takes as long as the median', () => {
    const work = expectedWork(graph, averages);
    assert.equal(work.expected.get('d'), 10);
    const at = (nodeRuns: NodeRunRecord[], seconds: number, ended = false) =>
      runProgress(work, { nodeRuns, ended, now: seconds * 1000, slots: 2 });
    assert.deepEqual(at([], 0), { fraction: 0, finished: 0, total: 4, left: 40 });
    const a = ran(['a'], 0, 10_000);
    assert.deepEqual(at([a, ran(['b'], 10_000, null), ran(['c'], 10_000, null)], 15), {
      fraction: 0.4,
      finished: 1,
      total: 4,
      left: 25,
    });
    // Who takes longer than usual has no more than nothing left.
    assert.equal(at([a, ran(['b'], 10_000, null)], 1_000).left, 20);
    const all = [a, ran(['b'], 0, 1), ran(['c'], 0, 1), ran(['d'], 0, 1, { status: 'failed' })];
    assert.deepEqual(at(all, 50, true), { fraction: 1, finished: 4, total: 4, left: null });
  });

  it('takes into account that not everything can run at once', () => {
    const wide = flatten(
      node(
        [],
        [],
        Array.from({ length: 10 }, (_, i) => node([`t${i}`], [])),
      ),
    );
    const work = expectedWork(wide, new Map(Array.from({ length: 10 }, (_, i) => [`t${i}`, 6])));
    assert.equal(runProgress(work, { nodeRuns: [], ended: false, now: 0, slots: 2 }).left, 30);
  });

  it('counts tasks where there is no history, and children of parallel tasks on top', () => {
    const parallel: PlanNode = { id: 'p', path: ['p'], kind: 'parallel', upstreams: [], children: [] };
    const work = expectedWork(flatten(node([], [], [parallel, node(['z'], ['p'])])), new Map());
    const nodeRuns = [
      ran(['p'], 0, null, { kind: 'parallel' }),
      ran(['p', 'x'], 0, 5),
      ran(['p', 'y'], 0, null),
    ];
    assert.deepEqual(runProgress(work, { nodeRuns, ended: false, now: 9, slots: 2 }), {
      fraction: 0.25,
      finished: 1,
      total: 4,
      left: null,
    });
  });

  it('never goes back as tasks end, and never leaves 0 to 1', () => {
    fc.assert(
      fc.property(plans, durations, fc.nat(3), (plan, given, slots) => {
        const any = flatten(plan);
        const runs = simulate(any, given);
        const work = expectedWork(any, new Map(runs.map((run, at) => [formatPath(run.nodePath), at % 4])));
        const end = Math.max(0, ...runs.map(run => run.endedAt ?? 0));
        let before = 0;
        for (let now = 0; now <= end; now++) {
          const nodeRuns = runs
            .filter(run => (run.startedAt ?? 0) <= now)
            .map(run =>
              (run.endedAt ?? 0) <= now ? run : { ...run, endedAt: null, status: 'running' as const },
            );
          const { fraction, left, total, finished } = runProgress(work, {
            nodeRuns,
            ended: false,
            now,
            slots,
          });
          assert.ok(fraction >= before && fraction <= 1, `${String(fraction)} after ${String(before)}`);
          assert.ok(left === null || left >= 0);
          assert.ok(finished <= total && total === any.taskCount);
          before = fraction;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('sees how many tasks ran at once', () => {
    assert.equal(peakConcurrency([ran(['a'], 0, 10), ran(['b'], 10, 20), ran(['c'], 5, 12)]), 2);
    assert.equal(peakConcurrency([]), 0);
  });
});
