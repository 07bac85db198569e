/** Mistakes in building a pipeline: what is checked before anything is changed, and how it is said. */
import { describeValue, PipelineError, suggestion } from './errors.ts';
import { inSentence, isNode, isRoot, lineage, type Node } from './node.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * Whether a node can become a child.
 *
 * @param instead the child whose place the node will take
 * @throws PipelineError
 */
export function checkNew(pipeline: Pipeline, node: Node, instead?: Node): void {
  const given: unknown = node;
  if (!isNode(given)) {
    throw new PipelineError(
      `${pipeline.toString()} can only have tasks, parallel tasks and pipelines as children, not ${describeValue(given)}.`,
    );
  }
  for (const ancestor of lineage(pipeline)) {
    if (ancestor !== node) continue;
    throw new PipelineError(
      node === pipeline
        ? `${pipeline.toString()} cannot be added to itself. Make another pipeline for it.`
        : `${node.toString()} cannot be added to ${inSentence(pipeline)}, which lies below it. Make another pipeline for one of the two.`,
    );
  }
  if (isRoot(node)) {
    throw new PipelineError(
      `The root pipeline cannot be added to ${inSentence(pipeline)}: it contains all others.`,
    );
  }
  if (node.parent !== undefined && node.parent !== pipeline) {
    throw new PipelineError(
      `${node.toString()} cannot be added to ${inSentence(pipeline)} as well: a node has one parent. ` +
        `Remove it from there first, or make another node.`,
    );
  }
  const namesake = pipeline.nodes.get(node.id);
  if (namesake === undefined || namesake === instead) return;
  throw new PipelineError(
    namesake === node
      ? `${pipeline.toString()} already contains this node "${node.id}". Add it once.`
      : `${pipeline.toString()} already has a node with the id "${node.id}". Give one of the two another id.`,
  );
}

/** Whether the role of initial or final node is free. */
export function checkRole(
  pipeline: Pipeline,
  role: 'initial' | 'final',
  taken: Node | undefined,
  node: Node,
): void {
  if (taken === undefined) return;
  throw new PipelineError(
    `${pipeline.toString()} already has the ${role} node "${taken.id}", so "${node.id}" cannot be another one. ` +
      `Use replace("${taken.id}", …), or put both into one pipeline.`,
  );
}

/** The children that a new node is to wait for. */
export function resolveUpstreams(
  pipeline: Pipeline,
  node: Node,
  upstreams: readonly (string | Node)[],
): Node[] {
  const given: unknown = upstreams;
  if (!Array.isArray(given)) {
    throw new PipelineError(
      `${pipeline.toString()}: the upstreams of "${node.id}" must be an array, not ${describeValue(given)}.`,
    );
  }
  return upstreams.map(upstream => {
    if (upstream === node.id || upstream === node) {
      throw new PipelineError(`${pipeline.toString()}: "${node.id}" cannot wait for itself.`);
    }
    const resolved = resolveChild(pipeline, upstream, `an upstream of "${node.id}"`);
    if (resolved === pipeline.finalNode) checkOrder(pipeline, resolved, node);
    return resolved;
  });
}

/**
 * The child that is meant by an id or by the node itself.
 *
 * @param use what it is wanted for, as part of a message
 */
export function resolveChild(pipeline: Pipeline, node: string | Node, use: string): Node {
  const given: unknown = node;
  if (typeof given === 'string') {
    const found = pipeline.nodes.get(given);
    if (found !== undefined) return found;
    throw new PipelineError(
      `${pipeline.toString()} has no node "${given}" (wanted as ${use}). ` +
        suggestion(given, pipeline.nodes.keys(), 'It has'),
    );
  }
  if (!isNode(given)) {
    throw new PipelineError(
      `${pipeline.toString()}: ${describeValue(given)} is neither a node nor the id of one (wanted as ${use}).`,
    );
  }
  if (given.parent === pipeline && pipeline.nodes.get(given.id) === given) return given;
  const where =
    given.parent === undefined ? 'it was not added to any pipeline' : 'it belongs to another pipeline';
  throw new PipelineError(
    `${pipeline.toString()} does not contain ${inSentence(given)} (wanted as ${use}): ${where}. ` +
      `Dependencies are only possible between children of one pipeline.`,
  );
}

/** Whether one child can wait for another one without waiting for itself in the end. */
export function checkOrder(pipeline: Pipeline, up: Node, down: Node): void {
  if (up === down) throw new PipelineError(`${pipeline.toString()}: "${up.id}" cannot wait for itself.`);
  if (down === pipeline.initialNode) {
    throw new PipelineError(
      `${pipeline.toString()}: the initial node "${down.id}" runs before all others, so it cannot wait for "${up.id}".`,
    );
  }
  if (up === pipeline.finalNode) {
    throw new PipelineError(
      `${pipeline.toString()}: the final node "${up.id}" runs after all others, so "${down.id}" cannot wait for it.`,
    );
  }
  const cycle = pathBetween(pipeline, down, up);
  if (cycle === undefined) return;
  throw new PipelineError(
    `${pipeline.toString()}: "${down.id}" cannot wait for "${up.id}", because that would close a cycle: ` +
      `${[up, ...cycle].map(node => node.id).join(' -> ')}. Remove one of these dependencies.`,
  );
}

/** A shortest way along the dependencies, both ends included. */
function pathBetween(pipeline: Pipeline, from: Node, to: Node): Node[] | undefined {
  // The usual case while a graph grows at one of its ends: then there is nothing to search.
  const waitsForNothing = [...to.upstreams.values().take(2)].every(node => node === pipeline.initialNode);
  if (waitsForNothing) return undefined;
  const cameFrom = new Map<Node, Node | undefined>([[from, undefined]]);
  const open = [from];
  for (const node of open) {
    if (node === to) {
      const path: Node[] = [];
      for (let step: Node | undefined = node; step !== undefined; step = cameFrom.get(step)) path.push(step);
      return path.reverse();
    }
    for (const downstream of node.downstreams) {
      if (cameFrom.has(downstream)) continue;
      cameFrom.set(downstream, node);
      open.push(downstream);
    }
  }
  return undefined;
}
