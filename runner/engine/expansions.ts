/** The commands that parallel tasks made for their children, kept until the child has run. */
import { formatPath, type NodePath } from '../model.ts';
import type { CommandSpec, ExpandedNode } from '../pool/protocol.ts';

export interface Expansion {
  /** The parallel task's. */
  readonly path: NodePath;
  readonly commands: readonly CommandSpec[] | undefined;
  readonly timeout: number | undefined;
}

export class Expansions {
  readonly #byPath = new Map<string, Expansion>();

  /** Keeps what a parallel task has made. */
  remember(parallelPath: NodePath, nodes: readonly ExpandedNode[], parent: NodePath = parallelPath): void {
    for (const { id, kind, nodes: below = [], commands, timeout } of nodes) {
      const path = [...parent, id];
      if (kind === 'pipeline') this.remember(parallelPath, below, path);
      else this.#byPath.set(formatPath(path), { path: parallelPath, commands, timeout });
    }
  }

  at(path: NodePath): Expansion | undefined {
    return this.#byPath.get(formatPath(path));
  }

  forget(path: NodePath): void {
    this.#byPath.delete(formatPath(path));
  }
}
