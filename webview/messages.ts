/**
 * What pages and the extension say to each other: one union for each direction, plain JSON, validated where it arrives.
 *
 * A page begins with `ready` and is then told by `open` what to show. It asks for data by `request`; the extension
 * answers some of it itself and passes the rest on to the service (runner/service/protocol.ts). What changes is pushed.
 */
import type { NodeGraph, NodeKind, NodePath, SourceLocation } from '../runner/model.ts';
import type {
  NodeRunRecord,
  OutputExtent,
  RunProgress,
  RunRecord,
  StatisticsRecord,
  StoreState,
} from '../runner/records.ts';
import type { ServiceMethod, ServiceRequests } from '../runner/service/protocol.ts';

/** What a page shows; kept by the webview's state, so that it comes back after a reload. `folder` is a URI. */
export type PageSubject =
  | { readonly page: 'node'; readonly folder: string; readonly path: NodePath }
  | { readonly page: 'run'; readonly folder: string; readonly runId: number; readonly path?: NodePath }
  | { readonly page: 'history'; readonly folder: string; readonly path?: NodePath };

/** A node of the graph as pages draw it. */
export interface PageNode extends Omit<NodeGraph, 'nodes'> {
  readonly nodes: readonly PageNode[];
  /** `static`: by the analysis of the files as they are typed; `loaded`: as the runner loads them. */
  readonly origin: 'static' | 'loaded';
}

/** A node next to the one that a page shows. */
export interface Neighbour {
  readonly path: NodePath;
  readonly kind: NodeKind | 'dynamic';
  readonly description: string;
}

/** Everything about a node that its files say. */
export interface NodeView {
  readonly node: PageNode;
  /** Titles for the way down to it, from the top; without the node itself. */
  readonly ancestors: readonly NodePath[];
  readonly upstreams: readonly Neighbour[];
  readonly downstreams: readonly Neighbour[];
  /** Name of the file that declares it, relative to the folder. */
  readonly source: { readonly name: string; readonly location: SourceLocation } | null;
  /** Problems of the files that may hide nodes. */
  readonly problems: readonly string[];
}

/** Requests that the extension answers itself. */
export interface HostRequests {
  /** `null`: the node is gone. */
  readonly node: { readonly params: { readonly path: NodePath }; readonly result: NodeView | null };
  /** Runs that go on right now. */
  readonly activeRuns: { readonly params: object; readonly result: readonly RunRecord[] };
  /** Top-level pipelines of the folder, for filters. */
  readonly pipelines: { readonly params: object; readonly result: readonly string[] };
}

/** Requests that pages may have passed on. */
export type PassedMethod = Exclude<ServiceMethod, 'connect' | 'configuration' | 'cancel'>;

export type PageRequests = HostRequests & Pick<ServiceRequests, PassedMethod>;
export type PageMethod = keyof PageRequests;

/** What a click or a key asks the extension to do. */
export type PageAction =
  | { readonly kind: 'openNode'; readonly path: NodePath; readonly aside?: boolean }
  /** The source of a node. */
  | { readonly kind: 'openSource'; readonly path: NodePath }
  /** A place in a file; relative names are looked for in the project. */
  | { readonly kind: 'openFile'; readonly file: string; readonly line?: number; readonly column?: number }
  | { readonly kind: 'openRun'; readonly runId: number; readonly path?: NodePath }
  | { readonly kind: 'openHistory'; readonly path?: NodePath }
  | { readonly kind: 'openLink'; readonly url: string }
  /** The side bar. */
  | { readonly kind: 'showPipelines' }
  | { readonly kind: 'run'; readonly paths: readonly NodePath[]; readonly withUpstreams: boolean }
  | { readonly kind: 'debug'; readonly path: NodePath }
  | { readonly kind: 'cancel'; readonly runId: number }
  | { readonly kind: 'rerun'; readonly runId: number }
  | { readonly kind: 'rerunFailed'; readonly runId: number }
  | { readonly kind: 'copy'; readonly text: string }
  /** Asks where to, and writes it there. */
  | { readonly kind: 'save'; readonly name: string; readonly text: string }
  /** Opens text as a new, unsaved document. */
  | { readonly kind: 'openText'; readonly language: string; readonly text: string }
  /** Opens stored output as a read-only document. */
  | {
      readonly kind: 'openOutput';
      readonly runId: number;
      readonly path?: NodePath;
      readonly nodeRunId?: number;
    }
  | { readonly kind: 'retryStore' }
  | { readonly kind: 'storeSettings' }
  | { readonly kind: 'showLog' }
  | { readonly kind: 'manageTrust' };

export type ToHost =
  | { readonly type: 'ready'; readonly subject: PageSubject | null }
  | {
      [Method in PageMethod]: {
        readonly type: 'request';
        readonly id: number;
        readonly method: Method;
        readonly params: PageRequests[Method]['params'];
      };
    }[PageMethod]
  | { readonly type: 'action'; readonly action: PageAction }
  /** Something in the page went wrong that nobody expected: for the log. */
  | { readonly type: 'fault'; readonly message: string };

export type ToPage =
  /** Again when the panel shows something else, and when trust is granted. */
  | {
      readonly type: 'open';
      readonly subject: PageSubject;
      readonly trusted: boolean;
      readonly store: StoreState;
    }
  | { readonly type: 'result'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly code: string }
  | { readonly type: 'store'; readonly state: StoreState }
  /** The files say something else now: ask again for `node`. */
  | { readonly type: 'graph' }
  /** Runs began, ended or were deleted. */
  | { readonly type: 'runs'; readonly changed: readonly RunRecord[] }
  /** What is new in a run that the page follows. */
  | {
      readonly type: 'run';
      readonly run: RunRecord;
      readonly nodeRuns: readonly NodeRunRecord[];
      readonly statistics: readonly StatisticsRecord[];
      readonly progress: RunProgress;
      readonly criticalPath: readonly number[];
    }
  | { readonly type: 'output'; readonly view: number; readonly extent: OutputExtent };
