/**
 * The nouns of history as they cross processes and reach pages: plain JSON. Times are milliseconds since the epoch by the
 * store's clock, durations are seconds.
 */
import type {
  DocItem,
  NodeGraph,
  NodeKind,
  NodePath,
  NodeRunStatus,
  OutputFormat,
  ParameterValue,
  RunStatus,
  RunTrigger,
} from './model.ts';

/** A run, without what its nodes did. */
export interface RunRecord {
  readonly runId: number;
  /** The pipeline that ran; empty for the root. */
  readonly pipelinePath: NodePath;
  /** The selection; empty when the whole pipeline ran. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly status: RunStatus;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  readonly host: string;
  readonly codeVersion: string | null;
  readonly runnerVersion: string;
  readonly resumedFrom: number | null;
  readonly cancelRequestedAt: number | null;
  /** The task that failed first, with the first line of its error. */
  readonly failure: { readonly nodePath: NodePath; readonly error: string } | null;
}

/** One attempt of one node. */
export interface NodeRunRecord {
  readonly nodeRunId: number;
  readonly runId: number;
  readonly nodePath: NodePath;
  readonly kind: NodeKind;
  /** Counted from 1. */
  readonly attempt: number;
  readonly status: NodeRunStatus;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Critical path from here when the run started; 0 without history. */
  readonly cost: number;
  readonly rowsProcessed: number | null;
  readonly exitCode: number | null;
  /** What went wrong, on one or more lines. */
  readonly error: string | null;
  readonly reason: string | null;
}

/** How far a run is, by expected duration. */
export interface RunProgress {
  /** 0 to 1. */
  readonly fraction: number;
  /** Tasks and parallel tasks that have an outcome, and all of them. */
  readonly finished: number;
  readonly total: number;
  /** Expected seconds until the end; `null` without history or after the end. */
  readonly left: number | null;
}

/** A run with everything but its output. */
export interface RunDetailsRecord {
  readonly run: RunRecord;
  /** The graph as it ran; `null` in runs of a version that did not keep it. */
  readonly graph: NodeGraph | null;
  /** All attempts of all nodes, in the order in which they were begun. */
  readonly nodeRuns: readonly NodeRunRecord[];
  /** Expected seconds of nodes by path as `a/b`, from the succeeded runs before. */
  readonly expected: Readonly<Record<string, number>>;
  readonly progress: RunProgress;
  /** The critical path of what ran, as node run ids in order; empty while nothing has ended. */
  readonly criticalPath: readonly number[];
}

/** What history says about one node. */
export interface NodeFiguresRecord {
  readonly path: NodePath;
  /** Average time from start to end; `null` without a succeeded run. */
  readonly averageDuration: number | null;
  /** Sum of the average durations of the tasks in it; `null` without history. */
  readonly averageRunTime: number | null;
  /** Average run time plus the highest cost among what follows; 0 without history. */
  readonly cost: number;
  /** The newest attempt; `null` when it never had its turn. */
  readonly last: NodeRunRecord | null;
  /** Up to ten last outcomes, oldest first. */
  readonly recent: readonly RunPoint[];
}

/** A node's last attempt in one run. */
export interface RunPoint {
  readonly runId: number;
  readonly at: number;
  /** Seconds from start to end; `null` when it did not run or still does. */
  readonly duration: number | null;
  readonly status: NodeRunStatus;
}

/** A line of the run-time chart: points oldest first. */
export interface RunTimes {
  readonly path: NodePath;
  readonly points: readonly RunPoint[];
}

/** How busy the machine was: percentages and MB/s, `null` where the platform does not tell. */
export interface StatisticsRecord {
  readonly at: number;
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly swap: number | null;
  readonly diskRead: number | null;
  readonly diskWrite: number | null;
  readonly netReceived: number | null;
  readonly netSent: number | null;
}

/** One line of output. */
export interface OutputRecord {
  readonly nodeRunId: number;
  readonly nodePath: NodePath;
  readonly attempt: number;
  /** Counted from 1 within the attempt. */
  readonly seq: number;
  readonly at: number;
  readonly format: OutputFormat;
  readonly isError: boolean;
  readonly message: string;
}

/** Which runs to list. */
export interface RunQuery {
  /** Runs of this pipeline, and runs in which this node had its turn. */
  readonly path?: NodePath;
  readonly statuses?: readonly RunStatus[];
  readonly triggers?: readonly RunTrigger[];
  /** Runs that started at this time or later. */
  readonly since?: number;
  /**
   * Looked for, whatever its case: in the run's id (also as `#42`), in the paths of what was asked for and of the tasks
   * that failed, in their errors.
   */
  readonly text?: string;
  /**
   * Only runs that failed or were lost and that no later run of the same pipeline has made good: one that succeeded with
   * all of it, or with at least the same selection.
   */
  readonly unresolvedOnly?: boolean;
  /** Default 50. */
  readonly limit?: number;
  /** Only runs older than this one: the last `runId` of the page before. */
  readonly before?: number;
}

export interface RunList {
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  /** How many fit in all, without `limit` and `before`, and how many runs there are. */
  readonly matching: number;
  readonly total: number;
  /** Runs by status among those that fit the query without its `statuses`. */
  readonly byStatus: Readonly<Partial<Record<RunStatus, number>>>;
}

/** Nodes × runs. */
export interface RunGrid {
  /** Oldest first. */
  readonly runs: readonly RunRecord[];
  /** Nodes in the order of the newest graph; those that are gone come last. */
  readonly nodes: readonly { readonly path: NodePath; readonly kind: NodeKind }[];
  /** Per node one cell for each run; `null` where it had no turn. */
  readonly cells: readonly (readonly (NodeRunStatus | null)[])[];
}

/** A view on output: everything of a run, of a node and what is below it, or of one attempt; lines in order of time. */
export interface OutputQuery {
  readonly runId: number;
  readonly path?: NodePath;
  readonly nodeRunId?: number;
  readonly errorsOnly?: boolean;
}

/** How many lines a view has by now. */
export interface OutputExtent {
  readonly lines: number;
  readonly errors: number;
  /** Whether all lines that are stored so far are counted. */
  readonly complete: boolean;
}

/** A command as the page of a task shows it. */
export interface CommandDocsRecord {
  /** The command's class, for example `RunBash`. */
  readonly kind: string;
  readonly items: readonly DocItem[];
}

/** The documentation of a task. */
export interface TaskDocsRecord {
  /** `null`: the commands are computed at run time. */
  readonly commands: readonly CommandDocsRecord[] | null;
  /** For a parallel task: what it does to make its sub-tasks, and what runs before and after them. */
  readonly parallel: {
    readonly before: readonly CommandDocsRecord[];
    readonly creation: readonly DocItem[];
    readonly after: readonly CommandDocsRecord[];
  } | null;
}

/** One value of the configuration and where it comes from. */
export interface ConfigurationRecord {
  readonly key: string;
  /** As text; secrets are masked. */
  readonly value: string;
  /** The file, environment variable, setting, or `default`. */
  readonly origin: string;
}

/** How it stands with the store. */
export type StoreState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready'; readonly description: string }
  /** `message` is one line for people, `detail` what the driver said. */
  | { readonly kind: 'unreachable'; readonly message: string; readonly detail: string };
