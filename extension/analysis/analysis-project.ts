/** The analysis of a project that is being edited: what does not depend on a change is kept. */
import { isAbsolute, relative } from 'node:path';
import * as api from '../../runner/api/index.ts';
import { isPipeline } from '../../runner/api/node.ts';
import type { SourceLocation } from '../../runner/model.ts';
import type { Analysis, AnalyzedFile, Diagnostic, StaticNodeGraph } from './analysis.ts';
import { diagnostic } from './diagnostics.ts';
import type { Bounds } from './evaluator/machine.ts';
import { Dyn } from './evaluator/values.ts';
import { diskFileSystem, type FileSystem, OverlayFileSystem } from './file-system.ts';
import { defaultPipelineFiles, ProjectFiles } from './project-files.ts';
import { type EvaluatedFile, Realm } from './realm.ts';
import { GraphMaker } from './static-graph.ts';

export interface AnalysisOptions {
  /** The project's root, absolute. */
  readonly directory: string;
  /** Default: the disk. */
  readonly fileSystem?: FileSystem | undefined;
  /** What `import 'millrace'` gives; default: the API itself. */
  readonly api?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The environment that runs will have. Default: every variable is unknown, so that whatever depends on one is a
   * placeholder, also where the program has a default for it: the default may not be what runs.
   */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly bounds?: Bounds | undefined;
}

interface Config {
  readonly databases: readonly string[] | undefined;
  readonly pipelineFiles: readonly string[];
  readonly reads: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
  /** The graph of the project's own root pipeline. */
  readonly root: StaticNodeGraph | undefined;
  /** The settings decide in an unknown way which files there are. */
  readonly isUnknown: Dyn | undefined;
}

/** Files that are evaluated together, because they see the same objects. */
type Group = readonly EvaluatedFile[];

export class AnalysisProject {
  readonly #options: AnalysisOptions;
  readonly #overlay: OverlayFileSystem;
  readonly #files: ProjectFiles;
  readonly #changed = new Set<string>();
  #config: Config | undefined;
  #paths: readonly string[] = [];
  #groups: Group[] = [];
  /** Everything has to be evaluated: at first, and when files come or go. */
  #isStale = true;
  #latest: Analysis | undefined;

  constructor(options: AnalysisOptions) {
    this.#options = options;
    this.#overlay = new OverlayFileSystem(options.fileSystem ?? diskFileSystem);
    this.#files = new ProjectFiles(options.directory, this.#overlay);
  }

  /** A file has another text than on the disk, or (`undefined`) the one that is on the disk, or is gone from there. */
  update(file: string, text: string | undefined): void {
    const wasThere = this.#overlay.stat(file);
    this.#overlay.set(file, text);
    this.#files.forget(file);
    this.#changed.add(file);
    if (this.#overlay.stat(file) !== wasThere || text === undefined) this.#isStale = true;
    this.#latest = undefined;
  }

  /**
   * The graph and the mistakes of the project as it is now.
   *
   * @throws the signal's reason when it is aborted; the next call then begins where this one left off
   */
  analysis(signal?: AbortSignal): Analysis {
    if (this.#latest !== undefined) return this.#latest;
    signal?.throwIfAborted();
    if (this.#needsAll()) this.#evaluateAll(signal);
    else this.#evaluateChanged(signal);
    this.#changed.clear();
    this.#latest = this.#assemble();
    return this.#latest;
  }

  #needsAll(): boolean {
    if (this.#isStale || this.#config === undefined) return true;
    const { reads } = this.#config;
    return [...this.#changed].some(
      file => reads.has(file) || file.endsWith('.json') || /[\\/]\.env$/.test(file),
    );
  }

  #realm(signal: AbortSignal | undefined): Realm {
    const { environment, bounds } = this.#options;
    return new Realm({ files: this.#files, api: this.#options.api ?? api, environment, bounds, signal });
  }

  #evaluateAll(signal: AbortSignal | undefined): void {
    const realm = this.#realm(signal);
    const config = realm.config();
    const { root } = config;
    const patterns = config.pipelineFiles ?? defaultPipelineFiles;
    const hasOwnRoot = root !== undefined;
    const paths = hasOwnRoot ? [] : this.#files.findPipelineFiles(patterns);
    const evaluated = realm.evaluate(paths, config.databases);
    this.#config = {
      databases: config.databases,
      pipelineFiles: patterns,
      reads: config.reads,
      diagnostics: config.diagnostics,
      root:
        root !== undefined && !(root instanceof Dyn) && isPipeline(root)
          ? new GraphMaker(realm.machine).graphOfRoot(root)
          : undefined,
      isUnknown: root instanceof Dyn ? root : undefined,
    };
    this.#paths = paths;
    this.#groups = grouped(evaluated);
    this.#isStale = false;
  }

  #evaluateChanged(signal: AbortSignal | undefined): void {
    const isAffected = (group: Group): boolean =>
      group.some(({ reads }) => [...this.#changed].some(file => reads.has(file)));
    const affected = this.#groups.filter(isAffected);
    if (affected.length === 0) return;
    const names = new Set(affected.flat().map(({ file }) => file));
    const paths = this.#paths.filter(path => names.has(path));
    const evaluated = this.#realm(signal).evaluate(paths, this.#config?.databases);
    const others = this.#groups.filter(group => !affected.includes(group));
    const shared = new Set(evaluated.flatMap(file => [...file.shared]));
    const isIntertwined = others.some(group =>
      group.some(
        other =>
          [...other.modules].some(module => shared.has(module)) ||
          evaluated.some(file => file.modules.has(other.file) || other.modules.has(file.file)),
      ),
    );
    // The change connects files that had nothing to do with each other.
    if (isIntertwined) this.#evaluateAll(signal);
    else this.#groups = [...others, ...grouped(evaluated)];
  }

  #assemble(): Analysis {
    const byFile = new Map(this.#groups.flat().map(file => [file.file, file]));
    const nodes: StaticNodeGraph[] = [];
    const files: AnalyzedFile[] = [];
    const diagnostics = [...(this.#config?.diagnostics ?? [])];
    const owners = new Map<
      string,
      { readonly path: string; readonly location: SourceLocation | undefined }
    >();
    for (const path of this.#paths) {
      const evaluated = byFile.get(path);
      if (evaluated === undefined) continue;
      for (const diagnostic of evaluated.diagnostics) diagnostics.push(diagnostic);
      const added: string[] = [];
      for (const graph of evaluated.graphs) {
        const owner = owners.get(graph.id);
        if (owner !== undefined && graph.kind !== 'dynamic') {
          diagnostics.push(this.#duplicate(graph, owner, path));
          continue;
        }
        // A file that cannot be loaded keeps no id from the others.
        if (evaluated.status !== 'failed') owners.set(graph.id, { path, location: graph.location });
        nodes.push(graph);
        added.push(graph.id);
      }
      files.push({
        file: path,
        pipelines: added,
        status: evaluated.status,
        ...(evaluated.mayFail === undefined ? {} : { mayFail: evaluated.mayFail }),
        ...(evaluated.reason === undefined ? {} : { reason: evaluated.reason }),
      });
    }
    const root = this.#config?.root ?? rootOf(nodes);
    return { root, files, diagnostics: distinct(diagnostics), databases: this.#config?.databases };
  }

  #duplicate(
    { id, location }: StaticNodeGraph,
    owner: { readonly path: string; readonly location: SourceLocation | undefined },
    file: string,
  ): Diagnostic {
    const [first, second] = [owner.path, file].map(name => relative(this.#options.directory, name));
    const message =
      owner.path === file
        ? `The file exports two pipelines with the id "${id}". Only the first one is used: change one of the ids.`
        : `Both ${String(first)} and ${String(second)} export a pipeline with the id "${id}". ` +
          `Only that of ${String(first)} is used: change one of the ids.`;
    const related =
      owner.location === undefined ? [] : [{ message: `"${id}" is here already`, location: owner.location }];
    return diagnostic('duplicate-id', message, location ?? { file, line: 1 }, { related });
  }
}

/** Analyses a project once. */
export function analyzeProject(options: AnalysisOptions): Analysis {
  if (!isAbsolute(options.directory)) throw new TypeError('The directory of a project must be absolute.');
  return new AnalysisProject(options).analysis();
}

function rootOf(nodes: readonly StaticNodeGraph[]): StaticNodeGraph {
  return {
    id: 'root',
    path: [],
    kind: 'pipeline',
    description: '',
    labels: {},
    upstreams: [],
    nodes,
    commands: [],
    edges: [],
    onFailure: 'stop',
  };
}

/** Files that see the same objects, directly or through others, in one group. */
function grouped(files: readonly EvaluatedFile[]): Group[] {
  const groupOf = new Map<EvaluatedFile, EvaluatedFile[]>(files.map(file => [file, [file]]));
  const owners = new Map<string, EvaluatedFile>(files.map(file => [file.file, file]));
  const join = (a: EvaluatedFile, b: EvaluatedFile): void => {
    const [first, second] = [groupOf.get(a), groupOf.get(b)];
    if (first === undefined || second === undefined || first === second) return;
    first.push(...second);
    for (const file of second) groupOf.set(file, first);
  };
  for (const file of files) {
    for (const module of [...file.shared, ...file.modules]) {
      const owner = owners.get(module);
      if (owner !== undefined) join(owner, file);
      else if (file.shared.has(module)) owners.set(module, file);
    }
  }
  return [...new Set(groupOf.values())];
}

function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter(({ code, message, location }) => {
      const key = JSON.stringify([code, message, placeOf(location)]);
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    })
    .sort((a, b) => compare(placeOf(a.location), placeOf(b.location)));
}

function placeOf({ file, line, column = 0 }: SourceLocation): readonly [string, number, number] {
  return [file, line, column];
}

function compare(a: readonly [string, number, number], b: readonly [string, number, number]): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] - b[1] || a[2] - b[2];
}
