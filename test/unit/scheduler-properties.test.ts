/** What holds for every run, whatever its graph, its policies and its luck. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath, type Outcome } from '../../runner/model.ts';
import type { Decision } from '../../runner/scheduler/decision.ts';
import { flatten, isWork, type RunNode } from '../../runner/scheduler/run-graph.ts';
import { Scheduler } from '../../runner/scheduler/scheduler.ts';
import { scenarioArbitrary, type Scenario } from '../support/plans.ts';
import { ReferenceScheduler } from '../support/reference-scheduler.ts';
import { simulate, type Incident, type Simulation } from '../support/simulate.ts';

const RUNS = Number(process.env['MILLRACE_TEST_RUNS'] ?? 400);

function incidentsOf({ cancelAt, slotsAt }: Scenario): Incident[] {
  const incidents: Incident[] = slotsAt.map(({ time, count }) => ({ time, event: { type: 'slots', count } }));
  if (cancelAt !== null) incidents.push({ time: cancelAt, event: { type: 'cancel' } });
  return incidents;
}

function schedulerOf(scenario: Scenario): Scheduler {
  const { root, slots, defaultMaxRetries, averageDurations, unrepeated } = scenario;
  return new Scheduler(flatten(root, { unrepeated }), { slots, defaultMaxRetries, averageDurations });
}

function run(scenario: Scenario): { scheduler: Scheduler; simulation: Simulation } {
  const scheduler = schedulerOf(scenario);
  const simulation = simulate(
    scheduler,
    (node, attempt) => scenario.attempt(formatPath(scheduler.graph.pathOf(node)), attempt),
    incidentsOf(scenario),
  );
  return { scheduler, simulation };
}

/** Steps as text by path: what starts, in its order, and the rest of the decisions of a step in any order. */
function describeSteps({ steps }: Simulation, pathOf: (node: number) => string): string[] {
  return steps.map(({ time, event, decisions }) => {
    const describe = (decision: Decision) =>
      JSON.stringify('node' in decision ? { ...decision, node: pathOf(decision.node) } : decision);
    const starts = decisions.filter(decision => decision.type === 'start').map(describe);
    const others = decisions.filter(decision => decision.type !== 'start').map(describe);
    const cause = event === null ? 'start' : `${event.type} ${'node' in event ? pathOf(event.node) : ''}`;
    return [`${String(time)} ${cause}`, ...others.sort(), ...starts].join('\n  ');
  });
}

/** Watches a run from outside: what has begun, what has ended, and how. */
class Observer {
  readonly outcomes = new Map<number, Outcome>();
  readonly running = new Set<number>();
  readonly retrying = new Set<number>();
  readonly due = new Set<number>();
  /** Tasks and parallel tasks with an attempt. */
  readonly tried = new Set<number>();
  /** Pipelines that have begun and parallel tasks that are expanded. */
  readonly open = new Set<number>();
  slots: number;
  cancelled = false;
  end: Extract<Decision, { type: 'finished' }> | null = null;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler, slots: number) {
    this.#scheduler = scheduler;
    this.slots = slots;
  }

  watch({ steps }: Simulation): void {
    const { graph } = this.#scheduler;
    for (const { event, decisions } of steps) {
      if (event?.type === 'slots') this.slots = event.count;
      if (event?.type === 'cancel' && this.end === null) this.cancelled = true;
      if (event?.type === 'retry_due' && this.retrying.delete(event.node)) this.due.add(event.node);
      if (event?.type === 'expanded') {
        this.running.delete(event.node);
        this.open.add(event.node);
      }
      if (event?.type === 'attempt_finished') {
        this.running.delete(event.node);
        const again = decisions.some(
          ({ type, ...rest }) => type === 'retry' && 'node' in rest && rest.node === event.node,
        );
        if (!again) this.#ends(event.node, event.outcome);
      }
      for (const decision of decisions) this.#take(decision);
      this.#nothingCouldStart(graph.nodes);
    }
  }

  #take(decision: Decision): void {
    assert.equal(this.end, null, 'nothing comes after the end');
    switch (decision.type) {
      case 'start': {
        const node = this.#scheduler.graph.node(decision.node);
        assert.equal(this.cancelled, false, 'nothing starts after a cancel');
        assert.ok(this.#isProcessed(node), `${formatPath(node.path)} starts after its upstreams`);
        assert.ok(!this.outcomes.has(decision.node), 'nothing starts after its end');
        this.tried.add(decision.node);
        this.due.delete(decision.node);
        this.running.add(decision.node);
        assert.ok(this.running.size <= this.slots, 'no more run than there are slots');
        for (let above = node.parent; above !== null; above = above.parent) {
          assert.ok(
            this.#runningBelow(above) <= (above.maxParallelTasks ?? Infinity),
            `${formatPath(above.path)} keeps its limit`,
          );
        }
        break;
      }
      case 'retry':
        this.retrying.add(decision.node);
        break;
      case 'retry_dropped':
        this.#ends(decision.node, 'failed');
        break;
      case 'pipeline_started':
        assert.ok(this.#isProcessed(this.#scheduler.graph.node(decision.node)));
        this.open.add(decision.node);
        break;
      case 'pipeline_finished':
      case 'parallel_finished':
        this.#ends(decision.node, decision.outcome);
        break;
      case 'skipped':
      case 'cancelled':
        this.#ends(decision.node, decision.type);
        break;
      case 'finished':
        this.end = decision;
        break;
    }
  }

  #ends(node: number, outcome: Outcome): void {
    assert.ok(!this.outcomes.has(node), 'one outcome only');
    this.outcomes.set(node, outcome);
    this.retrying.delete(node);
    this.due.delete(node);
    assert.equal(this.#scheduler.outcome(node), outcome);
  }

  /** Its pipelines have begun, and everything that it waits for is done. */
  #isProcessed(node: RunNode): boolean {
    if (node.parent === null) return true;
    return this.open.has(node.parent.index) && node.upstreams.every(upstream => this.#isDone(upstream));
  }

  #isDone(node: RunNode): boolean {
    if (!node.isPassage) return this.outcomes.has(node.index);
    return node.upstreams.every(upstream => this.#isDone(upstream));
  }

  #runningBelow(above: RunNode): number {
    let count = 0;
    for (const index of this.running) {
      let node = this.#scheduler.graph.node(index).parent;
      while (node !== null && node !== above) node = node.parent;
      if (node === above) count++;
    }
    return count;
  }

  /** Work conservation: when a slot is free, nothing that could take it waits. */
  #nothingCouldStart(nodes: readonly RunNode[]): void {
    if (this.running.size >= this.slots) return;
    for (const node of nodes) {
      const { index } = node;
      if (!isWork(node) || this.outcomes.has(index)) continue;
      if (this.tried.has(index) ? !this.due.has(index) : !this.#isProcessed(node)) continue;
      let isHeldBack = false;
      for (let above = node.parent; above !== null; above = above.parent) {
        isHeldBack ||= this.#runningBelow(above) >= (above.maxParallelTasks ?? Infinity);
      }
      assert.ok(isHeldBack, `${formatPath(node.path)} could take the free slot`);
    }
  }
}

describe('scheduler: properties', () => {
  it('keeps upstreams, limits and slots, leaves no slot idle, and gives every node exactly one outcome', () => {
    fc.assert(
      fc.property(scenarioArbitrary, scenario => {
        const { scheduler, simulation } = run(scenario);
        const observer = new Observer(scheduler, scenario.slots);
        observer.watch(simulation);
        const counts = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
        for (const node of scheduler.graph.nodes) {
          const outcome = observer.outcomes.get(node.index);
          assert.equal(outcome === undefined, node.isPassage, formatPath(node.path));
          if (isWork(node) && outcome !== undefined) counts[outcome] += 1;
        }
        const root = observer.outcomes.get(scheduler.graph.root.index);
        assert.deepEqual(observer.end?.counts, counts);
        const expected = observer.cancelled ? 'cancelled' : root === 'failed' ? 'failed' : 'succeeded';
        assert.equal(observer.end.outcome, expected);
      }),
      { numRuns: RUNS },
    );
  });

  it('decides as the policies, limits and priorities say when they are followed to the letter', () => {
    fc.assert(
      fc.property(scenarioArbitrary, scenario => {
        const { scheduler, simulation } = run(scenario);
        const reference = new ReferenceScheduler(scenario);
        const expected = simulate(
          reference,
          (node, attempt) => scenario.attempt(reference.pathOf(node), attempt),
          incidentsOf(scenario),
        );
        assert.deepEqual(
          describeSteps(simulation, node => formatPath(scheduler.graph.pathOf(node))),
          describeSteps(expected, node => reference.pathOf(node)),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('is deterministic', () => {
    fc.assert(
      fc.property(scenarioArbitrary, scenario => {
        assert.deepEqual(run(scenario).simulation, run(scenario).simulation);
      }),
      { numRuns: RUNS / 4 },
    );
  });
});
