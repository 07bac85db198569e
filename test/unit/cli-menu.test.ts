import assert from 'node:assert/strict';
import fc from 'fast-check';
import { textWidth } from '../../runner/databases/text-width.ts';
import {
  drawMenu,
  type Menu,
  type MenuAction,
  type MenuKey,
  openMenu,
  pressKey,
  refreshMenu,
  runArguments,
} from '../../runner/cli/menu.ts';
import type { ListedNode } from '../../runner/cli/node-list.ts';

const now = Date.parse('2026-03-01T06:00:00.000Z');

function node(path: string, nodes: ListedNode[] = [], overrides: Partial<ListedNode> = {}): ListedNode {
  const ids = path.split('/').filter(id => id !== '');
  return {
    id: ids.at(-1) ?? 'root',
    path: ids,
    kind: nodes.length > 0 ? 'pipeline' : 'task',
    description: '',
    averageDuration: null,
    averageRunTime: null,
    cost: 0,
    last: null,
    nodes,
    ...overrides,
  };
}

const last = {
  runId: 7,
  status: 'failed',
  startedAt: '2026-03-01T05:56:00.000Z',
  endedAt: '2026-03-01T05:57:00.000Z',
  duration: 60,
} as const;
const tree = node('', [
  node('shop', [
    node('shop/load', [
      node('shop/load/customers', [], { last, averageDuration: 61 }),
      node('shop/load/orders', [], { description: 'Loads 注文' }),
    ]),
    node('shop/report'),
  ]),
  node('other'),
]);

/** The menu after some keys, and what the last one asked for. */
function press(keys: readonly MenuKey[], menu: Menu = openMenu(tree)): { menu: Menu; action?: MenuAction } {
  return keys.reduce<{ menu: Menu; action?: MenuAction }>((state, key) => pressKey(state.menu, key), {
    menu,
  });
}

function drawn(menu: Menu, columns = 80, rows = 24): string {
  return drawMenu(menu, { rows, columns, now, style: (_format, text) => text }).join('\n');
}

describe('the menu', () => {
  it('begins with the first level open', () => {
    assert.equal(
      drawn(openMenu(tree)),
      `› [ ] ▾ shop
  [ ]   ▸ load
  [ ]     report
  [ ]   other

enter run · u run with upstreams · space check · ←→ close, open · q quit`,
    );
  });

  it('walks, opens and checks', () => {
    assert.equal(
      drawn(press(['down', 'right', 'right', 'space', 'down', 'space']).menu),
      `  [ ] ▾ shop
  [ ]   ▾ load
  [x]       customers  ✗ failed 3 min ago  usually 1:01m
› [x]       orders     Loads 注文
  [ ]     report
  [ ]   other

enter run · u run with upstreams · space check · r run 2 checked
w run them with upstreams · ←→ close, open · q quit`,
    );
  });

  it('goes to the parent with left, closes what is open, and stays within the tree', () => {
    assert.equal(press(['down', 'right', 'right', 'left']).menu.cursor, 'shop/load');
    assert.equal(press(['down', 'right', 'left']).menu.open.has('shop/load'), false);
    assert.equal(press(['up', 'pageup', 'home']).menu.cursor, 'shop');
    assert.equal(press(['end', 'down', 'pagedown', 'right']).menu.cursor, 'other');
  });

  it('asks for runs', () => {
    assert.deepEqual(press(['return']).action, { type: 'run', paths: [['shop']], withUpstreams: false });
    assert.deepEqual(press(['down', 'down', 'u']).action, {
      type: 'run',
      paths: [['shop', 'report']],
      withUpstreams: true,
    });
    const checked = press(['down', 'space', 'right', 'right', 'space', 'end', 'space']).menu;
    // What is part of another checked node is not said twice.
    assert.deepEqual(press(['r'], checked).action, {
      type: 'run',
      paths: [['shop', 'load'], ['other']],
      withUpstreams: false,
    });
    assert.deepEqual(press(['w'], checked).action, {
      type: 'run',
      paths: [['shop', 'load'], ['other']],
      withUpstreams: true,
    });
    assert.equal(press(['r']).action, undefined, 'nothing is checked');
    assert.deepEqual(press(['q']).action, { type: 'quit' });
  });

  it('says it in words of the command line', () => {
    assert.deepEqual(runArguments({ type: 'run', paths: [['a', 'b']], withUpstreams: true }), [
      'run',
      'a/b',
      '--with-upstreams',
    ]);
    assert.deepEqual(runArguments({ type: 'run', paths: [['a', 'b'], ['c']], withUpstreams: false }), [
      'run',
      '--nodes',
      'a/b,c',
    ]);
  });

  it('keeps its place when the tree was read again', () => {
    const menu = press(['down', 'right', 'right', 'space', 'end', 'space']).menu;
    const smaller = node('', [node('shop', [node('shop/report')])]);
    const refreshed = refreshMenu(menu, smaller);
    assert.deepEqual([...refreshed.checked], []);
    assert.equal(refreshed.cursor, 'shop');
    assert.deepEqual(refreshMenu(menu, tree), { ...menu, root: tree });
  });

  it('fits into any terminal, with the cursor in sight', () => {
    const keys: MenuKey[] = [
      'up',
      'down',
      'left',
      'right',
      'pageup',
      'pagedown',
      'home',
      'end',
      'space',
      'return',
      'u',
      'r',
      'w',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...keys), { maxLength: 30 }),
        fc.integer({ min: 20, max: 100 }),
        fc.integer({ min: 12, max: 40 }),
        (pressed, columns, rows) => {
          const lines = drawn(press(pressed).menu, columns, rows).split('\n');
          assert.ok(lines.length <= rows);
          assert.ok(lines.every(line => textWidth(line) < columns));
          assert.equal(lines.filter(line => line.startsWith('›')).length, 1);
        },
      ),
    );
  });
});
