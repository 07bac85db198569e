/** Lets Node run a user's TypeScript as it is written, without a build step. */
import { readFileSync } from 'node:fs';
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
import { findIndexFile, findSourceFile, isDirectoryPath, isInstalled, isPath, isTypeScript } from './resolution.ts';
import { type LoadTypeScript, loadTypeScriptFrom } from './transpile.ts';
import { TranspileCache } from './transpile-cache.ts';
import { Transpiler } from './transpiler.ts';
import { TsConfigs } from './tsconfig.ts';
import { API_NAME, type ApiExports, publishApi, virtualApiFormat, virtualApiSource, virtualApiUrl } from './virtual-api.ts';

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
  /** Whether a file imports another one, directly or through others; both absolute. */
  imports(importer: string, imported: string): boolean;
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
    failedImport: error => (typeof error === 'object' && error !== null ? hooks.failures.get(error) : undefined),
    imports: (importer, imported) => hooks.imports(importer, imported),
    [Symbol.dispose]: () => {
      registration.deregister();
    },
  };
}

type NextResolve = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput;
type NextLoad = (url: string, context?: Partial<LoadHookContext>) => LoadFnOutput;

class Hooks {
  readonly failures = new WeakMap<object, FailedImport>();
  readonly #api: ApiExports | URL;
  readonly #tsConfigs = new TsConfigs();
  readonly #transpiler: Transpiler;
  /** Files by the file that imports them. */
  readonly #imports = new Map<string, Set<string>>();

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
    const isRequire = context.conditions.includes('require');
    if (specifier === API_NAME) return this.#resolveApi(isRequire, context, next);
    const importer = filePath(context.parentURL);
    if (importer === undefined || isOwnSource(importer) || specifier.startsWith('node:')) return next(specifier, context);
    const found = isInstalled(importer) && !isTypeScript(importer) ? undefined : this.#find(specifier, importer);
    const result = this.#resolveWithNode(found ?? { path: undefined, suffix: '' }, specifier, importer, isRequire, context, next);
    this.#remember(importer, result.url);
    return result;
  }

  load(url: string, context: LoadHookContext, next: NextLoad): LoadFnOutput {
    if (this.#transpiler.isLoading) return next(url, context);
    const apiFormat = virtualApiFormat(url);
    if (apiFormat !== undefined && !(this.#api instanceof URL)) {
      return { format: apiFormat, source: virtualApiSource(apiFormat, this.#api), shortCircuit: true };
    }
    const path = filePath(url);
    if (path === undefined || isOwnSource(path)) return next(url, context);
    if (isTypeScript(path)) {
      const { format, code } = this.#transpiler.load(path);
      return { format, source: code, shortCircuit: true };
    }
    if (path.endsWith('.json') && !context.conditions.includes('require') && context.importAttributes['type'] === undefined) {
      return { format: 'module', source: jsonModuleSource(path, readFileSync(path, 'utf8')), shortCircuit: true };
    }
    return next(url, context);
  }

  imports(importer: string, imported: string): boolean {
    const seen = new Set<string>();
    const pending = [importer];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      for (const target of this.#imports.get(file) ?? []) {
        if (target === imported) return true;
        if (!seen.has(target)) pending.push(target);
        seen.add(target);
      }
    }
    return false;
  }

  #resolveApi(isRequire: boolean, context: ResolveHookContext, next: NextResolve): ResolveFnOutput {
    if (this.#api instanceof URL) return next(isRequire ? fileURLToPath(this.#api) : this.#api.href, context);
    const format = isRequire ? 'commonjs' : 'module';
    return { url: virtualApiUrl(format), format, shortCircuit: true };
  }

  /** The file that TypeScript's rules give; `undefined` leaves it to Node. */
  #find(specifier: string, importer: string): Target | undefined {
    const fromTypeScript = isTypeScript(importer);
    const directory = dirname(importer);
    const isUrl = specifier.startsWith('file:');
    if (isUrl || isPath(specifier)) {
      // A query makes a module of its own: it is kept, and is no part of the name.
      const [, name = specifier, suffix = ''] = /^([^?#]*)(.*)$/s.exec(specifier) ?? [];
      const path = isUrl ? fileURLToPath(name) : resolvePath(directory, isAbsolute(name) ? name : decode(name));
      const file = isDirectoryPath(name) ? findIndexFile(path) : findSourceFile(path, fromTypeScript);
      return file === undefined ? undefined : { path: file, suffix };
    }
    for (const candidate of this.#tsConfigs.of(directory).candidates(specifier)) {
      const file = findSourceFile(candidate, fromTypeScript);
      if (file !== undefined) return { path: file, suffix: '' };
    }
    return undefined;
  }

  #resolveWithNode(
    { path, suffix }: { readonly path: string | undefined; readonly suffix: string },
    specifier: string,
    importer: string,
    isRequire: boolean,
    context: ResolveHookContext,
    next: NextResolve,
  ): ResolveFnOutput {
    try {
      // Node does the rest, such as following symbolic links. In a `require` it takes paths only.
      if (path === undefined) return next(specifier, context);
      return next(isRequire ? path : pathToFileURL(path).href + suffix, context);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const source = this.#sourceOfMissing(error, importer);
      if (source !== undefined) return next(isRequire ? source : pathToFileURL(source).href, context);
      this.failures.set(error, { specifier, importer });
      throw error;
    }
  }

  /** Where package imports (`#x`) and exports point at the emitted file: its source. */
  #sourceOfMissing(error: NodeJS.ErrnoException & { readonly url?: unknown }, importer: string): string | undefined {
    const path = typeof error.url === 'string' ? filePath(error.url) : undefined;
    return path === undefined ? undefined : findSourceFile(path, isTypeScript(importer));
  }

  #remember(importer: string, url: string): void {
    const imported = filePath(url);
    if (imported === undefined) return;
    const known = this.#imports.get(importer);
    if (known === undefined) this.#imports.set(importer, new Set([imported]));
    else known.add(imported);
  }
}

interface Target {
  readonly path: string;
  /** The query and fragment of the specifier. */
  readonly suffix: string;
}

function filePath(url: string | undefined): string | undefined {
  return url?.startsWith('file:') === true ? fileURLToPath(url) : undefined;
}

/** Specifiers of ES modules are URLs: `./a%20b.ts` is `a b.ts`. */
function decode(specifier: string): string {
  return specifier.includes('%') ? decodeURIComponent(specifier) : specifier;
}

function isNotFound(error: unknown): error is NodeJS.ErrnoException & { readonly url?: unknown } {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_UNSUPPORTED_DIR_IMPORT';
}
