/** Which paths are at or below a node, as a condition that an index on paths can answer. */
import type { NodePath } from '../model.ts';

/**
 * A path that sorts after everything below `path`; `null` for the root, which nothing sorts after. It only narrows the
 * part of the index that is read: what sorts in between depends on the database's collation.
 */
export function pathEnd(path: NodePath): NodePath | null {
  const last = path.at(-1);
  return last === undefined ? null : [...path.slice(0, -1), `${last}\u0001`];
}

/** A condition with `$1` and perhaps `$2`, and their values. */
export function atOrBelow(
  path: NodePath,
  column = 'node_path',
): { readonly condition: string; readonly values: readonly NodePath[] } {
  const end = pathEnd(path);
  if (end === null) return { condition: 'true', values: [] };
  return {
    condition: `(${column} >= $1::text[] AND ${column} < $2::text[] AND ${column}[1:${path.length}] = $1::text[])`,
    values: [path, end],
  };
}
