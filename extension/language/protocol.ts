/**
 * What the language server and an editor say to each other beside the language server protocol. Both sides import this
 * file; it imports nothing but the shared nouns. Paths of nodes are arrays of ids, `uri`s are the editor's own
 * (`file:///…`), lines and columns of a `SourceLocation` count from 1 and its file is absolute, positions in a `Range`
 * count from 0 as everywhere in the language server protocol.
 *
 * Whatever arrives is checked by the function beside its type: it gives the value, or `undefined` when it is not what
 * it should be.
 */
import type {
  CommandGraph,
  NodeGraph,
  NodeKind,
  NodeRunStatus,
  OnFailure,
  ParameterDefinition,
  SourceLocation,
} from '../../runner/model.ts';

/** Names of the messages. */
export const methods = {
  /** Server to client, notification: {@link PipelinesMessage}. */
  pipelines: 'millrace/pipelines',
  /** Client to server, notification: {@link LoadedGraphMessage}. */
  loadedGraph: 'millrace/loadedGraph',
  /** Client to server, notification: {@link LoadedGraphText}. */
  loadedGraphText: 'millrace/loadedGraphText',
  /** Client to server, notification: {@link OutcomesMessage}. */
  outcomes: 'millrace/outcomes',
  /** Client to server, request: {@link DocumentQuery} gives {@link Lens}es. */
  lenses: 'millrace/lenses',
  /** Client to server, request: {@link PositionQuery} gives the paths of the nodes that the position belongs to. */
  nodesAt: 'millrace/nodesAt',
} as const;

/** `initializationOptions` of the `initialize` request; every field may be left out. */
export interface InitializationOptions {
  /** The user trusts the workspace: loaded graphs are taken into account. Default: false. */
  readonly trusted: boolean;
  /** Answer `textDocument/codeLens` too, for editors that do not make lenses of `millrace/lenses`. Default: false. */
  readonly codeLenses: boolean;
  /**
   * Begins the links to the pages of the documentation: the URI of a folder with docs/*.md, without a slash at its end.
   * A diagnostic's page is `<documentation>/diagnostics.md#<code>`. Default: diagnostics have no links.
   */
  readonly documentation?: string;
}

/** A command of a task; without `summary` where only running can tell what it runs. */
export type EditorCommand = CommandGraph;

/** Where a node was made to wait for a sibling: the string or the argument that names the upstream. */
export interface EditorEdge {
  readonly upstream: string;
  readonly location: SourceLocation;
}

/** A node as the tree and the DAG show it. Its path is the ids from the top; it is not repeated here. */
export interface EditorNode {
  readonly id: string;
  /** `dynamic` stands for what cannot be known without running the code; `reason` says why. */
  readonly kind: NodeKind | 'dynamic';
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Ids of the siblings that it waits for. */
  readonly upstreams: readonly string[];
  /** Children in the order of declaration. */
  readonly nodes: readonly EditorNode[];
  /** Commands of a task; `null` when they are computed at run time. */
  readonly commands: readonly EditorCommand[] | null;
  /** The expression that makes it. */
  readonly location?: SourceLocation;
  /** The call that adds it to its pipeline. */
  readonly addedAt?: SourceLocation;
  readonly edges?: readonly EditorEdge[];
  readonly reason?: string;
  /** For a dynamic node: it may not be there, or it stands for any number of nodes. */
  readonly occurrence?: 'conditional' | 'repeated';
  /** Options that only running can tell, by name. */
  readonly unknown?: readonly { readonly option: string; readonly reason: string }[];
  readonly params?: Readonly<Record<string, ParameterDefinition>>;
  readonly maxRetries?: number;
  /** Seconds. */
  readonly timeout?: number;
  readonly onFailure?: OnFailure;
  readonly maxParallelTasks?: number;
  /** From the source text, or from the graph that the runner loaded. */
  readonly origin: 'static' | 'loaded';
}

/** Children that belong to a node which an earlier message of the same revision has brought. */
export interface EditorPart {
  /** The node that they are children of, behind the children it has already. */
  readonly path: readonly string[];
  readonly nodes: readonly EditorNode[];
}

/** How much of a pipeline file is known (extension/analysis/analysis.ts says more). */
export interface EditorFile {
  readonly uri: string;
  readonly status: 'exact' | 'partial' | 'failed' | 'dynamic';
  readonly reason?: string;
  /** Ids of the pipelines that it exports. */
  readonly pipelines: readonly string[];
}

/**
 * What changed in a project's pipelines. A revision comes in one or several messages, none of them large, so that the
 * editor is never kept from its user; it is to be applied when the message with `last` has come. Messages of different
 * revisions are never mixed.
 */
export interface PipelinesMessage {
  /** The workspace folder; for a file that belongs to none, the project's directory. */
  readonly folder: string;
  /** The project's directory, absolute: where `millrace` is to be started. */
  readonly directory: string;
  /** Grows with every change; the first one of a project brings everything. */
  readonly revision: number;
  /** Top-level pipelines that are new or different, each in the place of what was known about it. */
  readonly changed: readonly EditorNode[];
  /** Rest of pipelines in `changed` of this or an earlier message of the revision, in the order to append it. */
  readonly parts: readonly EditorPart[];
  /** Ids of top-level pipelines that are gone. */
  readonly removed: readonly string[];
  /** The revision is complete. `order`, `files` and `databases` are then given. */
  readonly last: boolean;
  /** The whole project was analysed; false while the first analysis goes on. */
  readonly complete: boolean;
  /** Ids of all top-level pipelines, in their order. Empty unless `last`. */
  readonly order: readonly string[];
  /** All pipeline files. Empty unless `last`. */
  readonly files: readonly EditorFile[];
  /** Aliases of the databases; `null` where the configuration does not tell before it is loaded, or unless `last`. */
  readonly databases: readonly string[] | null;
}

/**
 * The graph that `millrace graph --format json` printed, after a save in a trusted workspace. It fills what the analysis cannot
 * know and wins where the two differ, until a file of the project is edited again.
 */
export interface LoadedGraphMessage {
  /** As in {@link PipelinesMessage}. */
  readonly folder: string;
  /** `null` when nothing could be loaded. */
  readonly root: NodeGraph | null;
  /** What could not be loaded, as the runner said it; the graph is then not all. */
  readonly errors: readonly string[];
}

/**
 * The same as the text that was printed, in pieces: the editor neither reads it nor sends megabytes at once. All pieces
 * together are empty when nothing could be loaded. A piece that does not belong to those before it is passed over.
 */
export interface LoadedGraphText {
  readonly folder: string;
  /** Characters before this piece; 0 begins a new text. */
  readonly offset: number;
  readonly text: string;
  /** As in {@link LoadedGraphMessage}, with the last piece; before that `null`. */
  readonly errors: readonly string[] | null;
}

/** How a node did, for hover texts. */
export interface NodeOutcome {
  readonly path: readonly string[];
  readonly status: NodeRunStatus | null;
  /** ISO 8601; `null` while it runs or when it never ran. */
  readonly endedAt: string | null;
  /** Seconds. */
  readonly duration: number | null;
  readonly averageDuration: number | null;
  readonly cost: number | null;
}

/** Outcomes of nodes; each replaces what was known about its node. */
export interface OutcomesMessage {
  readonly folder: string;
  readonly nodes: readonly NodeOutcome[];
}

export interface DocumentQuery {
  readonly uri: string;
}

export interface PositionQuery {
  readonly uri: string;
  readonly position: Position;
}

/** Counts from 0, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A place in the source that makes nodes: one lens, for all nodes that the line makes. */
export interface Lens {
  readonly range: Range;
  /** Of the nodes, in order; several when a loop or a function makes several. */
  readonly paths: readonly (readonly string[])[];
  /** Of all of them; `mixed` when they differ. */
  readonly kind: NodeKind | 'mixed';
}

/** The paths of the nodes that a position belongs to: the innermost expression that makes nodes. */
export type NodesAtAnswer = readonly (readonly string[])[];

export function initializationOptions(value: unknown): InitializationOptions {
  const given = isRecord(value) ? value : {};
  const { trusted, codeLenses, documentation } = given;
  return {
    trusted: trusted === true,
    codeLenses: codeLenses === true,
    ...(typeof documentation === 'string' && { documentation }),
  };
}

export function pipelinesMessage(value: unknown): PipelinesMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { folder, directory, revision, changed, parts, removed, last, complete, order, files, databases } =
    value;
  const isValid =
    typeof folder === 'string' &&
    typeof directory === 'string' &&
    typeof revision === 'number' &&
    isListOf(changed, isEditorNode) &&
    isListOf(
      parts,
      part => isRecord(part) && isPath(part['path']) && isListOf(part['nodes'], isEditorNode),
    ) &&
    isPath(removed) &&
    typeof last === 'boolean' &&
    typeof complete === 'boolean' &&
    isPath(order) &&
    isListOf(files, file => isRecord(file) && typeof file['uri'] === 'string' && isPath(file['pipelines'])) &&
    (databases === null || isPath(databases));
  return isValid ? (value as unknown as PipelinesMessage) : undefined;
}

export function loadedGraphMessage(value: unknown): LoadedGraphMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { folder, root, errors } = value;
  const isValid =
    typeof folder === 'string' && (root === null || isNodeGraph(root)) && isListOf(errors, isString);
  return isValid ? (value as unknown as LoadedGraphMessage) : undefined;
}

export function loadedGraphText(value: unknown): LoadedGraphText | undefined {
  if (!isRecord(value)) return undefined;
  const { folder, offset, text, errors } = value;
  const isValid =
    typeof folder === 'string' &&
    isCount(offset) &&
    typeof text === 'string' &&
    (errors === null || isListOf(errors, isString));
  return isValid ? (value as unknown as LoadedGraphText) : undefined;
}

/** What the pieces of a text say together; `undefined` when that is no graph. */
export function readLoadedGraph(
  folder: string,
  text: string,
  errors: readonly string[],
): LoadedGraphMessage | undefined {
  if (text === '') return { folder, root: null, errors };
  try {
    const printed: unknown = JSON.parse(text);
    return loadedGraphMessage({ folder, root: isRecord(printed) ? printed['root'] : undefined, errors });
  } catch {
    return undefined;
  }
}

export function outcomesMessage(value: unknown): OutcomesMessage | undefined {
  if (!isRecord(value)) return undefined;
  const isValid = typeof value['folder'] === 'string' && isListOf(value['nodes'], isNodeOutcome);
  return isValid ? (value as unknown as OutcomesMessage) : undefined;
}

export function documentQuery(value: unknown): DocumentQuery | undefined {
  return isRecord(value) && typeof value['uri'] === 'string' ? { uri: value['uri'] } : undefined;
}

export function positionQuery(value: unknown): PositionQuery | undefined {
  if (!isRecord(value)) return undefined;
  const { uri, position } = value;
  return typeof uri === 'string' && isPosition(position) ? { uri, position } : undefined;
}

export function lenses(value: unknown): readonly Lens[] | undefined {
  const isLens = (lens: unknown): boolean =>
    isRecord(lens) && isRange(lens['range']) && isListOf(lens['paths'], isPath) && isString(lens['kind']);
  return isListOf(value, isLens) ? (value as readonly Lens[]) : undefined;
}

export function nodesAtAnswer(value: unknown): NodesAtAnswer | undefined {
  return isListOf(value, isPath) ? (value as NodesAtAnswer) : undefined;
}

function isEditorNode(value: unknown): boolean {
  return isNodeGraphLike(value, isEditorNode);
}

function isNodeGraph(value: unknown): boolean {
  return isNodeGraphLike(value, isNodeGraph) && isRecord(value) && isPath(value['path']);
}

function isNodeGraphLike(value: unknown, isChild: (child: unknown) => boolean): boolean {
  if (!isRecord(value)) return false;
  const { id, kind, description, labels, upstreams, nodes, commands } = value;
  return (
    typeof id === 'string' &&
    (kind === 'pipeline' || kind === 'task' || kind === 'parallel' || kind === 'dynamic') &&
    typeof description === 'string' &&
    isRecord(labels) &&
    isPath(upstreams) &&
    isListOf(nodes, isChild) &&
    (commands === null || isListOf(commands, command => isRecord(command) && isString(command['kind'])))
  );
}

function isNodeOutcome(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { path, status, endedAt, duration, averageDuration, cost } = value;
  const isNumberOrNull = (number: unknown): boolean => number === null || typeof number === 'number';
  return (
    isPath(path) &&
    (status === null || isString(status)) &&
    (endedAt === null || isString(endedAt)) &&
    isNumberOrNull(duration) &&
    isNumberOrNull(averageDuration) &&
    isNumberOrNull(cost)
  );
}

function isRange(value: unknown): value is Range {
  return isRecord(value) && isPosition(value['start']) && isPosition(value['end']);
}

function isPosition(value: unknown): value is Position {
  return isRecord(value) && isCount(value['line']) && isCount(value['character']);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isPath(value: unknown): value is readonly string[] {
  return isListOf(value, isString);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isItem);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
