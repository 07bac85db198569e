/** Lets Node run a user's TypeScript as it is written, without a build step. */
import { readFileSync, realpathSync } from 'node:fs';
import {
  type LoadFnOutput,
  type LoadHookContext,
  registerHooks as registerWithNode,
  type ResolveFnOutput,
  type ResolveHookContext,
  setSourceMapsSupport,
} from 'node:module';
import { dirname, isAbsolute, resolve as resolvePath } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { jsonModuleSource } from './json-module.ts';
import { isOwnSource } from './own-source.ts';
import {
  findIndexFile,
  findSourceFile,
  isDirectoryPath,
  isInstalled,
  isPath,
  isTypeScript,
} from './resolution.ts';
import { type LoadTypeScript, loadTypeScriptFrom } from './transpile.ts';
import { TranspileCache } from './transpile-cache.ts';
import { Transpiler } from './transpiler.ts';
import { TsConfigs } from './tsconfig.ts';
import {
  API_NAME,
  type ApiExports,
  publishApi,
  virtualApiFormat,
  virtualApiSource,
  virtualApiUrl,
} from './virtual-api.ts';

export interface HookOptions {
  /**
   * What `import 'millrace'` gives: the runner's own exports, or the URL of a module to be loaded when it is first
   * imported.
   */
  readonly api: ApiExports | URL;
  /** Where translated files are kept; without it every process translates again. */
  readonly cacheDirectory?: string;
  /** The file of the TypeScript compiler; by default the installed `typescript`. */
  readonly transpilerPath?: string;
  /** Instead of `transpilerPath`: gives the compiler itself. */
  readonly loadTypeScript?: LoadTypeScript;
}

/** An import that found nothing. */
export interface FailedImport {
  readonly specifier: string;
  /** The file that holds the import. */
  readonly importer: string;
}

export interface LoaderHooks extends Disposable {
  /** What an error of a failed import was about; `undefined` for other errors. */
  failedImport(error: unknown): FailedImport | undefined;
  /** The files that a file has imported; all absolute, with links resolved. */
  importsOf(this: void, file: string): Iterable<string>;
  /** The files of user code that have been loaded, in the same form; what is installed is not among them. */
  loadedFiles(): Iterable<string>;
  /** The file that was loaded last, installed ones included. */
  lastLoadedFile(): string | undefined;
}

/**
 * Serves every import, `import()` and `require` of user code in this thread: TypeScript in all its forms, imports as
 * TypeScript resolves them, JSON, and `millrace` itself, which is the runner's own API even where a copy is installed.
 * Stack traces speak of the source files. Works until it is disposed of; what has been loaded stays.
 */
export function registerHooks(options: HookOptions): LoaderHooks {
  const hooks = new Hooks(options);
  // Before any file is loaded: Node remembers the maps of what it loads from then on.
  setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  const registration = registerWithNode({
    resolve: (specifier, context, next) => hooks.resolve(specifier, context, next),
    load: (url, context, next) => hooks.load(url, context, next),
  });
  return {
    failedImport: error =>
      typeof error === 'object' && error !== null ? hooks.failures.get(error) : undefined,
    importsOf: file => hooks.imports.get(file) ?? [],
    loadedFiles: () => hooks.loadedFiles,
    lastLoadedFile: () => hooks.lastLoadedFile,
    [Symbol.dispose]: () => {
      registration.deregister();
    },
  };
}

type NextResolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput;
type NextLoad = (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput;

class Hooks {
  readonly failures = new WeakMap<object, FailedImport>();
  readonly imports = new Map<string, Set<string>>();
  readonly loadedFiles = new Set<string>();
  lastLoadedFile: string | undefined = undefined;
  readonly #api: ApiExports | URL;
  readonly #tsConfigs = new TsConfigs();
  readonly #transpiler: Transpiler;

  constructor({ api, cacheDirectory, transpilerPath, loadTypeScript }: HookOptions) {
    this.#api = api;
    this.#transpiler = new Transpiler({
      tsConfigs: this.#tsConfigs,
      cache: cacheDirectory === undefined ? undefined : new TranspileCache(cacheDirectory),
      loadTypeScript: loadTypeScript ?? loadTypeScriptFrom(transpilerPath),
    });
    if (!(api instanceof URL)) publishApi(api);
  }

  resolve(specifier: string, context: ResolveHookContext, next: NextResolve): ResolveFnOutput {
    // The compiler's own imports, while it is being loaded in the middle of ours.
    if (this.#transpiler.isLoading) return next(specifier, context);
    const isRequire = isForRequire(context);
    if (specifier === API_NAME) return this.#resolveApi(isRequire, context, next);
    const importer = filePath(context.parentURL);
    if (importer === undefined || specifier.startsWith('node:')) return next(specifier, context);
    if (isOwnSource(importer)) return resolveEntry(specifier, context, next);
    try {
      const found = this.#find(specifier, importer);
      const result =
        found === undefined ? next(specifier, context) : resolveFound(found, isRequire, context, next);
      this.#remember(importer, result.url);
      return result;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const source = sourceOfMissing(error, importer);
      if (source !== undefined) return resolveFound({ path: source, suffix: '' }, isRequire, context, next);
      this.failures.set(error, { specifier, importer });
      throw error;
    }
  }

  load(url: string, context: LoadHookContext, next: NextLoad): LoadFnOutput {
    if (this.#transpiler.isLoading) return next(url, context);
    const apiFormat = virtualApiFormat(url);
    if (apiFormat !== undefined && !(this.#api instanceof URL)) {
      return { format: apiFormat, source: virtualApiSource(apiFormat, this.#api), shortCircuit: true };
    }
    const path = filePath(url);
    if (path === undefined || isOwnSource(path)) return next(url, context);
    this.lastLoadedFile = path;
    if (!isInstalled(path)) this.loadedFiles.add(path);
    if (isTypeScript(path)) {
      const { format, code } = this.#transpiler.load(path);
      return { format, source: code, shortCircuit: true };
    }
    if (
      path.endsWith('.json') &&
      !isForRequire(context) &&
      Object.keys(context.importAttributes).length === 0
    ) {
      return {
        format: 'module',
        source: jsonModuleSource(path, readFileSync(path, 'utf8')),
        shortCircuit: true,
      };
    }
    return next(url, context);
  }

  #resolveApi(isRequire: boolean, context: ResolveHookContext, next: NextResolve): ResolveFnOutput {
    if (this.#api instanceof URL) return next(isRequire ? fileURLToPath(this.#api) : this.#api.href, context);
    const format = isRequire ? 'commonjs' : 'module';
    return { url: virtualApiUrl(format), format, shortCircuit: true };
  }

  /** The file that TypeScript's rules give; `undefined` leaves it to Node. */
  #find(specifier: string, importer: string): Target | undefined {
    // Installed packages are complete as they are, unless they consist of TypeScript.
    if (isInstalled(importer) && !isTypeScript(importer)) return undefined;
    const fromTypeScript = isTypeScript(importer);
    const directory = dirname(importer);
    const isUrl = specifier.startsWith('file:');
    if (isUrl || isPath(specifier)) {
      // A query makes a module of its own: it is kept, and is no part of the name.
      const [, name = specifier, suffix = ''] = /^([^?#]*)(.*)$/s.exec(specifier) ?? [];
      const path = isUrl
        ? fileURLToPath(name)
        : resolvePath(directory, isAbsolute(name) ? name : decode(name));
      const file = isDirectoryPath(name) ? findIndexFile(path) : findSourceFile(path, fromTypeScript);
      return file === undefined ? undefined : { path: file, suffix };
    }
    for (const candidate of this.#tsConfigs.of(directory).candidates(specifier)) {
      const file = findSourceFile(candidate, fromTypeScript);
      if (file !== undefined) return { path: file, suffix: '' };
    }
    return undefined;
  }

  #remember(importer: string, url: string): void {
    const imported = filePath(url);
    if (imported === undefined) return;
    const known = this.imports.get(importer);
    if (known === undefined) this.imports.set(importer, new Set([imported]));
    else known.add(imported);
  }
}

interface Target {
  readonly path: string;
  /** The query and fragment of the specifier. */
  readonly suffix: string;
}

/** The runner itself imports user code by file URL; everything else that it imports is its own affair. */
function resolveEntry(specifier: string, context: ResolveHookContext, next: NextResolve): ResolveFnOutput {
  const path = filePath(specifier);
  if (path === undefined || !isTypeScript(path) || isOwnSource(path)) return next(specifier, context);
  return resolveFound({ path, suffix: '' }, false, context, next);
}

function resolveFound(
  { path, suffix }: Target,
  isRequire: boolean,
  context: ResolveHookContext,
  next: NextResolve,
): ResolveFnOutput {
  if (isTypeScript(path)) {
    // Without Node's own opinion on the format, which it derives from the package and which would win for CommonJS.
    return { url: pathToFileURL(realpathSync.native(path)).href + suffix, shortCircuit: true };
  }
  // In a `require`, Node takes paths only.
  return next(isRequire ? path : pathToFileURL(path).href + suffix, context);
}

/** Where package imports (`#x`) and exports point at the emitted file: its source. */
function sourceOfMissing(error: NotFoundError, importer: string): string | undefined {
  const path = typeof error.url === 'string' ? filePath(error.url) : undefined;
  return path === undefined ? undefined : findSourceFile(path, isTypeScript(importer));
}

function isForRequire(context: ResolveHookContext | LoadHookContext): boolean {
  // Node 22 gives a set where its documentation says array.
  return new Set(context.conditions).has('require');
}

function filePath(url: string | undefined): string | undefined {
  return url?.startsWith('file:') === true ? fileURLToPath(url) : undefined;
}

/** Specifiers of ES modules are URLs: `./a%20b.ts` is `a b.ts`. */
function decode(specifier: string): string {
  return specifier.includes('%') ? decodeURIComponent(specifier) : specifier;
}

type NotFoundError = Error & { readonly url?: unknown };

const NOT_FOUND_CODES: ReadonlySet<unknown> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'MODULE_NOT_FOUND',
]);

function isNotFound(error: unknown): error is NotFoundError {
  return error instanceof Error && 'code' in error && NOT_FOUND_CODES.has(error.code);
}
