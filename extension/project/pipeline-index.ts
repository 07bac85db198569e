/** The pipelines of a project as the language server tells them, to be looked up by path. */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { EditorFile, EditorNode, PipelinesMessage } from '../language/protocol.ts';

/** A node with its place in the tree. */
export interface IndexedNode {
  readonly node: EditorNode;
  readonly path: NodePath;
  readonly parent: IndexedNode | undefined;
}

export interface PipelineIndex {
  /** Top-level pipelines in their order. */
  readonly roots: readonly IndexedNode[];
  /** By path as `a/b`. */
  readonly byPath: ReadonlyMap<string, IndexedNode>;
  readonly files: readonly EditorFile[];
  /** The whole project was analysed at least once. */
  readonly complete: boolean;
}

export const noPipelines: PipelineIndex = { roots: [], byPath: new Map(), files: [], complete: false };

export function findNode(index: PipelineIndex, path: NodePath): IndexedNode | undefined {
  return index.byPath.get(formatPath(path));
}

export function childrenOf(index: PipelineIndex, indexed: IndexedNode): IndexedNode[] {
  return indexed.node.nodes.flatMap(child => findNode(index, [...indexed.path, child.id]) ?? []);
}

/** Puts revisions together out of their messages. */
export class PipelinesInbox {
  #revision = 0;
  #top = new Map<string, EditorNode>();
  #incoming: { readonly revision: number; readonly top: Map<string, EditorNode> } | undefined;

  /** @returns the pipelines, when the message completes a revision. */
  take(message: PipelinesMessage): PipelineIndex | undefined {
    const { revision } = message;
    if (this.#incoming?.revision !== revision) {
      // A server that was started again counts anew and tells everything.
      const top = revision <= this.#revision ? new Map<string, EditorNode>() : new Map(this.#top);
      this.#incoming = { revision, top };
    }
    const { top } = this.#incoming;
    for (const node of message.changed) top.set(node.id, { ...node, nodes: [...node.nodes] });
    for (const { path, nodes } of message.parts) append(top, path, nodes);
    for (const id of message.removed) top.delete(id);
    if (!message.last) return undefined;
    this.#incoming = undefined;
    this.#revision = revision;
    this.#top = top;
    const ordered = [...new Set([...message.order, ...top.keys()])].flatMap(id => top.get(id) ?? []);
    return indexPipelines(ordered, message.files, message.complete);
  }
}

export function indexPipelines(
  nodes: readonly EditorNode[],
  files: readonly EditorFile[] = [],
  complete = true,
): PipelineIndex {
  const byPath = new Map<string, IndexedNode>();
  const roots = nodes.map(node => addNode(byPath, node, undefined));
  return { roots, byPath, files, complete };
}

function addNode(
  byPath: Map<string, IndexedNode>,
  node: EditorNode,
  parent: IndexedNode | undefined,
): IndexedNode {
  const path = [...(parent?.path ?? []), node.id];
  const indexed: IndexedNode = { node, path, parent };
  byPath.set(formatPath(path), indexed);
  for (const child of node.nodes) addNode(byPath, child, indexed);
  return indexed;
}

/** Adds children behind those that a node has; what leads to it belongs to the revision and may be changed. */
function append(top: ReadonlyMap<string, EditorNode>, path: NodePath, nodes: readonly EditorNode[]): void {
  const [first, ...rest] = path;
  let at = first === undefined ? undefined : top.get(first);
  for (const id of rest) at = at?.nodes.find(child => child.id === id);
  if (at !== undefined) (at.nodes as EditorNode[]).push(...nodes);
}
