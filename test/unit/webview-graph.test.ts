import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PageNode } from '../../webview/messages.ts';
import { type Face, lineOf } from '../../webview/graph/faces.ts';
import { impliedUpstreams } from '../../webview/graph/implied.ts';
import { type Box, curve, layoutBoxes, type Rectangle } from '../../webview/graph/layout.ts';
import { escapeLabel, mermaidText } from '../../webview/graph/mermaid-text.ts';
import {
  allNodes,
  buildGraph,
  collapsedAtFirst,
  countLeaves,
  countNodes,
  type GraphNode,
  neighbourhood,
  pipelinesBelow,
  walk,
} from '../../webview/graph/model.ts';
import { firstZoom, fitZoom, frameToClose, nearest } from '../../webview/graph/navigate.ts';

interface Sketch {
  readonly id: string;
  readonly upstreams?: readonly string[];
  readonly nodes?: readonly Sketch[];
}

function node(sketch: Sketch, parent: readonly string[] = []): PageNode {
  const path = sketch.id === '' ? [] : [...parent, sketch.id];
  return {
    id: sketch.id,
    path,
    kind: sketch.nodes === undefined ? 'task' : 'pipeline',
    description: '',
    labels: {},
    upstreams: sketch.upstreams ?? [],
    nodes: (sketch.nodes ?? []).map(child => node(child, path)),
    commands: null,
    origin: 'static',
  };
}

/** Siblings that wait for some of those before them: never a circle. */
const siblings = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 }).map(all =>
  all.map((numbers, index) => ({
    id: `t${String(index)}`,
    upstreams: [...new Set(numbers.filter(number => number < index))].map(number => `t${String(number)}`),
  })),
);

const pipelines: fc.Arbitrary<Sketch> = fc
  .letrec<{ nodes: readonly Sketch[] }>(tie => ({
    nodes: fc
      .array(
        fc.record({
          upstreams: fc.array(fc.nat(5), { maxLength: 3 }),
          nodes: fc.option(tie('nodes'), { nil: undefined, depthSize: 'small' }),
        }),
        { maxLength: 6, depthIdentifier: 'pipelines' },
      )
      .map(all =>
        all.map(({ upstreams, nodes }, index) => ({
          id: `n${String(index)}`,
          upstreams: [...new Set(upstreams.filter(number => number < index))].map(
            number => `n${String(number)}`,
          ),
          ...(nodes === undefined ? {} : { nodes }),
        })),
      ),
  }))
  .nodes.map(nodes => ({ id: 'root', nodes }));

/** Everything that a node waits for, as a plain search finds it. */
function reach(
  nodes: readonly { id: string; upstreams: readonly string[] }[],
  id: string,
): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (each: string): void => {
    for (const upstream of nodes.find(other => other.id === each)?.upstreams ?? [])
      if (!found.has(upstream)) {
        found.add(upstream);
        look(upstream);
      }
  };
  look(id);
  return found;
}

describe('implied edges', () => {
  it('are those that a longer way replaces', () => {
    const implied = impliedUpstreams([
      { id: 'a', upstreams: [] },
      { id: 'b', upstreams: ['a'] },
      { id: 'c', upstreams: ['a', 'b', 'elsewhere'] },
    ]);
    assert.deepEqual([...implied], [['c', new Set(['a'])]]);
  });

  it('can be left out without changing what waits for what, and no other edge can', () => {
    fc.assert(
      fc.property(siblings, nodes => {
        const implied = impliedUpstreams(nodes);
        const reduced = nodes.map(({ id, upstreams }) => ({
          id,
          upstreams: upstreams.filter(upstream => implied.get(id)?.has(upstream) !== true),
        }));
        for (const { id } of nodes) assert.deepEqual(reach(reduced, id), reach(nodes, id));
        for (const { id, upstreams } of reduced)
          for (const upstream of upstreams) {
            const without = reduced.map(each =>
              each.id === id ? { id, upstreams: upstreams.filter(other => other !== upstream) } : each,
            );
            assert.equal(reach(without, id).has(upstream), false, `${upstream} → ${id} was implied as well`);
          }
      }),
    );
  });

  it('are none in a circle, and the search ends', () => {
    const implied = impliedUpstreams([
      { id: 'a', upstreams: ['c', 'a'] },
      { id: 'b', upstreams: ['a'] },
      { id: 'c', upstreams: ['a', 'b'] },
    ]);
    assert.deepEqual([...implied], []);
  });
});

describe('the picture of a pipeline', () => {
  it('holds every node once that is not in a closed pipeline, and edges between siblings that are there', () => {
    fc.assert(
      fc.property(pipelines, fc.array(fc.nat(20)), (sketch, picks) => {
        const root = node(sketch);
        const all = pipelinesBelow(root);
        const collapsed = new Set(picks.map(pick => all[pick % Math.max(1, all.length)] ?? ''));
        const model = buildGraph(root, { collapsed });
        const shown = [...allNodes(model.nodes)];
        const expected = [...walk(root)]
          .slice(1)
          .filter(({ path }) =>
            path.every((_, index) => index === 0 || !collapsed.has(path.slice(0, index).join('/'))),
          );
        assert.deepEqual(
          shown.map(({ key }) => key).sort(),
          expected.map(({ path }) => path.join('/')).sort(),
        );
        const ids = new Set(shown.map(({ id }) => id));
        assert.equal(ids.size, shown.length);
        for (const { from, to } of model.edges) assert.ok(ids.has(from) && ids.has(to));
        const edges = expected.reduce((sum, { upstreams }) => sum + upstreams.length, 0);
        assert.equal(model.edges.length, edges);
      }),
    );
  });

  it('shows the neighbours of a pipeline as stubs at its first and last nodes', () => {
    const root = node({ id: 'p', nodes: [{ id: 'a' }, { id: 'b', upstreams: ['a'] }] });
    const neighbour = (id: string) => ({ path: [id], kind: 'pipeline' as const, description: '' });
    const model = buildGraph(root, {
      collapsed: new Set(),
      upstreams: [neighbour('load')],
      downstreams: ['x', 'y', 'z', 'zz'].map(neighbour),
    });
    const titles = new Map(model.nodes.map(({ id, title }) => [id, title]));
    assert.deepEqual(
      model.edges.map(({ from, to, kind }) => [titles.get(from), titles.get(to), kind]),
      [
        ['a', 'b', 'depends'],
        ['load', 'a', 'stub'],
        ['b', 'x, y and 2 more', 'stub'],
      ],
    );
  });

  it('shows only what is around a node where there are too many, with stubs for what is left out', () => {
    const root = node({
      id: 'p',
      nodes: Array.from({ length: 1000 }, (_, index) => ({
        id: `t${String(index)}`,
        upstreams: index === 0 ? [] : [`t${String(index - 1)}`],
      })),
    });
    const model = buildGraph(root, { collapsed: new Set(), focus: { id: 't500', reach: 2 } });
    assert.deepEqual(
      model.nodes.map(({ title }) => title),
      ['t498', 't499', 't500', 't501', 't502', 't497', 't503'],
    );
  });

  it('takes in at most so many neighbours', () => {
    const hub = node({
      id: 'p',
      nodes: [
        { id: 'hub' },
        ...Array.from({ length: 400 }, (_, index) => ({ id: `t${String(index)}`, upstreams: ['hub'] })),
      ],
    });
    assert.equal(neighbourhood(hub.nodes, 'hub', 2, 150).length, 150);
    assert.deepEqual(neighbourhood(hub.nodes, 'not there', 2, 150), []);
  });

  it('is closed at first where there are many nodes, or little room', () => {
    const many = node({
      id: 'p',
      nodes: [
        { id: 'inner', nodes: Array.from({ length: 151 }, (_, index) => ({ id: `t${String(index)}` })) },
      ],
    });
    const few = node({ id: 'p', nodes: [{ id: 'inner', nodes: [{ id: 'a' }] }] });
    assert.deepEqual([...collapsedAtFirst(many, false)], ['p/inner']);
    assert.deepEqual([...collapsedAtFirst(few, false)], []);
    assert.deepEqual([...collapsedAtFirst(few, true)], ['p/inner']);
    assert.equal(countNodes(many), 153);
    assert.equal(countLeaves(many), 151);
  });
});

describe('Mermaid text', () => {
  const hostile = [
    '<img src=x onerror=alert(1)>',
    '"]; click n0 call alert()',
    'end',
    '%%{init: {}}%%',
    '`x`',
    'a\nb',
    '#quot;',
  ];

  it('is what one would write by hand', () => {
    const root = node({
      id: 'p',
      nodes: [
        { id: 'in', nodes: [{ id: 'a' }, { id: 'b', upstreams: ['a'] }] },
        { id: 'last one', upstreams: ['in'] },
      ],
    });
    const model = buildGraph(root, {
      collapsed: new Set(),
      downstreams: [{ path: ['x/y'], kind: 'task', description: '' }],
    });
    assert.equal(
      mermaidText(model, { titles: true }),
      `flowchart TB
  subgraph n0["in"]
    n2["a"]
    n3["b"]
  end
  n1["last one"]
  n4>"x#47;y"]
  n0 --> n1
  n2 --> n3
  n1 -.-> n4
`,
    );
  });

  it('holds no text of a project when only the structure is wanted', () => {
    const root = node({ id: 'p', nodes: hostile.map(id => ({ id })) });
    const text = mermaidText(buildGraph(root, { collapsed: new Set() }), { titles: false });
    assert.match(text, /^flowchart TB\n(?: {2}n\d+:::task\n)+$/);
  });

  it('escapes whatever could mean something, and is one line per label', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...hostile)), text => {
        const escaped = escapeLabel(text);
        assert.match(escaped, /^(?:[\p{L}\p{N}_.\- ]|#\d+;)+$/u);
        const back = escaped.replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
        assert.equal(back, text === '' ? '\u00a0' : text);
      }),
    );
  });
});

describe('layout', () => {
  const boxes: fc.Arbitrary<readonly Box[]> = pipelines.map(sketch => {
    const box = (each: Sketch, prefix: string): Box => ({
      id: `${prefix}/${each.id}`,
      width: 216,
      height: 44,
      children: (each.nodes ?? []).map(child => box(child, `${prefix}/${each.id}`)),
    });
    return box(sketch, '').children;
  });

  it('lets no boxes overlap, and keeps what is inside inside', () => {
    fc.assert(
      fc.property(boxes, fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 12 }), (tree, pairs) => {
        const lines = pairs.flatMap(([a, b]) => {
          const from = tree[Math.min(a, b) % Math.max(1, tree.length)];
          const to = tree[Math.max(a, b) % Math.max(1, tree.length)];
          if (from === undefined || to === undefined || tree.indexOf(from) >= tree.indexOf(to)) return [];
          return [{ from: from.id, to: to.id, isWeak: (a + b) % 3 === 0 }];
        });
        const layout = layoutBoxes(tree, lines);
        const check = (siblings: readonly Box[]): void => {
          const places = siblings.map(({ id }) => layout.boxes.get(id));
          for (const [index, one] of places.entries())
            for (const other of places.slice(index + 1)) {
              assert.ok(one !== undefined && other !== undefined);
              const isApart =
                one.x + one.width <= other.x + 0.01 ||
                other.x + other.width <= one.x + 0.01 ||
                one.y + one.height <= other.y + 0.01 ||
                other.y + other.height <= one.y + 0.01;
              assert.ok(isApart, 'boxes overlap');
            }
          for (const { id, children } of siblings) {
            const outer = layout.boxes.get(id);
            assert.ok(outer !== undefined);
            assert.ok(outer.x >= -0.01 && outer.y >= -0.01);
            assert.ok(
              outer.x + outer.width <= layout.width + 0.01 && outer.y + outer.height <= layout.height + 0.01,
            );
            for (const child of children) {
              const inner = layout.boxes.get(child.id);
              assert.ok(inner !== undefined);
              assert.ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width + 0.01);
              assert.ok(inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height + 0.01);
            }
            check(children);
          }
        };
        check(tree);
        for (const points of layout.lines) assert.ok(points !== null && points.length >= 2);
      }),
    );
  });

  it('puts what has no edges into rows', () => {
    const tree = Array.from({ length: 100 }, (_, index) => ({
      id: String(index),
      width: 216,
      height: 44,
      children: [],
    }));
    const { width, height } = layoutBoxes(tree, []);
    assert.ok(width < 2000 && height < 1500, `${String(width)} × ${String(height)}`);
  });

  it('draws a path through all points', () => {
    assert.equal(
      curve([
        { x: 0, y: 0 },
        { x: 0, y: 10 },
        { x: 20, y: 30 },
      ]),
      'M0 0L0 10C0 20 20 20 20 30',
    );
    assert.equal(curve([]), '');
  });
});

describe('the second line of a box', () => {
  const upTo =
    (most: number) =>
    (line: string): boolean =>
      line.length <= most;
  const face = (changes: Partial<Face>): Face => ({
    state: 'succeeded',
    kind: 'parallel task',
    line: '38.0s · attempt 2',
    error: null,
    progress: null,
    ...changes,
  });

  it('goes without the kind where there is little room', () => {
    assert.equal(lineOf(face({}), upTo(40)), 'parallel task · 38.0s · attempt 2');
    assert.equal(lineOf(face({}), upTo(20)), '38.0s · attempt 2');
    assert.equal(lineOf(face({ line: '' }), upTo(5)), 'parallel task');
  });

  it('has an error only when there is room for more than its first letters', () => {
    const failed = face({ state: 'failed', kind: '', line: 'failed', error: 'column x does not exist' });
    assert.equal(lineOf(failed, upTo(26)), 'failed · column x does not exist');
    assert.equal(lineOf(failed, upTo(20)), 'failed');
  });
});

describe('moving in a picture', () => {
  const places = new Map([
    ['top', { x: 50, y: 0, width: 10, height: 10 }],
    ['left', { x: 0, y: 50, width: 10, height: 10 }],
    ['right', { x: 100, y: 50, width: 10, height: 10 }],
  ]);

  it('goes to the nearest box in a direction', () => {
    assert.equal(nearest(places, 'left', 'right'), 'right');
    assert.equal(nearest(places, 'left', 'up'), 'top');
    assert.equal(nearest(places, 'top', 'up'), null);
    assert.equal(nearest(places, 'not there', 'up'), null);
  });

  it('closes what makes a picture wide, from the inside', () => {
    const node = (key: string, children?: readonly GraphNode[]): GraphNode => ({
      id: key,
      key,
      path: [key],
      kind: 'pipeline',
      title: key,
      description: '',
      names: [],
      size: 1,
      isOpen: children !== undefined,
      children: children ?? [],
    });
    const places: Readonly<Record<string, Rectangle>> = {
      top: { x: 300, y: 0, width: 700, height: 50 },
      left: { x: 0, y: 60, width: 600, height: 100 },
      inner: { x: 10, y: 70, width: 580, height: 80 },
      right: { x: 610, y: 80, width: 500, height: 50 },
    };
    const placeOf = (key: string): Rectangle => places[key] ?? { x: 20, y: 80, width: 200, height: 40 };
    const inner = node('inner', [node('task')]);
    const [top, left, right] = [node('top', [node('task')]), node('left', [inner]), node('right', [])];
    assert.equal(frameToClose([top, left, right], placeOf), 'inner');
    assert.equal(frameToClose([top, node('left'), right], placeOf), 'right');
    assert.equal(frameToClose([top, node('left'), node('right')], placeOf), null);
  });

  it('shows a little too large pictures smaller, and others as large as life', () => {
    assert.equal(firstZoom({ width: 500 }, 1000), 1);
    assert.equal(firstZoom({ width: 1050 }, 1000), 1000 / 1050);
    assert.equal(firstZoom({ width: 3000 }, 1000), 1);
    assert.equal(fitZoom({ width: 3000, height: 100 }, { width: 1000, height: 500 }), 1 / 3);
    assert.equal(fitZoom({ width: 100_000, height: 100 }, { width: 1000, height: 500 }), 0.1);
  });
});
