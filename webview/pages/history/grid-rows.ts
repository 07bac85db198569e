/** The rows of the grid of nodes × runs: a tree whose pipelines can be closed. */
import { formatPath, type NodeKind, type NodePath, type NodeRunStatus } from '../../../runner/model.ts';
import type { RunGrid } from '../../../runner/records.ts';

export interface GridRow {
  readonly path: NodePath;
  readonly key: string;
  readonly kind: NodeKind;
  /** Counted from 0. */
  readonly depth: number;
  /** `null`: there is nothing in it. */
  readonly isOpen: boolean | null;
  readonly cells: readonly (NodeRunStatus | null)[];
}

/** With more nodes than this, pipelines are closed at first; what parallel tasks make always is. */
export const MANY_NODES = 150;

/** Rows that are seen: children right after what they are in, in the grid's own order. */
export function gridRows(
  grid: RunGrid,
  isOpen: (key: string, depth: number, kind: NodeKind) => boolean,
): GridRow[] {
  const nodes = grid.nodes.map(({ path, kind }, index) => ({ path, kind, key: formatPath(path), index }));
  const children = new Map<string, typeof nodes>();
  const known = new Set(nodes.map(({ key }) => key));
  for (const node of nodes) {
    const parent = nearestAbove(node.path, known);
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [node]);
    else list.push(node);
  }
  const rows: GridRow[] = [];
  const add = (parent: string, depth: number): void => {
    for (const { path, kind, key, index } of children.get(parent) ?? []) {
      const inside = children.has(key) && key !== parent;
      const open = inside ? isOpen(key, depth, kind) : null;
      rows.push({ path, kind, key, depth, isOpen: open, cells: grid.cells[index] ?? [] });
      if (open === true) add(key, depth + 1);
    }
  };
  add('', 0);
  return rows;
}

/** The key of the nearest node around that is in the grid; empty: none. */
function nearestAbove(path: NodePath, known: ReadonlySet<string>): string {
  for (let length = path.length - 1; length > 0; length -= 1) {
    const key = formatPath(path.slice(0, length));
    if (known.has(key)) return key;
  }
  return '';
}
