/** Graphs that runs left in the store, as the scheduler's plans and graphs: what costs and paths are computed on. */
import { isAtOrBelow, type NodeGraph, type NodePath } from '../model.ts';
import { selectNodes, topologicalOrder, type PlanNode } from '../scheduler/plan.ts';
import { flatten, type RunGraph } from '../scheduler/run-graph.ts';

/** The plan that a stored graph shows; its root waits for nothing. */
export function planOfGraph(graph: NodeGraph): PlanNode {
  return { ...planOf(graph), upstreams: [] };
}

function planOf(graph: NodeGraph): PlanNode {
  return {
    id: graph.id,
    path: graph.path,
    kind: graph.kind === 'dynamic' ? 'task' : graph.kind,
    upstreams: graph.upstreams,
    children: graph.nodes.map(planOf),
    ...(graph.maxParallelTasks !== undefined && { maxParallelTasks: graph.maxParallelTasks }),
    ...(graph.onFailure !== undefined && { onFailure: graph.onFailure }),
    ...(graph.maxRetries !== undefined && { maxRetries: graph.maxRetries }),
  };
}

export interface RanSelection {
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  /** Paths (`a/b`) that a resumed run found done. */
  readonly unrepeated: ReadonlySet<string>;
}

/**
 * The graph that a run worked on: what was selected of the stored one.
 *
 * @returns `null` when the stored graph does not make sense (any more).
 */
export function graphOfRun(graph: NodeGraph, selection: RanSelection): RunGraph | null {
  try {
    const { nodePaths, withUpstreams, unrepeated } = selection;
    const plan = planOfGraph(graph);
    const selected = nodePaths.length === 0 ? plan : selectNodes(plan, { nodes: nodePaths, withUpstreams });
    return flatten(selected, { unrepeated });
  } catch {
    return null; // written by another version: a page without costs is better than none
  }
}

/**
 * One tree from the graphs of several runs: each takes the place of what older ones said about the same pipeline.
 *
 * @param graphs oldest first
 */
export function mergeGraphs(graphs: readonly NodeGraph[]): PlanNode {
  let root: PlanNode = { id: '', path: [], kind: 'pipeline', upstreams: [], children: [] };
  for (const graph of graphs) root = place(root, planOf(graph), graph.path);
  return root;
}

/** The tree with a node put at its path; pipelines on the way are made where they are not known. */
function place(tree: PlanNode, node: PlanNode, path: NodePath): PlanNode {
  if (path.length === tree.path.length) return { ...node, upstreams: tree.upstreams };
  const childPath = path.slice(0, tree.path.length + 1);
  const id = childPath.at(-1) ?? '';
  const known = tree.children.find(child => child.id === id);
  const before: PlanNode = known ?? { id, path: childPath, kind: 'pipeline', upstreams: [], children: [] };
  const placed = place(before, node, path);
  // What the newer graph says of its own upstreams holds if these are there and still leave an order.
  const ids = new Set(tree.children.map(child => child.id));
  const isItself = path.length === childPath.length;
  const upstreams = isItself ? node.upstreams.filter(upstream => ids.has(upstream)) : before.upstreams;
  const withUpstreams = put(tree.children, { ...placed, upstreams });
  const children = isOrderly(withUpstreams, tree.path) ? withUpstreams : put(tree.children, placed);
  return { ...tree, children };
}

function put(children: readonly PlanNode[], node: PlanNode): PlanNode[] {
  const exists = children.some(child => child.id === node.id);
  return exists ? children.map(child => (child.id === node.id ? node : child)) : [...children, node];
}

function isOrderly(children: readonly PlanNode[], owner: NodePath): boolean {
  try {
    topologicalOrder(children, owner);
    return true;
  } catch {
    return false;
  }
}

/** The node at a path; `null` when the tree does not have it. */
export function findInPlan(tree: PlanNode, path: NodePath): PlanNode | null {
  let node: PlanNode | undefined = tree;
  for (const id of path.slice(tree.path.length)) node = node?.children.find(child => child.id === id);
  return node !== undefined && isAtOrBelow(path, tree.path) ? node : null;
}

/** All paths of a stored graph, upwards from its root, in the order of declaration. */
export function* nodesOfGraph(graph: NodeGraph): Generator<NodeGraph> {
  yield graph;
  for (const node of graph.nodes) yield* nodesOfGraph(node);
}
