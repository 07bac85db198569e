/** Pipelines: nodes, and the order between them. */
import { cwd } from 'node:process';
import { resolve } from 'node:path';
import type { OnFailure, ParameterDefinition } from '../model.ts';
import { parsePath } from '../model.ts';
import { checkCount, describeValue, listNames, PipelineError } from './errors.ts';
import { defineParameters, type ParameterOptions } from './parameters.ts';
import { checkNew, checkOrder, checkRole, resolveChild, resolveUpstreams } from './pipeline-checks.ts';
import {
  downstreamsKey,
  inSentence,
  isPipeline,
  link,
  Node,
  nodeOptionKeys,
  type NodeOptions,
  parentKey,
  rootKey,
  unlink,
  upstreamsKey,
} from './node.ts';

export interface PipelineOptions extends NodeOptions {
  /**
   * How many tasks of this pipeline, those of its nested pipelines included, may run at the same time.
   * Default: as many as the project's `maxParallelTasks` allows.
   */
  readonly maxParallelTasks?: number | undefined;
  /**
   * Directory that file names of the pipeline's commands are relative to; nested pipelines inherit it. A relative path
   * starts at the default. Default: the directory of the file that exports the pipeline, else that of the parent.
   */
  readonly basePath?: string | undefined;
  /**
   * What the failure of a child does. Default: `stop`.
   *
   * - `stop`: nothing more of this pipeline starts; running tasks finish; the pipeline fails.
   * - `skipDownstream`: only what waits for the failed node is skipped; the pipeline fails.
   * - `runAll`: everything still runs, also what waits for the failed node; the pipeline fails.
   * - `ignore`: the failed child counts as done; the pipeline succeeds.
   */
  readonly onFailure?: OnFailure | undefined;
  /**
   * Values that are asked for before a run, by name. Commands get them as `context.params`, functions in the options of
   * commands as `params`, programs as environment variables `MILLRACE_PARAM_<NAME>`. Default: none.
   */
  readonly params?: ParameterOptions | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  ...nodeOptionKeys,
  'maxParallelTasks',
  'basePath',
  'onFailure',
  'params',
] satisfies (keyof PipelineOptions)[]);

const onFailureValues: readonly string[] = [
  'stop',
  'skipDownstream',
  'runAll',
  'ignore',
] satisfies OnFailure[];

/** For the loader only: sets the base path that a pipeline has unless it says otherwise. */
export const setDefaultBasePath: unique symbol = Symbol.for('millrace.pipeline.setDefaultBasePath');

/**
 * Nodes with an order between them. A node starts when all its upstreams are done; nodes without an order between
 * them run at the same time.
 *
 * Every mistake throws a {@link PipelineError} at once and leaves the pipeline as it was.
 *
 * @example
 * const pipeline = new Pipeline({ id: 'shop', description: 'Loads the shop' });
 * pipeline.add(new Task({ id: 'download', commands: [new RunBash('./download.sh')] }));
 * pipeline.add(new Task({ id: 'load', commands: [new ExecuteSQL({ sqlFile: 'load.sql' })] }), ['download']);
 */
export class Pipeline extends Node {
  /** How many tasks of this pipeline may run at the same time; `undefined`: no limit of its own. */
  readonly maxParallelTasks: number | undefined;
  /** What the failure of a child does. */
  readonly onFailure: OnFailure;
  /** Values that are asked for before a run, by name. */
  readonly params: Readonly<Record<string, ParameterDefinition>>;
  readonly #nodes = new Map<string, Node>();
  readonly #basePath: string | undefined;
  #defaultBasePath: string | undefined;
  #initial: Node | undefined;
  #final: Node | undefined;

  /** @throws PipelineError when the id, a value or the name of an option is not valid */
  constructor(options: PipelineOptions) {
    super('Pipeline', options, optionKeys);
    const { maxParallelTasks, basePath, onFailure = 'stop' } = options;
    const owner = (): string => `Pipeline "${this.id}"`;
    checkCount(owner, 'maxParallelTasks', maxParallelTasks, 1);
    if (!onFailureValues.includes(onFailure)) {
      const allowed = onFailureValues.map(value => `"${value}"`).join(', ');
      throw new PipelineError(
        `${owner()}: onFailure must be one of ${allowed}, not ${describeValue(onFailure)}.`,
      );
    }
    if (basePath !== undefined && typeof basePath !== 'string') {
      throw new PipelineError(`${owner()}: basePath must be a string, not ${describeValue(basePath)}.`);
    }
    this.maxParallelTasks = maxParallelTasks;
    this.onFailure = onFailure;
    this.params = defineParameters(owner(), options.params);
    this.#basePath = basePath;
  }

  override get kind(): 'pipeline' {
    return 'pipeline';
  }

  /** The children by id, in the order in which they were added. */
  get nodes(): ReadonlyMap<string, Node> {
    return this.#nodes;
  }

  /** The child that runs before all others, if there is one. */
  get initialNode(): Node | undefined {
    return this.#initial;
  }

  /** The child that runs after all others, if there is one. */
  get finalNode(): Node | undefined {
    return this.#final;
  }

  /** Directory that file names of the pipeline's commands are relative to, absolute. */
  override get basePath(): string {
    const inherited = this.#defaultBasePath ?? this.parent?.basePath ?? cwd();
    return this.#basePath === undefined ? inherited : resolve(inherited, this.#basePath);
  }

  [setDefaultBasePath](directory: string): void {
    this.#defaultBasePath = directory;
  }

  /**
   * Adds a node. Without upstreams it may start at once (or after the initial node).
   *
   * @param upstreams children of this pipeline, by id or as objects, that the node waits for
   */
  add(node: Node, upstreams: readonly (string | Node)[] = []): this {
    checkNew(this, node);
    const waitsFor = resolveUpstreams(this, node, upstreams);
    this.#adopt(node);
    for (const upstream of waitsFor) this.#connect(upstream, node);
    this.#attach(node);
    return this;
  }

  /** Adds several nodes, each with the same upstreams; those before a mistake stay added. */
  addAll(nodes: Iterable<Node>, upstreams: readonly (string | Node)[] = []): this {
    for (const node of nodes) this.add(node, upstreams);
    return this;
  }

  /** Adds a node that runs before all others, whether they are added earlier or later. */
  addInitial(node: Node): this {
    checkNew(this, node);
    checkRole(this, 'initial', this.#initial, node);
    this.#adopt(node);
    this.#initial = node;
    for (const child of this.#nodes.values()) this.#attach(child);
    return this;
  }

  /** Adds a node that runs after all others, whether they are added earlier or later. */
  addFinal(node: Node): this {
    checkNew(this, node);
    checkRole(this, 'final', this.#final, node);
    this.#adopt(node);
    this.#final = node;
    for (const child of this.#nodes.values()) this.#attach(child);
    return this;
  }

  /** Takes a node out. What waited for it then waits for its upstreams, so the order of the rest stays the same. */
  remove(node: string | Node): this {
    const removed = resolveChild(this, node, 'removed');
    const upstreams = [...removed.upstreams];
    const downstreams = [...removed.downstreams];
    for (const upstream of upstreams) unlink(upstream, removed);
    for (const downstream of downstreams) unlink(removed, downstream);
    for (const upstream of upstreams) {
      if (upstream === this.#initial) continue;
      for (const downstream of downstreams) {
        if (downstream !== this.#final) this.#connect(upstream, downstream);
      }
    }
    if (removed === this.#initial) this.#initial = undefined;
    if (removed === this.#final) this.#final = undefined;
    this.#nodes.delete(removed.id);
    removed[parentKey] = undefined;
    for (const neighbour of upstreams) this.#attach(neighbour);
    for (const neighbour of downstreams) this.#attach(neighbour);
    return this;
  }

  /**
   * Puts another node in the place of a child. Dependencies, the position among the children and the role of initial or
   * final node are kept. The new node may have the same id.
   */
  replace(node: string | Node, by: Node): this {
    const old = resolveChild(this, node, 'replaced');
    if (old === by) return this;
    checkNew(this, by, old);
    const upstreams = [...old.upstreams];
    const downstreams = [...old.downstreams];
    for (const upstream of upstreams) unlink(upstream, old);
    for (const downstream of downstreams) unlink(old, downstream);
    old[parentKey] = undefined;
    by[parentKey] = this;
    this.#substitute(old, by);
    for (const upstream of upstreams) link(upstream, by);
    for (const downstream of downstreams) link(by, downstream);
    if (old === this.#initial) this.#initial = by;
    if (old === this.#final) this.#final = by;
    return this;
  }

  /** Makes one child wait for another one. A dependency that is there already changes nothing. */
  addDependency(upstream: string | Node, downstream: string | Node): this {
    const up = resolveChild(this, upstream, 'an upstream');
    const down = resolveChild(this, downstream, 'a downstream');
    if (up.downstreams.has(down)) return this;
    checkOrder(this, up, down);
    this.#connect(up, down);
    return this;
  }

  /**
   * Takes a dependency back. A child that then waits for nothing waits for the initial node; one that nothing waits for
   * is waited for by the final node.
   */
  removeDependency(upstream: string | Node, downstream: string | Node): this {
    const up = resolveChild(this, upstream, 'an upstream');
    const down = resolveChild(this, downstream, 'a downstream');
    if (!up.downstreams.has(down)) {
      const others = [...down.upstreams].map(node => node.id);
      throw new PipelineError(
        `${this.toString()}: "${down.id}" does not wait for "${up.id}", so that dependency cannot be removed. ` +
          `It waits for: ${listNames(others)}.`,
      );
    }
    if (up === this.#initial && down.upstreams.size === 1) {
      throw new PipelineError(
        `${this.toString()}: "${down.id}" cannot start before the initial node "${up.id}". ` +
          `Remove the initial node, or add it with add().`,
      );
    }
    if (down === this.#final && up.downstreams.size === 1) {
      throw new PipelineError(
        `${this.toString()}: the final node "${down.id}" cannot start before "${up.id}" is done. ` +
          `Remove the final node, or add it with add().`,
      );
    }
    unlink(up, down);
    this.#attach(up);
    this.#attach(down);
    return this;
  }

  /** The node at a path below this pipeline, like `a/b`; `undefined` when there is none. The empty path is the pipeline. */
  find(path: string | readonly string[]): Node | undefined {
    const ids = typeof path === 'string' ? parsePath(path) : path;
    return ids.reduce<Node | undefined>(
      (found, id) => (isPipeline(found) ? found.nodes.get(id) : undefined),
      this,
    );
  }

  #adopt(node: Node): void {
    this.#nodes.set(node.id, node);
    node[parentKey] = this;
  }

  /** Adds a dependency; the implicit ones that it makes superfluous go. */
  #connect(upstream: Node, downstream: Node): void {
    link(upstream, downstream);
    if (this.#final !== undefined && downstream !== this.#final) unlink(upstream, this.#final);
    if (this.#initial !== undefined && upstream !== this.#initial) unlink(this.#initial, downstream);
  }

  /** Adds the implicit dependencies of a child: what waits for nothing waits for the initial node, and so on. */
  #attach(node: Node): void {
    const initial = this.#initial;
    if (initial !== undefined && node !== initial && isEmpty(node[upstreamsKey]))
      this.#connect(initial, node);
    const final = this.#final;
    if (final !== undefined && node !== final && isEmpty(node[downstreamsKey])) this.#connect(node, final);
  }

  #substitute(old: Node, by: Node): void {
    if (old.id === by.id) {
      this.#nodes.set(by.id, by);
      return;
    }
    // A map cannot rename a key in its place.
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    for (const node of nodes) {
      const kept = node === old ? by : node;
      this.#nodes.set(kept.id, kept);
    }
  }
}

/**
 * For the loader only: makes a pipeline the project's root. Its id is no part of any path.
 *
 * @throws PipelineError when the pipeline has a parent
 */
export function makeRoot(pipeline: Pipeline): Pipeline {
  if (pipeline.parent !== undefined) {
    throw new PipelineError(
      `${pipeline.toString()} cannot be the root pipeline, because it is part of ` +
        `${inSentence(pipeline.parent)}.`,
    );
  }
  return Object.defineProperty(pipeline, rootKey, { value: true });
}

function isEmpty(nodes: ReadonlySet<Node> | undefined): boolean {
  return nodes === undefined || nodes.size === 0;
}
