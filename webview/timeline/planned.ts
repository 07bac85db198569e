/** What a run was to run, by the graph that it kept. */
import { isAtOrBelow, type NodeGraph, type NodePath } from '../../runner/model.ts';
import type { RunDetailsRecord } from '../../runner/records.ts';

/** Nodes that the run was to run, as far as its graph tells, without the root; a resumed run leaves out what it need not. */
export function plannedNodes({ run, graph }: RunDetailsRecord): NodeGraph[] {
  if (graph === null) return [];
  const top = find(graph, run.pipelinePath);
  if (top === null) return [];
  const all: NodeGraph[] = [];
  const walk = (node: NodeGraph): void => {
    for (const child of node.nodes) {
      all.push(child);
      walk(child);
    }
  };
  walk(top);
  const isWhole = run.nodePaths.length === 0 || run.nodePaths.some(path => isAtOrBelow(top.path, path));
  if (run.resumedFrom !== null) return [];
  if (isWhole) return all;
  const selected = new Set<NodeGraph>(
    all.filter(node => run.nodePaths.some(path => isAtOrBelow(node.path, path))),
  );
  if (run.withUpstreams) addUpstreams(selected, top);
  // Pipelines around what is selected run too.
  return all.filter(
    node => selected.has(node) || [...selected].some(inner => isAtOrBelow(inner.path, node.path)),
  );
}

function addUpstreams(selected: Set<NodeGraph>, pipeline: NodeGraph): boolean {
  const waiting = pipeline.nodes.filter(node => {
    const inside = addUpstreams(selected, node);
    return selected.has(node) || inside;
  });
  const byId = new Map(pipeline.nodes.map(node => [node.id, node]));
  const seen = new Set(waiting);
  for (const node of seen)
    for (const id of node.upstreams) {
      const upstream = byId.get(id);
      if (upstream === undefined || seen.has(upstream)) continue;
      seen.add(upstream);
      const add = (one: NodeGraph): void => {
        selected.add(one);
        one.nodes.forEach(add);
      };
      add(upstream);
    }
  return waiting.length > 0;
}

/** The node at a path of a graph that may begin at the root or at a pipeline. */
export function find(graph: NodeGraph, path: NodePath): NodeGraph | null {
  if (graph.path.length === path.length && isAtOrBelow(graph.path, path)) return graph;
  if (!isAtOrBelow(path, graph.path)) return null;
  for (const child of graph.nodes) {
    if (!isAtOrBelow(path, child.path)) continue;
    return find(child, path);
  }
  return null;
}
