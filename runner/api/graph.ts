/** The tree of nodes as JSON, the way `millrace graph` prints it. */
import type { CommandGraph, NodeGraph } from '../model.ts';
import type { Command } from './command.ts';
import { constructorName } from './errors.ts';
import { isParallelTask, isPipeline, isTask, type Node } from './node.ts';
import type { Pipeline } from './pipeline.ts';

export interface GraphOptions {
  /** Hides secrets in descriptions, in labels and in what commands show of themselves. Default: nothing is hidden. */
  readonly mask?: ((text: string) => string) | undefined;
}

/** A node and everything below it. Functions of the project that only a run may call are not called. */
export function toGraph(node: Node, options: GraphOptions = {}): NodeGraph {
  const upstreams = node.parent === undefined ? undefined : upstreamIds(node.parent).get(node);
  return graphOf(node, upstreams ?? [], options.mask ?? (text => text));
}

/** For every child the ids of the siblings that it waits for, in the order in which the siblings were added. */
export function upstreamIds(pipeline: Pipeline): ReadonlyMap<Node, readonly string[]> {
  const ids = new Map<Node, string[]>();
  for (const node of pipeline.nodes.values()) {
    for (const downstream of node.downstreams) {
      const known = ids.get(downstream);
      if (known === undefined) ids.set(downstream, [node.id]);
      else known.push(node.id);
    }
  }
  return ids;
}

function graphOf(node: Node, upstreams: readonly string[], mask: (text: string) => string): NodeGraph {
  return {
    id: node.id,
    path: node.path,
    kind: node.kind,
    description: mask(node.description),
    labels: Object.fromEntries(Object.entries(node.labels).map(([name, text]) => [name, mask(text)])),
    upstreams,
    nodes: isPipeline(node) ? childrenOf(node, mask) : [],
    commands: commandsOf(node, mask),
    ...(node.location === undefined ? {} : { location: node.location }),
    ...propertiesOf(node),
  };
}

function childrenOf(pipeline: Pipeline, mask: (text: string) => string): NodeGraph[] {
  const upstreams = upstreamIds(pipeline);
  return [...pipeline.nodes.values()].map(node => graphOf(node, upstreams.get(node) ?? [], mask));
}

function commandsOf(node: Node, mask: (text: string) => string): readonly CommandGraph[] | null {
  if (isPipeline(node)) return [];
  if (!isTask(node)) return null;
  return node.commands?.map(command => commandGraph(command, mask)) ?? null;
}

function commandGraph(command: Command, mask: (text: string) => string): CommandGraph {
  return {
    kind: constructorName(command),
    summary: mask(summaryOf(command)),
    ...(command.location === undefined ? {} : { location: command.location }),
  };
}

/** A command that cannot say what it would run shows why in that place, and does not spoil the rest. */
function summaryOf(command: Command): string {
  try {
    return command.shellCommand();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function propertiesOf(node: Node): Partial<NodeGraph> {
  if (isPipeline(node)) {
    return {
      ...(node.maxParallelTasks === undefined ? {} : { maxParallelTasks: node.maxParallelTasks }),
      onFailure: node.onFailure,
      ...(Object.keys(node.params).length === 0 ? {} : { params: node.params }),
    };
  }
  if (isTask(node)) {
    return {
      ...(node.maxRetries === undefined ? {} : { maxRetries: node.maxRetries }),
      ...(node.timeout === undefined ? {} : { timeout: node.timeout }),
    };
  }
  if (isParallelTask(node)) {
    return {
      ...(node.maxParallelTasks === undefined ? {} : { maxParallelTasks: node.maxParallelTasks }),
      ...(node.maxRetries === undefined ? {} : { maxRetries: node.maxRetries }),
    };
  }
  return {};
}
