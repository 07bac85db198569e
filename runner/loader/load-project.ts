/** Loads a project: its configuration, its pipeline files, and from these the tree of its pipelines. */
import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setLocationCapture } from '../api/location.ts';
import { isPipeline } from '../api/node.ts';
import { makeRoot, Pipeline, setDefaultBasePath } from '../api/pipeline.ts';
import { ConfigError, type EffectiveConfig, loadConfig, type LoadedConfig } from './config.ts';
import { findPipelineFiles } from './discovery.ts';
import {
  defaultFactory,
  ExportedPipelines,
  type ModuleExports,
  pipelinesAmong,
} from './exported-pipelines.ts';
import { type HookOptions, type LoaderHooks, registerHooks } from './hooks.ts';
import { guardLoading, type LoadGuard, LoadGuardError } from './load-guard.ts';
import { formatLoadProblem, isFromProject, type LoadProblem, problemOf } from './load-problem.ts';
import { isInstalled } from './resolution.ts';

export interface LoadProjectOptions extends HookOptions {
  /** The project's root, absolute. */
  readonly directory: string;
  /** The pipeline files to load, absolute, instead of all that `pipelineFiles` matches. */
  readonly files?: readonly string[];
  /** Whether nodes and commands know where they were made; costs a stack trace for each. */
  readonly captureLocations?: boolean;
  /** By default that of the process; see {@link loadConfig}. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A pipeline file and what it gives. */
export interface LoadedFile {
  /** Absolute. */
  readonly file: string;
  /** Ids of the pipelines below the root that come from this file. */
  readonly pipelines: readonly string[];
}

/** Disposing of it takes the hooks away: user code can then import nothing more. */
export interface LoadedProject extends Disposable {
  readonly config: EffectiveConfig;
  readonly origins: LoadedConfig['origins'];
  readonly root: Pipeline;
  readonly files: readonly LoadedFile[];
  readonly problems: readonly LoadProblem[];
}

/** A file of the configuration cannot be loaded: nothing of the project can be relied on then. */
export class ProjectLoadError extends Error {
  override readonly name = 'ProjectLoadError';
  /** What the command line exits with: wrong usage. */
  readonly exitCode = 2;
  readonly problem: LoadProblem;

  constructor(problem: LoadProblem, directory: string, cause: unknown) {
    super(formatLoadProblem(problem, directory), { cause });
    this.problem = problem;
  }
}

/**
 * Loads a project into this process. A pipeline file that cannot be loaded becomes a problem and hides no other.
 *
 * Every exported pipeline without a parent becomes a child of the root. From a file that exports none, a function
 * counts that is its default export and needs no arguments: it is called for the pipeline that it returns.
 *
 * @throws ConfigError, ProjectLoadError when the configuration cannot be used
 */
export async function loadProject(options: LoadProjectOptions): Promise<LoadedProject> {
  const hooks = registerHooks(options);
  const { directory, captureLocations = false } = options;
  if (captureLocations) setLocationCapture({ projectDirectory: directory });
  try {
    return await new ProjectLoader(options, hooks).load();
  } catch (error) {
    hooks[Symbol.dispose]();
    throw error;
  } finally {
    if (captureLocations) setLocationCapture(undefined);
  }
}

/** A pipeline file that was loaded. */
interface Source {
  /** As the user names it. */
  readonly file: string;
  /** As Node names it. */
  readonly realFile: string;
  readonly pipelines: readonly Pipeline[];
}

class ProjectLoader {
  readonly #options: LoadProjectOptions;
  readonly #directory: string;
  readonly #realDirectory: string;
  readonly #hooks: LoaderHooks;
  readonly #exported: ExportedPipelines;
  readonly #problems: LoadProblem[] = [];
  /** The file that is being loaded. */
  #current = '';

  constructor(options: LoadProjectOptions, hooks: LoaderHooks) {
    this.#options = options;
    this.#directory = options.directory;
    this.#realDirectory = realpathSync(options.directory);
    this.#hooks = hooks;
    this.#exported = new ExportedPipelines(hooks.importsOf);
  }

  async load(): Promise<LoadedProject> {
    using guard = guardLoading(reason => {
      this.#onRejection(reason);
    });
    const { config, origins } = await this.#loadConfig(guard);
    const sources: Source[] = [];
    // With a root of its own, a project says itself what it consists of.
    const files = config.root === undefined ? await this.#findFiles(config) : [];
    // One after the other, so that it is known which file is to blame.
    for (const file of files) {
      const source = await this.#loadFile(file, guard);
      if (source !== undefined) sources.push(source);
    }
    const root = makeRoot(config.root ?? new Pipeline({ id: 'root' }));
    root[setDefaultBasePath](this.#directory);
    const loadedFiles = config.root === undefined ? this.#addToRoot(root, sources) : [];
    await this.#setBasePaths(root, sources);
    return {
      config,
      origins,
      root,
      files: loadedFiles,
      problems: this.#problems,
      [Symbol.dispose]: this.#hooks[Symbol.dispose],
    };
  }

  async #loadConfig(guard: LoadGuard): Promise<LoadedConfig> {
    const { environment } = this.#options;
    try {
      return await loadConfig({
        directory: this.#directory,
        importFile: async file => {
          this.#current = file;
          return guard.run(() => importFile(file));
        },
        ...(environment === undefined ? {} : { environment }),
      });
    } catch (error) {
      if (error instanceof ConfigError || this.#current === '') throw error;
      throw new ProjectLoadError(this.#problemOf(error), this.#directory, error);
    }
  }

  async #findFiles({ pipelineFiles }: EffectiveConfig): Promise<readonly string[]> {
    return this.#options.files ?? findPipelineFiles(this.#directory, pipelineFiles);
  }

  async #loadFile(file: string, guard: LoadGuard): Promise<Source | undefined> {
    this.#current = file;
    try {
      const exports = await guard.run(() => importFile(file));
      const realFile = realpathSync(file);
      const pipelines = pipelinesAmong(exports);
      if (pipelines.length === 0) pipelines.push(...(await this.#callFactory(exports, guard)));
      this.#exported.add(realFile, pipelines);
      return { file, realFile, pipelines };
    } catch (error) {
      this.#problems.push(this.#problemOf(error));
      return undefined;
    }
  }

  async #callFactory(exports: ModuleExports, guard: LoadGuard): Promise<Pipeline[]> {
    const factory = defaultFactory(exports);
    if (factory === undefined) {
      this.#warn('The file exports no pipeline. Only what a file exports is found: export default pipeline;');
      return [];
    }
    const made = await guard.run(() => Promise.resolve().then(factory));
    if (isPipeline(made)) return [made];
    this.#warn('The file exports no pipeline, and the function that it exports by default returns none.');
    return [];
  }

  #addToRoot(root: Pipeline, sources: readonly Source[]): LoadedFile[] {
    const ownersById = new Map<string, string>();
    return sources.map(({ file, pipelines }) => {
      const added: string[] = [];
      for (const pipeline of pipelines) {
        // Part of another pipeline, or exported by an earlier file as well.
        if (pipeline.parent !== undefined) continue;
        const owner = ownersById.get(pipeline.id);
        if (owner !== undefined) {
          this.#problems.push(this.#duplicate(pipeline, owner, file));
          continue;
        }
        root.add(pipeline);
        ownersById.set(pipeline.id, file);
        added.push(pipeline.id);
      }
      return { file, pipelines: added };
    });
  }

  #duplicate({ id, location }: Pipeline, owner: string, file: string): LoadProblem {
    const [first, second] = [owner, file].map(name => relative(this.#directory, name));
    const message =
      owner === file
        ? `The file exports two pipelines with the id "${id}". Only the first one is used: change one of the ids.`
        : `Both ${String(first)} and ${String(second)} export a pipeline with the id "${id}". ` +
          `Only that of ${String(first)} is used: change one of the ids.`;
    return { severity: 'error', file, message, ...(location?.file === file ? placeOf(location) : {}) };
  }

  /** Pipelines have the base path of the file that exports them, be it a pipeline file or one that those import. */
  async #setBasePaths(root: Pipeline, sources: readonly Source[]): Promise<void> {
    if (hasOthers(root, this.#exported)) {
      const known = new Set(sources.map(source => source.realFile));
      const start = sources.length > 0 ? known : this.#hooks.loadedFiles();
      for (const file of [...start, ...this.#exported.reachable(start)]) {
        if (known.has(file) || isInstalled(file) || !file.startsWith(this.#realDirectory + sep)) continue;
        known.add(file);
        this.#exported.add(file, pipelinesAmong(await exportsOfLoaded(file)));
      }
    }
    for (const { pipeline, file } of this.#exported.homes()) {
      if (pipeline !== root) pipeline[setDefaultBasePath](dirname(this.#asNamed(file)));
    }
  }

  /** A file of the project as the user names the project. */
  #asNamed(realFile: string): string {
    return join(this.#directory, relative(this.#realDirectory, realFile));
  }

  #onRejection(reason: unknown): void {
    // The guard reports it anyway.
    if (reason instanceof LoadGuardError) return;
    const context = this.#contextOf(reason);
    if (reason instanceof Error && !isFromProject(reason, context)) {
      // Not of the project's making: it ends the process, as it would without the loader.
      process.nextTick(() => {
        throw reason;
      });
      return;
    }
    const problem = problemOf(reason, context);
    this.#problems.push({
      ...problem,
      message: `A promise is rejected and nothing handles it: ${problem.message}`,
    });
  }

  #warn(message: string): void {
    this.#problems.push({ severity: 'warning', file: this.#current, message });
  }

  #problemOf(error: unknown): LoadProblem {
    return problemOf(error, this.#contextOf(error));
  }

  #contextOf(error: unknown): Parameters<typeof problemOf>[1] {
    return {
      directory: this.#directory,
      realDirectory: this.#realDirectory,
      pipelineFile: this.#current,
      failedImport: this.#hooks.failedImport(error),
      lastLoaded: this.#hooks.lastLoadedFile(),
    };
  }
}

async function importFile(file: string): Promise<ModuleExports> {
  return (await import(pathToFileURL(file).href)) as ModuleExports;
}

/** What a file exports that something has imported before; nothing if it is still waiting or has failed. */
async function exportsOfLoaded(file: string): Promise<ModuleExports> {
  const nothing = new Promise<ModuleExports>(resolve => setImmediate(resolve, {}));
  return Promise.race([importFile(file).catch((): ModuleExports => ({})), nothing]);
}

/** Whether there are pipelines in the tree of which it is not known that a file exports them. */
function hasOthers(pipeline: Pipeline, exported: ExportedPipelines): boolean {
  return [...pipeline.nodes.values()]
    .filter(isPipeline)
    .some(child => !exported.has(child) || hasOthers(child, exported));
}

function placeOf({ line, column }: { line: number; column?: number }): Pick<LoadProblem, 'line' | 'column'> {
  return { line, ...(column === undefined ? {} : { column }) };
}
