/** What the analysis knows about nodes and commands besides what they know themselves. */
import type { Command } from '../../../runner/api/command.ts';
import type { Node } from '../../../runner/api/node.ts';
import type { Pipeline } from '../../../runner/api/pipeline.ts';
import type { SyntaxNode } from '../syntax.ts';
import type { EvaluatedModule } from './module.ts';
import type { Context, Dyn } from './values.ts';

export interface NodeInfo {
  /** The expression that made the node. */
  made: SyntaxNode | undefined;
  /** The call that added it to its parent. */
  added: SyntaxNode | undefined;
  /** The options that it was made with, as the program gave them. */
  options: unknown;
  /** The node stands for something unknown, or its id is. */
  placeholder: Dyn | undefined;
  /** Why it may not be there, or be there more than once. */
  context: Context | undefined;
  /** Options that are not known: see {@link noteUnknown}. */
  unknown: ReadonlyMap<string, Dyn>;
  /** Where each dependency was made, by the id of the upstream: see {@link noteEdge}. */
  edges: ReadonlyMap<string, SyntaxNode>;
  /** There may be other upstreams. */
  upstreamsUnknown: Dyn | undefined;
  /** The file whose evaluation made it. */
  readonly module: EvaluatedModule | undefined;
  /** Added after a mistake because of which the rest of the file never runs. */
  addedAfterFailure: boolean;
  /** Handed to a pipeline, whatever came of it, or to code that is not evaluated. */
  isUsed: boolean;
}

export interface PipelineInfo {
  /** Why there may be nodes of which nothing is known, and where. */
  readonly open: Dyn[];
  /** Dependencies may be others. */
  edgesUnknown: Dyn | undefined;
}

export interface CommandInfo {
  made: SyntaxNode | undefined;
  readonly kind: string;
  readonly args: readonly unknown[];
  /** It cannot be made because of this. */
  readonly unknown: Dyn | undefined;
  readonly module: EvaluatedModule | undefined;
}

/** Of most nodes, everything is known; they share what says so. */
const none: ReadonlyMap<string, never> = new Map<string, never>();

/** An option of a node is not known. */
export function noteUnknown(info: NodeInfo, option: string, dyn: Dyn): void {
  info.unknown = added(info.unknown, option, dyn);
}

/** A dependency on a node with this id was made here. */
export function noteEdge(info: NodeInfo, upstream: string, node: SyntaxNode): void {
  info.edges = added(info.edges, upstream, node);
}

export function forgetEdge(info: NodeInfo, upstream: string): void {
  if (info.edges.has(upstream)) (info.edges as Map<string, SyntaxNode>).delete(upstream);
}

/** A map with another entry: the same one, unless it is the one of all that have none. */
function added<Value>(
  map: ReadonlyMap<string, Value>,
  key: string,
  value: Value,
): ReadonlyMap<string, Value> {
  return map === none ? new Map([[key, value]]) : (map as Map<string, Value>).set(key, value);
}

export class NodeInfos {
  readonly nodes = new Map<Node, NodeInfo>();
  readonly commands = new Map<Command, CommandInfo>();
  readonly #pipelines = new Map<Pipeline, PipelineInfo>();

  of(node: Node, module?: EvaluatedModule): NodeInfo {
    let info = this.nodes.get(node);
    if (info === undefined) {
      info = {
        made: undefined,
        added: undefined,
        options: undefined,
        placeholder: undefined,
        context: undefined,
        unknown: none,
        edges: none,
        upstreamsUnknown: undefined,
        module,
        addedAfterFailure: false,
        isUsed: false,
      };
      this.nodes.set(node, info);
    }
    return info;
  }

  ofPipeline(pipeline: Pipeline): PipelineInfo {
    let info = this.#pipelines.get(pipeline);
    if (info === undefined) this.#pipelines.set(pipeline, (info = { open: [], edgesUnknown: undefined }));
    return info;
  }

  /** Whether a node is exactly what it seems to be. */
  isCertain(node: Node): boolean {
    const info = this.nodes.get(node);
    return info === undefined || (info.placeholder === undefined && info.context === undefined);
  }

  /** The reason why the children of a pipeline are not all known. */
  uncertainty(pipeline: Pipeline): Dyn | undefined {
    const { open, edgesUnknown } = this.ofPipeline(pipeline);
    const [first] = open;
    if (first !== undefined) return first;
    for (const child of pipeline.nodes.values()) {
      const info = this.nodes.get(child);
      const dyn = info?.placeholder ?? info?.context?.dyn;
      if (dyn !== undefined) return dyn;
    }
    return edgesUnknown;
  }
}
