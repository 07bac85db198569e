/** One evaluation of some of a project's files, which see the same modules. */
import { dirname, relative, resolve } from 'node:path';
import type { DatabaseDefinition } from '../../runner/api/databases.ts';
import { isPipeline, isRoot, type Node } from '../../runner/api/node.ts';
import { type Pipeline, setDefaultBasePath } from '../../runner/api/pipeline.ts';
import { previewSettings, setPreviewSettings } from '../../runner/commands/preview-settings.ts';
import { masker, secretsOf } from '../../runner/engine/masks.ts';
import type { Diagnostic, FileStatus, StaticNodeGraph } from './analysis.ts';
import {
  diagnostic,
  diagnosticOf,
  missingFile,
  optionValue,
  unknownDatabase,
  unusedNode,
} from './diagnostics.ts';
import { callFunction } from './evaluator/calls.ts';
import { classInfoOf } from './evaluator/classes.ts';
import { HostApi } from './evaluator/host-api.ts';
import { type Bounds, defaultBounds, Machine } from './evaluator/machine.ts';
import { type EvaluatedModule, Modules } from './evaluator/module.ts';
import { settle } from './evaluator/promises.ts';
import { Abandoned, Coerced, Dyn, Unsupported, UserThrow } from './evaluator/values.ts';
import { staticParameters } from './parameters.ts';
import type { ProjectFiles } from './project-files.ts';
import type { TaskSql } from './sql/task-sql.ts';
import { GraphMaker, placeholder, sentence } from './static-graph.ts';
import { locationOf, rangeOf, type SyntaxNode } from './syntax.ts';

export interface RealmOptions {
  readonly files: ProjectFiles;
  /** What `import 'millrace'` gives. */
  readonly api: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly bounds?: Bounds | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the configuration says, as far as it is known without running it. */
export interface StaticConfig {
  readonly pipelineFiles: readonly string[] | undefined;
  readonly databases: readonly string[] | undefined;
  /** The aliases of databases that are known to be Postgres. */
  readonly postgres: ReadonlySet<string>;
  readonly defaultDatabase: string | undefined;
  /** Absolute; `undefined`: not known. */
  readonly dataDir: string | undefined;
  /** Hides the secrets that the configuration itself names. */
  readonly mask: (text: string) => string;
  readonly root: Pipeline | Dyn | undefined;
  /** Everything that the configuration was read from. */
  readonly reads: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

interface Evaluated {
  readonly path: string;
  readonly module: EvaluatedModule | undefined;
  readonly graphs: readonly StaticNodeGraph[];
  readonly sql: ReadonlyMap<StaticNodeGraph, readonly TaskSql[]>;
}

/** A pipeline file after its evaluation. */
export interface EvaluatedFile {
  readonly file: string;
  readonly status: FileStatus;
  readonly reason: string | undefined;
  readonly mayFail: string | undefined;
  /** The pipelines that become children of the project's root. */
  readonly graphs: readonly StaticNodeGraph[];
  /** The tasks with SQL of each graph. */
  readonly sql: ReadonlyMap<StaticNodeGraph, readonly TaskSql[]>;
  readonly diagnostics: readonly Diagnostic[];
  /** Everything that the file and what it imports have read or looked for. */
  readonly reads: ReadonlySet<string>;
  /** The modules in which it sees the same objects as other files. */
  readonly shared: ReadonlySet<string>;
  readonly modules: ReadonlySet<string>;
}

const configNames = [
  'millrace.config.ts',
  'millrace.config.mts',
  'millrace.config.js',
  'millrace.config.mjs',
];

export class Realm {
  readonly machine: Machine;
  readonly #files: ProjectFiles;
  readonly #modules: Modules;
  readonly #reads = new Map<string, Set<string>>();
  #root = '';

  constructor({ files, api, environment, bounds, signal }: RealmOptions) {
    this.#files = files;
    this.#modules = new Modules(files, api, environment);
    this.machine = new Machine(new HostApi(api), this.#modules, bounds ?? defaultBounds, signal);
  }

  /** Takes note of a file or directory that what is evaluated now depends on. */
  noteRead(path: string): void {
    const reader = this.machine.evaluating.at(-1)?.path ?? this.#root;
    const reads = this.#reads.get(reader);
    if (reads === undefined) this.#reads.set(reader, new Set([path]));
    else reads.add(path);
  }

  /** Evaluates the configuration of the project. */
  config(): StaticConfig {
    const { directory } = this.#files;
    const merged = new Map<string, unknown>();
    const own: EvaluatedModule[] = [];
    for (const names of [configNames, configNames.map(name => name.replace('config', 'local'))]) {
      const file = names.map(name => resolve(directory, name)).find(path => this.#files.isFile(path));
      if (file === undefined) continue;
      this.#root = file;
      const module = this.#modules.load(this.machine, file);
      if (module === undefined) continue;
      own.push(module);
      const value = module.dynamic ?? exported(module, 'default');
      for (const [key, setting] of settingsOf(this.machine, value)) {
        const known = merged.get(key);
        const isMerged = key === 'databases' && isPlain(known) && isPlain(setting);
        merged.set(key, isMerged ? { ...known, ...setting } : setting);
      }
    }
    const unknown = merged.get('*');
    const get = (key: string): unknown => merged.get(key) ?? unknown;
    const patterns = get('pipelineFiles');
    const databases = get('databases');
    const root = get('root');
    const defaultDatabase = get('defaultDatabase') ?? 'dwh';
    const dataDir = get('dataDir') ?? 'data';
    return {
      dataDir: typeof dataDir === 'string' ? resolve(directory, dataDir) : undefined,
      mask: masker(secretsIn(databases, get('passwordMasks'), get('store'))),
      postgres: new Set(
        databases === undefined
          ? ['dwh']
          : isPlain(databases)
            ? Object.keys(databases).filter(alias => isPostgres(databases[alias]))
            : [],
      ),
      defaultDatabase: typeof defaultDatabase === 'string' ? defaultDatabase : undefined,
      pipelineFiles:
        typeof patterns === 'string'
          ? [patterns]
          : Array.isArray(patterns) && patterns.every(pattern => typeof pattern === 'string')
            ? patterns
            : undefined,
      databases:
        databases === undefined
          ? ['dwh']
          : isPlain(databases) && this.machine.opened(databases) === undefined
            ? Object.keys(databases)
            : undefined,
      root: root instanceof Dyn || (isPlainObject(root) && isPipelineValue(root)) ? root : undefined,
      reads: new Set(
        own.flatMap(module => [...this.#closure(module)].flatMap(path => [path, ...this.#readsOf(path)])),
      ),
      diagnostics: this.#mistakes(own),
    };
  }

  /** Evaluates pipeline files in the order in which they are loaded. */
  evaluate(paths: readonly string[], config: StaticConfig): EvaluatedFile[] {
    const { machine } = this;
    const sources = paths.map(path => {
      this.#root = path;
      machine.signal?.throwIfAborted();
      machine.resetSteps();
      const module = this.#modules.load(machine, path);
      return { path, module, pipelines: module === undefined ? [] : this.#pipelinesOf(module) };
    });
    this.#setBasePaths();
    const checks = this.#checkNodes(config.databases);
    const seen = new Set<Node>();
    const results: EvaluatedFile[] = [];
    for (const { path, module, pipelines } of sources) {
      this.#root = path;
      machine.signal?.throwIfAborted();
      const graphs: StaticNodeGraph[] = [];
      const sql = new Map<StaticNodeGraph, readonly TaskSql[]>();
      for (const pipeline of pipelines) {
        if (pipeline instanceof Dyn) {
          graphs.push(placeholder('…', [], sentence('What the file exports', pipeline), pipeline));
        } else if (!seen.has(pipeline) && this.#isAtTop(pipeline)) {
          seen.add(pipeline);
          const maker = new GraphMaker(machine, config.mask);
          const graph = this.preview(config, () => maker.graphOf(pipeline));
          graphs.push(graph);
          sql.set(graph, maker.tasks);
        }
      }
      results.push(this.#result({ path, module, graphs, sql }, pipelines, checks));
    }
    return results;
  }

  /** Lets commands show themselves as they would in this project, with the texts that are in the editor. */
  preview<T>({ defaultDatabase = 'dwh', dataDir }: StaticConfig, action: () => T): T {
    const before = previewSettings();
    const readFile = (path: string): string => {
      const text = this.#files.read(path);
      if (text === undefined) throw Object.assign(new Error('there is no such file'), { code: 'ENOENT' });
      return text;
    };
    setPreviewSettings({
      defaultDatabase,
      dataDir: dataDir ?? before.dataDir,
      readFile,
      parameters: node => staticParameters(this.machine, node),
    });
    try {
      return action();
    } finally {
      setPreviewSettings(before);
    }
  }

  #isAtTop(pipeline: Pipeline): boolean {
    if (isRoot(pipeline)) return false;
    // What is added after a mistake never is, when the file runs.
    return pipeline.parent === undefined || this.machine.host.infos.of(pipeline).addedAfterFailure;
  }

  #result(
    { path, module, graphs, sql }: Evaluated,
    pipelines: readonly unknown[],
    checks: readonly { readonly module: EvaluatedModule; readonly diagnostic: Diagnostic }[],
  ): EvaluatedFile {
    const closure = module === undefined ? new Set([path]) : this.#closure(module);
    const modules = [...closure].map(name => this.#modules.get(name)).filter(found => found !== undefined);
    const dynamic = modules.find(found => found.dynamic !== undefined)?.dynamic;
    const status: FileStatus =
      module === undefined || module.hasFailed
        ? 'failed'
        : dynamic !== undefined
          ? 'dynamic'
          : graphs.some(hasUnknown)
            ? 'partial'
            : 'exact';
    const diagnostics = [
      ...this.#mistakes(modules),
      ...checks.filter(check => modules.includes(check.module)).map(({ diagnostic }) => diagnostic),
    ];
    if (module !== undefined && pipelines.length === 0 && status !== 'failed' && dynamic === undefined) {
      // That its pipelines are not used says the same.
      const others = diagnostics.filter(
        ({ code, message }) => code !== 'unused-node' || !message.startsWith('Pipeline '),
      );
      diagnostics.splice(0, diagnostics.length, ...others, this.#noPipeline(module));
    }
    if (dynamic !== undefined) {
      const location = dynamic.node === undefined ? { file: path, line: 1 } : locationOf(dynamic.node);
      const message = `The graph is not complete before it is loaded: ${dynamic.reason}.`;
      diagnostics.push(diagnostic('not-evaluated', message, location));
    }
    return {
      file: path,
      status,
      reason: dynamic?.reason,
      mayFail: module?.mayFail?.reason,
      graphs:
        graphs.length === 0 && dynamic !== undefined
          ? [placeholder('…', [], sentence('What the file exports', dynamic), dynamic)]
          : graphs,
      sql,
      diagnostics,
      reads: new Set([
        path,
        ...closure,
        ...[...closure].flatMap(name => [...this.#readsOf(name)]),
        ...(this.#reads.get(path) ?? []),
      ]),
      shared: new Set(modules.filter(found => found.isShared).map(found => found.path)),
      modules: closure,
    };
  }

  #noPipeline(module: EvaluatedModule): Diagnostic {
    const factory = exported(module, 'default');
    const isCalled =
      typeof factory === 'function' && factory.length === 0 && classInfoOf(factory) === undefined;
    const message = isCalled
      ? 'The file exports no pipeline, and the function that it exports by default returns none.'
      : 'The file exports no pipeline. Only what a file exports is found: export default pipeline;';
    const { text } = module.source;
    const end = text.includes('\n') ? text.indexOf('\n') : text.length;
    return diagnostic('no-pipeline', message, rangeOf(module.source, 0, end));
  }

  #readsOf(path: string): ReadonlySet<string> {
    return this.#reads.get(path) ?? new Set();
  }

  /** A module with everything that it imports. */
  #closure(module: EvaluatedModule): Set<string> {
    const reached = new Set<EvaluatedModule>([module]);
    for (const current of reached) for (const imported of current.imports) reached.add(imported);
    return new Set([...reached].map(({ path }) => path));
  }

  /** The pipelines that the file of a module gives, in the order of the loader. */
  #pipelinesOf(module: EvaluatedModule): (Pipeline | Dyn)[] {
    const found = new Set<Pipeline | Dyn>();
    for (const name of [...module.exportNames()].sort()) {
      const value = exported(module, name);
      if (value instanceof Dyn) {
        // Any unknown value may be a pipeline; what is a mistake is reported as such.
        if (module.dynamic === undefined && !module.hasFailed) found.add(value);
      } else if (isPipelineValue(value)) found.add(value);
    }
    if (found.size > 0) return [...found];
    const factory = exported(module, 'default');
    if (typeof factory !== 'function' || factory.length > 0 || classInfoOf(factory) !== undefined) return [];
    return this.#callFactory(module, factory);
  }

  #callFactory(module: EvaluatedModule, factory: unknown): (Pipeline | Dyn)[] {
    const { machine } = this;
    machine.evaluating.push(module);
    try {
      const made = settle(
        machine,
        callFunction(machine, factory, undefined, [], module.source),
        module.source,
      );
      if (made instanceof Dyn) return module.hasFailed ? [] : [made];
      if (!isPipelineValue(made)) return [];
      this.#returned.add(made);
      return [made];
    } catch (error) {
      if (error instanceof UserThrow) machine.report(error.value, error.node ?? module.source);
      else if (error instanceof Unsupported || error instanceof Coerced) {
        const { reason, node } = error instanceof Coerced ? error.dyn : error;
        module.dynamic = new Dyn(reason, node ?? module.source);
      } else if (!(error instanceof Abandoned)) throw error;
      return [];
    } finally {
      machine.evaluating.pop();
    }
  }

  /** Pipelines have the base path of the file that exports them, the one where they come from if several do. */
  #setBasePaths(): void {
    const known = new Set<Pipeline>();
    for (const module of this.#modules.all) {
      for (const name of module.exportNames()) {
        const value = exported(module, name);
        if (value instanceof Dyn || !isPipelineValue(value)) continue;
        const home = this.machine.host.infos.of(value).module ?? module;
        const isHome = [...home.exportNames()].some(other => exported(home, other) === value);
        if (known.has(value)) continue;
        known.add(value);
        value[setDefaultBasePath](dirname((isHome ? home : module).path));
      }
    }
  }

  #mistakes(modules: readonly EvaluatedModule[]): Diagnostic[] {
    return this.machine.mistakes
      .filter(({ module }) => module !== undefined && modules.includes(module))
      .map(mistake => diagnosticOf(this.machine, mistake));
  }

  /** What is wrong with nodes that can be made and connected. */
  #checkNodes(
    databases: readonly string[] | undefined,
  ): { readonly module: EvaluatedModule; readonly diagnostic: Diagnostic }[] {
    const found: { readonly module: EvaluatedModule; readonly diagnostic: Diagnostic }[] = [];
    const { infos } = this.machine.host;
    const exports = new Set<unknown>();
    for (const module of this.#modules.all)
      for (const name of module.exportNames()) exports.add(exported(module, name));
    // A node that is made in a loop, or under a condition of its own, may be left out on purpose.
    const usedPlaces = new Set<SyntaxNode | undefined>();
    for (const [node, { isUsed, made }] of infos.nodes)
      if (isUsed || node.parent !== undefined) usedPlaces.add(made);
    for (const [node, info] of infos.nodes) {
      const { module, made } = info;
      if (module === undefined || made === undefined || module.hasFailed || module.dynamic !== undefined)
        continue;
      const isUnused =
        node.parent === undefined &&
        !exports.has(node) &&
        !info.isUsed &&
        !usedPlaces.has(made) &&
        info.context === undefined &&
        info.placeholder === undefined &&
        !isRoot(node) &&
        !this.#isReachable(node, exports);
      if (isUnused && !this.#returned.has(node)) {
        found.push({ module, diagnostic: unusedNode(node, locationOf(made)) });
      }
    }
    for (const [command, { args, made, module, unknown }] of infos.commands) {
      const { parent } = command;
      if (module === undefined || made === undefined || unknown !== undefined || parent === undefined)
        continue;
      const [options] = args;
      if (typeof options !== 'object' || options === null) continue;
      const { db, sqlFile, file, fileDependencies } = options as Readonly<Record<string, unknown>>;
      if (databases !== undefined && typeof db === 'string' && !databases.includes(db))
        found.push({ module, diagnostic: unknownDatabase(db, databases, optionValue(made, 'db') ?? made) });
      if (sqlFile === undefined && file === undefined && fileDependencies === undefined) continue;
      const at = (option: string): ReturnType<typeof locationOf> =>
        locationOf(optionValue(made, option) ?? made);
      const isScript = infos.commands.get(command)?.kind === 'RunScript';
      const names: readonly (readonly [string, unknown])[] = [
        ['sqlFile', sqlFile],
        ...(isScript ? ([['file', file]] as const) : []),
        ...(Array.isArray(fileDependencies)
          ? fileDependencies.map(name => ['fileDependencies', name] as const)
          : []),
      ];
      for (const [option, name] of names) {
        if (typeof name !== 'string' || !infos.isCertain(parent)) continue;
        const path = resolve(parent.basePath, name);
        if (!this.#files.isOwn(path)) continue;
        this.machine.evaluating.push(module);
        const isThere = this.#files.isFile(path);
        this.machine.evaluating.pop();
        if (isThere) continue;
        const directory = relative(this.#files.directory, parent.basePath);
        found.push({ module, diagnostic: missingFile(parent, name, directory, at(option)) });
      }
    }
    return found;
  }

  readonly #returned = new Set<Node>();

  #isReachable(node: Node, exports: ReadonlySet<unknown>): boolean {
    // A list or an object of nodes that a file exports is for others to use.
    for (const value of exports) {
      if (Array.isArray(value) && value.includes(node)) return true;
      if (isPlain(value) && Object.values(value).includes(node)) return true;
    }
    return false;
  }
}

function exported(module: EvaluatedModule, name: string): unknown {
  const found = module.getExport(name);
  if (found === undefined) return undefined;
  return 'imported' in found && found.imported !== undefined ? found.imported().value : found.value;
}

function isPipelineValue(value: unknown): value is Pipeline {
  return typeof value === 'object' && value !== null && !(value instanceof Dyn) && isPipeline(value);
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    isPlainObject(value) && !(value instanceof Dyn) && Reflect.getPrototypeOf(value) === Object.prototype
  );
}

/** The secrets of a configuration, as far as it names them itself. */
function secretsIn(databases: unknown, masks: unknown, store: unknown): string[] {
  const definitions = isPlain(databases) ? Object.values(databases).filter(isDefinition) : [];
  return secretsOf({
    databases: Object.fromEntries(definitions.map((definition, index) => [String(index), definition])),
    passwordMasks: Array.isArray(masks) ? masks.filter(mask => typeof mask === 'string') : [],
    store: typeof store === 'string' ? store : undefined,
  });
}

function isDefinition(value: unknown): value is DatabaseDefinition {
  return isPlain(value) && typeof value['type'] === 'string' && typeof value['secrets'] === 'function';
}

function isPostgres(definition: unknown): boolean {
  return isPlain(definition) && definition['type'] === 'postgresql';
}

/** The settings of a configuration file; under `*` what stands for all that are not known. */
function settingsOf(machine: Machine, value: unknown): [string, unknown][] {
  if (value instanceof Dyn) return [['*', value]];
  const opened = machine.opened(value);
  if (opened !== undefined) return [['*', opened]];
  return isPlain(value) ? Object.entries(value).filter(([, setting]) => setting !== undefined) : [];
}

function hasUnknown(node: StaticNodeGraph): boolean {
  const hasUnknownCommand = node.commands?.some(({ reason }) => reason !== undefined) === true;
  return (
    node.kind === 'dynamic' || node.unknown !== undefined || hasUnknownCommand || node.nodes.some(hasUnknown)
  );
}
