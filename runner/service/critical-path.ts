/** What determined when a run ended: the chain of tasks that waited for one another, back from the last one. Pure. */
import { formatPath } from '../model.ts';
import type { NodeRunRecord } from '../records.ts';
import type { RunGraph, RunNode } from '../scheduler/run-graph.ts';

/** An attempt that has run and ended. */
type EndedRun = NodeRunRecord & { readonly startedAt: number; readonly endedAt: number };

/** What ran at a place of the graph, or below it, and ended last. */
interface Arrival {
  readonly node: RunNode;
  readonly run: EndedRun;
}

/**
 * The ids of attempts, first to last: from the task that ended last back through the upstream that ended last, whatever
 * pipelines lie between. Earlier attempts of a task come before the later ones. Of a parallel task: itself, and those of
 * its children that ended last.
 *
 * @param graph what was selected, as it ran; with `null` there is only the last task
 * @param nodeRuns in the order in which they began
 */
export function criticalPath(graph: RunGraph | null, nodeRuns: readonly NodeRunRecord[]): number[] {
  const ended = nodeRuns.filter(isEnded);
  if (graph === null) {
    const last = latest(ended.filter(run => run.kind === 'task'));
    return last === undefined ? [] : [last.nodeRunId];
  }
  const runs = groupByNode(graph, ended);
  const arrivals = lastArrivals(graph, runs);
  const before = arrivalsBefore(graph, arrivals);
  const chain: number[] = [];
  for (let at = arrivals[graph.root.index]; at !== undefined; at = before[at.node.index])
    chain.push(...(runs.get(at.node.index)?.chain ?? []).toReversed());
  return chain.reverse();
}

function isEnded(run: NodeRunRecord): run is EndedRun {
  return run.kind !== 'pipeline' && run.startedAt !== null && run.endedAt !== null;
}

/** What a node of the graph did: its attempts in order, and of its generated children the ones that count. */
interface NodeRuns {
  readonly chain: readonly number[];
  readonly last: EndedRun;
}

/** Attempts by the index of their node; those of generated nodes belong to their parallel task. */
function groupByNode(graph: RunGraph, ended: readonly EndedRun[]): Map<number, NodeRuns> {
  const indexes = new Map<string, number>();
  for (const node of graph.nodes)
    if (node.kind !== 'pipeline') indexes.set(formatPath(node.path), node.index);
  const own = new Map<number, EndedRun[]>();
  const children = new Map<number, EndedRun[]>();
  for (const run of ended) {
    const index = indexes.get(formatPath(run.nodePath));
    if (index !== undefined) push(own, index, run);
    else {
      const owner = ownerOf(indexes, run);
      if (owner !== undefined && run.kind === 'task') push(children, owner, run);
    }
  }
  const runs = new Map<number, NodeRuns>();
  for (const index of new Set([...own.keys(), ...children.keys()])) {
    const attempts = own.get(index) ?? [];
    const decisive = decisiveChildren(graph.pathOf(index).length, children.get(index) ?? []);
    const last = latest([...attempts, ...decisive]);
    if (last !== undefined)
      runs.set(index, { chain: [...attempts, ...decisive].map(run => run.nodeRunId), last });
  }
  return runs;
}

function push(map: Map<number, EndedRun[]>, index: number, run: EndedRun): void {
  const list = map.get(index);
  if (list === undefined) map.set(index, [run]);
  else list.push(run);
}

/** The node of the graph that generated a node. */
function ownerOf(indexes: ReadonlyMap<string, number>, { nodePath }: EndedRun): number | undefined {
  for (let length = nodePath.length - 1; length > 0; length--) {
    const index = indexes.get(formatPath(nodePath.slice(0, length)));
    if (index !== undefined) return index;
  }
  return undefined;
}

/** The commands before the others, the one of the others that ended last, the commands after them. */
function decisiveChildren(level: number, children: readonly EndedRun[]): EndedRun[] {
  const isNamed = (run: EndedRun, id: string): boolean =>
    run.nodePath.length === level + 1 && run.nodePath.at(-1) === id;
  const before = latest(children.filter(run => isNamed(run, 'before')));
  const after = latest(children.filter(run => isNamed(run, 'after')));
  const between = latest(children.filter(run => !isNamed(run, 'before') && !isNamed(run, 'after')));
  return [before, between, after].filter(run => run !== undefined);
}

/** By node: what ended last in it. */
function lastArrivals(graph: RunGraph, runs: ReadonlyMap<number, NodeRuns>): (Arrival | undefined)[] {
  const arrivals: (Arrival | undefined)[] = [];
  // Children have higher indexes than what holds them.
  for (const node of graph.nodes.toReversed()) {
    const own = runs.get(node.index);
    arrivals[node.index] =
      own === undefined
        ? latestArrival(node.children.map(child => arrivals[child.index]))
        : { node, run: own.last };
  }
  return arrivals;
}

/** By node: what ended last among everything that it waited for, through nodes that did not run. */
function arrivalsBefore(
  graph: RunGraph,
  arrivals: readonly (Arrival | undefined)[],
): (Arrival | undefined)[] {
  const before: (Arrival | undefined)[] = [];
  const open: RunNode[] = [graph.root];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const node of parent.orderedChildren) {
      before[node.index] =
        node.upstreams.length === 0
          ? before[parent.index]
          : latestArrival(node.upstreams.map(({ index }) => arrivals[index] ?? before[index]));
      if (node.orderedChildren.length > 0) open.push(node);
    }
  }
  return before;
}

function latestArrival(arrivals: readonly (Arrival | undefined)[]): Arrival | undefined {
  let best: Arrival | undefined;
  for (const arrival of arrivals)
    if (arrival !== undefined && (best === undefined || arrival.run.endedAt > best.run.endedAt))
      best = arrival;
  return best;
}

function latest(runs: readonly EndedRun[]): EndedRun | undefined {
  let best: EndedRun | undefined;
  for (const run of runs) if (best === undefined || run.endedAt >= best.endedAt) best = run;
  return best;
}
