/** Graphs as messages for the editor: slim, and in pieces that are quick to read. */
import type { NodePath } from '../../runner/model.ts';
import type { MergedNode } from '../analysis/merge-graphs.ts';
import type { EditorNode, EditorPart } from './protocol.ts';

/** Nodes in one message: about a hundred kilobytes, which take a millisecond or two to read. */
const nodesPerMessage = 100;

/** A part of a revision. */
export interface NodesMessage {
  readonly changed: readonly EditorNode[];
  readonly parts: readonly EditorPart[];
}

/** Whole pipelines, cut into messages of a bounded number of nodes; at least one message. */
export function toMessages(pipelines: readonly MergedNode[], size = nodesPerMessage): NodesMessage[] {
  const messages: { changed: EditorNode[]; parts: { path: NodePath; nodes: EditorNode[] }[] }[] = [];
  let left = 0;
  const current = (): (typeof messages)[number] => {
    let last = messages.at(-1);
    if (last === undefined || left <= 0) {
      messages.push((last = { changed: [], parts: [] }));
      left = size;
    }
    return last;
  };
  /** Puts a node with as many of its descendants as fit somewhere; the rest follows in parts. */
  const take = (node: MergedNode): { readonly taken: EditorNode; readonly rest: () => void } => {
    left--;
    const nodes: EditorNode[] = [];
    const pending: (() => void)[] = [];
    let index = 0;
    for (; index < node.nodes.length && left > 0; index++) {
      const child = node.nodes[index];
      if (child === undefined) break;
      const { taken, rest } = take(child);
      nodes.push(taken);
      pending.push(rest);
    }
    const rest = (): void => {
      for (const each of pending) each();
      let part: { path: NodePath; nodes: EditorNode[] } | undefined;
      let at = messages.at(-1);
      for (const child of node.nodes.slice(index)) {
        const message = current();
        if (part === undefined || message !== at) {
          part = { path: node.path, nodes: [] };
          message.parts.push(part);
          at = message;
        }
        const { taken, rest: more } = take(child);
        part.nodes.push(taken);
        more();
        // What the child still had to say may have begun another part.
        if (message.parts.at(-1) !== part) part = undefined;
      }
    };
    return { taken: ownPart(node, nodes), rest };
  };
  for (const pipeline of pipelines) {
    const message = current();
    const { taken, rest } = take(pipeline);
    message.changed.push(taken);
    rest();
  }
  if (messages.length === 0) messages.push({ changed: [], parts: [] });
  return messages;
}

/** A node without what its place in the tree says. Written out, because there are many of them. */
function ownPart(node: MergedNode, nodes: readonly EditorNode[]): EditorNode {
  const { id, kind, description, labels, upstreams, commands, origin, edges, unknown } = node;
  const part: Writable<EditorNode> = {
    id,
    kind,
    description,
    labels,
    upstreams,
    commands,
    origin,
    nodes,
  };
  if (node.location !== undefined) part.location = node.location;
  if (node.addedAt !== undefined) part.addedAt = node.addedAt;
  if (edges.length > 0) part.edges = edges;
  if (node.reason !== undefined) part.reason = node.reason;
  if (node.occurrence !== undefined) part.occurrence = node.occurrence;
  if (unknown !== undefined) part.unknown = unknown.map(({ option, reason }) => ({ option, reason }));
  if (node.params !== undefined) part.params = node.params;
  if (node.maxRetries !== undefined) part.maxRetries = node.maxRetries;
  if (node.timeout !== undefined) part.timeout = node.timeout;
  if (node.onFailure !== undefined) part.onFailure = node.onFailure;
  if (node.maxParallelTasks !== undefined) part.maxParallelTasks = node.maxParallelTasks;
  return part;
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** Whether two values say the same as JSON does, where their members have the same order. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isSameJson(item, b[index]));
  }
  const [names, others] = [Object.keys(a), Object.keys(b)];
  return (
    names.length === others.length &&
    names.every(
      (name, index) => name === others[index] && isSameJson(Reflect.get(a, name), Reflect.get(b, name)),
    )
  );
}
