/** Which task runs before which, by the dependencies of a graph. */
import type { NodePath } from '../../../runner/model.ts';
import type { StaticNodeGraph } from '../analysis.ts';

/** How two tasks stand to each other. */
export type Order = 'before' | 'after' | 'none' | 'unknown';

/** The two children of one pipeline that hold two tasks. */
export interface Siblings {
  readonly pipeline: StaticNodeGraph;
  readonly first: StaticNodeGraph;
  readonly second: StaticNodeGraph;
}

interface Indexed {
  readonly children: ReadonlyMap<string, StaticNodeGraph>;
  readonly downstreams: ReadonlyMap<string, readonly string[]>;
  readonly isKnown: boolean;
}

export class TaskOrder {
  readonly #root: StaticNodeGraph;
  readonly #isWholeRoot: boolean;
  readonly #indexes = new Map<StaticNodeGraph, Indexed>();
  readonly #reached = new Map<StaticNodeGraph, Set<string>>();

  /** @param isWholeRoot whether the children of the root can wait for each other: not if they are files of their own */
  constructor(root: StaticNodeGraph, isWholeRoot: boolean) {
    this.#root = root;
    this.#isWholeRoot = isWholeRoot;
  }

  node(path: NodePath): StaticNodeGraph | undefined {
    let node: StaticNodeGraph | undefined = this.#root;
    for (const id of path) node = node === undefined ? undefined : this.#index(node).children.get(id);
    return node;
  }

  siblings(first: NodePath, second: NodePath): Siblings | undefined {
    let pipeline = this.#root;
    for (const [depth, id] of first.entries()) {
      const { children } = this.#index(pipeline);
      const [a, b] = [children.get(id), children.get(second[depth] ?? '')];
      if (a === undefined || b === undefined) return undefined;
      if (a !== b) return { pipeline, first: a, second: b };
      pipeline = a;
    }
    return undefined;
  }

  order(first: NodePath, second: NodePath): Order {
    const siblings = this.siblings(first, second);
    if (siblings === undefined) return 'unknown';
    const { pipeline } = siblings;
    if (pipeline === this.#root && !this.#isWholeRoot) return 'unknown';
    if (this.#reaches(pipeline, siblings.first, siblings.second)) return 'before';
    if (this.#reaches(pipeline, siblings.second, siblings.first)) return 'after';
    return this.#index(pipeline).isKnown ? 'none' : 'unknown';
  }

  #reaches(pipeline: StaticNodeGraph, from: StaticNodeGraph, to: StaticNodeGraph): boolean {
    let reached = this.#reached.get(from);
    if (reached === undefined) {
      const { downstreams } = this.#index(pipeline);
      reached = new Set([from.id]);
      for (const id of reached) for (const next of downstreams.get(id) ?? []) reached.add(next);
      this.#reached.set(from, reached);
    }
    return reached.has(to.id);
  }

  #index(pipeline: StaticNodeGraph): Indexed {
    let index = this.#indexes.get(pipeline);
    if (index === undefined) {
      const downstreams = new Map<string, string[]>();
      for (const { id, upstreams } of pipeline.nodes) {
        for (const upstream of upstreams) {
          const list = downstreams.get(upstream);
          if (list === undefined) downstreams.set(upstream, [id]);
          else list.push(id);
        }
      }
      index = {
        children: new Map(pipeline.nodes.map(node => [node.id, node])),
        downstreams,
        isKnown: pipeline.nodes.every(
          ({ kind, unknown }) => kind !== 'dynamic' && !unknown?.some(({ option }) => option === 'upstreams'),
        ),
      };
      this.#indexes.set(pipeline, index);
    }
    return index;
  }
}
