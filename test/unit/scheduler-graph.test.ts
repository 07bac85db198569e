/** The graph that runs: edges, gates, passages, expansion, and what cannot be run. */
import assert from 'node:assert/strict';
import { compareDeclaration, flatten, type RunGraph } from '../../runner/scheduler/run-graph.ts';
import { Scheduler } from '../../runner/scheduler/scheduler.ts';
import { parallel, pipeline, placed, plan, task } from '../support/plans.ts';
import { simulate } from '../support/simulate.ts';

function paths(graph: RunGraph): string[] {
  return graph.nodes.map(node => `${node.isPassage ? '-' : ''}${node.path.join('/')}`);
}

/** Paths in the order in which they start when there is one slot. */
function startOrder(graph: RunGraph): string[] {
  const scheduler = new Scheduler(graph, { slots: 1, defaultMaxRetries: 0 });
  const { steps } = simulate(scheduler, () => ({ seconds: 1, outcome: 'succeeded' }));
  return steps.flatMap(({ decisions }) =>
    decisions.flatMap(decision => (decision.type === 'start' ? [graph.pathOf(decision.node).join('/')] : [])),
  );
}

describe('scheduler: run graph', () => {
  it('numbers nodes in declaration order and counts tasks and parallel tasks', () => {
    const graph = flatten(plan([task('a'), pipeline('p', ['a'], [task('x'), parallel('y')])]));
    assert.deepEqual(paths(graph), ['', 'a', 'p', 'p/x', 'p/y']);
    assert.deepEqual([graph.size, graph.taskCount], [5, 3]);
    assert.deepEqual([graph.pathOf(4), graph.kindOf(4)], [['p', 'y'], 'parallel']);
    assert.throws(() => graph.node(5), { message: 'there is no node with index 5' });
  });

  it('has no more edges than the plan, however wide nested pipelines are', () => {
    const wide = (id: string, upstreams: string[]) =>
      pipeline(
        id,
        upstreams,
        Array.from({ length: 1000 }, (_, index) => task(`t${String(index)}`)),
      );
    const graph = flatten(plan([wide('a', []), wide('b', ['a']), wide('c', ['b', 'b'])]));
    assert.equal(
      graph.nodes.reduce((sum, node) => sum + node.downstreams.length, 0),
      2,
    );
    assert.equal(
      graph.nodes.reduce((sum, node) => sum + node.upstreams.length, 0),
      2,
    );
  });

  it('makes passages of what is not repeated, so that the rest keeps its order', () => {
    const root = plan([
      task('a'),
      pipeline('p', ['a'], [task('x'), task('y', ['x']), task('z', ['y'])]),
      pipeline('q', ['p'], [task('u'), task('v')]),
      task('b', ['q']),
    ]);
    const graph = flatten(root, { unrepeated: new Set(['a', 'p', 'p/y', 'q/u', 'q/v']) });
    assert.deepEqual(paths(graph), ['', '-a', 'p', 'p/x', '-p/y', 'p/z', '-q', 'b']);
    assert.equal(graph.taskCount, 3);
    assert.deepEqual(startOrder(graph), ['p/x', 'p/z', 'b']);
  });

  it('goes through any number of passages and of empty pipelines at once', () => {
    const ids = Array.from({ length: 50_000 }, (_, index) => `t${String(index)}`);
    const upstreams = (index: number) => ids.slice(Math.max(0, index - 1), index);
    const passages = plan(ids.map((id, index) => task(id, upstreams(index))));
    const last = new Set(ids.slice(0, -1));
    assert.deepEqual(startOrder(flatten(passages, { unrepeated: last })), ['t49999']);
    assert.deepEqual(startOrder(flatten(passages, { unrepeated: new Set(ids) })), []);
    const empty = plan([
      ...ids.map((id, index) => pipeline(id, upstreams(index), [])),
      task('end', ['t49999']),
    ]);
    assert.deepEqual(startOrder(flatten(empty)), ['end']);
  });

  it('grows when a parallel task is expanded; its children stand where it was declared', () => {
    const graph = flatten(plan([task('a'), parallel('p', [], { maxParallelTasks: 2 }), task('b')]), {
      unrepeated: new Set(['p/done']),
    });
    graph.expand(2, placed([task('done'), task('x', ['done']), pipeline('y', [], [task('z')])], ['p']), 3);
    assert.deepEqual(paths(graph), ['', 'a', 'p', 'b', '-p/done', 'p/x', 'p/y', 'p/y/z']);
    assert.deepEqual([graph.taskCount, graph.node(2).maxParallelTasks], [5, 3]);
    assert.deepEqual(
      graph.nodes.toSorted(compareDeclaration).map(node => node.path.join('/')),
      ['', 'a', 'p', 'p/done', 'p/x', 'p/y', 'p/y/z', 'b'],
    );
    assert.throws(
      () => {
        graph.expand(2, []);
      },
      { message: '"p" cannot be expanded' },
    );
  });

  it('lists the cycle of a plan that cannot run', () => {
    const message = 'pipeline "p" has a cycle: a -> c -> b -> a';
    const cycle = [
      task('start'),
      task('a', ['start', 'b']),
      task('b', ['c']),
      task('c', ['a']),
      task('end', ['c']),
    ];
    assert.throws(() => flatten(plan([pipeline('p', [], cycle)])), { message });
    assert.throws(() => flatten(plan([task('self', ['self'])])), {
      message: 'the root pipeline has a cycle: self -> self',
    });
  });

  it('refuses unknown upstreams, ids that come twice and impossible limits', () => {
    assert.throws(() => flatten(plan([pipeline('p', [], [task('a', ['b'])])])), {
      message: '"p/a" waits for "b", which is not in pipeline "p"',
    });
    assert.throws(() => flatten(plan([task('a'), task('a')])), {
      message: 'the root pipeline has two nodes with the id "a"',
    });
    assert.throws(() => flatten(plan([pipeline('p', [], [], { maxParallelTasks: 0 })])), {
      message: 'maxParallelTasks of "p" must be a whole number from 1, not 0',
    });
  });

  it('is as it was when the children of a parallel task cannot be run', () => {
    const graph = flatten(plan([parallel('p')]));
    const children = placed([pipeline('q', [], [task('a', ['b']), task('b', ['a'])])], ['p']);
    assert.throws(
      () => {
        graph.expand(1, children);
      },
      { message: 'pipeline "p/q" has a cycle: a -> b -> a' },
    );
    assert.equal(graph.size, 2);
    graph.expand(1, placed([task('a')], ['p']));
    assert.equal(graph.size, 3);
  });
});
