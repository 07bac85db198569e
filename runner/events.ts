/**
 * The spine: everything observable that happens in a run is one of these events. The terminal, the store,
 * notifications and pages are subscribers of one stream; `millrace run --json` prints one event a line.
 * Times are ISO 8601 with milliseconds, by the store's clock. Durations are seconds.
 */
import type {
  NodeKind,
  NodePath,
  Outcome,
  OutputFormat,
  ParameterValue,
  RunOutcome,
  RunTrigger,
} from './model.ts';

interface EventBase {
  /** The run's id in the store; `null` in a run without a store. */
  readonly runId: number | null;
  /** The node that this is about; for events of the whole run, the pipeline that runs. */
  readonly nodePath: NodePath;
  /** Counted from 1; 0 for events of the whole run. */
  readonly attempt: number;
  readonly time: string;
}

/** The first event of every run. */
export interface RunStarted extends EventBase {
  readonly type: 'run_started';
  /** The selection; empty when the whole pipeline runs. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  readonly host: string;
  readonly pid: number;
  readonly codeVersion: string | null;
  readonly resumedFrom: number | null;
  /** Tasks and parallel tasks known when the run starts; parallel tasks add theirs later. */
  readonly taskCount: number;
  /** Length of the critical path in seconds by history; `null` without history. */
  readonly expectedDuration: number | null;
}

/** An attempt of a task begins, or the first child of a pipeline may. */
export interface NodeStarted extends EventBase {
  readonly type: 'node_started';
  readonly kind: NodeKind;
  /** Critical path from here, in seconds; 0 without history. */
  readonly cost: number;
  /** Average duration of the succeeded runs, in seconds; `null` without history. */
  readonly expectedDuration: number | null;
}

/** One line that a node wrote. */
export interface Output extends EventBase {
  readonly type: 'output';
  /** Counted from 1 within one attempt. */
  readonly seq: number;
  readonly message: string;
  readonly format: OutputFormat;
  readonly isError: boolean;
}

/** An attempt ended. When `retryIn` is a number, the node is not done: another attempt follows. */
export interface NodeFinished extends EventBase {
  readonly type: 'node_finished';
  readonly kind: NodeKind;
  readonly status: Exclude<Outcome, 'skipped'>;
  /** `null` when a cancelled run never started it. */
  readonly startedAt: string | null;
  readonly duration: number;
  readonly exitCode: number | null;
  /** One or more lines that say what went wrong; `null` unless failed. */
  readonly error: string | null;
  /** Why it ended so, where that needs saying: cancelled before it started, unchanged, timed out. */
  readonly reason: string | null;
  readonly rowsProcessed: number | null;
  /** Seconds until the next attempt; `null` when this was the last. */
  readonly retryIn: number | null;
}

/** A node will not run in this run. */
export interface NodeSkipped extends EventBase {
  readonly type: 'node_skipped';
  readonly kind: NodeKind;
  readonly reason: string;
  /** The node whose failure caused it. */
  readonly cause: NodePath;
}

/** How busy the machine is: percentages, and MB per second since the last sample (`null` in the first). */
export interface SystemStatistics extends EventBase {
  readonly type: 'system_statistics';
  readonly cpu: number;
  readonly memory: number;
  readonly swap: number;
  readonly diskRead: number | null;
  readonly diskWrite: number | null;
  readonly netReceived: number | null;
  readonly netSent: number | null;
}

/** The last event of every run. */
export interface RunFinished extends EventBase {
  readonly type: 'run_finished';
  readonly status: RunOutcome;
  readonly duration: number;
  /** Tasks and parallel tasks by how they ended (pipelines are not counted). */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** What the user must know besides: the store was away, output is in the spool, an internal error. */
  readonly notes: readonly string[];
}

export type RunEvent =
  RunStarted | NodeStarted | Output | NodeFinished | NodeSkipped | SystemStatistics | RunFinished;

/**
 * Lines of one attempt that arrived together: how output travels inside the runner, because an object per line costs
 * more than the line. {@link expandOutput} turns it into events.
 */
export interface OutputBatch {
  readonly nodePath: NodePath;
  readonly attempt: number;
  /** The attempt's row in the store. */
  readonly nodeRunId: number;
  /** `seq` of the first line. */
  readonly firstSeq: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly time: number;
  readonly format: OutputFormat;
  readonly isError: boolean;
  /** The lines, joined by `\n`, each at most 64 KiB, without NUL and valid as UTF-8. */
  readonly text: string;
}

/** The events that a batch stands for, one per line. */
export function* expandOutput(batch: OutputBatch, runId: number | null): Generator<Output> {
  const time = new Date(batch.time).toISOString();
  let seq = batch.firstSeq;
  for (const message of batch.text.split('\n')) {
    yield {
      type: 'output',
      runId,
      nodePath: batch.nodePath,
      attempt: batch.attempt,
      time,
      seq: seq++,
      message,
      format: batch.format,
      isError: batch.isError,
    };
  }
}
