/**
 * The graph that runs. Edges connect siblings only: a pipeline stands for a gate before its first children and a gate
 * after its last ones, so that a nested pipeline with m last children before one with n first children costs one edge
 * and not m × n.
 */
import { formatPath, type NodeKind, type NodePath, type OnFailure } from '../model.ts';
import { topologicalOrder, type PlanNode } from './plan.ts';

/** A node of a run. */
export interface RunNode {
  /** Position in the graph. */
  readonly index: number;
  readonly path: NodePath;
  readonly kind: NodeKind;
  /**
   * Whether the node already succeeded in an earlier run: it then does nothing and only keeps the order of what is
   * around it. It has no children, no outcome, and no decision is about it. The root is never one.
   */
  readonly isPassage: boolean;
  /** The pipeline or parallel task that holds the node; `null` for the root. */
  readonly parent: RunNode | null;
  /** Number of nodes above. */
  readonly level: number;
  readonly upstreams: readonly RunNode[];
  readonly downstreams: readonly RunNode[];
  /** In declaration order. Those of a parallel task appear when it is expanded. */
  readonly children: readonly RunNode[];
  /** The children, upstreams before downstreams. */
  readonly orderedChildren: readonly RunNode[];
  readonly maxParallelTasks: number | null;
  readonly onFailure: OnFailure;
  /** `null`: the default of the run. */
  readonly maxRetries: number | null;
  /** Seconds; `null`: the default of the run. */
  readonly retryDelay: number | null;
}

interface GrowingNode extends RunNode {
  upstreams: GrowingNode[];
  downstreams: GrowingNode[];
  children: GrowingNode[];
  orderedChildren: GrowingNode[];
  maxParallelTasks: number | null;
}

const NONE: never[] = [];

export interface FlattenOptions {
  /**
   * Paths (as text, see `formatPath`) of tasks and parallel tasks that succeeded in an earlier run and are not repeated.
   * A pipeline is left out when everything in it is. Children of parallel tasks count when these are expanded.
   */
  readonly unrepeated?: ReadonlySet<string>;
}

/** Makes the graph of a plan. Throws when the plan has a cycle, an unknown upstream or an impossible limit. */
export function flatten(plan: PlanNode, options: FlattenOptions = {}): RunGraph {
  return new RunGraph(plan, options.unrepeated ?? new Set());
}

/** The nodes of a run by their index; it grows when a parallel task is expanded. */
export class RunGraph {
  readonly root: RunNode;
  readonly #nodes: GrowingNode[] = [];
  readonly #unrepeated: ReadonlySet<string>;
  #taskCount = 0;

  constructor(plan: PlanNode, unrepeated: ReadonlySet<string>) {
    this.#unrepeated = unrepeated;
    this.root = this.#add(plan, null, orderTree(plan));
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Tasks and parallel tasks known so far. */
  get taskCount(): number {
    return this.#taskCount;
  }

  get nodes(): readonly RunNode[] {
    return this.#nodes;
  }

  /** The node with an index; an unknown one is a bug of the caller and throws. */
  node(index: number): RunNode {
    return this.#node(index);
  }

  pathOf(index: number): NodePath {
    return this.#node(index).path;
  }

  kindOf(index: number): NodeKind {
    return this.#node(index).kind;
  }

  /**
   * Puts the children that a parallel task made into it. Throws, with the graph as it was, when they have a cycle, an
   * unknown upstream or an impossible limit.
   */
  expand(index: number, children: readonly PlanNode[], maxParallelTasks?: number): void {
    const node = this.#node(index);
    if (node.kind !== 'parallel' || node.children.length > 0) {
      throw new Error(`"${formatPath(node.path)}" cannot be expanded`);
    }
    checkLimit(node.path, maxParallelTasks);
    const orders = orderChildren(children, node.path);
    if (maxParallelTasks !== undefined) node.maxParallelTasks = maxParallelTasks;
    this.#addChildren(node, children, orders);
  }

  #node(index: number): GrowingNode {
    const node = this.#nodes[index];
    if (node === undefined) throw new Error(`there is no node with index ${String(index)}`);
    return node;
  }

  #add(plan: PlanNode, parent: GrowingNode | null, orders: Orders): GrowingNode {
    const isPassage = parent !== null && this.#isUnrepeated(plan);
    const node: GrowingNode = {
      index: this.#nodes.length,
      path: plan.path,
      kind: plan.kind,
      isPassage,
      parent,
      level: parent === null ? 0 : parent.level + 1,
      upstreams: NONE,
      downstreams: NONE,
      children: NONE,
      orderedChildren: NONE,
      maxParallelTasks: plan.maxParallelTasks ?? null,
      onFailure: plan.onFailure ?? 'stop',
      maxRetries: plan.maxRetries ?? null,
      retryDelay: plan.retryDelay ?? null,
    };
    this.#nodes.push(node);
    if (isWork(node)) this.#taskCount++;
    else if (!isPassage) this.#addChildren(node, plan.children, orders);
    return node;
  }

  #addChildren(parent: GrowingNode, plans: readonly PlanNode[], orders: Orders): void {
    if (plans.length === 0) return;
    const byId = new Map<string, GrowingNode>();
    parent.children = plans.map(plan => {
      const node = this.#add(plan, parent, orders);
      byId.set(plan.id, node);
      return node;
    });
    for (const plan of plans) {
      const node = byId.get(plan.id);
      if (node === undefined || plan.upstreams.length === 0) continue;
      node.upstreams = [];
      for (const id of new Set(plan.upstreams)) {
        const upstream = byId.get(id);
        if (upstream === undefined) continue;
        node.upstreams.push(upstream);
        if (upstream.downstreams === NONE) upstream.downstreams = [node];
        else upstream.downstreams.push(node);
      }
    }
    parent.orderedChildren = (orders.get(plans) ?? []).flatMap(plan => byId.get(plan.id) ?? []);
  }

  /** A pipeline's own success says nothing (its policy may ignore failures), so that its children decide. */
  #isUnrepeated(plan: PlanNode): boolean {
    if (this.#unrepeated.size === 0) return false;
    if (plan.kind === 'pipeline' && plan.children.length > 0) {
      return plan.children.every(child => this.#isUnrepeated(child));
    }
    return this.#unrepeated.has(formatPath(plan.path));
  }
}

/** Whether a node takes time of its own: a task or a parallel task that is to run. */
export function isWork(node: RunNode): boolean {
  return node.kind !== 'pipeline' && !node.isPassage;
}

/** Compares nodes of one graph by where they are declared; the children of a parallel task stand where it does. */
export function compareDeclaration(left: RunNode, right: RunNode): number {
  if (left.parent === right.parent) return left.index - right.index;
  let a = left;
  let b = right;
  while (a.level > b.level && a.parent !== null) a = a.parent;
  while (b.level > a.level && b.parent !== null) b = b.parent;
  if (a === b) return left.level - right.level;
  while (a.parent !== b.parent && a.parent !== null && b.parent !== null) {
    a = a.parent;
    b = b.parent;
  }
  return a.index - b.index;
}

/** The children of each node by the list that holds them, upstreams before downstreams. */
type Orders = Map<readonly PlanNode[], readonly PlanNode[]>;

/** Checks a whole tree before anything is made of it. */
function orderTree(plan: PlanNode, orders: Orders = new Map()): Orders {
  checkLimit(plan.path, plan.maxParallelTasks);
  return orderChildren(plan.children, plan.path, orders);
}

function orderChildren(children: readonly PlanNode[], owner: NodePath, orders: Orders = new Map()): Orders {
  if (children.length === 0) return orders;
  orders.set(children, topologicalOrder(children, owner));
  for (const child of children) orderTree(child, orders);
  return orders;
}

function checkLimit(path: NodePath, limit: number | undefined): void {
  if (limit === undefined || (Number.isInteger(limit) && limit > 0)) return;
  throw new Error(
    `maxParallelTasks of "${formatPath(path)}" must be a whole number from 1, not ${String(limit)}`,
  );
}
