/** What pipelines, tasks and parallel tasks have in common. */
import { cwd } from 'node:process';
import { formatPath, type NodeKind, type NodePath, type SourceLocation } from '../model.ts';
import { checkOptions, describeValue, PipelineError } from './errors.ts';
import { callerLocation } from './location.ts';
import type { ParallelTask } from './parallel-task.ts';
import type { Pipeline } from './pipeline.ts';
import type { Task } from './task.ts';

/*
 * State that only pipelines change. The keys are symbols, so that they are out of the user's sight, and shared ones, so
 * that nodes made by another copy of Millrace work alike. A node without edges has no sets: there may be 100,000.
 */
export const nodeKind: unique symbol = Symbol.for('millrace.node');
export const parentKey: unique symbol = Symbol.for('millrace.node.parent');
export const upstreamsKey: unique symbol = Symbol.for('millrace.node.upstreams');
export const downstreamsKey: unique symbol = Symbol.for('millrace.node.downstreams');
export const rootKey: unique symbol = Symbol.for('millrace.node.root');

const idPattern = /^[a-z0-9_]+$/;
const noNodes: ReadonlySet<Node> = new Set();
const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** Options of every node. */
export interface NodeOptions {
  /** Names the node among the children of its pipeline: lower-case letters, digits and `_`. */
  readonly id: string;
  /** A short summary of what the node does, shown wherever the node is. Default: empty. */
  readonly description?: string | undefined;
  /** Whatever the project wants to note about the node, as names and values. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export const nodeOptionKeys: readonly (keyof NodeOptions)[] = ['id', 'description', 'labels'];

/** Base of everything in the tree: see {@link Pipeline}, {@link Task} and {@link ParallelTask}. */
export abstract class Node {
  /** Unique among the children of the node's pipeline. */
  readonly id: string;
  /** A short summary of what the node does; may be empty. */
  readonly description: string;
  /** Whatever the project wants to note about the node. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where the node was made; known only while a graph with locations is loaded. */
  readonly location: SourceLocation | undefined;
  [parentKey]: Pipeline | undefined = undefined;
  [upstreamsKey]: Set<Node> | undefined = undefined;
  [downstreamsKey]: Set<Node> | undefined = undefined;

  /**
   * @throws PipelineError when the id is not valid, or when there is an option that is not among `allowedKeys`
   */
  constructor(what: string, options: NodeOptions, allowedKeys: ReadonlySet<string>) {
    checkOptions(what, options, allowedKeys);
    const { id, description, labels } = options;
    checkId(what, id);
    this.id = id;
    this.description = checkDescription(what, id, description);
    this.labels = checkLabels(what, id, labels);
    this.location = callerLocation(this);
  }

  /** What kind of node this is. */
  abstract get kind(): NodeKind;

  get [nodeKind](): NodeKind {
    return this.kind;
  }

  /** The pipeline that the node was added to. */
  get parent(): Pipeline | undefined {
    return this[parentKey];
  }

  /**
   * Ids from the top of the tree down to this node, without the project's root pipeline (whose path is `[]`).
   * A pipeline that no other one contains is at the top.
   */
  get path(): NodePath {
    const ids: string[] = [];
    for (const node of lineage(this)) if (!isRoot(node)) ids.push(node.id);
    return ids.reverse();
  }

  /** The siblings that this node waits for, in the order in which the dependencies were added. */
  get upstreams(): ReadonlySet<Node> {
    return this[upstreamsKey] ?? noNodes;
  }

  /** The siblings that wait for this node, in the order in which the dependencies were added. */
  get downstreams(): ReadonlySet<Node> {
    return this[downstreamsKey] ?? noNodes;
  }

  /** Directory that file names are relative to, absolute: that of the nearest pipeline. */
  get basePath(): string {
    return this[parentKey]?.basePath ?? cwd();
  }

  /** The kind and the path, as messages name the node: `Task "load/customers"`. */
  toString(): string {
    return isRoot(this) ? 'The root pipeline' : `${kindNames[this.kind]} "${formatPath(this.path)}"`;
  }

  /** Keeps `console.log` of a node from printing the whole tree. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `<${this.toString()}>`;
  }
}

/** The name of a node in the middle of a sentence: `task "load/customers"`. */
export function inSentence(node: Node): string {
  const name = node.toString();
  return name.charAt(0).toLowerCase() + name.slice(1);
}

const kindNames: Readonly<Record<NodeKind, string>> = {
  pipeline: 'Pipeline',
  task: 'Task',
  parallel: 'Parallel task',
};

/** Whether a value is a node, also one of another copy of Millrace (`instanceof` would not know that). */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && nodeKind in value;
}

/** Whether a value is a pipeline, also one of another copy of Millrace. */
export function isPipeline(value: unknown): value is Pipeline {
  return isNode(value) && value[nodeKind] === 'pipeline';
}

/** Whether a value is a task, also one of another copy of Millrace. */
export function isTask(value: unknown): value is Task {
  return isNode(value) && value[nodeKind] === 'task';
}

/** Whether a value is a parallel task, also one of another copy of Millrace. */
export function isParallelTask(value: unknown): value is ParallelTask {
  return isNode(value) && value[nodeKind] === 'parallel';
}

/** A node, its parent, and so on to the top. */
export function* lineage(node: Node): Generator<Node> {
  for (let current: Node | undefined = node; current !== undefined; current = current[parentKey])
    yield current;
}

/** Whether a node is the project's root pipeline, which no path contains. */
export function isRoot(node: Node): boolean {
  return rootKey in node;
}

/** Makes `downstream` wait for `upstream`; nothing is checked. */
export function link(upstream: Node, downstream: Node): void {
  (upstream[downstreamsKey] ??= new Set()).add(downstream);
  (downstream[upstreamsKey] ??= new Set()).add(upstream);
}

/** The inverse of {@link link}. */
export function unlink(upstream: Node, downstream: Node): void {
  upstream[downstreamsKey]?.delete(downstream);
  downstream[upstreamsKey]?.delete(upstream);
}

function checkId(what: string, id: unknown): void {
  if (typeof id !== 'string') {
    throw new PipelineError(`${what} needs an id, a string like "load_customers", not ${describeValue(id)}.`);
  }
  if (idPattern.test(id)) return;
  const repaired = id
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_');
  const proposal = idPattern.test(repaired) && repaired !== '_' ? ` Use "${repaired}", for example.` : '';
  throw new PipelineError(
    `${what} has the invalid id ${JSON.stringify(id)}: ids are made of lower-case letters, digits and "_".${proposal}`,
  );
}

function checkDescription(what: string, id: string, description: unknown): string {
  if (description === undefined) return '';
  if (typeof description === 'string') return description;
  throw new PipelineError(
    `${what} "${id}": description must be a string, not ${describeValue(description)}.`,
  );
}

function checkLabels(what: string, id: string, labels: unknown): Readonly<Record<string, string>> {
  if (labels === undefined) return noLabels;
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw new PipelineError(
      `${what} "${id}": labels must be an object with strings as values, not ${describeValue(labels)}.`,
    );
  }
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (typeof value !== 'string') {
      throw new PipelineError(
        `${what} "${id}": the label "${name}" must be a string, not ${describeValue(value)}.`,
      );
    }
    checked[name] = value;
  }
  return Object.freeze(checked);
}
