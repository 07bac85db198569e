/** The pipelines of a project as the language server tells them, to be looked up by path. */
import type { NodePath } from '../../runner/model.ts';
import type { EditorFile, EditorNode, PipelinesMessage } from '../language/protocol.ts';

/** A node with its place in the tree. */
export interface IndexedNode {
  readonly node: EditorNode;
  readonly path: NodePath;
  readonly parent: IndexedNode | undefined;
  readonly children: readonly IndexedNode[];
  child(id: string): IndexedNode | undefined;
}

export interface PipelineIndex {
  /** Top-level pipelines in their order; one that has not changed is the same object in the next index. */
  readonly roots: readonly IndexedNode[];
  readonly rootsById: ReadonlyMap<string, IndexedNode>;
  readonly files: readonly EditorFile[];
  /** The whole project was analysed at least once. */
  readonly complete: boolean;
}

export const noPipelines: PipelineIndex = { roots: [], rootsById: new Map(), files: [], complete: false };

export function findNode({ rootsById }: PipelineIndex, path: NodePath): IndexedNode | undefined {
  const [first, ...rest] = path;
  let found = first === undefined ? undefined : rootsById.get(first);
  for (const id of rest) found = found?.child(id);
  return found;
}

/** All nodes, each before those below it. */
export function* allNodes({ roots }: PipelineIndex): Generator<IndexedNode> {
  // A generator within another one is slow.
  const ahead = roots.toReversed();
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    yield next;
    ahead.push(...next.children.toReversed());
  }
}

/** Whether there are more nodes than so many. */
export function hasMoreThan(index: PipelineIndex, count: number): boolean {
  let left = count;
  for (const _node of allNodes(index)) {
    left -= 1;
    if (left < 0) return true;
  }
  return false;
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
  const roots = nodes.map(node => {
    let placed = placedRoots.get(node);
    if (placed === undefined) placedRoots.set(node, (placed = new PlacedNode(node, undefined)));
    return placed;
  });
  return { roots, rootsById: byIdOf(roots), files, complete };
}

/** Of pipelines that were indexed before. */
const placedRoots = new WeakMap<EditorNode, PlacedNode>();

/** Looks at what is below it when somebody asks: a project may have very many nodes, of which few are looked for. */
class PlacedNode implements IndexedNode {
  readonly node: EditorNode;
  readonly path: NodePath;
  readonly parent: IndexedNode | undefined;
  #byId: ReadonlyMap<string, IndexedNode> | undefined;
  #children: readonly IndexedNode[] | undefined;

  constructor(node: EditorNode, parent: IndexedNode | undefined) {
    this.node = node;
    this.path = parent === undefined ? [node.id] : [...parent.path, node.id];
    this.parent = parent;
  }

  get children(): readonly IndexedNode[] {
    return (this.#children ??= this.node.nodes.map(child => new PlacedNode(child, this)));
  }

  child(id: string): IndexedNode | undefined {
    return (this.#byId ??= byIdOf(this.children)).get(id);
  }
}

function byIdOf(nodes: readonly IndexedNode[]): ReadonlyMap<string, IndexedNode> {
  return new Map(nodes.map(each => [each.node.id, each]));
}

/** Adds children behind those that a node has; what leads to it belongs to the revision and may be changed. */
function append(top: ReadonlyMap<string, EditorNode>, path: NodePath, nodes: readonly EditorNode[]): void {
  const [first, ...rest] = path;
  let at = first === undefined ? undefined : top.get(first);
  for (const id of rest) at = at?.nodes.find(child => child.id === id);
  if (at !== undefined) (at.nodes as EditorNode[]).push(...nodes);
}
