/** Counts the tasks of a run as they begin and end: what the terminal and the pages show as `3/7`. */
import { formatPath, type NodeKind, type NodePath } from '../model.ts';

export class RunTally {
  readonly #parallel = new Set<string>();
  readonly #seen = new Set<string>();
  #total: number;
  #finished = 0;

  /** @param taskCount tasks and parallel tasks that are known when the run starts. */
  constructor(taskCount: number) {
    this.#total = taskCount;
  }

  /** Tasks and parallel tasks known so far. */
  get total(): number {
    return this.#total;
  }

  /** Those that have an outcome. */
  get finished(): number {
    return this.#finished;
  }

  /** Takes notice of a node: children of parallel tasks come on top of what was known at the start. */
  sees(path: NodePath, kind: NodeKind): void {
    if (kind === 'pipeline') return;
    const name = formatPath(path);
    if (kind === 'parallel') this.#parallel.add(name);
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    if (this.#parallel.size > 0 && this.#isChild(path)) this.#total += 1;
  }

  /** The node has its outcome: no further attempt follows. */
  finishes(path: NodePath, kind: NodeKind): void {
    if (kind === 'pipeline') return;
    this.sees(path, kind);
    this.#finished += 1;
  }

  #isChild(path: NodePath): boolean {
    return path.some((_id, length) => this.#parallel.has(formatPath(path.slice(0, length))));
  }
}
