/** How long is left after each node: what the scheduler orders by, and the figures that pages show. */
import { formatPath } from '../model.ts';
import { isWork, type RunGraph, type RunNode } from './run-graph.ts';

/** Average duration of succeeded runs in seconds, by path as text (see `formatPath`); pipelines with their wall time. */
export type AverageDurations = ReadonlyMap<string, number>;

/** Expected durations and costs of the nodes of a graph. */
export class CostModel {
  readonly #graph: RunGraph;
  readonly #averages: AverageDurations;
  /** What a task without history is taken for: the median of those that have one; `null` when none has. */
  readonly #median: number | null;
  readonly #costs: number[] = [];
  readonly #steps: number[] = [];

  constructor(graph: RunGraph, averages: AverageDurations) {
    this.#graph = graph;
    this.#averages = averages;
    this.#median = median(graph.nodes.flatMap(node => (isWork(node) ? (this.#average(node) ?? []) : [])));
    this.#place(graph.root, 0, 0);
  }

  /** Whether any task of the graph has a known duration. */
  get hasHistory(): boolean {
    return this.#median !== null;
  }

  /** Average duration of a node in seconds; `null` without history. */
  average(index: number): number | null {
    return this.#average(this.#graph.node(index));
  }

  /** Seconds that a task is expected to take; 0 for pipelines and passages. */
  duration(index: number): number {
    return this.#duration(this.#graph.node(index));
  }

  /** Length in seconds of the critical path that starts at a node; without history 0. */
  cost(index: number): number {
    return this.#costs[index] ?? 0;
  }

  /** Number of tasks on the longest way from a node to the end of the run, itself included. */
  steps(index: number): number {
    return this.#steps[index] ?? 0;
  }

  /** Takes up the children of a parallel task that has been expanded. */
  addChildren(index: number): void {
    const node = this.#graph.node(index);
    const [cost, steps] = this.#after(node);
    this.#placeChildren(node, cost, steps);
  }

  /** The tasks of the longest chain, first to last, and its length in seconds. */
  criticalPath(): { readonly nodes: readonly RunNode[]; readonly seconds: number } {
    const nodes: RunNode[] = [];
    let next: RunNode | undefined = this.#graph.root;
    while (next !== undefined) {
      const node: RunNode = next;
      if (node.children.length > 0) {
        next = this.#costliest(node.children.filter(child => child.upstreams.length === 0));
        continue;
      }
      if (isWork(node)) nodes.push(node);
      let last: RunNode | null = node;
      while (last !== null && last.downstreams.length === 0) last = last.parent;
      next = last === null ? undefined : this.#costliest(last.downstreams);
    }
    return { nodes, seconds: this.cost(this.#graph.root.index) };
  }

  #average(node: RunNode): number | null {
    return this.#averages.get(formatPath(node.path)) ?? null;
  }

  #duration(node: RunNode): number {
    return isWork(node) ? (this.#average(node) ?? this.#median ?? 0) : 0;
  }

  #costliest(nodes: readonly RunNode[]): RunNode | undefined {
    let best = nodes[0];
    for (const node of nodes) {
      if (best === undefined || this.#isLonger(node, best)) best = node;
    }
    return best;
  }

  #isLonger(node: RunNode, than: RunNode): boolean {
    const difference = this.cost(node.index) - this.cost(than.index);
    return difference > 0 || (difference === 0 && this.steps(node.index) > this.steps(than.index));
  }

  /** Cost and steps of what follows a node, in its own pipeline or after it. */
  #after(node: RunNode): readonly [cost: number, steps: number] {
    let last: RunNode | null = node;
    while (last !== null && last.downstreams.length === 0) last = last.parent;
    return last === null ? [0, 0] : this.#highest(last.downstreams);
  }

  #highest(nodes: readonly RunNode[]): readonly [cost: number, steps: number] {
    let cost = 0;
    let steps = 0;
    for (const { index } of nodes) {
      cost = Math.max(cost, this.cost(index));
      steps = Math.max(steps, this.steps(index));
    }
    return [cost, steps];
  }

  #place(node: RunNode, costAfter: number, stepsAfter: number): void {
    let cost = costAfter;
    let steps = stepsAfter;
    if (node.children.length > 0) {
      this.#placeChildren(node, cost, steps);
      [cost, steps] = this.#highest(node.children.filter(child => child.upstreams.length === 0));
    } else if (isWork(node)) {
      cost += this.#duration(node);
      steps += 1;
    }
    this.#costs[node.index] = cost;
    this.#steps[node.index] = steps;
  }

  #placeChildren(parent: RunNode, costAfter: number, stepsAfter: number): void {
    for (const child of parent.orderedChildren.toReversed()) {
      if (child.downstreams.length === 0) this.#place(child, costAfter, stepsAfter);
      else this.#place(child, ...this.#highest(child.downstreams));
    }
  }
}

/** The longest chain of tasks, first to last, and its length in seconds. */
export function criticalPath(
  graph: RunGraph,
  averages: AverageDurations,
): { readonly nodes: readonly RunNode[]; readonly seconds: number } {
  return new CostModel(graph, averages).criticalPath();
}

/** What pages show about a node, in seconds. */
export interface NodeFigures {
  /** Average wall time; `null` without history. */
  readonly averageDuration: number | null;
  /** Sum of the average durations of the tasks in a pipeline; of a task, its average duration. `null` without history. */
  readonly averageRunTime: number | null;
  /** Average run time plus the highest cost among what follows; unknown run times count as 0. */
  readonly cost: number;
}

/**
 * Figures of all nodes of a graph, by index. Only nodes that exist now count, so that renamed and removed ones do not
 * distort a pipeline. Unlike the scheduler's cost, a pipeline counts with its total work.
 */
export function nodeFigures(graph: RunGraph, averages: AverageDurations): readonly NodeFigures[] {
  const figures: NodeFigures[] = [];
  const runTimes: (number | null)[] = [];
  const measure = (node: RunNode): number | null => {
    let sum: number | null = null;
    if (node.children.length === 0) {
      sum = isWork(node) ? (averages.get(formatPath(node.path)) ?? null) : null;
    }
    for (const child of node.children) {
      const runTime = measure(child);
      if (runTime !== null) sum = (sum ?? 0) + runTime;
    }
    runTimes[node.index] = sum;
    return sum;
  };
  const place = (node: RunNode, costAfter: number): void => {
    for (const child of node.orderedChildren.toReversed()) {
      place(
        child,
        child.downstreams.length === 0
          ? costAfter
          : child.downstreams.reduce((highest, { index }) => Math.max(highest, figures[index]?.cost ?? 0), 0),
      );
    }
    const averageRunTime = runTimes[node.index] ?? null;
    figures[node.index] = {
      averageDuration: averages.get(formatPath(node.path)) ?? null,
      averageRunTime,
      cost: (averageRunTime ?? 0) + costAfter,
    };
  };
  measure(graph.root);
  place(graph.root, 0);
  return figures;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}
