/**
 * What the runner and its pool workers say to each other, over Node's IPC channel as JSON.
 * A worker runs one task at a time. Everything here must survive `JSON.stringify`.
 */
import type { NodeKind, NodePath, Outcome, OutputFormat, ParameterValue } from '../model.ts';

/** Where a worker finds the code of a node. */
export interface ProjectSource {
  /** The project's root directory. */
  readonly directory: string;
  /**
   * Pipeline files to load, absolute; the files that define the selected top-level pipelines are enough. Absent: all.
   * Config, `millrace.local.ts` and `.env` are always read.
   */
  readonly files?: readonly string[];
}

/** A command that a parallel task made, in a form that another process can bring back to life. */
export interface CommandSpec {
  /** The class, as exported by `millrace`. */
  readonly kind: string;
  /** Its options, as JSON. */
  readonly options: unknown;
}

/** A node that a parallel task made, as it travels from the worker that expanded it. */
export interface ExpandedNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ids of siblings. */
  readonly upstreams: readonly string[];
  readonly maxRetries?: number;
  readonly retryDelay?: number;
  readonly timeout?: number;
  readonly maxParallelTasks?: number;
  readonly onFailure?: 'stop' | 'skipDownstream' | 'runAll' | 'ignore';
  /** Children of a generated pipeline. */
  readonly nodes?: readonly ExpandedNode[];
  /**
   * Commands of a task when all of them can travel; absent when one holds a function: then the worker that runs the
   * task expands the parallel task again and looks the child up by its path.
   */
  readonly commands?: readonly CommandSpec[];
}

/** What a worker needs to run one attempt of one task. */
export interface TaskAssignment {
  /** Names the attempt in later messages; unique within the runner. */
  readonly ticket: number;
  readonly nodePath: NodePath;
  readonly kind: NodeKind;
  readonly attempt: number;
  readonly runId: number | null;
  /** ISO time of the run's start, by the store's clock. */
  readonly runStartedAt: string;
  /** See `RunInfo.chain`; absent: a run that resumes none. */
  readonly chain?: string;
  /** How many tasks run at the same time. */
  readonly parallel?: number;
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** Seconds; absent: no limit. Enforced by the worker. */
  readonly timeout?: number;
  /** Set for a child of a parallel task. */
  readonly expandedFrom?: {
    /** The parallel task. */
    readonly path: NodePath;
    /** The child's commands; absent: expand again. */
    readonly commands?: readonly CommandSpec[];
  };
}

export type ToWorker =
  /** The first message: load this project; answered by `ready` or `unusable`. */
  | { readonly type: 'load'; readonly source: ProjectSource }
  | { readonly type: 'run'; readonly task: TaskAssignment }
  /** Run `addParallelTasks` of the parallel task at `task.nodePath`; answered by `expanded` or `finished` (failed). */
  | { readonly type: 'expand'; readonly task: TaskAssignment }
  /** Stop the running task: SIGTERM to its groups and abort its signal; SIGKILL after `killAfter` seconds. */
  | { readonly type: 'cancel'; readonly ticket: number; readonly killAfter: number }
  /** Backpressure: so many bytes of output of the worker have been taken up since it started. */
  | { readonly type: 'taken'; readonly bytes: number }
  /** The answer to a `state` request; `error` when it failed. */
  | { readonly type: 'state'; readonly request: number; readonly result: unknown; readonly error?: string };

/** Consecutive lines of one kind. */
export interface OutputChunk {
  readonly format: OutputFormat;
  readonly isError: boolean;
  /** Lines joined by `\n`; each at most 64 KiB, masked, without NUL, valid UTF-8. */
  readonly text: string;
}

/** How an attempt ended, in the worker's words. */
export interface AttemptResult {
  readonly status: Extract<Outcome, 'succeeded' | 'failed' | 'unchanged' | 'cancelled'>;
  readonly exitCode: number | null;
  /** What the user reads, on one or more lines; `null` unless failed. */
  readonly error: string | null;
  readonly reason: string | null;
  readonly rowsProcessed: number | null;
  /** The output says already, at greater length, what `error` says. */
  readonly isShown?: boolean;
}

export type FromWorker =
  /** The project is loaded; tasks may come. */
  | { readonly type: 'ready' }
  /** The project cannot be loaded in this worker. */
  | { readonly type: 'unusable'; readonly message: string }
  | {
      readonly type: 'output';
      readonly ticket: number;
      readonly chunks: readonly OutputChunk[];
      readonly bytes: number;
    }
  /** All output of the attempt has been sent before this. */
  | {
      readonly type: 'finished';
      readonly ticket: number;
      readonly result: AttemptResult;
      /** The worker cannot be trusted any more and ends now. */
      readonly last?: true;
    }
  /** Children of a parallel task that has many, in declaration order; the last ones come with `expanded`. */
  | { readonly type: 'expanding'; readonly ticket: number; readonly nodes: readonly ExpandedNode[] }
  | {
      readonly type: 'expanded';
      readonly ticket: number;
      readonly maxParallelTasks?: number;
      readonly nodes: readonly ExpandedNode[];
    }
  /** A process group that must not outlive this worker has begun or ended. */
  | { readonly type: 'group'; readonly pgid: number; readonly alive: boolean }
  /** A call of {@link IncrementalState} that only the runner can answer. */
  | {
      readonly type: 'state';
      readonly request: number;
      readonly method: string;
      readonly arguments: readonly unknown[];
    };

/** What travels from a worker at once: everything that it said in one turn, in order. */
export type WorkerMail = readonly FromWorker[];
