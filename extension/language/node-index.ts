/** The nodes of a graph by path and by the places that they come from. */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { StaticNodeGraph } from '../analysis/analysis.ts';
import { contains, isSameRange, rangeOfLocation, touches } from './place.ts';
import type { Position, Range } from './protocol.ts';

export interface IndexedNode {
  readonly node: StaticNodeGraph;
  readonly path: NodePath;
  /** `undefined` for the project itself. */
  readonly parent: IndexedNode | undefined;
}

/** What is made in one place. */
export interface MadePlace {
  readonly range: Range;
  readonly nodes: readonly IndexedNode[];
}

interface Place {
  readonly range: Range;
  readonly nodes: IndexedNode[];
}

export interface EdgePlace {
  readonly range: Range;
  readonly upstream: string;
  /** The node that waits. */
  readonly node: IndexedNode;
}

interface FilePlaces {
  readonly made: Map<string, Place>;
  readonly added: Map<string, Place>;
  readonly edges: EdgePlace[];
}

export class NodeIndex {
  readonly root: IndexedNode;
  readonly #byPath = new Map<string, IndexedNode>();
  readonly #files = new Map<string, FilePlaces>();

  constructor(root: StaticNodeGraph) {
    this.root = { node: root, path: [], parent: undefined };
    this.#visit(this.root);
  }

  get(path: NodePath): IndexedNode | undefined {
    return this.#byPath.get(formatPath(path));
  }

  get all(): Iterable<IndexedNode> {
    return this.#byPath.values();
  }

  children(parent: IndexedNode): readonly IndexedNode[] {
    return parent.node.nodes.map(({ path }) => this.get(path)).filter(node => node !== undefined);
  }

  /** Where nodes are made in a file: one entry for all that the same expression makes. */
  made(file: string): readonly MadePlace[] {
    return [...(this.#files.get(file)?.made.values() ?? [])];
  }

  /** The calls of a file that add nodes to pipelines. */
  added(file: string): readonly MadePlace[] {
    return [...(this.#files.get(file)?.added.values() ?? [])];
  }

  /** What of a file makes nodes wait for others. */
  edges(file: string): readonly EdgePlace[] {
    return this.#files.get(file)?.edges ?? [];
  }

  /** The nodes that exactly this expression makes. */
  madeAt(file: string, range: Range): readonly IndexedNode[] {
    return this.#files.get(file)?.made.get(keyOf(range))?.nodes ?? [];
  }

  /** The nodes that exactly this call adds. */
  addedAt(file: string, range: Range): readonly IndexedNode[] {
    return this.#files.get(file)?.added.get(keyOf(range))?.nodes ?? [];
  }

  /** The nodes of the innermost place that holds a position. */
  around(file: string, position: Position): readonly IndexedNode[] {
    let best: MadePlace | undefined;
    for (const place of [...this.made(file), ...this.added(file)]) {
      if (!touches(place.range, position)) continue;
      const isInner =
        best === undefined || (contains(best.range, place.range) && !isSameRange(best.range, place.range));
      if (isInner) best = place;
    }
    return best?.nodes ?? [];
  }

  #visit(at: IndexedNode): void {
    for (const node of at.node.nodes) {
      const indexed: IndexedNode = { node, path: node.path, parent: at };
      this.#byPath.set(formatPath(node.path), indexed);
      this.#note(indexed);
      if (node.nodes.length > 0) this.#visit(indexed);
    }
  }

  #note(indexed: IndexedNode): void {
    const { location, addedAt, edges } = indexed.node;
    if (location !== undefined) note(this.#places(location.file).made, rangeOfLocation(location), indexed);
    if (addedAt !== undefined) note(this.#places(addedAt.file).added, rangeOfLocation(addedAt), indexed);
    for (const { upstream, location: at } of edges) {
      this.#places(at.file).edges.push({ range: rangeOfLocation(at), upstream, node: indexed });
    }
  }

  #places(file: string): FilePlaces {
    let places = this.#files.get(file);
    if (places === undefined)
      this.#files.set(file, (places = { made: new Map(), added: new Map(), edges: [] }));
    return places;
  }
}

function note(places: Map<string, Place>, range: Range, node: IndexedNode): void {
  const key = keyOf(range);
  const known = places.get(key);
  if (known === undefined) places.set(key, { range, nodes: [node] });
  else known.nodes.push(node);
}

function keyOf({ start, end }: Range): string {
  return `${start.line}:${start.character}-${end.line}:${end.character}`;
}
