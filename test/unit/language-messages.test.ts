import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { StaticNodeGraph } from '../../extension/analysis/analysis.ts';
import { type MergedNode, mergeGraphs } from '../../extension/analysis/merge-graphs.ts';
import { isSameJson, toMessages } from '../../extension/language/editor-nodes.ts';
import {
  type EditorNode,
  initializationOptions,
  loadedGraphMessage,
  loadedGraphText,
  outcomesMessage,
  pipelinesMessage,
  readLoadedGraph,
} from '../../extension/language/protocol.ts';
import type { NodeGraph } from '../../runner/model.ts';

type Given = Partial<Omit<StaticNodeGraph, 'nodes'>> & { readonly nodes?: readonly StaticNodeGraph[] };

function node(path: string, given: Given = {}): StaticNodeGraph {
  const ids = path === '' ? [] : path.split('/');
  return {
    id: ids.at(-1) ?? 'root',
    path: ids,
    kind: given.nodes === undefined ? 'task' : 'pipeline',
    description: '',
    labels: {},
    upstreams: [],
    nodes: [],
    commands: [],
    edges: [],
    ...given,
  };
}

function loaded(graph: StaticNodeGraph): NodeGraph {
  const { edges: _, addedAt: _added, unknown: _unknown, ...rest } = graph;
  return { ...rest, nodes: graph.nodes.map(loaded) };
}

/** Ids with where they come from, nested. */
function shape(graph: MergedNode): unknown {
  return graph.nodes.map(child =>
    child.nodes.length === 0 ? `${child.id} ${child.origin}` : [`${child.id} ${child.origin}`, shape(child)],
  );
}

describe('static and loaded graph', () => {
  it('are the same when both know the same', () => {
    const known = node('', {
      nodes: [node('a', { nodes: [node('a/x'), node('a/y', { upstreams: ['x'] })] })],
    });
    const { root, differences } = mergeGraphs(known, loaded(known));
    assert.deepEqual(shape(root), [['a static', ['x static', 'y static']]]);
    assert.deepEqual(differences, []);
  });

  it('fill what the analysis cannot know', () => {
    const known = node('', {
      nodes: [
        node('a', {
          nodes: [
            node('a/x', { unknown: [{ option: 'description', reason: 'the clock' }] }),
            node('a/maybe', { kind: 'dynamic', occurrence: 'conditional', reason: 'Whether …' }),
            node('a/never', { kind: 'dynamic', occurrence: 'conditional', reason: 'Whether …' }),
            node('a/…', { kind: 'dynamic', occurrence: 'repeated', reason: 'There may be …' }),
          ],
        }),
        node('…', { kind: 'dynamic', occurrence: 'repeated' }),
      ],
    });
    const ran = loaded(
      node('', {
        nodes: [
          node('a', { nodes: [node('a/x', { description: 'at noon' }), node('a/more'), node('a/maybe')] }),
          node('b', { nodes: [node('b/z')] }),
        ],
      }),
    );
    const { root, differences } = mergeGraphs(known, ran);
    assert.deepEqual(shape(root), [
      ['a static', ['x static', 'more loaded', 'maybe loaded']],
      ['b loaded', ['z loaded']],
    ]);
    assert.equal(root.nodes[0]?.nodes[0]?.description, 'at noon');
    assert.deepEqual(differences, []);
  });

  it('tell where they differ; the loaded one wins', () => {
    const known = node('', {
      nodes: [
        node('a', { nodes: [node('a/x', { description: 'one' }), node('a/gone')] }),
        node('b', { nodes: [] }),
      ],
    });
    const ran = loaded(
      node('', {
        nodes: [
          node('a', { nodes: [node('a/x', { description: 'two', upstreams: ['new'] }), node('a/new')] }),
        ],
      }),
    );
    const { root, differences } = mergeGraphs(known, ran);
    assert.deepEqual(shape(root), [['a static', ['x static', 'new loaded']]]);
    assert.deepEqual(differences, [
      '"a/gone" is not in the loaded graph',
      '"a/x": description is "two", not "one"',
      '"a/x": upstreams is ["new"], not []',
      '"a/new" is only in the loaded graph',
      '"b" is not in the loaded graph',
    ]);
  });

  it('keep what is being edited, and what could not be loaded', () => {
    const known = node('', {
      nodes: [node('a', { description: 'new' }), node('b'), node('c', { description: 'c' })],
    });
    const ran = loaded(node('', { nodes: [node('a', { description: 'old' }), node('c')] }));
    const { root, differences } = mergeGraphs(known, ran, {
      isIncomplete: true,
      isStale: id => id === 'a',
      isUncertain: id => id === 'c',
    });
    assert.deepEqual(
      root.nodes.map(({ id, description }) => [id, description]),
      [
        ['a', 'new'],
        ['b', ''],
        ['c', ''],
      ],
    );
    assert.deepEqual(differences, []);
  });
});

describe('messages about pipelines', () => {
  const tree = fc.letrec<{ children: readonly unknown[] }>(tie => ({
    children: fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie('children'), { maxLength: 6 })),
  })).children;

  const build = (children: readonly unknown[], path: readonly string[]): MergedNode => ({
    ...node(path.join('/')),
    path,
    origin: 'static',
    nodes: children.map((child, index) => build(child as readonly unknown[], [...path, `n${index}`])),
  });

  it('bring every node once, whatever the size of a message', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), fc.integer({ min: 1, max: 12 }), (trees, size) => {
        const pipelines = trees.map((children, index) => build(children, [`p${index}`]));
        const messages = toMessages(pipelines, size);
        const known = new Map<string, EditorNode>();
        for (const { changed, parts } of messages) {
          let count = 0;
          const countIn = (each: EditorNode): void => {
            count++;
            each.nodes.forEach(countIn);
          };
          for (const pipeline of changed) {
            countIn(pipeline);
            known.set(pipeline.id, pipeline);
          }
          for (const { path, nodes } of parts) {
            nodes.forEach(countIn);
            let at = known.get(path[0] ?? '');
            for (const id of path.slice(1)) at = at?.nodes.find(child => child.id === id);
            assert.ok(at !== undefined);
            (at.nodes as EditorNode[]).push(...nodes);
          }
          assert.ok(count <= size, `${count} nodes in a message of ${size}`);
        }
        assert.deepEqual([...known.values()], toMessages(pipelines, Infinity)[0]?.changed);
      }),
    );
  });

  it('are about pipelines that say something else than before', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.equal(isSameJson(a, b), JSON.stringify(a) === JSON.stringify(b));
        assert.equal(isSameJson(a, structuredClone(a)), true);
      }),
    );
  });

  it('are checked where they arrive', () => {
    assert.deepEqual(initializationOptions(undefined), { trusted: false, codeLenses: false });
    assert.deepEqual(initializationOptions({ trusted: true, codeLenses: 1, documentation: 'x' }), {
      trusted: true,
      codeLenses: false,
      documentation: 'x',
    });
    const root = loaded(node('', { nodes: [node('a')] }));
    assert.ok(loadedGraphMessage({ folder: 'f', root, errors: [] }) !== undefined);
    assert.equal(loadedGraphMessage({ folder: 'f', root: { ...root, nodes: [{}] }, errors: [] }), undefined);
    const piece = { folder: 'f', offset: 0, text: '{', errors: null };
    assert.deepEqual(loadedGraphText(piece), piece);
    assert.equal(loadedGraphText({ ...piece, offset: -1 }), undefined);
    assert.equal(loadedGraphText({ ...piece, errors: [1] }), undefined);
    const printed = JSON.stringify({ root });
    assert.deepEqual(readLoadedGraph('f', printed, ['e']), { folder: 'f', root, errors: ['e'] });
    assert.deepEqual(readLoadedGraph('f', '', ['e']), { folder: 'f', root: null, errors: ['e'] });
    for (const text of [printed.slice(1), JSON.stringify(root), '[]', 'null'])
      assert.equal(readLoadedGraph('f', text, []), undefined);
    assert.equal(outcomesMessage({ folder: 'f', nodes: [{ path: ['a'] }] }), undefined);
    assert.equal(pipelinesMessage({ folder: 'f' }), undefined);
  });
});
