/** What the scheduler knows about each node of a run. */
import { formatPath, type Outcome } from '../model.ts';
import type { CostModel } from './cost.ts';
import type { ContainerOutcome, Hindrance } from './decision.ts';
import type { Group, QueueItem } from './ready-queue.ts';
import { compareDeclaration, type RunNode } from './run-graph.ts';

/**
 * - `waiting`: for its upstreams, or for its pipeline to start
 * - `ready`: could run as soon as a slot is free
 * - `running`: has a slot
 * - `retrying`: waits until its next attempt is due
 * - `open`: a pipeline or an expanded parallel task with children that are not done
 * - `done`: has its outcome
 */
type Status = 'waiting' | 'ready' | 'running' | 'retrying' | 'open' | 'done';

export class NodeState implements QueueItem<NodeState> {
  heapIndex = -1;
  status: Status = 'waiting';
  /** Attempts started. */
  attempt = 0;
  /** `null` until it is done; stays `null` for passages. */
  outcome: Outcome | null = null;
  inside: Inside | null = null;
  /** Upstreams that are not done. */
  upstreamsLeft: number;
  readonly node: RunNode;
  readonly parent: NodeState | null;
  readonly group: Group<NodeState>;
  readonly cost: number;
  readonly steps: number;

  constructor(node: RunNode, parent: NodeState | null, group: Group<NodeState>, costs: CostModel) {
    this.node = node;
    this.parent = parent;
    this.group = group;
    this.upstreamsLeft = node.upstreams.length;
    this.cost = costs.cost(node.index);
    this.steps = costs.steps(node.index);
  }
}

/** What a pipeline or an expanded parallel task knows about its children. */
export class Inside {
  childrenLeft: number;
  failing = false;
  /** Set when nothing new may start here, except inside of `exempt`. */
  stop: Hindrance | null = null;
  /** The failed child that caused the stop. */
  exempt: NodeState | null = null;
  /** Why a child was skipped. */
  skip: Hindrance | null = null;
  hasCancelled = false;
  hasUnchanged = false;
  hasChanged = false;
  /** Where its tasks queue. */
  readonly group: Group<NodeState>;

  constructor(node: RunNode, around: Group<NodeState>) {
    this.childrenLeft = node.children.length;
    this.group = node.maxParallelTasks === null ? around : around.subgroup(node.maxParallelTasks);
  }
}

/** Highest cost first; then the one with the longest way to go; then as declared. */
export function compareUrgency(left: NodeState, right: NodeState): number {
  return right.cost - left.cost || right.steps - left.steps || compareDeclaration(left.node, right.node);
}

/** A skipped child of a pipeline that is not failing can only have been skipped by a pipeline further out. */
export function outcomeOf(inside: Inside): ContainerOutcome | Hindrance {
  if (inside.failing) return 'failed';
  if (inside.hasCancelled) return 'cancelled';
  if (inside.skip !== null) return inside.skip;
  return inside.hasUnchanged && !inside.hasChanged ? 'unchanged' : 'succeeded';
}

/** Marks pipelines from the innermost outwards, up to one that ignores failures or is already failing. */
export function markFailing(innermost: NodeState | null): void {
  for (let state = innermost; state !== null; state = state.parent) {
    const inside = insideOf(state);
    if (inside.failing || state.node.onFailure === 'ignore') return;
    inside.failing = true;
  }
}

export function insideOf(state: NodeState): Inside {
  if (state.inside === null) throw new Error(`"${formatPath(state.node.path)}" has no children`);
  return state.inside;
}
