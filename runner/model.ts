/**
 * The shared nouns. This file imports nothing, so that every room (runner, extension, webview) may use it.
 *
 * - A **node** is a pipeline, a task or a parallel task; it has an id and a path (ids from the top, without the root).
 * - A **pipeline** holds nodes and the order between them. A **task** holds commands. A **parallel task** makes its
 *   children when it is reached.
 * - A **run** is one execution of a selection of nodes. A **node run** is what one node did in a run; a task that is
 *   retried has one node run per **attempt**, counted from 1.
 * - A node's **upstreams** are what it waits for, its **downstreams** what waits for it.
 * - The **cost** of a task is the length in seconds of the critical path that starts at it.
 */

/** Ids from the top of the tree down to a node, without the implicit root: the root's own path is `[]`. */
export type NodePath = readonly string[];

export type NodeKind = 'pipeline' | 'task' | 'parallel';

/** What a failing child does to the rest of its pipeline (docs/execution.md). */
export type OnFailure = 'stop' | 'skipDownstream' | 'runAll' | 'ignore';

/** How a node ends. `lost`: the runner died before it could say. */
export type Outcome = 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'unchanged' | 'lost';

/** What a node run's row can say: an outcome, or that it is going on. */
export type NodeRunStatus = 'running' | Outcome;

/** How a run ends. */
export type RunOutcome = 'succeeded' | 'failed' | 'cancelled' | 'lost';

export type RunStatus = 'running' | RunOutcome;

/** Who asked for a run. */
export type RunTrigger = 'editor' | 'cli' | 'api' | 'schedule';

/** `standard`: Millrace's own words; `verbatim`: what a command printed; `italics`: what is about to be run. */
export type OutputFormat = 'standard' | 'verbatim' | 'italics';

/** A place in a source file; lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** One thing to show about a command or a parallel task. `language` names the highlighting. */
export interface DocItem {
  readonly label: string;
  readonly value: string;
  readonly language?: 'bash' | 'sql' | 'typescript' | 'json' | 'text' | 'file';
}

/** Values that a parameter of a pipeline can take. */
export type ParameterValue = string | number | boolean;

/** A parameter of a pipeline, asked for before a run. */
export interface ParameterDefinition {
  readonly type: 'string' | 'number' | 'boolean' | 'date';
  readonly default?: ParameterValue;
  readonly description?: string;
  readonly choices?: readonly ParameterValue[];
}

/** A command as the graph's JSON shows it. */
export interface CommandGraph {
  /** The command's class, for example `RunBash`. */
  readonly kind: string;
  /** What would run, masked, on one or more lines; absent where only running can tell. */
  readonly summary?: string;
  readonly location?: SourceLocation;
}

/** A node as `millrace graph --format json` prints it. */
export interface NodeGraph {
  readonly id: string;
  readonly path: NodePath;
  /** `dynamic` stands for what the static analysis cannot know; `reason` then says why. */
  readonly kind: NodeKind | 'dynamic';
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ids of the siblings that this node waits for, in declaration order. */
  readonly upstreams: readonly string[];
  /** Children, in declaration order; empty for tasks. */
  readonly nodes: readonly NodeGraph[];
  /** Commands of a task; `null` when they are computed at run time. */
  readonly commands: readonly CommandGraph[] | null;
  readonly location?: SourceLocation;
  readonly maxParallelTasks?: number;
  readonly maxRetries?: number;
  readonly timeout?: number;
  readonly onFailure?: OnFailure;
  readonly params?: Readonly<Record<string, ParameterDefinition>>;
  readonly reason?: string;
}

/** `a/b/c`; the root is the empty string. */
export function formatPath(path: NodePath): string {
  return path.join('/');
}

/** The inverse of {@link formatPath}; surrounding slashes and blanks are ignored. */
export function parsePath(text: string): NodePath {
  return text
    .split('/')
    .map(part => part.trim())
    .filter(part => part !== '');
}

/** Whether `path` is `ancestor` itself or lies below it. */
export function isAtOrBelow(path: NodePath, ancestor: NodePath): boolean {
  return ancestor.length <= path.length && ancestor.every((id, index) => path[index] === id);
}
