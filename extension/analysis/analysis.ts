/** What the analysis of a project gives. */
import type { CommandGraph, NodeGraph, SourceLocation } from '../../runner/model.ts';
import type { DiagnosticCode, Severity } from './diagnostic-codes.ts';

export type { DiagnosticCode, Severity };

/** Something about a node that only running can tell. */
export interface UnknownPart {
  /** The option, or `upstreams`. */
  readonly option: string;
  readonly reason: string;
  readonly location?: SourceLocation;
}

export interface StaticCommandGraph extends CommandGraph {
  /** Why the summary is missing. */
  readonly reason?: string;
}

/** Where a node was made to wait for another one. */
export interface EdgeLocation {
  readonly upstream: string;
  readonly location: SourceLocation;
}

/** A node as the static analysis knows it: what `millrace graph` prints, and the exact places of everything. */
export interface StaticNodeGraph extends NodeGraph {
  readonly nodes: readonly StaticNodeGraph[];
  readonly commands: readonly StaticCommandGraph[] | null;
  /** The call that added the node to its pipeline. */
  readonly addedAt?: SourceLocation;
  readonly edges: readonly EdgeLocation[];
  /** What of the node is not known; the rest is exact. */
  readonly unknown?: readonly UnknownPart[];
  /** For a dynamic node: it may not be there, or it stands for any number of nodes. */
  readonly occurrence?: 'conditional' | 'repeated';
}

export interface RelatedLocation {
  readonly message: string;
  readonly location: SourceLocation;
}

/** A stretch of a file and what is to stand there instead. Where it begins and ends at the same place, text is added. */
export interface FixEdit {
  readonly location: Required<SourceLocation>;
  readonly text: string;
}

/** A way to mend a mistake that needs no thinking. */
export interface Fix {
  /** What it does, as a menu shows it. */
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly location: SourceLocation;
  readonly related: readonly RelatedLocation[];
  /** What would be right in the place of what stands there, if that can be guessed. */
  readonly suggestion?: string;
  /** The likeliest one first. */
  readonly fixes?: readonly Fix[];
}

/**
 * - `exact`: the graph is what loading gives.
 * - `partial`: it holds placeholders for what cannot be known.
 * - `failed`: the file cannot be loaded; its graph is what can be made of it nevertheless.
 * - `dynamic`: from some place on, the file is not evaluated.
 */
export type FileStatus = 'exact' | 'partial' | 'failed' | 'dynamic';

export interface AnalyzedFile {
  /** Absolute. */
  readonly file: string;
  /** Ids of the pipelines below the root that come from this file. */
  readonly pipelines: readonly string[];
  readonly status: FileStatus;
  /** Loading may fail, depending on this. */
  readonly mayFail?: string;
  readonly reason?: string;
}

export interface Analysis {
  readonly root: StaticNodeGraph;
  readonly files: readonly AnalyzedFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Aliases of the databases; `undefined` where the configuration does not tell before it is loaded. */
  readonly databases: readonly string[] | undefined;
}
