/**
 * Decides what runs when: a state machine without input, output or clock. Events go in, decisions come out; the same
 * events always give the same decisions. An event costs O(log n) for each node whose state it changes.
 *
 * How a failure acts. When a child of a pipeline fails, the pipeline's `onFailure` acts on everything in the pipeline
 * except the inside of that child, and the pipeline itself (unless it ignores failures) counts as a failed child of the
 * pipeline around it from that moment on. A nested pipeline that is failing therefore goes on by its own policy, while
 * a pipeline that is not failing is stopped together with the one around it. Parallel tasks act like pipelines.
 */
import { formatPath, type NodePath, type Outcome } from '../model.ts';
import { CostModel, type AverageDurations } from './cost.ts';
import type { Decision, Hindrance, SchedulerEvent } from './decision.ts';
import { Inside, NodeState, compareUrgency, insideOf, markFailing, outcomeOf } from './node-state.ts';
import { Group } from './ready-queue.ts';
import type { RunGraph, RunNode } from './run-graph.ts';

export type { ContainerOutcome, Decision, Hindrance, SchedulerEvent } from './decision.ts';

export interface SchedulerOptions {
  /** How many tasks may run at once. */
  readonly slots: number;
  /** For tasks that do not say. */
  readonly defaultMaxRetries: number;
  /** Seconds before the second attempt, for tasks that do not say; default 8. */
  readonly defaultRetryDelay?: number;
  /** History, for the order among ready tasks. */
  readonly averageDurations?: AverageDurations;
}

/** What becomes of nodes that have not begun. */
type Verdict = ({ readonly outcome: 'skipped' } & Hindrance) | { readonly outcome: 'cancelled' };

const CANCELLED: Verdict = { outcome: 'cancelled' };

export class Scheduler {
  readonly graph: RunGraph;
  readonly costs: CostModel;
  readonly #defaultMaxRetries: number;
  readonly #defaultRetryDelay: number;
  readonly #slots: Group<NodeState>;
  readonly #states: NodeState[] = [];
  readonly #root: NodeState;
  readonly #counts: Record<Outcome, number> = {
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    unchanged: 0,
    lost: 0,
  };
  /** Nodes whose last upstream is done. A list, because long chains of passages must not become deep recursion. */
  #released: NodeState[] = [];
  #decisions: Decision[] = [];
  #phase: 'new' | 'running' | 'cancelling' | 'finished' = 'new';

  constructor(graph: RunGraph, options: SchedulerOptions) {
    this.graph = graph;
    this.costs = new CostModel(graph, options.averageDurations ?? new Map<string, number>());
    this.#defaultMaxRetries = options.defaultMaxRetries;
    this.#defaultRetryDelay = options.defaultRetryDelay ?? 8;
    this.#slots = new Group<NodeState>(null, options.slots, compareUrgency);
    this.#root = this.#track(graph.root, null);
  }

  /** How a node ended; `null` while it has not. */
  outcome(index: number): Outcome | null {
    return this.#stateAt(index).outcome;
  }

  /** Begins the run: the first call, made once. */
  start(): Decision[] {
    if (this.#phase !== 'new') throw new Error('the run has already been started');
    this.#phase = 'running';
    this.#released.push(this.#root);
    return this.#decide();
  }

  /**
   * Takes up what happened. Throws on events that cannot be (an attempt that is not running has ended), which are bugs
   * of the caller, and on children of a parallel task that cannot be run; the state is then as before.
   */
  handle(event: SchedulerEvent): Decision[] {
    if (this.#phase === 'new') throw new Error('the run has not been started');
    switch (event.type) {
      case 'attempt_finished':
        this.#attemptFinished(this.#runningAt(event.node), event.outcome);
        break;
      case 'expanded': {
        const state = this.#runningAt(event.node);
        this.graph.expand(event.node, event.children, event.maxParallelTasks);
        this.#expanded(state);
        break;
      }
      case 'retry_due': {
        const state = this.#stateAt(event.node);
        if (state.status === 'retrying') this.#enqueue(state);
        break;
      }
      case 'cancel':
        if (this.#phase === 'running') {
          this.#phase = 'cancelling';
          this.#halt(this.#root, CANCELLED);
        }
        break;
      case 'slots':
        this.#slots.limit = event.count;
        break;
    }
    return this.#decide();
  }

  /** Lets everything begin that can. */
  #decide(): Decision[] {
    for (const state of this.#released) {
      if (state.status === 'waiting') this.#begin(state);
    }
    this.#released = [];
    for (let state = this.#slots.take(); state !== null; state = this.#slots.take()) {
      state.status = 'running';
      state.attempt += 1;
      this.#decisions.push({ type: 'start', node: state.node.index, attempt: state.attempt });
    }
    if (this.#root.status === 'done' && this.#phase !== 'finished') {
      const failed = this.#root.outcome === 'failed';
      const outcome = this.#phase === 'cancelling' ? 'cancelled' : failed ? 'failed' : 'succeeded';
      this.#phase = 'finished';
      this.#decisions.push({ type: 'finished', outcome, counts: { ...this.#counts } });
    }
    const decisions = this.#decisions;
    this.#decisions = [];
    return decisions;
  }

  #begin(state: NodeState): void {
    const { index, kind, isPassage } = state.node;
    if (isPassage) {
      this.#conclude(state, null);
    } else if (kind === 'pipeline') {
      this.#decisions.push({ type: 'pipeline_started', node: index });
      this.#open(state);
    } else {
      this.#enqueue(state);
    }
  }

  #enqueue(state: NodeState): void {
    state.status = 'ready';
    state.group.add(state);
  }

  #open(state: NodeState): void {
    state.status = 'open';
    if (state.node.children.length === 0) this.#close(state, insideOf(state));
    for (const child of state.node.children) {
      if (child.upstreams.length === 0) this.#released.push(this.#stateOf(child));
    }
  }

  #attemptFinished(
    state: NodeState,
    outcome: Extract<Outcome, 'succeeded' | 'failed' | 'unchanged' | 'cancelled'>,
  ) {
    state.group.free();
    const { node, parent, attempt } = state;
    if (outcome === 'succeeded' || outcome === 'unchanged') {
      this.#conclude(state, outcome);
    } else if (this.#phase === 'cancelling') {
      if (outcome === 'failed') markFailing(parent);
      this.#conclude(state, outcome);
    } else if (attempt <= (node.maxRetries ?? this.#defaultMaxRetries) && !parent?.inside?.stop) {
      state.status = 'retrying';
      const seconds = (node.retryDelay ?? this.#defaultRetryDelay) * 2 ** (attempt - 1);
      this.#decisions.push({ type: 'retry', node: node.index, attempt: attempt + 1, seconds });
    } else {
      this.#childFailed(state, node.path);
      this.#conclude(state, 'failed');
    }
  }

  #expanded(state: NodeState): void {
    state.group.free();
    this.costs.addChildren(state.node.index);
    this.#trackInside(state);
    this.#open(state);
    const stop = state.parent?.inside?.stop;
    if (this.#phase === 'cancelling') this.#halt(state, CANCELLED);
    else if (stop) this.#stop(state, stop, null);
  }

  /** Applies the policies to the failure of a child, which is not concluded yet. `cause`: the task that failed. */
  #childFailed(child: NodeState, cause: NodePath): void {
    const { parent } = child;
    if (parent === null) return;
    const inside = insideOf(parent);
    const { onFailure } = parent.node;
    if (onFailure === 'ignore') return;
    const first = !inside.failing;
    inside.failing = true;
    if (onFailure === 'stop') {
      this.#stop(
        parent,
        { reason: `${nameOf(parent.node)} stopped after "${formatPath(cause)}" failed`, cause },
        child,
      );
    } else if (onFailure === 'skipDownstream') {
      this.#skipDownstreams(child, cause);
    }
    if (first) this.#childFailed(parent, cause);
  }

  /** Nothing more starts in a pipeline, except inside of `exempt`; a former exemption ends. */
  #stop(state: NodeState, why: Hindrance, exempt: NodeState | null): void {
    const inside = insideOf(state);
    if (inside.stop !== null) {
      const former = inside.exempt;
      inside.exempt = null;
      if (former?.status === 'open') this.#stop(former, why, null);
      return;
    }
    inside.stop = why;
    inside.exempt = exempt;
    const verdict: Verdict = { outcome: 'skipped', ...why };
    for (const child of state.node.children) {
      const childState = this.#stateOf(child);
      if (childState !== exempt) this.#halt(childState, verdict);
    }
  }

  #skipDownstreams(failed: NodeState, cause: NodePath): void {
    const reason = `upstream "${formatPath(failed.node.path)}" failed`;
    const reached = [...failed.node.downstreams];
    for (const node of reached) {
      const state = this.#stateOf(node);
      if (state.status !== 'waiting') continue;
      this.#dismiss(state, { outcome: 'skipped', reason, cause });
      reached.push(...node.downstreams);
    }
  }

  /** Ends what has not begun in a node; what is running goes on. */
  #halt(state: NodeState, verdict: Verdict): void {
    switch (state.status) {
      case 'running':
      case 'done':
        break;
      case 'open':
        if (verdict.outcome === 'skipped') this.#stop(state, verdict, null);
        else for (const child of state.node.children) this.#halt(this.#stateOf(child), verdict);
        break;
      case 'ready':
      case 'retrying':
        if (verdict.outcome === 'skipped' && state.attempt > 0) this.#dropRetry(state, verdict);
        else this.#dismiss(state, verdict);
        break;
      case 'waiting':
        this.#dismiss(state, verdict);
        break;
    }
  }

  /**
   * The task keeps the outcome of its last attempt. Its pipelines are failing, but that is a consequence of the stop
   * and no new failure for the pipeline that was stopped.
   */
  #dropRetry(state: NodeState, { reason, cause }: Hindrance): void {
    if (state.status === 'ready') state.group.remove(state);
    this.#decisions.push({ type: 'retry_dropped', node: state.node.index, reason, cause });
    markFailing(state.parent);
    this.#conclude(state, 'failed');
  }

  /** Gives a node that has not begun, and everything in it, its outcome. */
  #dismiss(state: NodeState, verdict: Verdict): void {
    if (state.status === 'ready') state.group.remove(state);
    state.status = 'done';
    const { index, isPassage, children } = state.node;
    if (isPassage) {
      this.#conclude(state, null);
      return;
    }
    if (verdict.outcome === 'cancelled') {
      this.#decisions.push({ type: 'cancelled', node: index });
    } else {
      this.#decisions.push({ type: 'skipped', node: index, reason: verdict.reason, cause: verdict.cause });
      const around = state.parent?.inside;
      if (around) around.skip ??= verdict;
    }
    for (const child of children) this.#dismiss(this.#stateOf(child), verdict);
    this.#conclude(state, verdict.outcome);
  }

  /** All children of a pipeline or parallel task are done. */
  #close(state: NodeState, inside: Inside): void {
    const node = state.node.index;
    const outcome = outcomeOf(inside);
    if (typeof outcome !== 'string') {
      this.#decisions.push({ type: 'skipped', node, reason: outcome.reason, cause: outcome.cause });
      const around = state.parent?.inside;
      if (around) around.skip ??= outcome;
      this.#conclude(state, 'skipped');
      return;
    }
    const type = state.node.kind === 'parallel' ? 'parallel_finished' : 'pipeline_finished';
    this.#decisions.push({ type, node, outcome });
    this.#conclude(state, outcome);
  }

  /** Gives a node its outcome, releases what waited for it, and closes its pipeline when it was the last. */
  #conclude(state: NodeState, outcome: Outcome | null): void {
    state.status = 'done';
    state.outcome = outcome;
    const { kind, downstreams } = state.node;
    if (outcome !== null && kind !== 'pipeline') this.#counts[outcome] += 1;
    for (const downstream of downstreams) {
      const waiting = this.#stateOf(downstream);
      waiting.upstreamsLeft -= 1;
      if (waiting.upstreamsLeft === 0) this.#released.push(waiting);
    }
    const { parent } = state;
    if (parent === null) return;
    const inside = insideOf(parent);
    if (outcome === 'cancelled') inside.hasCancelled = true;
    else if (outcome === 'unchanged') inside.hasUnchanged = true;
    else if (outcome !== null) inside.hasChanged = true;
    inside.childrenLeft -= 1;
    if (inside.childrenLeft === 0 && parent.status === 'open') this.#close(parent, inside);
  }

  #track(node: RunNode, parent: NodeState | null): NodeState {
    const state = new NodeState(node, parent, parent?.inside?.group ?? this.#slots, this.costs);
    this.#states[node.index] = state;
    if (node.kind === 'pipeline') this.#trackInside(state);
    return state;
  }

  #trackInside(state: NodeState): void {
    state.inside = new Inside(state.node, state.group);
    for (const child of state.node.children) this.#track(child, state);
  }

  #stateAt(index: number): NodeState {
    const state = this.#states[index];
    if (state === undefined) throw new Error(`there is no node with index ${String(index)}`);
    return state;
  }

  #stateOf(node: RunNode): NodeState {
    return this.#stateAt(node.index);
  }

  #runningAt(index: number): NodeState {
    const state = this.#stateAt(index);
    if (state.status !== 'running') {
      throw new Error(
        `"${formatPath(state.node.path)}" is not running: it is ${state.outcome ?? state.status}`,
      );
    }
    return state;
  }
}

function nameOf({ kind, path }: RunNode): string {
  if (path.length === 0) return 'the run';
  return `${kind === 'parallel' ? 'parallel task' : 'pipeline'} "${formatPath(path)}"`;
}
