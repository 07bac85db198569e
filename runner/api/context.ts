/** What commands, and the functions in their options, are given. */
import type { NodePath, OutputFormat, ParameterValue } from '../model.ts';
import type { Node } from './node.ts';

/** Writes to the output of the running attempt. Text may hold several lines; secrets are masked. */
export interface Log {
  /** A remark of the command itself. */
  info(text: string): void;
  /** What is about to be run: a statement, a shell command, a file name. */
  command(text: string): void;
  /** What a program printed. */
  verbatim(text: string): void;
  /** A problem; does not fail the task by itself. */
  error(text: string): void;
  /** The general form of the above. */
  write(text: string, kind: { readonly format: OutputFormat; readonly isError: boolean }): void;
}

/** The run that a command is part of. */
export interface RunInfo {
  /** `null` in a run without a store. */
  readonly id: number | null;
  readonly startedAt: Date;
  /** Counted from 1. */
  readonly attempt: number;
  /** Names the run together with those that it goes on with (`--resume`): the same for all of them. */
  readonly chain?: string;
}

/** How a program ended. */
export interface ProcessEnd {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** Default: the base path. */
  readonly cwd?: string;
  /** Added to the environment of the runner; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string | AsyncIterable<Buffer | string>;
  /** Takes standard output instead of the log; the program waits while the promise is pending. */
  readonly onStdout?: (chunk: Buffer) => void | Promise<void>;
  /** Takes standard error instead of the log, in the same way. */
  readonly onStderr?: (chunk: Buffer) => void | Promise<void>;
  /** Aborting ends the program with SIGTERM, besides the end of the task. */
  readonly signal?: AbortSignal;
}

/** Runs programs so that their output is kept and nothing outlives the task. */
export interface Processes {
  /** Runs a shell command (bash with `pipefail`, or what the setting `shell` names). */
  shell(command: string, options?: ProcessOptions): Promise<ProcessEnd>;
  /** Runs a program without a shell. */
  run(program: string, args: readonly string[], options?: ProcessOptions): Promise<ProcessEnd>;
}

/** A file that was loaded. */
export interface ProcessedFile {
  /** Relative to `dataDir`. */
  readonly file: string;
  /** ISO time of the version that was loaded. */
  readonly lastModifiedAt: string;
}

/** Incremental state of one node, kept in the store. Nothing is kept in a run without a store. */
export interface IncrementalState {
  /** The stored hash of a file dependency of this node, by the kind of dependency. */
  fileDependency(dependencyType: string): Promise<string | null>;
  setFileDependency(dependencyType: string, hash: string): Promise<void>;
  deleteFileDependency(dependencyType: string): Promise<void>;
  /** How far this node has copied a source, named `<alias>.<table>`; `null` when it has not. */
  copyWatermark(source: string): Promise<string | null>;
  setCopyWatermark(source: string, value: string): Promise<void>;
  deleteCopyWatermark(source: string): Promise<void>;
  /** Notes which files a node has loaded, in which version. */
  setProcessedFiles?(node: NodePath, files: readonly ProcessedFile[]): Promise<void>;
}

/** Results of a query as objects, one per row. */
export interface QueryResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number | null;
}

/** A connection to a database of the project, closed when the task ends. */
export interface Database {
  readonly alias: string;
  /** Runs one statement; `values` stand for `$1`, `$2`, … */
  query(statement: string, values?: readonly unknown[]): Promise<QueryResult>;
}

/** Settings of the project that commands need. */
export interface ProjectSettings {
  /** Directory with input files, absolute. */
  readonly dataDir: string;
  /** Days as `YYYY-MM-DD` between which data counts. */
  readonly firstDate: string;
  readonly lastDate: string;
}

/** What functions are given that make a text for a command, or the commands of a task. */
export interface ParameterContext {
  /**
   * Parameters of the run, with defaults filled in. Where a command is shown, there is no run: then these are the
   * defaults of the pipelines around the task, and `<name>` for a parameter that has none.
   */
  readonly params: Readonly<Record<string, ParameterValue>>;
}

/** What a parallel task is given when it makes its children. */
export interface ExpansionContext extends ProjectSettings {
  readonly log: Log;
  /** Aborted on cancel. */
  readonly signal: AbortSignal;
  /** Parameters of the run, with defaults filled in. */
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** Directory that file names of the parallel task are relative to. */
  readonly basePath: string;
  readonly run: RunInfo;
  /** How many tasks run at the same time. */
  readonly parallel: number;
  readonly state: IncrementalState;
  /** Connects to a database by its alias (default: `defaultDatabase`). */
  db(alias?: string): Promise<Database>;
}

export interface CommandContext {
  readonly log: Log;
  /** Aborted on cancel and on timeout. */
  readonly signal: AbortSignal;
  /** The task that runs. */
  readonly node: Node;
  /** Parameters of the run, with defaults filled in. */
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** Directory that file names of the task are relative to. */
  readonly basePath: string;
  readonly run: RunInfo;
  readonly project: ProjectSettings;
  readonly processes: Processes;
  readonly state: IncrementalState;
  /** Connects to a database by its alias (default: `defaultDatabase`). */
  db(alias?: string): Promise<Database>;
  /** Counts rows that the command has read or written; the sum is stored with the attempt. */
  addRows(count: number): void;
  /** Ends the attempt as `unchanged` if every command of the task says so. */
  unchanged(reason: string): void;
}
