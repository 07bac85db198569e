/** What the scheduler is told and what it decides. Nodes are referred to by their index in the run's graph. */
import type { NodePath, Outcome, RunOutcome } from '../model.ts';
import type { PlanNode } from './plan.ts';

/** Something happened that the scheduler must know. */
export type SchedulerEvent =
  /**
   * A started attempt has ended. For a parallel task: it could not be expanded, or did not have to be. `cancelled` in a
   * run that nobody cancelled counts as `failed`.
   */
  | {
      readonly type: 'attempt_finished';
      readonly node: number;
      readonly outcome: Extract<Outcome, 'succeeded' | 'failed' | 'unchanged' | 'cancelled'>;
    }
  /** A started parallel task has made its children. */
  | {
      readonly type: 'expanded';
      readonly node: number;
      readonly children: readonly PlanNode[];
      readonly maxParallelTasks?: number;
    }
  /** The seconds of a `retry` decision are over. Ignored when the task is not waiting any more. */
  | { readonly type: 'retry_due'; readonly node: number }
  /** The user wants the run to end. The caller also ends the running attempts and reports how they ended. */
  | { readonly type: 'cancel' }
  /** So many tasks may run at once from now on; running ones are not affected. */
  | { readonly type: 'slots'; readonly count: number };

/** Why a node does not run, for users, and the task whose failure caused it. */
export interface Hindrance {
  readonly reason: string;
  readonly cause: NodePath;
}

/** Something to do, or to tell the user. A task that has ended without `retry` has the outcome of its attempt. */
export type Decision =
  /** Start an attempt, counted from 1; it takes a slot until it ends. For a parallel task: expand it. */
  | { readonly type: 'start'; readonly node: number; readonly attempt: number }
  /** The failed attempt is to be followed by another: report `retry_due` after so many seconds. */
  | { readonly type: 'retry'; readonly node: number; readonly attempt: number; readonly seconds: number }
  /** A task that waited for its retry gets none: its outcome is that of its last attempt, `failed`. */
  | ({ readonly type: 'retry_dropped'; readonly node: number } & Hindrance)
  | { readonly type: 'pipeline_started'; readonly node: number }
  | { readonly type: 'pipeline_finished'; readonly node: number; readonly outcome: ContainerOutcome }
  /** All children of an expanded parallel task are done. */
  | { readonly type: 'parallel_finished'; readonly node: number; readonly outcome: ContainerOutcome }
  /** Outcome `skipped`. Also for pipelines and parallel tasks that had begun, when the rest of them was skipped. */
  | ({ readonly type: 'skipped'; readonly node: number } & Hindrance)
  /** Outcome `cancelled`, of a node that was not running. */
  | { readonly type: 'cancelled'; readonly node: number }
  /** The last decision of a run. */
  | {
      readonly type: 'finished';
      readonly outcome: Exclude<RunOutcome, 'lost'>;
      /** Tasks and parallel tasks by their outcome. */
      readonly counts: Readonly<Record<Outcome, number>>;
    };

/** How a pipeline ends. `unchanged`: it has children, and all of them are. */
export type ContainerOutcome = Extract<Outcome, 'succeeded' | 'failed' | 'cancelled' | 'unchanged'>;
