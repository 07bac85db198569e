/** From the tree that the project's code declares to the plain tree that the scheduler works on. */
import { didYouMean, listNames } from '../api/errors.ts';
import { upstreamIds } from '../api/graph.ts';
import { isParallelTask, isPipeline, isTask, type Node } from '../api/node.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { formatPath, type NodePath } from '../model.ts';
import type { ExpandedNode } from '../pool/protocol.ts';
import type { PlanNode } from '../scheduler/plan.ts';
import { UsageError } from './errors.ts';

/** The part of the tree at and below a node, as data. */
export function planOf(node: Node): PlanNode {
  return placed(node, []);
}

function placed(node: Node, upstreams: readonly string[]): PlanNode {
  const shared = { id: node.id, path: node.path, kind: node.kind, upstreams };
  if (isPipeline(node)) {
    const upstreamsOf = upstreamIds(node);
    return {
      ...shared,
      children: [...node.nodes.values()].map(child => placed(child, upstreamsOf.get(child) ?? [])),
      ...(node.maxParallelTasks !== undefined && { maxParallelTasks: node.maxParallelTasks }),
      onFailure: node.onFailure,
    };
  }
  return {
    ...shared,
    children: [],
    ...(isParallelTask(node) &&
      node.maxParallelTasks !== undefined && { maxParallelTasks: node.maxParallelTasks }),
    ...((isTask(node) || isParallelTask(node)) &&
      node.maxRetries !== undefined && { maxRetries: node.maxRetries }),
    ...(isTask(node) && node.retryDelay !== undefined && { retryDelay: node.retryDelay }),
  };
}

/** What a worker made of a parallel task, as plan nodes below that task. */
export function planOfExpanded(nodes: readonly ExpandedNode[], parent: NodePath): PlanNode[] {
  return nodes.map(node => {
    const path = [...parent, node.id];
    return {
      id: node.id,
      path,
      kind: node.kind,
      upstreams: node.upstreams,
      children: planOfExpanded(node.nodes ?? [], path),
      ...(node.maxParallelTasks !== undefined && { maxParallelTasks: node.maxParallelTasks }),
      ...(node.onFailure !== undefined && { onFailure: node.onFailure }),
      ...(node.maxRetries !== undefined && { maxRetries: node.maxRetries }),
      ...(node.retryDelay !== undefined && { retryDelay: node.retryDelay }),
    };
  });
}

/**
 * The node at a path below `root`.
 *
 * @throws {UsageError} that names the deepest existing ancestor and the nearest id there.
 */
export function findNode(root: Pipeline, path: NodePath): Node {
  let node: Node = root;
  for (const [depth, id] of path.entries()) {
    const parent = node;
    const above = formatPath(path.slice(0, depth));
    if (!isPipeline(parent)) {
      throw new UsageError(
        `There is no node "${formatPath(path)}": "${above}" is a ${parent.kind === 'task' ? 'task' : 'parallel task'} and has no nodes of its own.`,
      );
    }
    const child = parent.nodes.get(id);
    if (child === undefined) {
      const wanted = formatPath(path.slice(0, depth + 1));
      throw new UsageError(`There is no node "${wanted}". ${nearestNode(root, parent, path, depth)}`);
    }
    node = child;
  }
  return node;
}

/** Helps with a path that leads nowhere: the nearest sibling, else the nearest node anywhere, else what there is. */
function nearestNode(root: Pipeline, parent: Pipeline, path: NodePath, depth: number): string {
  const above = path.slice(0, depth);
  const sibling = didYouMean(path[depth] ?? '', parent.nodes.keys());
  if (sibling !== undefined) return `Did you mean "${formatPath([...above, sibling])}"?`;
  // Who leaves out the pipelines around a node means that node.
  const elsewhere = depth === 0 ? didYouMean(formatPath(path), pathsBelow(root)) : undefined;
  if (elsewhere !== undefined) return `Did you mean "${elsewhere}"?`;
  const whose = depth === 0 ? 'The project has' : `"${formatPath(above)}" has`;
  return `${whose}: ${listNames([...parent.nodes.keys()])}.`;
}

function* pathsBelow(pipeline: Pipeline): Generator<string> {
  for (const node of pipeline.nodes.values()) {
    yield formatPath(node.path);
    if (isPipeline(node)) yield* pathsBelow(node);
  }
}
