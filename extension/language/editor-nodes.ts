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

/** A node without what its place in the tree says, children included. */
export function editorNode(node: MergedNode): EditorNode {
  return { ...ownPart(node), nodes: node.nodes.map(editorNode) };
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
    return { taken: { ...ownPart(node), nodes }, rest };
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

function ownPart(node: MergedNode): Omit<EditorNode, 'nodes'> {
  const { id, kind, description, labels, upstreams, commands, origin, edges, unknown } = node;
  return {
    id,
    kind,
    description,
    labels,
    upstreams,
    commands,
    origin,
    ...given('location', node.location),
    ...given('addedAt', node.addedAt),
    ...(edges.length === 0 ? {} : { edges }),
    ...given('reason', node.reason),
    ...given('occurrence', node.occurrence),
    ...(unknown === undefined ? {} : { unknown: unknown.map(({ option, reason }) => ({ option, reason })) }),
    ...given('params', node.params),
    ...given('maxRetries', node.maxRetries),
    ...given('timeout', node.timeout),
    ...given('onFailure', node.onFailure),
    ...given('maxParallelTasks', node.maxParallelTasks),
  };
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}
