/** What of the project a run is about. */
import { isPipeline, type Node } from '../api/node.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { formatPath, type NodePath, type ParameterDefinition } from '../model.ts';
import { UsageError } from './errors.ts';
import { findNode } from './plan.ts';

/** What the user asked for. */
export interface WantedNodes {
  /** A pipeline or a task; the root's path is empty. */
  readonly path: NodePath;
  /** Nodes below the path; empty: all of it. */
  readonly nodes: readonly NodePath[];
  readonly withUpstreams: boolean;
}

export interface RunSelection {
  /** The pipeline that runs. */
  readonly pipeline: Pipeline;
  /** Paths from the root of what is selected in it; empty: all of it. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
}

/**
 * Finds the pipeline that runs and what is selected in it. A task runs within its pipeline. With upstreams, what the
 * pipelines around wait for is wanted as well, so that the pipeline that runs is one at the top.
 *
 * @throws {UsageError} when a node does not exist.
 */
export function selectForRun(root: Pipeline, wanted: WantedNodes): RunSelection {
  const node = findNode(root, wanted.path);
  if (!isPipeline(node) && wanted.nodes.length > 0) {
    throw new UsageError(`"${formatPath(wanted.path)}" has no nodes of its own to select from.`);
  }
  const nodePaths = wanted.nodes.map(path => findNode(root, [...wanted.path, ...path]).path);
  if (wanted.withUpstreams && wanted.path.length > 0) {
    return {
      pipeline: outermost(root, node),
      nodePaths: nodePaths.length > 0 ? nodePaths : [node.path],
      withUpstreams: true,
    };
  }
  if (isPipeline(node)) return { pipeline: node, nodePaths, withUpstreams: wanted.withUpstreams };
  return { pipeline: parentOf(root, node), nodePaths: [node.path], withUpstreams: wanted.withUpstreams };
}

/** Parameters that the selected nodes can see: those of the pipeline that runs, of those around it and of those in it. */
export function parametersOf(pipeline: Pipeline): Record<string, ParameterDefinition> {
  const found: Record<string, ParameterDefinition> = {};
  const visit = (node: Node): void => {
    if (!isPipeline(node)) return;
    for (const child of node.nodes.values()) visit(child);
    Object.assign(found, node.params);
  };
  visit(pipeline);
  // What is nearer to the root is declared for more nodes and wins.
  for (let around = pipeline.parent; around !== undefined; around = around.parent)
    Object.assign(found, around.params);
  return found;
}

function outermost(root: Pipeline, node: Node): Pipeline {
  const top = node.path[0] === undefined ? root : findNode(root, [node.path[0]]);
  return isPipeline(top) && top.upstreams.size === 0 ? top : root;
}

function parentOf(root: Pipeline, node: Node): Pipeline {
  return node.parent !== undefined && isPipeline(node.parent) ? node.parent : root;
}
