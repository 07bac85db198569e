/** Finds nodes in a graph that comes as JSON. */
import { didYouMean, listNames } from '../api/errors.ts';
import { UsageError } from '../engine/errors.ts';
import { formatPath, type NodeGraph, type NodePath } from '../model.ts';

/** @throws UsageError that names the nearest node there is */
export function findInGraph(root: NodeGraph, path: NodePath): NodeGraph {
  let node = root;
  for (const [depth, id] of path.entries()) {
    const child = node.nodes.find(each => each.id === id);
    if (child === undefined) {
      const above = path.slice(0, depth);
      const wanted = formatPath([...above, id]);
      const ids = node.nodes.map(each => each.id);
      const nearest = didYouMean(id, ids);
      const owner = depth === 0 ? 'The project' : `"${formatPath(above)}"`;
      const help =
        nearest === undefined
          ? `${owner} has: ${listNames(ids)}.`
          : `Did you mean "${formatPath([...above, nearest])}"?`;
      throw new UsageError(`There is no node "${wanted}". ${help}`);
    }
    node = child;
  }
  return node;
}
