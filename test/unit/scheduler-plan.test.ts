/** Which part of a plan runs, and in which order it stays. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath, isAtOrBelow, parsePath } from '../../runner/model.ts';
import { selectNodes, type PlanNode } from '../../runner/scheduler/plan.ts';
import { allNodes, draftsArbitrary, parallel, pipeline, plan, task } from '../support/plans.ts';

/** One line a node: its path and what it waits for. */
function show(root: PlanNode): string[] {
  return allNodes(root)
    .slice(1)
    .map(({ path, upstreams }) => [formatPath(path), ...upstreams.map(id => `<${id}`)].join(' '));
}

function select(root: PlanNode, nodes: readonly string[], withUpstreams = false): PlanNode {
  return selectNodes(root, { nodes: nodes.map(parsePath), withUpstreams });
}

const EXAMPLE = plan([
  task('a'),
  pipeline('p', ['a'], [task('x'), task('y', ['x']), task('z', ['y'])], {
    maxParallelTasks: 2,
    onFailure: 'runAll',
  }),
  pipeline('q', ['p'], [task('u'), task('v', ['u'])]),
  task('b', ['q']),
  parallel('files', ['b']),
  task('alone'),
]);

/** Whether one node comes after another because of the edges between siblings, at any level. */
function orderOf(root: PlanNode): (first: PlanNode['path'], second: PlanNode['path']) => boolean {
  const byPath = new Map(allNodes(root).map(node => [formatPath(node.path), node]));
  return (first, second) => {
    let level = 0;
    while (first[level] === second[level]) level++;
    const prefix = first.slice(0, level);
    const reached = new Set([second[level] ?? '']);
    for (const id of reached) {
      for (const upstream of byPath.get(formatPath([...prefix, id]))?.upstreams ?? []) reached.add(upstream);
    }
    return first[level] !== second[level] && reached.has(first[level] ?? '');
  };
}

describe('scheduler: plan', () => {
  it('selects the whole plan when nothing is named', () => {
    assert.equal(select(EXAMPLE, []), EXAMPLE);
  });

  it('removes with bridging at each level and keeps limits and policies', () => {
    const selected = select(EXAMPLE, ['a', 'p/x', 'p/z', 'b']);
    assert.deepEqual(show(selected), ['a', 'p <a', 'p/x', 'p/z <x', 'b <p']);
    const p = selected.children[1];
    assert.deepEqual([p?.maxParallelTasks, p?.onFailure], [2, 'runAll']);
  });

  it('takes everything in a selected pipeline', () => {
    assert.deepEqual(show(select(EXAMPLE, ['q'])), ['q', 'q/u', 'q/v <u']);
  });

  it('adds upstreams across levels: those of the pipelines around, with everything in them', () => {
    assert.deepEqual(show(select(EXAMPLE, ['q/v'], true)), [
      'a',
      'p <a',
      'p/x',
      'p/y <x',
      'p/z <y',
      'q <p',
      'q/u',
      'q/v <u',
    ]);
    assert.deepEqual(show(select(EXAMPLE, ['p/y'], true)), ['a', 'p <a', 'p/x', 'p/y <x']);
  });

  it('works on a pipeline further down, by paths from the top', () => {
    const [, p] = EXAMPLE.children;
    assert.ok(p);
    assert.deepEqual(show(select(p, ['p/z'])), ['p/z']);
    assert.equal(select(p, ['p']), p);
  });

  it('refuses paths that name no node', () => {
    assert.throws(() => select(EXAMPLE, ['p/nothing']), {
      message: 'there is no node "p/nothing" in the root pipeline',
    });
    assert.throws(() => select(EXAMPLE, ['files/monday']), {
      message: '"files/monday" is made by the parallel task "files" when that runs: select "files"',
    });
  });

  it('does not mind long chains of removed nodes', () => {
    const ids = Array.from({ length: 50_000 }, (_, index) => `t${String(index)}`);
    const chain = plan(ids.map((id, index) => task(id, ids.slice(Math.max(0, index - 1), index))));
    assert.deepEqual(show(select(chain, ['t0', 't49999'])), ['t0', 't49999 <t0']);
    assert.equal(select(chain, ['t49999'], true).children.length, 50_000);
  });

  it('keeps the order between any two nodes that stay, and adds none', () => {
    fc.assert(
      fc.property(
        draftsArbitrary(3, 8),
        fc.infiniteStream(fc.boolean()),
        fc.boolean(),
        (drafts, coins, withUpstreams) => {
          const root = plan(drafts);
          const nodes = allNodes(root)
            .slice(1)
            .filter(() => coins.next().value)
            .map(node => node.path);
          fc.pre(nodes.length > 0);
          const selected = selectNodes(root, { nodes, withUpstreams });
          const before = orderOf(root);
          const after = orderOf(selected);
          const kept = allNodes(selected).slice(1);
          const unrelated = (a: PlanNode, b: PlanNode) =>
            !isAtOrBelow(a.path, b.path) && !isAtOrBelow(b.path, a.path);
          for (const a of kept) {
            for (const b of kept) {
              if (unrelated(a, b)) assert.equal(after(a.path, b.path), before(a.path, b.path));
            }
          }
          const isKept = new Set(kept.map(node => formatPath(node.path)));
          for (const node of allNodes(root).slice(1)) {
            const wanted =
              nodes.some(path => isAtOrBelow(node.path, path) || isAtOrBelow(path, node.path)) ||
              (withUpstreams &&
                nodes.some(
                  path =>
                    !isAtOrBelow(path, node.path) &&
                    (before(node.path, path) || isBelowUpstream(node.path, path, before)),
                ));
            assert.equal(isKept.has(formatPath(node.path)), wanted, formatPath(node.path));
          }
        },
      ),
    );
  });
});

/** Whether a node comes before what a path names; its pipelines then do, too. */
function isBelowUpstream(
  path: PlanNode['path'],
  selected: PlanNode['path'],
  before: (first: PlanNode['path'], second: PlanNode['path']) => boolean,
): boolean {
  return path.some(
    (_, length) =>
      length > 0 && !isAtOrBelow(selected, path.slice(0, length)) && before(path.slice(0, length), selected),
  );
}
