/** What the page of a node shows of the project's files. */
import { relative } from 'node:path';
import type { NodePath } from '../../runner/model.ts';
import type { Neighbour, NodeView, PageNode } from '../../webview/messages.ts';
import type { EditorNode } from '../language/protocol.ts';
import { findNode, type IndexedNode, type PipelineIndex } from '../project/pipeline-index.ts';
import type { ProjectState } from '../project/project-state.ts';

/** `null`: there is no such node (any more). The path of all pipelines together is empty. */
export function nodeView(state: ProjectState, path: NodePath): NodeView | null {
  const problems = problemsOf(state);
  if (path.length === 0) return rootView(state, problems);
  const indexed = findNode(state.pipelines, path);
  if (indexed === undefined) return null;
  const { location } = indexed.node;
  return {
    node: pageNode(indexed.node, path),
    ancestors: path.slice(0, -1).map((_, length) => path.slice(0, length + 1)),
    upstreams: indexed.node.upstreams.flatMap(id => neighbour(state.pipelines, sibling(path, id))),
    downstreams: siblingsOf(state.pipelines, indexed)
      .filter(({ upstreams }) => upstreams.includes(indexed.node.id))
      .flatMap(({ id }) => neighbour(state.pipelines, sibling(path, id))),
    source: location === undefined ? null : { name: relative(state.directory, location.file), location },
    problems,
  };
}

function rootView({ name, pipelines }: ProjectState, problems: readonly string[]): NodeView {
  const node: PageNode = {
    id: '',
    path: [],
    kind: 'pipeline',
    description: name,
    labels: {},
    upstreams: [],
    nodes: pipelines.roots.map(each => pageNode(each.node, each.path)),
    commands: [],
    origin: 'static',
  };
  return { node, ancestors: [], upstreams: [], downstreams: [], source: null, problems };
}

function pageNode(node: EditorNode, path: NodePath): PageNode {
  const { addedAt: _addedAt, edges: _edges, occurrence: _occurrence, unknown: _unknown, ...rest } = node;
  return { ...rest, path, nodes: node.nodes.map(child => pageNode(child, [...path, child.id])) };
}

function siblingsOf(index: PipelineIndex, { parent }: IndexedNode): readonly EditorNode[] {
  return parent === undefined ? index.roots.map(({ node }) => node) : parent.node.nodes;
}

function sibling(path: NodePath, id: string): NodePath {
  return [...path.slice(0, -1), id];
}

function neighbour(index: PipelineIndex, path: NodePath): Neighbour[] {
  const found = findNode(index, path);
  if (found === undefined) return [];
  const { kind, description } = found.node;
  return [{ path, kind, description }];
}

function problemsOf({ pipelines, loadErrors }: ProjectState): string[] {
  const failed = pipelines.files.flatMap(({ uri, status, reason }) =>
    status === 'failed'
      ? [
          [decodeURIComponent(uri.split('/').at(-1) ?? uri), reason ?? '']
            .filter(part => part !== '')
            .join(': '),
        ]
      : [],
  );
  return [...failed, ...loadErrors];
}
