/** The menu as data: what is shown, what a key does, and how it looks. No terminal, no project, no clock in here. */
import { textWidth } from '../databases/text-width.ts';
import { formatPath, isAtOrBelow, type NodePath } from '../model.ts';
import { cutText, colourOf, firstLine, formatDuration, formatSpan, symbolOf } from './format.ts';
import type { ListedNode } from './node-list.ts';
import type { Style } from './style.ts';

export interface Menu {
  readonly root: ListedNode;
  /** Pipelines that are open, as `a/b`. */
  readonly open: ReadonlySet<string>;
  /** Nodes whose box is checked, as `a/b`. */
  readonly checked: ReadonlySet<string>;
  /** The node that the cursor is on, as `a/b`. */
  readonly cursor: string;
}

/** What a key asks for besides another picture. */
export type MenuAction =
  | { readonly type: 'run'; readonly paths: readonly NodePath[]; readonly withUpstreams: boolean }
  | { readonly type: 'quit' };

export type MenuKey =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageup'
  | 'pagedown'
  | 'home'
  | 'end'
  | 'space'
  | 'return'
  | 'u'
  | 'r'
  | 'w'
  | 'q';

interface Row {
  readonly path: string;
  readonly node: ListedNode;
  readonly level: number;
}

const page = 10;

/** The top of the tree, with the first level open. */
export function openMenu(root: ListedNode): Menu {
  const first = root.nodes[0];
  return {
    root,
    open: new Set(root.nodes.map(node => formatPath(node.path))),
    checked: new Set(),
    cursor: first === undefined ? '' : formatPath(first.path),
  };
}

/** The same place in a tree that was read again; what is gone is not checked any more. */
export function refreshMenu(menu: Menu, root: ListedNode): Menu {
  const known = new Set<string>();
  const visit = (node: ListedNode): void => {
    known.add(formatPath(node.path));
    node.nodes.forEach(visit);
  };
  visit(root);
  const fresh = openMenu(root);
  return {
    root,
    open: menu.open,
    checked: new Set([...menu.checked].filter(path => known.has(path))),
    cursor: known.has(menu.cursor) ? menu.cursor : fresh.cursor,
  };
}

/** What a key does. */
export function pressKey(menu: Menu, key: MenuKey): { readonly menu: Menu; readonly action?: MenuAction } {
  const rows = rowsOf(menu);
  const at = Math.max(
    0,
    rows.findIndex(row => row.path === menu.cursor),
  );
  const current = rows[at];
  if (current === undefined) return key === 'q' ? { menu, action: { type: 'quit' } } : { menu };
  const moveTo = (index: number): { readonly menu: Menu } => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))] ?? current;
    return { menu: { ...menu, cursor: row.path } };
  };
  const isOpen = menu.open.has(current.path);
  switch (key) {
    case 'up':
      return moveTo(at - 1);
    case 'down':
      return moveTo(at + 1);
    case 'pageup':
      return moveTo(at - page);
    case 'pagedown':
      return moveTo(at + page);
    case 'home':
      return moveTo(0);
    case 'end':
      return moveTo(rows.length - 1);
    case 'right':
      if (current.node.nodes.length === 0) return { menu };
      return isOpen ? moveTo(at + 1) : { menu: { ...menu, open: toggled(menu.open, current.path) } };
    case 'left': {
      if (isOpen && current.node.nodes.length > 0)
        return { menu: { ...menu, open: toggled(menu.open, current.path) } };
      return moveTo(rows.findLastIndex((row, index) => index < at && row.level < current.level));
    }
    case 'space':
      return { menu: { ...menu, checked: toggled(menu.checked, current.path) } };
    case 'return':
    case 'u':
      return { menu, action: { type: 'run', paths: [current.node.path], withUpstreams: key === 'u' } };
    case 'r':
    case 'w': {
      const paths = checkedPaths(menu);
      return paths.length === 0
        ? { menu }
        : { menu, action: { type: 'run', paths, withUpstreams: key === 'w' } };
    }
    case 'q':
      return { menu, action: { type: 'quit' } };
  }
}

/** The arguments of `millrace` that do what was asked for. */
export function runArguments({ paths, withUpstreams }: Extract<MenuAction, { type: 'run' }>): string[] {
  const upstreams = withUpstreams ? ['--with-upstreams'] : [];
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) return ['run', formatPath(only), ...upstreams];
  return ['run', '--nodes', paths.map(formatPath).join(','), ...upstreams];
}

export interface MenuDrawing {
  readonly rows: number;
  readonly columns: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly now: number;
  readonly style: Style;
}

/** The menu as lines that fit into a terminal; the part around the cursor when there is not room for all. */
export function drawMenu(menu: Menu, { rows: height, columns, now, style }: MenuDrawing): string[] {
  const width = Math.max(1, columns - 1);
  const rows = rowsOf(menu);
  const at = rows.findIndex(row => row.path === menu.cursor);
  const help = helpFor(menu, width);
  const room = Math.max(1, height - help.length - 1);
  const first = Math.min(Math.max(0, at - Math.floor(room / 2)), Math.max(0, rows.length - room));
  const visible = rows.slice(first, first + room);
  const names = visible.map(({ path, node, level }) => {
    const box = menu.checked.has(path) ? '[x]' : '[ ]';
    const sign = node.nodes.length === 0 ? ' ' : menu.open.has(path) ? '▾' : '▸';
    return cutText(
      `${path === menu.cursor ? '›' : ' '} ${box} ${'  '.repeat(level)}${sign} ${node.id}`,
      width,
    );
  });
  const longest = Math.max(0, ...names.map(textWidth));
  const shown = visible.map(({ path, node }, index) => {
    const name = names[index] ?? '';
    const detail = cutText(describe(node, now), width - longest - 2);
    const styled = path === menu.cursor ? style('bold', name) : name;
    if (detail.length < 2) return styled;
    const colour = node.last === null ? 'dim' : colourOf(node.last.status);
    return `${styled}${' '.repeat(longest - textWidth(name) + 2)}${style(colour, detail)}`;
  });
  return [...shown, '', ...help.map(line => style('dim', line))];
}

function helpFor(menu: Menu, width: number): string[] {
  const count = checkedPaths(menu).length;
  const parts = [
    'enter run',
    'u run with upstreams',
    'space check',
    ...(count === 0 ? [] : [`r run ${String(count)} checked`, 'w run them with upstreams']),
    '←→ close, open',
    'q quit',
  ];
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + part.length + 3 <= width)
      lines[lines.length - 1] = `${line} · ${part}`;
    else lines.push(cutText(part, width));
  }
  return lines;
}

/** The last outcome, the usual duration and what it does. */
function describe({ last, averageDuration, description }: ListedNode, now: number): string {
  const parts = [firstLine(description)];
  if (averageDuration !== null) parts.unshift(`usually ${formatDuration(averageDuration)}`);
  if (last !== null) {
    const since = last.endedAt ?? last.startedAt;
    const age = since === null ? '' : ` ${formatSpan((now - Date.parse(since)) / 1000)} ago`;
    parts.unshift(`${symbolOf(last.status)} ${last.status}${age}`);
  }
  return parts.filter(part => part !== '').join('  ');
}

/** The nodes that can be seen, top to bottom. */
function rowsOf({ root, open }: Menu): Row[] {
  const rows: Row[] = [];
  const visit = (node: ListedNode, level: number): void => {
    const path = formatPath(node.path);
    rows.push({ path, node, level });
    if (open.has(path)) for (const child of node.nodes) visit(child, level + 1);
  };
  for (const node of root.nodes) visit(node, 0);
  return rows;
}

/** What is checked, in the order of the tree, without what is part of another checked node. */
function checkedPaths({ root, checked }: Menu): NodePath[] {
  const paths: NodePath[] = [];
  const visit = (node: ListedNode): void => {
    const isInside = paths.some(path => isAtOrBelow(node.path, path));
    if (!isInside && checked.has(formatPath(node.path))) paths.push(node.path);
    node.nodes.forEach(visit);
  };
  root.nodes.forEach(visit);
  return paths;
}

function toggled(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  return set.has(member) ? new Set([...set].filter(each => each !== member)) : new Set([...set, member]);
}
