/**
 * How good the schedule is, without a machine in the way: W5 on a virtual clock, as a ratio to the lower bound. Then the
 * scheduler's own time and memory on large graphs (W8). Run: `node test/bench/simulated.ts`.
 */
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import { flatten } from '../../runner/scheduler/run-graph.ts';
import { Scheduler } from '../../runner/scheduler/scheduler.ts';
import { firstInFirstOut, historyOf, makespan, planOfWorkload } from '../support/simulated-workload.ts';
import {
  RANDOM_LAYERS_SEEDS,
  independent,
  layered,
  lowerBound,
  mulberry32,
  randomLayers,
  shortTasksBeforeChain,
  type WorkloadTask,
} from './workloads.ts';

const NOISE = 0.3;
const NOISE_ROUNDS = 100;

function printSchedules(): void {
  const workloads: [string, WorkloadTask[]][] = [
    ['W5a', shortTasksBeforeChain()],
    ...RANDOM_LAYERS_SEEDS.map((seed, index): [string, WorkloadTask[]] => [
      `W5r${String(index + 1)}`,
      randomLayers(seed),
    ]),
  ];
  console.log('Makespan in seconds on a virtual clock; in brackets: divided by the lower bound.');
  console.log(
    `Noise: history is off by up to ±${String(NOISE * 100)} %; mean and worst of ${String(NOISE_ROUNDS)} rounds.\n`,
  );
  const columns = ['bound', 'fifo', 'no history', 'history', 'noise, mean', 'noise, worst'];
  console.log(['workload', ' J', ...columns.map(column => column.padStart(15))].join(' '));
  for (const [name, tasks] of workloads) {
    for (const slots of [2, 4]) {
      const bound = lowerBound(tasks, slots);
      const noisy = noisyMakespans(tasks, slots);
      const figures = [
        firstInFirstOut(tasks, slots),
        makespan(tasks, slots),
        makespan(tasks, slots, historyOf(tasks)),
        noisy.reduce((sum, seconds) => sum + seconds, 0) / noisy.length,
        Math.max(...noisy),
      ];
      const cells = figures.map(seconds => `${seconds.toFixed(2)} (${(seconds / bound).toFixed(3)})`);
      const row = [bound.toFixed(2), ...cells].map(cell => cell.padStart(15));
      console.log([name.padEnd(8), String(slots).padStart(2), ...row].join(' '));
    }
  }
}

function noisyMakespans(tasks: readonly WorkloadTask[], slots: number): number[] {
  return Array.from({ length: NOISE_ROUNDS }, (_, round) => {
    const random = mulberry32(round);
    const history = tasks.map(({ id, durationSeconds }): [string, number] => [
      id,
      durationSeconds * (1 + NOISE * (2 * random() - 1)),
    ]);
    return makespan(tasks, slots, new Map(history));
  });
}

/** Pipelines of independent tasks that all could start, were it not for the limit of their pipeline. */
function limitedPipelines(pipelines: number, tasksEach: number): PlanNode {
  const root = planOfWorkload(independent(pipelines));
  const children = root.children.map(({ id, path }): PlanNode => {
    const tasks = planOfWorkload(independent(tasksEach)).children;
    return {
      id,
      path,
      kind: 'pipeline',
      upstreams: [],
      maxParallelTasks: 1,
      children: tasks.map(task => ({ ...task, path: [id, task.id] })),
    };
  });
  return { ...root, children };
}

/** Ends the running tasks in the order of their start, with as little as possible around the scheduler. */
function drive(scheduler: Scheduler): number {
  const running: number[] = [];
  let decisions = 0;
  const take = (made: ReturnType<Scheduler['start']>) => {
    decisions += made.length;
    for (const decision of made) if (decision.type === 'start') running.push(decision.node);
  };
  take(scheduler.start());
  for (const node of running)
    take(scheduler.handle({ type: 'attempt_finished', node, outcome: 'succeeded' }));
  return decisions;
}

function printDecisionTimes(): void {
  const workloads: [string, number, PlanNode][] = [
    ['1,000 independent', 1000, planOfWorkload(independent(1000))],
    ['100,000 independent', 100_000, planOfWorkload(independent(100_000))],
    ['100,000 in 4,000 layers', 100_000, planOfWorkload(layered(4000, 25))],
    ['100,000 in 10 layers', 100_000, planOfWorkload(layered(10, 10_000))],
    ['100 × 1,000, limit 1', 100_000, limitedPipelines(100, 1000)],
  ];
  console.log('\nThe scheduler alone, 8 slots: median of 5 runs.\n');
  console.log('graph                     build, ms  µs a decision  µs a task  memory, MB');
  for (const [name, count, plan] of workloads) {
    const rounds = Array.from({ length: 5 }, () => {
      globalThis.gc?.();
      const before = process.memoryUsage().heapUsed;
      const begin = performance.now();
      const scheduler = new Scheduler(flatten(plan), { slots: 8, defaultMaxRetries: 0 });
      const built = performance.now();
      globalThis.gc?.();
      const memory = process.memoryUsage().heapUsed - before;
      const driveBegin = performance.now();
      const decisions = drive(scheduler);
      const driveMs = performance.now() - driveBegin;
      return {
        build: built - begin,
        decision: (driveMs * 1000) / decisions,
        task: (driveMs * 1000) / count,
        memory,
      };
    });
    const middle = (key: 'build' | 'decision' | 'task' | 'memory') =>
      rounds.map(round => round[key]).toSorted((a, b) => a - b)[2] ?? Number.NaN;
    console.log(
      name.padEnd(24),
      middle('build').toFixed(0).padStart(10),
      middle('decision').toFixed(2).padStart(14),
      middle('task').toFixed(2).padStart(10),
      (globalThis.gc ? (middle('memory') / 1e6).toFixed(0) : '(--expose-gc)').padStart(11),
    );
  }
}

printSchedules();
printDecisionTimes();
