/** Which nodes the Pipelines view shows. */
import type { IndexedNode } from '../project/pipeline-index.ts';
import { type NodeStatus, nodeStatus, type ProjectState } from '../project/project-state.ts';

export const filterStates = ['failed', 'running', 'succeeded', 'skipped', 'never'] as const;
/** `skipped` stands for everything that did not get its turn or did not end by itself. */
export type FilterState = (typeof filterStates)[number];
/** Empty: everything. */
export type TreeFilter = ReadonlySet<FilterState>;

export function stateForFilter(status: NodeStatus): FilterState {
  switch (status.kind) {
    case 'none':
      return 'never';
    case 'queued':
    case 'running':
      return 'running';
    case 'ended':
      switch (status.outcome) {
        case 'succeeded':
        case 'unchanged':
          return 'succeeded';
        case 'failed':
          return 'failed';
        case 'skipped':
        case 'cancelled':
        case 'lost':
          return 'skipped';
      }
  }
}

/** Whether a node is shown: its own state fits, or that of something below it. */
export function isShown(state: ProjectState, indexed: IndexedNode, filter: TreeFilter): boolean {
  if (filter.size === 0) return true;
  const { children } = indexed;
  // A pipeline is there for what is in it.
  if (children.length > 0) return children.some(child => isShown(state, child, filter));
  return filter.has(stateForFilter(nodeStatus(state, indexed.path)));
}

export function shownChildren(
  state: ProjectState,
  indexed: IndexedNode | undefined,
  filter: TreeFilter,
): readonly IndexedNode[] {
  const all = indexed === undefined ? state.pipelines.roots : indexed.children;
  return filter.size === 0 ? all : all.filter(child => isShown(state, child, filter));
}
