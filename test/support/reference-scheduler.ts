/**
 * What the scheduler must do, written down rule by rule without a thought for speed: every decision looks at all nodes.
 * Tests compare it with the real one.
 */
import { formatPath, type NodePath, type Outcome } from '../../runner/model.ts';
import type { Decision, Hindrance, SchedulerEvent } from '../../runner/scheduler/decision.ts';
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import type { Machine } from './simulate.ts';
import type { Scenario } from './plans.ts';

interface Ref {
  readonly index: number;
  readonly plan: PlanNode;
  readonly parent: Ref | null;
  readonly passage: boolean;
  children: Ref[];
  limit: number;
  /** Of pipelines: begun. Of parallel tasks: expanded. */
  open: boolean;
  running: boolean;
  attempt: number;
  retry: 'none' | 'waiting' | 'due';
  failing: boolean;
  done: boolean;
  outcome: Outcome | null;
  skip: Hindrance | null;
  /** Set when nothing new may start here. */
  forbidden: Hindrance | null;
}

export class ReferenceScheduler implements Machine {
  readonly #scenario: Scenario;
  readonly #nodes: Ref[] = [];
  readonly #root: Ref;
  readonly #median: number;
  #slots: number;
  #decisions: Decision[] = [];
  #cancelling = false;
  #finished = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#slots = scenario.slots;
    this.#root = this.#add(scenario.root, null);
    const known = this.#nodes
      .filter(node => isWork(node))
      .flatMap(node => scenario.averageDurations.get(pathOf(node)) ?? [])
      .sort((a, b) => a - b);
    const middle = (known.length - 1) / 2;
    this.#median =
      known.length === 0 ? 0 : ((known[Math.floor(middle)] ?? 0) + (known[Math.ceil(middle)] ?? 0)) / 2;
  }

  pathOf(index: number): string {
    return pathOf(this.#at(index));
  }

  start(): Decision[] {
    return this.#decide();
  }

  handle(event: SchedulerEvent): Decision[] {
    if (event.type === 'attempt_finished') {
      const node = this.#at(event.node);
      node.running = false;
      const maxRetries = node.plan.maxRetries ?? this.#scenario.defaultMaxRetries;
      if (event.outcome === 'failed' && !this.#cancelling && !node.forbidden && node.attempt <= maxRetries) {
        node.retry = 'waiting';
        const seconds = (node.plan.retryDelay ?? 8) * 2 ** (node.attempt - 1);
        this.#decisions.push({ type: 'retry', node: node.index, attempt: node.attempt + 1, seconds });
      } else {
        end(node, event.outcome);
        if (event.outcome === 'failed') {
          if (this.#cancelling) failQuietly(node);
          else this.#failed(node, node.plan.path);
        }
      }
    } else if (event.type === 'expanded') {
      const node = this.#at(event.node);
      node.running = false;
      node.open = true;
      node.limit = event.maxParallelTasks ?? node.limit;
      node.children = event.children.map(child => this.#add(child, node));
      for (const child of node.children) {
        if (this.#cancelling) this.#cancel(child);
        else if (node.forbidden) this.#skip(child, node.forbidden);
      }
    } else if (event.type === 'retry_due') {
      const node = this.#at(event.node);
      if (node.retry === 'waiting') node.retry = 'due';
    } else if (event.type === 'cancel') {
      if (!this.#finished) this.#cancelling = true;
      if (!this.#finished) this.#cancel(this.#root);
    } else {
      this.#slots = event.count;
    }
    return this.#decide();
  }

  #decide(): Decision[] {
    while (this.#settleOne());
    for (;;) {
      const candidates = this.#nodes.filter(node => this.#canStart(node)).sort((a, b) => this.#compare(a, b));
      const best = candidates[0];
      if (best === undefined) break;
      best.running = true;
      best.retry = 'none';
      best.attempt += 1;
      this.#decisions.push({ type: 'start', node: best.index, attempt: best.attempt });
    }
    if (this.#root.done && !this.#finished) {
      this.#finished = true;
      const counts = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
      for (const node of this.#nodes) if (isWork(node) && node.outcome !== null) counts[node.outcome] += 1;
      const outcome = this.#cancelling
        ? 'cancelled'
        : this.#root.outcome === 'failed'
          ? 'failed'
          : 'succeeded';
      this.#decisions.push({ type: 'finished', outcome, counts });
    }
    const decisions = this.#decisions;
    this.#decisions = [];
    return decisions;
  }

  /** Begins a pipeline or passage that can, or ends one whose children are done; `false` when there is none. */
  #settleOne(): boolean {
    for (const node of this.#nodes) {
      if (node.done) continue;
      if (node.open && node.children.every(child => child.done)) {
        this.#close(node);
        return true;
      }
      if (!node.open && !isWork(node) && mayBegin(node)) {
        if (node.passage) {
          end(node, null);
        } else {
          node.open = true;
          this.#decisions.push({ type: 'pipeline_started', node: node.index });
        }
        return true;
      }
    }
    return false;
  }

  #close(node: Ref): void {
    const outcomes = node.children.flatMap(child => child.outcome ?? []);
    const type = node.plan.kind === 'parallel' ? 'parallel_finished' : 'pipeline_finished';
    const skipped = node.children.find(child => child.outcome === 'skipped');
    if (!node.failing && !outcomes.includes('cancelled') && skipped?.skip) {
      node.skip = skipped.skip;
      this.#decisions.push({ type: 'skipped', node: node.index, ...skipped.skip });
      end(node, 'skipped');
      return;
    }
    const outcome = node.failing
      ? 'failed'
      : outcomes.includes('cancelled')
        ? 'cancelled'
        : outcomes.length > 0 && outcomes.every(each => each === 'unchanged')
          ? 'unchanged'
          : 'succeeded';
    this.#decisions.push({ type, node: node.index, outcome });
    end(node, outcome);
  }

  #canStart(node: Ref): boolean {
    if (node.done || node.running || node.open || !isWork(node)) return false;
    if (node.attempt > 0 ? node.retry !== 'due' : !mayBegin(node)) return false;
    if (this.#nodes.filter(other => other.running).length >= this.#slots) return false;
    return ancestors(node).every(
      above =>
        this.#nodes.filter(other => other.running && ancestors(other).includes(above)).length < above.limit,
    );
  }

  #failed(child: Ref, cause: NodePath): void {
    const { parent } = child;
    if (parent === null || parent.plan.onFailure === 'ignore') return;
    const first = !parent.failing;
    parent.failing = true;
    if ((parent.plan.onFailure ?? 'stop') === 'stop') {
      const kind = parent.plan.kind === 'parallel' ? 'parallel task' : 'pipeline';
      const name = parent.parent === null ? 'the run' : `${kind} "${pathOf(parent)}"`;
      const why = { reason: `${name} stopped after "${formatPath(cause)}" failed`, cause };
      for (const node of this.#nodes) {
        if (ancestors(node).includes(parent) && node !== child && !ancestors(node).includes(child)) {
          this.#forbid(node, why);
        }
      }
    } else if (parent.plan.onFailure === 'skipDownstream') {
      const why = { reason: `upstream "${pathOf(child)}" failed`, cause };
      const reached = new Set([child]);
      for (const node of reached) {
        for (const other of parent.children)
          if (other.plan.upstreams.includes(node.plan.id)) reached.add(other);
      }
      reached.delete(child);
      for (const node of reached) this.#skip(node, why);
    }
    if (first) this.#failed(parent, cause);
  }

  #forbid(node: Ref, why: Hindrance): void {
    node.forbidden ??= why;
    if (node.retry !== 'none' && !node.done) {
      node.retry = 'none';
      this.#decisions.push({ type: 'retry_dropped', node: node.index, ...why });
      end(node, 'failed');
      failQuietly(node);
    } else if (!node.open && !node.running && node.attempt === 0) {
      this.#skip(node, why);
    }
  }

  #skip(node: Ref, why: Hindrance): void {
    if (node.done) return;
    if (!node.passage) {
      node.skip = why;
      this.#decisions.push({ type: 'skipped', node: node.index, ...why });
    }
    end(node, node.passage ? null : 'skipped');
    for (const child of node.children) this.#skip(child, why);
  }

  #cancel(node: Ref): void {
    if (!node.open && !node.running && !node.done) {
      if (!node.passage) this.#decisions.push({ type: 'cancelled', node: node.index });
      end(node, node.passage ? null : 'cancelled');
    }
    for (const child of node.children) this.#cancel(child);
  }

  #compare(left: Ref, right: Ref): number {
    return (
      this.#costOf(right) - this.#costOf(left) ||
      this.#stepsOf(right) - this.#stepsOf(left) ||
      this.#inDeclarationOrder().indexOf(left) - this.#inDeclarationOrder().indexOf(right)
    );
  }

  #costOf(node: Ref): number {
    return this.#longest(node, other => this.#scenario.averageDurations.get(pathOf(other)) ?? this.#median);
  }

  #stepsOf(node: Ref): number {
    return this.#longest(node, () => 1);
  }

  #longest(node: Ref, length: (node: Ref) => number): number {
    if (isWork(node) && !node.open) return length(node) + this.#longestAfter(node, length);
    const first = node.children.filter(child => child.plan.upstreams.length === 0);
    if (first.length === 0) return this.#longestAfter(node, length);
    return Math.max(...first.map(child => this.#longest(child, length)));
  }

  #longestAfter(node: Ref, length: (node: Ref) => number): number {
    if (node.parent === null) return 0;
    const next = node.parent.children.filter(other => other.plan.upstreams.includes(node.plan.id));
    if (next.length === 0) return this.#longestAfter(node.parent, length);
    return Math.max(...next.map(other => this.#longest(other, length)));
  }

  #inDeclarationOrder(node: Ref = this.#root): Ref[] {
    return [node, ...node.children.flatMap(child => this.#inDeclarationOrder(child))];
  }

  #isUnrepeated(plan: PlanNode): boolean {
    if (plan.kind === 'pipeline' && plan.children.length > 0) {
      return plan.children.every(child => this.#isUnrepeated(child));
    }
    return this.#scenario.unrepeated.has(formatPath(plan.path));
  }

  #add(plan: PlanNode, parent: Ref | null): Ref {
    const node: Ref = {
      index: this.#nodes.length,
      plan,
      parent,
      passage: parent !== null && this.#isUnrepeated(plan),
      children: [],
      limit: plan.maxParallelTasks ?? Infinity,
      open: false,
      running: false,
      attempt: 0,
      retry: 'none',
      failing: false,
      done: false,
      outcome: null,
      skip: null,
      forbidden: null,
    };
    this.#nodes.push(node);
    if (plan.kind === 'pipeline' && !node.passage)
      node.children = plan.children.map(child => this.#add(child, node));
    return node;
  }

  #at(index: number): Ref {
    const node = this.#nodes[index];
    if (node === undefined) throw new Error(`no node ${String(index)}`);
    return node;
  }
}

function end(node: Ref, outcome: Outcome | null): void {
  node.done = true;
  node.outcome = outcome;
  node.retry = 'none';
}

function failQuietly(node: Ref): void {
  for (const above of ancestors(node)) {
    if (above.failing || above.plan.onFailure === 'ignore') break;
    above.failing = true;
  }
}

/** Its pipeline has begun and what it waits for is done. */
function mayBegin(node: Ref): boolean {
  if (node.parent === null) return true;
  const { children, open } = node.parent;
  return open && children.every(other => other.done || !node.plan.upstreams.includes(other.plan.id));
}

/** From the innermost outwards. */
function ancestors(node: Ref): Ref[] {
  return node.parent === null ? [] : [node.parent, ...ancestors(node.parent)];
}

function isWork(node: Ref): boolean {
  return node.plan.kind !== 'pipeline' && !node.passage;
}

function pathOf(node: Ref): string {
  return formatPath(node.plan.path);
}
