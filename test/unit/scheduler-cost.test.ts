/** Costs that order ready tasks, and the figures that pages show. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath } from '../../runner/model.ts';
import { CostModel, criticalPath, nodeFigures } from '../../runner/scheduler/cost.ts';
import { flatten, type RunGraph, type RunNode } from '../../runner/scheduler/run-graph.ts';
import { allNodes, draftsArbitrary, parallel, pipeline, placed, plan, task } from '../support/plans.ts';

function costsByPath(graph: RunGraph, model: CostModel): Record<string, number> {
  return Object.fromEntries(
    graph.nodes.slice(1).map(({ index, path }) => [formatPath(path), model.cost(index)]),
  );
}

/** The example of mara-pipelines: a, then p with x and y side by side, then z; and q on its own. */
const EXAMPLE = plan([
  task('a'),
  pipeline('p', ['a'], [task('x'), task('y'), task('w')]),
  task('z', ['p']),
  task('q'),
]);
const HISTORY = new Map([
  ['a', 1],
  ['p', 12],
  ['p/x', 10],
  ['p/y', 10],
  ['p/removed', 100],
  ['z', 5],
  ['q', 20],
]);

/** Every task with the tasks that can follow it directly once all pipelines are dissolved: m × n edges. */
function dissolve(graph: RunGraph): Map<RunNode, RunNode[]> {
  const firsts = (node: RunNode): RunNode[] =>
    node.kind !== 'pipeline'
      ? [node]
      : node.children.length === 0
        ? nexts(node)
        : node.children.filter(child => child.upstreams.length === 0).flatMap(firsts);
  const nexts = (node: RunNode): RunNode[] =>
    node.downstreams.length > 0
      ? node.downstreams.flatMap(firsts)
      : node.parent === null
        ? []
        : nexts(node.parent);
  return new Map(
    graph.nodes.filter(node => node.kind !== 'pipeline').map(node => [node, [...new Set(nexts(node))]]),
  );
}

describe('scheduler: cost', () => {
  it('is the critical path; tasks without history count with the median of the others', () => {
    const graph = flatten(EXAMPLE);
    const model = new CostModel(graph, HISTORY);
    assert.deepEqual(costsByPath(graph, model), {
      a: 16,
      p: 15,
      'p/x': 15,
      'p/y': 15,
      'p/w': 15,
      z: 5,
      q: 20,
    });
    assert.equal(model.hasHistory, true);
    assert.deepEqual([model.average(5), model.duration(5)], [null, 10]);
    assert.deepEqual([model.average(2), model.duration(2)], [12, 0]);
  });

  it('is 0 without history; what remains is the number of tasks to the end', () => {
    const graph = flatten(EXAMPLE);
    const model = new CostModel(graph, new Map([['removed', 5]]));
    assert.deepEqual(new Set(Object.values(costsByPath(graph, model))), new Set([0]));
    assert.equal(model.hasHistory, false);
    assert.deepEqual(
      graph.nodes.map(({ index }) => model.steps(index)),
      [3, 3, 2, 2, 2, 2, 1, 1],
    );
  });

  it('covers the children of an expanded parallel task', () => {
    const graph = flatten(plan([parallel('p'), task('b', ['p'])]));
    const model = new CostModel(
      graph,
      new Map([
        ['p', 7],
        ['p/x', 3],
        ['b', 5],
      ]),
    );
    assert.deepEqual(costsByPath(graph, model), { p: 12, b: 5 });
    graph.expand(1, placed([task('x'), task('y', ['x'])], ['p']));
    model.addChildren(1);
    assert.deepEqual(costsByPath(graph, model), { p: 12, b: 5, 'p/x': 14, 'p/y': 11 });
  });

  it('names the critical path', () => {
    const names = (history: ReadonlyMap<string, number>, unrepeated: string[] = []) => {
      const { nodes, seconds } = criticalPath(flatten(EXAMPLE, { unrepeated: new Set(unrepeated) }), history);
      return [nodes.map(node => formatPath(node.path)), seconds];
    };
    assert.deepEqual(names(HISTORY), [['q'], 20]);
    assert.deepEqual(names(new Map()), [['a', 'p/x', 'z'], 0]);
    assert.deepEqual(names(HISTORY, ['q', 'a', 'p/x']), [['p/y', 'z'], 15]);
    assert.deepEqual(names(HISTORY, ['q', 'a', 'p/x', 'p/y', 'p/w', 'z']), [[], 0]);
  });

  it('equals the longest way through the graph without pipelines', () => {
    fc.assert(
      fc.property(draftsArbitrary(3), fc.infiniteStream(fc.nat({ max: 9 })), (drafts, seconds) => {
        const root = plan(drafts);
        const graph = flatten(root);
        const history = new Map(
          allNodes(root).map(node => [formatPath(node.path), Number(seconds.next().value)]),
        );
        const model = new CostModel(graph, history);
        const next = dissolve(graph);
        const longest = (node: RunNode): number =>
          (history.get(formatPath(node.path)) ?? 0) + Math.max(0, ...(next.get(node) ?? []).map(longest));
        const most = (node: RunNode): number => 1 + Math.max(0, ...(next.get(node) ?? []).map(most));
        for (const node of next.keys()) {
          assert.equal(model.cost(node.index), longest(node));
          assert.equal(model.steps(node.index), most(node));
        }
        const { nodes, seconds: total } = model.criticalPath();
        assert.equal(total, Math.max(0, ...[...next.keys()].map(longest)));
        assert.equal(
          total,
          nodes.reduce((sum, node) => sum + model.duration(node.index), 0),
        );
        for (const [position, node] of nodes.entries()) {
          const following = nodes[position + 1];
          if (following !== undefined) assert.ok(next.get(node)?.includes(following));
        }
      }),
    );
  });
});

describe('scheduler: figures for pages', () => {
  it('are those of mara-pipelines, without what was removed', () => {
    const graph = flatten(EXAMPLE);
    const figures = nodeFigures(graph, HISTORY);
    const shown = graph.nodes.map(({ index, path }) => {
      const { averageDuration, averageRunTime, cost } = figures[index] ?? {};
      return [formatPath(path), averageDuration, averageRunTime, cost];
    });
    assert.deepEqual(shown, [
      ['', null, 46, 46],
      ['a', 1, 1, 26],
      ['p', 12, 20, 25],
      ['p/x', 10, 10, 15],
      ['p/y', 10, 10, 15],
      ['p/w', null, null, 5],
      ['z', 5, 5, 5],
      ['q', 20, 20, 20],
    ]);
  });
});
