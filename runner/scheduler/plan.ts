/** What a run is asked to do: the tree of nodes without their code, and how a part of it is selected. */
import { formatPath, type NodeKind, type NodePath, type OnFailure } from '../model.ts';

/** A node as the scheduler sees it. */
export interface PlanNode {
  readonly id: string;
  readonly path: NodePath;
  readonly kind: NodeKind;
  /** Ids of the siblings that this node waits for. */
  readonly upstreams: readonly string[];
  /** Children of a pipeline, in declaration order; empty for tasks and for parallel tasks, which make theirs later. */
  readonly children: readonly PlanNode[];
  /** How many tasks below this pipeline or parallel task may run at once. */
  readonly maxParallelTasks?: number;
  /** Default: `stop`. */
  readonly onFailure?: OnFailure;
  /** Attempts after the first; 0 overrides the default of the run. */
  readonly maxRetries?: number;
  /** Seconds before the second attempt; doubles for each further one. */
  readonly retryDelay?: number;
}

/** Which nodes of a plan are to run. */
export interface Selection {
  /** Paths from the top, at any depth; a pipeline stands for everything in it. Empty: the whole plan. */
  readonly nodes: readonly NodePath[];
  /** Adds all transitive upstreams: those of the nodes and those of the pipelines that they lie in. */
  readonly withUpstreams: boolean;
}

/**
 * The part of a plan that a selection names. What is not selected is removed with bridging: its upstreams become
 * upstreams of its downstreams, so that the relative order of the rest is kept. Pipelines that hold a selected node stay,
 * with their limits and policies. Throws when a path names no node.
 */
export function selectNodes(root: PlanNode, selection: Selection): PlanNode {
  if (selection.nodes.length === 0) return root;
  const parents = new Map<PlanNode, PlanNode>();
  const byPath = new Map<string, PlanNode>([[formatPath(root.path), root]]);
  const register = (parent: PlanNode) => {
    for (const child of parent.children) {
      parents.set(child, parent);
      byPath.set(formatPath(child.path), child);
      register(child);
    }
  };
  register(root);
  const selected = new Set(selection.nodes.map(path => resolve(root, byPath, path)));
  if (selection.withUpstreams) addUpstreams(selected, parents);
  return prune(root, selected) ?? { ...root, children: [] };
}

/**
 * Siblings, upstreams before downstreams, otherwise in declaration order as far as possible. Throws when two have the
 * same id, when an upstream is not among them, and when there is a cycle, which is then listed. `owner` is the node
 * that holds them.
 */
export function topologicalOrder(siblings: readonly PlanNode[], owner: NodePath): PlanNode[] {
  const byId = new Map(siblings.map(node => [node.id, node]));
  if (byId.size < siblings.length) {
    const twice = siblings.find(node => byId.get(node.id) !== node);
    throw new Error(`${nameOf(owner)} has two nodes with the id "${twice?.id ?? ''}"`);
  }
  const waitsFor = new Map<PlanNode, number>();
  const downstreams = new Map<PlanNode, PlanNode[]>();
  for (const node of siblings) {
    const upstreams = new Set(node.upstreams);
    waitsFor.set(node, upstreams.size);
    for (const id of upstreams) {
      const upstream = byId.get(id);
      if (upstream === undefined) {
        throw new Error(`"${formatPath(node.path)}" waits for "${id}", which is not in ${nameOf(owner)}`);
      }
      const list = downstreams.get(upstream);
      if (list === undefined) downstreams.set(upstream, [node]);
      else list.push(node);
    }
  }
  const order = siblings.filter(node => waitsFor.get(node) === 0);
  for (const node of order) {
    for (const downstream of downstreams.get(node) ?? []) {
      const left = (waitsFor.get(downstream) ?? 0) - 1;
      waitsFor.set(downstream, left);
      if (left === 0) order.push(downstream);
    }
  }
  if (order.length < siblings.length) {
    const stuck = new Map(
      siblings.filter(node => (waitsFor.get(node) ?? 0) > 0).map(node => [node.id, node]),
    );
    throw new Error(`${nameOf(owner)} has a cycle: ${findCycle(stuck).join(' -> ')}`);
  }
  return order;
}

/** `pipeline "a/b"` for messages; the root, which has no name, is `the root pipeline`. */
function nameOf(path: NodePath): string {
  return path.length === 0 ? 'the root pipeline' : `pipeline "${formatPath(path)}"`;
}

/** A cycle among nodes of which each waits for another of them: its ids in running order, the first one repeated. */
function findCycle(stuck: ReadonlyMap<string, PlanNode>): string[] {
  const trail: string[] = [];
  const seenAt = new Map<string, number>();
  let id = stuck.keys().next().value;
  while (id !== undefined && !seenAt.has(id)) {
    seenAt.set(id, trail.length);
    trail.push(id);
    id = stuck.get(id)?.upstreams.find(upstream => stuck.has(upstream));
  }
  if (id === undefined) return trail;
  return [...trail.slice(seenAt.get(id)), id].reverse();
}

function resolve(root: PlanNode, byPath: ReadonlyMap<string, PlanNode>, path: NodePath): PlanNode {
  const node = byPath.get(formatPath(path));
  if (node !== undefined) return node;
  for (let length = path.length - 1; length > 0; length--) {
    const above = byPath.get(formatPath(path.slice(0, length)));
    if (above?.kind === 'parallel') {
      const parallel = formatPath(above.path);
      throw new Error(
        `"${formatPath(path)}" is made by the parallel task "${parallel}" when that runs: select "${parallel}"`,
      );
    }
  }
  throw new Error(`there is no node "${formatPath(path)}" in ${nameOf(root.path)}`);
}

/** Grows `selected` by everything that its nodes wait for, directly or because a pipeline around them waits. */
function addUpstreams(selected: Set<PlanNode>, parents: ReadonlyMap<PlanNode, PlanNode>): void {
  const siblings = new Map<PlanNode, Map<string, PlanNode>>();
  const seen = new Set<PlanNode>(selected);
  for (const node of seen) {
    const parent = parents.get(node);
    if (parent === undefined) continue;
    seen.add(parent);
    let byId = siblings.get(parent);
    if (byId === undefined) {
      byId = new Map(parent.children.map(child => [child.id, child]));
      siblings.set(parent, byId);
    }
    for (const id of node.upstreams) {
      const upstream = byId.get(id);
      if (upstream === undefined) continue;
      selected.add(upstream);
      seen.add(upstream);
    }
  }
}

/** The node with only what is selected in it; `null` when nothing is. */
function prune(node: PlanNode, selected: ReadonlySet<PlanNode>): PlanNode | null {
  if (selected.has(node)) return node;
  const kept = new Map<PlanNode, PlanNode>();
  for (const child of node.children) {
    const rest = prune(child, selected);
    if (rest !== null) kept.set(child, rest);
  }
  return kept.size === 0 ? null : { ...node, children: bridge(node, kept) };
}

/** The kept children of a node; each waits for the nearest kept ones among what it waited for. */
function bridge(parent: PlanNode, kept: ReadonlyMap<PlanNode, PlanNode>): PlanNode[] {
  if (kept.size === parent.children.length) return [...kept.values()];
  const nearest = new Map<string, readonly string[]>();
  const upstreamsOf = new Map<PlanNode, readonly string[]>();
  for (const child of topologicalOrder(parent.children, parent.path)) {
    const upstreams = [...new Set(child.upstreams.flatMap(id => nearest.get(id) ?? []))];
    upstreamsOf.set(child, upstreams);
    nearest.set(child.id, kept.has(child) ? [child.id] : upstreams);
  }
  return Array.from(kept, ([child, rest]) => ({ ...rest, upstreams: upstreamsOf.get(child) ?? [] }));
}
