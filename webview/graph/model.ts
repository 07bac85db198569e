/** What a picture of a pipeline shows: which pipelines are open, which nodes are left out, which edges leave it. Pure. */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { Neighbour, PageNode } from '../messages.ts';
import { impliedUpstreams } from './implied.ts';

export interface GraphNode {
  /** Made up, safe everywhere: `n0`, `n1`, … */
  readonly id: string;
  /** `formatPath` of the path; of a stub something that no path is. */
  readonly key: string;
  readonly path: NodePath;
  /** A `stub` stands for nodes outside of the picture; `names` are theirs. */
  readonly kind: PageNode['kind'] | 'stub';
  readonly title: string;
  readonly description: string;
  readonly names: readonly string[];
  /** Nodes in it, however deep, without pipelines. */
  readonly size: number;
  /** Drawn as a frame around its children. */
  readonly isOpen: boolean;
  readonly children: readonly GraphNode[];
}

export interface GraphEdge {
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
  /** `implied`: follows from other edges; `stub`: leaves the picture. */
  readonly kind: 'depends' | 'implied' | 'stub';
}

export interface GraphModel {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphOptions {
  /** Keys of the pipelines that are closed. */
  readonly collapsed: ReadonlySet<string>;
  /** Only what is around this node of the first level. */
  readonly focus?: { readonly id: string; readonly reach: number } | null;
  readonly upstreams?: readonly Neighbour[];
  readonly downstreams?: readonly Neighbour[];
}

/** More nodes than this are not drawn without being asked for. */
export const manyNodes = 150;

/** The picture of what is in a pipeline. */
export function buildGraph(root: PageNode, options: GraphOptions): GraphModel {
  const edges: GraphEdge[] = [];
  let lastId = -1;
  const nextId = (): string => `n${String(++lastId)}`;

  const stub = (side: 'before' | 'after', of: NodePath, names: readonly string[]): GraphNode => ({
    id: nextId(),
    key: `${formatPath(of)}//${side}`,
    path: of,
    kind: 'stub',
    title: stubTitle(names),
    description: '',
    names,
    size: 0,
    isOpen: false,
    children: [],
  });

  const level = (siblings: readonly PageNode[]): GraphNode[] => {
    const ids = new Map(siblings.map(({ id }) => [id, nextId()]));
    const implied = impliedUpstreams(siblings);
    for (const sibling of siblings)
      for (const upstream of new Set(sibling.upstreams)) {
        const from = ids.get(upstream);
        const to = ids.get(sibling.id);
        if (from === undefined || to === undefined) continue;
        const isImplied = implied.get(sibling.id)?.has(upstream) === true;
        edges.push({ from, to, kind: isImplied ? 'implied' : 'depends' });
      }
    return siblings.map(sibling => {
      const key = formatPath(sibling.path);
      const isOpen = sibling.kind === 'pipeline' && sibling.nodes.length > 0 && !options.collapsed.has(key);
      return {
        id: ids.get(sibling.id) ?? nextId(),
        key,
        path: sibling.path,
        kind: sibling.kind,
        title: sibling.id,
        description: sibling.description,
        names: [],
        size: countLeaves(sibling),
        isOpen,
        children: isOpen ? level(sibling.nodes) : [],
      };
    });
  };

  const { focus = null, upstreams = [], downstreams = [] } = options;
  const shown = focus === null ? root.nodes : neighbourhood(root.nodes, focus.id, focus.reach, manyNodes);
  const nodes = level(shown);
  const idOf = new Map(shown.map((node, index) => [node.id, nodes[index]?.id ?? '']));
  const stubs: GraphNode[] = [];
  const isShown = (id: string): boolean => idOf.has(id);

  const hasDownstream = new Set(root.nodes.flatMap(node => node.upstreams));
  const known = new Set(root.nodes.map(({ id }) => id));
  const addStub = (side: 'before' | 'after', names: readonly string[], ends: readonly PageNode[]): void => {
    if (names.length === 0 || ends.length === 0) return;
    const [first] = ends;
    const node = stub(side, ends.length === 1 && first !== undefined ? first.path : root.path, names);
    stubs.push(node);
    for (const end of ends) {
      const id = idOf.get(end.id) ?? '';
      edges.push(
        side === 'before' ? { from: node.id, to: id, kind: 'stub' } : { from: id, to: node.id, kind: 'stub' },
      );
    }
  };
  // The pipeline's own neighbours: everything in it waits for those before it, those after it wait for all of it.
  addStub(
    'before',
    upstreams.map(nameOf),
    shown.filter(node => !node.upstreams.some(id => known.has(id))),
  );
  addStub(
    'after',
    downstreams.map(nameOf),
    shown.filter(node => !hasDownstream.has(node.id)),
  );
  if (focus !== null)
    for (const node of shown) {
      addStub(
        'before',
        node.upstreams.filter(id => known.has(id) && !isShown(id)),
        [node],
      );
      const after = root.nodes.filter(each => each.upstreams.includes(node.id) && !isShown(each.id));
      addStub(
        'after',
        after.map(({ id }) => id),
        [node],
      );
    }
  return { nodes: [...nodes, ...stubs], edges };
}

/**
 * Pipelines that are closed at first: all below the first level when there are more nodes than one can take in at a
 * glance, or little room.
 */
export function collapsedAtFirst(root: PageNode, isNarrow: boolean): ReadonlySet<string> {
  const isLarge = countNodes(root) - 1 > manyNodes;
  return new Set(isLarge || isNarrow ? pipelinesBelow(root) : []);
}

/** Keys of all pipelines in it. */
export function pipelinesBelow(root: PageNode): readonly string[] {
  return root.nodes.flatMap(node =>
    node.kind === 'pipeline' ? [formatPath(node.path), ...pipelinesBelow(node)] : [],
  );
}

/** The node itself and all nodes in it, from the top. */
export function* walk(node: PageNode): Generator<PageNode> {
  yield node;
  for (const child of node.nodes) yield* walk(child);
}

export function countNodes(node: PageNode): number {
  return node.nodes.reduce((sum, child) => sum + countNodes(child), 1);
}

/** Tasks and parallel tasks in it, however deep; a task counts itself. */
export function countLeaves(node: PageNode): number {
  return node.kind === 'pipeline' ? node.nodes.reduce((sum, child) => sum + countLeaves(child), 0) : 1;
}

/** Siblings that are at most `reach` edges away, nearest first, at most `limit`; in the order in which they stand. */
export function neighbourhood(
  siblings: readonly PageNode[],
  id: string,
  reach: number,
  limit: number,
): readonly PageNode[] {
  const upstreams = new Map(siblings.map(node => [node.id, node.upstreams]));
  const downstreams = new Map<string, string[]>();
  for (const node of siblings)
    for (const upstream of node.upstreams) {
      const list = downstreams.get(upstream);
      if (list === undefined) downstreams.set(upstream, [node.id]);
      else list.push(node.id);
    }
  const found = new Set<string>(upstreams.has(id) ? [id] : []);
  // Up from what is above and down from what is below, so that siblings of siblings do not come in.
  let above = [id];
  let below = [id];
  for (let step = 0; step < reach && found.size < limit; step += 1) {
    const add = (ids: readonly string[]): string[] => {
      const added: string[] = [];
      for (const each of ids)
        if (found.size < limit && upstreams.has(each) && !found.has(each)) {
          found.add(each);
          added.push(each);
        }
      return added;
    };
    above = add(above.flatMap(each => upstreams.get(each) ?? []));
    below = add(below.flatMap(each => downstreams.get(each) ?? []));
  }
  return siblings.filter(node => found.has(node.id));
}

function nameOf({ path }: Neighbour): string {
  return path.at(-1) ?? '';
}

function stubTitle(names: readonly string[]): string {
  const first = names.slice(0, 2).join(', ');
  return names.length > 2 ? `${first} and ${String(names.length - 2)} more` : first;
}

/** Every node of the picture, frames before what is in them. */
export function* allNodes(nodes: readonly GraphNode[]): Generator<GraphNode> {
  for (const node of nodes) {
    yield node;
    yield* allNodes(node.children);
  }
}
