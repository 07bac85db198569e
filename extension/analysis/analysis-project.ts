/** The analysis of a project that is being edited: what does not depend on a change is kept. */
import { isAbsolute, relative } from 'node:path';
import * as api from '../../runner/api/index.ts';
import type { SourceLocation } from '../../runner/model.ts';
import type { Analysis, AnalyzedFile, Diagnostic, StaticNodeGraph } from './analysis.ts';
import { diagnostic } from './diagnostics.ts';
import { addDependency } from './fixes.ts';
import type { Bounds } from './evaluator/machine.ts';
import { Dyn } from './evaluator/values.ts';
import { diskFileSystem, type FileSystem, OverlayFileSystem } from './file-system.ts';
import { defaultPipelineFiles, ProjectFiles } from './project-files.ts';
import { type EvaluatedFile, Realm, type StaticConfig } from './realm.ts';
import type { SqlAnalysis, SqlReader } from './sql/sql-analysis.ts';
import type { TaskSql } from './sql/task-sql.ts';
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

interface Config extends StaticConfig {
  /** The graph of the project's own root pipeline. */
  readonly ownRoot: StaticNodeGraph | undefined;
  readonly sql: readonly TaskSql[];
}

/** Pipeline files that are evaluated at once, where there are many. */
const filesInPart = 25;

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
  /** The tasks of the latest analysis that have SQL. */
  #tasks: TaskSql[] = [];
  #sqlReader: SqlReader | undefined;
  #latestSql: { readonly analysis: Analysis; readonly result: SqlAnalysis } | undefined;

  constructor(options: AnalysisOptions) {
    this.#options = options;
    this.#overlay = new OverlayFileSystem(options.fileSystem ?? diskFileSystem);
    this.#files = new ProjectFiles(options.directory, this.#overlay);
  }

  /** A file has another text than on the disk, or (`undefined`) the one that is on the disk, or is gone from there. */
  update(file: string, text: string | undefined): void {
    const now = text ?? this.#overlay.below.readFile(file);
    if (now !== undefined && this.#files.knows(file, now) && this.#overlay.stat(file) === 'file') {
      // Opened or closed without a change.
      if (text !== undefined || this.#overlay.has(file)) {
        this.#overlay.set(file, text);
        return;
      }
    }
    // Being on the disk is not enough: an editor may open a new file before anybody says that it has come.
    const wasThere = this.#overlay.stat(file) === 'file' && this.#files.hasSeen(file);
    this.#overlay.set(file, text);
    const isThere = this.#overlay.stat(file) === 'file';
    this.#files.forget(file, isThere);
    this.#changed.add(file);
    if (!wasThere || !isThere) this.#isStale = true;
    this.#latest = undefined;
    this.#latestSql = undefined;
  }

  /**
   * The graph and the mistakes of the project as it is now.
   *
   * @throws the signal's reason when it is aborted; the next call then begins where this one left off
   */
  analysis(signal?: AbortSignal): Analysis {
    if (this.#latest !== undefined) return this.#latest;
    signal?.throwIfAborted();
    if (this.#config === undefined || this.#needsAll(this.#config)) this.#evaluateAll(signal);
    else this.#evaluateChanged(this.#config, signal);
    this.#changed.clear();
    this.#latest = this.#assemble();
    return this.#latest;
  }

  /**
   * What the analysis would be if some files had other texts; the project stays as it is.
   *
   * @throws the signal's reason when it is aborted
   */
  analysisWith(texts: ReadonlyMap<string, string>, signal?: AbortSignal): Analysis {
    this.analysis(signal);
    const kept = {
      config: this.#config,
      paths: this.#paths,
      groups: this.#groups,
      latest: this.#latest,
      tasks: this.#tasks,
    };
    const before = [...texts.keys()].map(file => [file, this.#overlay.textOf(file)] as const);
    try {
      for (const [file, text] of texts) this.update(file, text);
      return this.analysis(signal);
    } finally {
      for (const [file, text] of before) {
        this.#overlay.set(file, text);
        this.#files.forget(file);
      }
      this.#config = kept.config;
      this.#paths = kept.paths;
      this.#groups = kept.groups;
      this.#latest = kept.latest;
      this.#tasks = kept.tasks;
      this.#isStale = false;
      this.#changed.clear();
    }
  }

  /** Files of the project that the graph is made from: pipeline files, the configuration, and what they read. */
  sources(): readonly string[] {
    const reads = new Set(this.#config?.reads);
    for (const group of this.#groups)
      for (const file of group) for (const path of file.reads) reads.add(path);
    return [...reads].filter(path => this.#files.isOwn(path) && this.#overlay.stat(path) === 'file').sort();
  }

  /** The text of a file as the analysis sees it. */
  read(file: string): string | undefined {
    return this.#overlay.readFile(file);
  }

  #needsAll({ reads }: Config): boolean {
    if (this.#isStale) return true;
    return [...this.#changed].some(
      file => reads.has(file) || file.endsWith('.json') || /[\\/]\.env$/.test(file),
    );
  }

  /** Evaluates in a realm of its own, of which nothing is kept. */
  #evaluate<T>(signal: AbortSignal | undefined, action: (realm: Realm) => T): T {
    const { environment, bounds } = this.#options;
    const realm = new Realm({
      files: this.#files,
      api: this.#options.api ?? api,
      environment,
      bounds,
      signal,
    });
    const before = this.#files.onRead;
    this.#files.onRead = path => {
      realm.noteRead(path);
    };
    try {
      return action(realm);
    } finally {
      this.#files.onRead = before;
      this.#files.trim();
    }
  }

  #evaluateAll(signal: AbortSignal | undefined): void {
    this.#evaluate(signal, realm => {
      const config = realm.config();
      const { root } = config;
      const paths =
        root === undefined ? this.#files.findPipelineFiles(config.pipelineFiles ?? defaultPipelineFiles) : [];
      const maker = new GraphMaker(realm.machine, config.mask);
      const ownRoot =
        root === undefined || root instanceof Dyn
          ? undefined
          : realm.preview(config, () => maker.graphOfRoot(root));
      this.#config = { ...config, ownRoot, sql: maker.tasks };
      this.#paths = paths;
      this.#groups = grouped(this.#evaluateInParts(paths, config, signal) ?? realm.evaluate(paths, config));
      this.#isStale = false;
    });
  }

  /**
   * Evaluates many files some at a time, so that what their evaluation needs does not exist all at once. `undefined`: they
   * are few, or have to do with each other.
   */
  #evaluateInParts(
    paths: readonly string[],
    config: StaticConfig,
    signal: AbortSignal | undefined,
  ): EvaluatedFile[] | undefined {
    if (paths.length <= 2 * filesInPart) return undefined;
    const depth = (path: string): number => path.split(/[\\/]/).length;
    // Those at the top come first: they are the ones that import others.
    const inOrder = [...paths].sort((a, b) => depth(a) - depth(b));
    const order = new Map(paths.map((path, index) => [path, index]));
    const place = (path: string): number => order.get(path) ?? 0;
    const evaluated: EvaluatedFile[] = [];
    let traces = noTraces;
    for (let start = 0; start < inOrder.length; start += filesInPart) {
      const names = inOrder.slice(start, start + filesInPart).sort((a, b) => place(a) - place(b));
      const found = this.#evaluate(signal, realm => realm.evaluate(names, config));
      const own = tracesOf(found);
      if (cross(traces, own) || importsOthers(own, new Set(names), order)) return undefined;
      traces = { sees: traces.sees.union(own.sees), shares: traces.shares.union(own.shares) };
      evaluated.push(...found);
    }
    const byPath = new Map(evaluated.map(file => [file.file, file]));
    return paths.map(path => byPath.get(path)).filter(file => file !== undefined);
  }

  #evaluateChanged(config: Config, signal: AbortSignal | undefined): void {
    const isAffected = (group: Group): boolean =>
      group.some(({ reads }) => [...this.#changed].some(file => reads.has(file)));
    const affected = this.#groups.filter(isAffected);
    if (affected.length === 0) return;
    const names = new Set(affected.flat().map(({ file }) => file));
    const paths = this.#paths.filter(path => names.has(path));
    const evaluated =
      this.#evaluateInParts(paths, config, signal) ??
      this.#evaluate(signal, realm => realm.evaluate(paths, config));
    const others = this.#groups.filter(group => !affected.includes(group));
    // The change connects files that had nothing to do with each other.
    if (cross(tracesOf(others.flat()), tracesOf(evaluated))) this.#evaluateAll(signal);
    else this.#groups = [...others, ...grouped(evaluated)];
  }

  /**
   * The SQL of the tasks: what Postgres cannot parse, and the tables that each task uses. It reads SQL files and, at
   * first, loads the parser, so that it takes a moment more than {@link analysis}, which it calls.
   *
   * @throws the signal's reason when it is aborted
   */
  async sqlAnalysis(signal?: AbortSignal): Promise<SqlAnalysis> {
    const analysis = this.analysis(signal);
    if (this.#latestSql?.analysis === analysis) return this.#latestSql.result;
    const { root } = analysis;
    const tasks = this.#tasks;
    const config = this.#config;
    const [{ loadSqlParser }, { SqlReader, tablesOf }, { TableChecks }] = await Promise.all([
      import('./sql/parser.ts'),
      import('./sql/sql-analysis.ts'),
      import('./sql/table-checks.ts'),
    ]);
    const parser = await loadSqlParser();
    signal?.throwIfAborted();
    this.#sqlReader ??= new SqlReader(parser, this.#overlay);
    const input = {
      root,
      hasOwnRoot: config?.ownRoot !== undefined,
      tasks,
      postgres: config?.postgres ?? new Set<string>(),
      defaultDatabase: config?.defaultDatabase,
    };
    const { facts, diagnostics, files } = await this.#sqlReader.read(input, signal);
    const checks = new TableChecks(input, facts, ({ nodes }, upstream, downstream) =>
      addDependency(path => this.#files.parse(path), nodes, upstream, downstream),
    );
    const result: SqlAnalysis = {
      diagnostics: distinct([...diagnostics, ...checks.diagnostics()]),
      tables: facts.map(tablesOf),
      files,
    };
    this.#latestSql = { analysis, result };
    return result;
  }

  #assemble(): Analysis {
    this.#tasks = [...(this.#config?.sql ?? [])];
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
        this.#tasks.push(...(evaluated.sql.get(graph) ?? []));
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
    const root = this.#config?.ownRoot ?? rootOf(nodes);
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

/** Analyses a project once, with its SQL. */
export async function analyzeProjectAndSql(options: AnalysisOptions): Promise<Analysis> {
  if (!isAbsolute(options.directory)) throw new TypeError('The directory of a project must be absolute.');
  const project = new AnalysisProject(options);
  const analysis = project.analysis();
  const { diagnostics } = await project.sqlAnalysis();
  return { ...analysis, diagnostics: distinct([...analysis.diagnostics, ...diagnostics]) };
}

/** What files have to do with others: the modules that they see, and those in which others may see what they do. */
interface Traces {
  readonly sees: ReadonlySet<string>;
  readonly shares: ReadonlySet<string>;
}

const noTraces: Traces = { sees: new Set(), shares: new Set() };

function tracesOf(files: readonly EvaluatedFile[]): Traces {
  const sees = new Set<string>();
  const shares = new Set<string>();
  for (const { file, modules, shared } of files) {
    for (const module of modules) sees.add(module);
    shares.add(file);
    for (const module of shared) shares.add(module);
  }
  return { sees, shares };
}

/** Whether files see objects that others change, or import each other, which were evaluated apart. */
function cross(a: Traces, b: Traces): boolean {
  return !a.sees.isDisjointFrom(b.shares) || !b.sees.isDisjointFrom(a.shares);
}

/** Whether some of the project's pipeline files import others that are not among them. */
function importsOthers(
  { sees }: Traces,
  part: ReadonlySet<string>,
  all: ReadonlyMap<string, unknown>,
): boolean {
  return [...sees].some(module => all.has(module) && !part.has(module));
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
