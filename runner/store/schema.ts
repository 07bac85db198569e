/**
 * The tables of the schema `millrace` as kysely sees them; `migrations/` makes them. Every connection of the store has
 * `search_path = millrace`, so names need no prefix. `bigint` and `numeric` arrive as numbers, `timestamptz` as `Date`,
 * `text[]` as arrays of strings, `jsonb` as values (and are written as JSON text).
 */
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type {
  NodeGraph,
  NodeKind,
  NodeRunStatus,
  OutputFormat,
  ParameterValue,
  RunStatus,
  RunTrigger,
} from '../model.ts';

/** Written as `Date` or ISO text. */
type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** Written by the migrations' defaults when left out. */
type Defaulted<T> = ColumnType<T, T | undefined, T>;
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

/** One execution of a selection of nodes. */
export interface RunTable {
  run_id: Generated<number>;
  /** Path of the pipeline that runs; empty for the root. */
  pipeline_path: string[];
  /** The selection as `a/b`; empty when the whole pipeline runs. */
  node_paths: string[];
  with_upstreams: boolean;
  params: JSONColumnType<Readonly<Record<string, ParameterValue>>, string | undefined>;
  status: RunStatus;
  started_at: Timestamp;
  ended_at: NullableTimestamp;
  trigger: RunTrigger;
  started_by: string;
  host: string;
  pid: number;
  /** Commit of the project, with `-dirty` when files differ from it; `null` outside a repository. */
  code_version: Nullable<string>;
  runner_version: string;
  resumed_from: Nullable<number>;
  cancel_requested_at: NullableTimestamp;
  /** The graph as it ran. */
  graph: ColumnType<NodeGraph | null, string | null | undefined, string | null>;
}

/** One attempt of one node in a run. */
export interface NodeRunTable {
  /** Computed by the runner: `run_id * 4194304 + n`. */
  node_run_id: number;
  run_id: number;
  node_path: string[];
  kind: NodeKind;
  /** Counted from 1. */
  attempt: number;
  status: NodeRunStatus;
  started_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  /** Seconds of the critical path from here when the run started. */
  cost: Defaulted<number>;
  rows_processed: Nullable<number>;
  exit_code: Nullable<number>;
  error: Nullable<string>;
  reason: Nullable<string>;
}

/** One line that a node wrote. */
export interface NodeOutputTable {
  node_run_id: number;
  /** Counted from 1 within the node run. */
  seq: number;
  at: Timestamp;
  format: OutputFormat;
  is_error: boolean;
  message: string;
}

/** One sample of how busy the machine was during a run: percentages and MB/s. */
export interface SystemStatisticsTable {
  run_id: number;
  at: Timestamp;
  cpu: Nullable<number>;
  memory: Nullable<number>;
  swap: Nullable<number>;
  disk_read: Nullable<number>;
  disk_write: Nullable<number>;
  net_received: Nullable<number>;
  net_sent: Nullable<number>;
}

/** The last combined hash of the files that a node depends on. Never deleted by retention. */
export interface FileDependencyTable {
  node_path: string[];
  dependency_type: string;
  hash: string;
  at: Defaulted<Date>;
}

/** A file that a node has loaded. Never deleted by retention. */
export interface ProcessedFileTable {
  node_path: string[];
  file_name: string;
  last_modified_at: Timestamp;
}

/** How far a node has copied a source table. Never deleted by retention. */
export interface IncrementalCopyStatusTable {
  node_path: string[];
  /** `<alias>.<table>`. */
  source_table: string;
  last_comparison_value: string;
}

export interface StoreSchema {
  run: RunTable;
  node_run: NodeRunTable;
  node_output: NodeOutputTable;
  system_statistics: SystemStatisticsTable;
  file_dependency: FileDependencyTable;
  processed_file: ProcessedFileTable;
  incremental_copy_status: IncrementalCopyStatusTable;
}
