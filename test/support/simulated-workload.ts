/** Workloads on a virtual machine: by the scheduler, and as a runner without priorities would run them. */
import type { PlanNode } from '../../runner/scheduler/plan.ts';
import { flatten } from '../../runner/scheduler/run-graph.ts';
import { Scheduler } from '../../runner/scheduler/scheduler.ts';
import type { WorkloadTask } from '../bench/workloads.ts';
import { simulate } from './simulate.ts';

/** A root pipeline with the tasks of a workload. */
export function planOfWorkload(tasks: readonly WorkloadTask[]): PlanNode {
  return {
    id: 'root',
    path: [],
    kind: 'pipeline',
    upstreams: [],
    children: tasks.map(({ id, upstreams }) => ({ id, path: [id], kind: 'task', upstreams, children: [] })),
  };
}

/** The durations of a workload as history. */
export function historyOf(tasks: readonly WorkloadTask[]): Map<string, number> {
  return new Map(tasks.map(({ id, durationSeconds }) => [id, durationSeconds]));
}

/** Seconds that a workload takes when the scheduler knows `history`. */
export function makespan(
  tasks: readonly WorkloadTask[],
  slots: number,
  history: ReadonlyMap<string, number> = new Map(),
): number {
  const graph = flatten(planOfWorkload(tasks));
  const seconds = historyOf(tasks);
  const scheduler = new Scheduler(graph, { slots, defaultMaxRetries: 0, averageDurations: history });
  return simulate(scheduler, node => ({
    seconds: seconds.get(graph.pathOf(node).join('/')) ?? 0,
    outcome: 'succeeded',
  })).makespan;
}

/** Seconds that a workload takes when tasks start in the order in which they become ready. */
export function firstInFirstOut(tasks: readonly WorkloadTask[], slots: number): number {
  const waitsFor = new Map(tasks.map(task => [task, task.upstreams.length]));
  const ready = tasks.filter(task => task.upstreams.length === 0);
  let running: { readonly task: WorkloadTask; readonly end: number }[] = [];
  let time = 0;
  while (ready.length > 0 || running.length > 0) {
    while (running.length < slots) {
      const task = ready.shift();
      if (task === undefined) break;
      running.push({ task, end: time + task.durationSeconds });
    }
    time = Math.min(...running.map(({ end }) => end));
    const ended = running.filter(({ end }) => end === time);
    running = running.filter(({ end }) => end > time);
    for (const { task: upstream } of ended) {
      for (const task of tasks.filter(({ upstreams }) => upstreams.includes(upstream.id))) {
        const left = (waitsFor.get(task) ?? 0) - 1;
        waitsFor.set(task, left);
        if (left === 0) ready.push(task);
      }
    }
  }
  return time;
}
