/** Drives a scheduler with a virtual clock: attempts take the seconds and have the outcomes that a script says. */
import type { Decision, SchedulerEvent } from '../../runner/scheduler/decision.ts';
import type { PlanNode } from '../../runner/scheduler/plan.ts';

/** A {@link Scheduler}, or a model of one. */
export interface Machine {
  start(): Decision[];
  handle(event: SchedulerEvent): Decision[];
}

/** What an attempt does. `children`: it is the expansion of a parallel task, and succeeds. */
export type AttemptScript =
  | { readonly seconds: number; readonly outcome: 'succeeded' | 'failed' | 'unchanged' | 'cancelled' }
  | { readonly seconds: number; readonly children: readonly PlanNode[]; readonly maxParallelTasks?: number };

export interface Step {
  /** Seconds since the start. */
  readonly time: number;
  /** `null`: the start. */
  readonly event: SchedulerEvent | null;
  readonly decisions: readonly Decision[];
}

/** Something from outside that happens at a time. */
export interface Incident {
  readonly time: number;
  readonly event: SchedulerEvent;
}

export interface Simulation {
  readonly steps: readonly Step[];
  /** Seconds until the last decision. */
  readonly makespan: number;
}

/** Runs to the end. Events of the same time come in the order in which they were caused. */
export function simulate(
  machine: Machine,
  attempt: (node: number, attempt: number) => AttemptScript,
  incidents: readonly Incident[] = [],
): Simulation {
  const agenda = new Agenda();
  for (const incident of incidents) agenda.add(incident.time, incident.event);
  const steps: Step[] = [];
  const take = (time: number, event: SchedulerEvent | null, decisions: readonly Decision[]) => {
    steps.push({ time, event, decisions });
    for (const decision of decisions) {
      if (decision.type === 'retry')
        agenda.add(time + decision.seconds, { type: 'retry_due', node: decision.node });
      if (decision.type !== 'start') continue;
      const { node } = decision;
      const { seconds, ...result } = attempt(node, decision.attempt);
      agenda.add(
        time + seconds,
        'outcome' in result
          ? { type: 'attempt_finished', node, ...result }
          : { type: 'expanded', node, ...result },
      );
    }
  };
  take(0, null, machine.start());
  for (let next = agenda.take(); next !== undefined; next = agenda.take()) {
    take(next.time, next.event, machine.handle(next.event));
  }
  const end = steps.findLast(step => step.decisions.length > 0);
  return { steps, makespan: end?.time ?? 0 };
}

/** What is going to happen, the next at the end. It is short: there are no more entries than slots and retries. */
class Agenda {
  readonly #entries: Incident[] = [];

  add(time: number, event: SchedulerEvent): void {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.time ?? 0) >= time) low = middle + 1;
      else high = middle;
    }
    // Among those of the same time the new one is taken last, so that it goes before all of them.
    while (low > 0 && this.#entries[low - 1]?.time === time) low--;
    this.#entries.splice(low, 0, { time, event });
  }

  take(): Incident | undefined {
    return this.#entries.pop();
  }
}
