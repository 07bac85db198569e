/**
 * What an editor and the service process say to each other over the IPC channel of a fork. One service stands beside each
 * project folder that is open: it reads the history, follows runs and tells the configuration, so that neither database
 * drivers nor user code are ever loaded into the editor's extension host.
 *
 * Every message is one of {@link ToService} or {@link FromService}. Requests are answered by id, in any order.
 */
import type { NodePath } from '../model.ts';
import type {
  ConfigurationRecord,
  NodeFiguresRecord,
  NodeRunRecord,
  OutputExtent,
  OutputQuery,
  OutputRecord,
  RunDetailsRecord,
  RunGrid,
  RunList,
  RunProgress,
  RunQuery,
  RunRecord,
  RunTimes,
  StatisticsRecord,
  StoreState,
  TaskDocsRecord,
} from '../records.ts';

export const PROTOCOL_VERSION = 1;

/** How a service is started: the value of the environment variable `MILLRACE_SERVICE`, as JSON. */
export interface ServiceOptions {
  readonly version: typeof PROTOCOL_VERSION;
  /** Absolute path of the project. */
  readonly directory: string;
  /** Whether user code (the configuration, pipeline files) may be loaded. */
  readonly trusted: boolean;
  /** Address of the store by a setting of the editor; comes before the configuration, after the environment. */
  readonly storeUrl?: string;
}

/** Each request: what it takes and what it gives. */
export interface ServiceRequests {
  /** Opens the store if it is not open, tries again if it could not be reached. */
  readonly connect: { readonly params: object; readonly result: StoreState };
  /** Every value of the project's configuration with its origin. */
  readonly configuration: { readonly params: object; readonly result: readonly ConfigurationRecord[] };
  /** What history says about a node and all nodes below it. */
  readonly figures: {
    readonly params: { readonly path: NodePath };
    readonly result: readonly NodeFiguresRecord[];
  };
  /** Run times of a node and its most expensive children (8 at most) over the retained history. */
  readonly runTimes: { readonly params: { readonly path: NodePath }; readonly result: readonly RunTimes[] };
  readonly runs: { readonly params: RunQuery; readonly result: RunList };
  /** `null`: there is no such run (any more). */
  readonly run: { readonly params: { readonly runId: number }; readonly result: RunDetailsRecord | null };
  /** Attempts of one node, newest first. */
  readonly attempts: {
    readonly params: { readonly path: NodePath; readonly limit?: number; readonly before?: number };
    readonly result: readonly (NodeRunRecord & { readonly lines: number })[];
  };
  readonly grid: {
    readonly params: { readonly query: RunQuery };
    readonly result: RunGrid;
  };
  readonly statistics: {
    readonly params: { readonly runId: number };
    readonly result: readonly StatisticsRecord[];
  };
  /** Loads the project: only in a trusted folder. */
  readonly taskDocs: { readonly params: { readonly path: NodePath }; readonly result: TaskDocsRecord };
  /** Asks a running run to end. */
  readonly cancel: { readonly params: { readonly runId: number }; readonly result: CancelAnswer };
  /** Begins to tell by `run` notifications what happens in a run; the answer is how it stands. */
  readonly follow: { readonly params: { readonly runId: number }; readonly result: RunDetailsRecord | null };
  readonly unfollow: { readonly params: { readonly runId: number }; readonly result: null };
  /** A view on output, told of by `output` notifications while its run goes on; close it. */
  readonly openOutput: {
    readonly params: OutputQuery;
    readonly result: { readonly view: number; readonly extent: OutputExtent };
  };
  /** Lines by their index in the view, counted from 0; fewer where the view ends. */
  readonly readOutput: {
    readonly params: { readonly view: number; readonly from: number; readonly count: number };
    readonly result: readonly OutputRecord[];
  };
  /**
   * Indexes of lines that contain a text, whatever its case: at most `limit` from `from` on (default 10,000). It comes
   * back after some 200 ms, also when nothing was found: ask again from `next` on.
   */
  readonly searchOutput: {
    readonly params: {
      readonly view: number;
      readonly text: string;
      readonly from: number;
      readonly limit?: number;
    };
    /** `next`: where to go on; `null` when the end was reached and all lines are counted. */
    readonly result: { readonly indexes: readonly number[]; readonly next: number | null };
  };
  /** Index of the first error line at `from` or behind it, or of the last one at it or before; `null` when there is none. */
  readonly findError: {
    readonly params: {
      readonly view: number;
      readonly from: number;
      readonly direction: 'next' | 'previous';
    };
    readonly result: { readonly index: number } | null;
  };
  readonly closeOutput: { readonly params: { readonly view: number }; readonly result: null };
}

export type ServiceMethod = keyof ServiceRequests;

export type CancelAnswer =
  | { readonly kind: 'requested' }
  /** The run was dead; it was closed as lost. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown' };

export type ToService =
  | {
      [Method in ServiceMethod]: {
        readonly type: 'request';
        readonly id: number;
        readonly method: Method;
        readonly params: ServiceRequests[Method]['params'];
      };
    }[ServiceMethod]
  | { readonly type: 'shutdown' };

export type FromService =
  /** The first message. */
  | { readonly type: 'ready'; readonly version: number; readonly runnerVersion: string }
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  /** `message` is for people: what, where, the remedy. */
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly code: ServiceErrorCode }
  | { readonly type: 'store'; readonly state: StoreState }
  /** Runs began, ended, or were deleted, anywhere. */
  | {
      readonly type: 'runs';
      readonly changed: readonly RunRecord[];
      /** Ids of runs that are gone. */
      readonly deleted?: readonly number[];
    }
  /** What is new in a run that is followed: attempts that began or ended, and new samples. */
  | {
      readonly type: 'run';
      readonly run: RunRecord;
      readonly nodeRuns: readonly NodeRunRecord[];
      readonly statistics: readonly StatisticsRecord[];
      readonly progress: RunProgress;
      readonly criticalPath: readonly number[];
    }
  | { readonly type: 'output'; readonly view: number; readonly extent: OutputExtent };

export type ServiceErrorCode = 'store' | 'untrusted' | 'notFound' | 'load' | 'internal';
