/** What Node gives to a program besides the language: files, paths, the process. */
import * as nodePath from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ProjectFiles } from '../project-files.ts';
import type { SyntaxNode } from '../syntax.ts';
import { describeUnknown } from './natives.ts';
import type { Machine } from './machine.ts';
import { rejected, resolved } from './promises.ts';
import { Dyn, UserThrow } from './values.ts';

type AnyFunction = (...args: unknown[]) => unknown;

export class Platform {
  readonly #files: ProjectFiles;
  readonly #environment: Readonly<Record<string, string | undefined>> | undefined;
  readonly #modules = new Map<string, Map<string, unknown>>();
  #console: object | undefined;
  #process: object | undefined;

  constructor(files: ProjectFiles, environment: Readonly<Record<string, string | undefined>> | undefined) {
    this.#files = files;
    this.#environment = environment;
  }

  /** A variable that every program has. */
  global(machine: Machine, name: string, node: SyntaxNode): { readonly value: unknown } | undefined {
    switch (name) {
      case 'console':
        return { value: (this.#console ??= this.#makeConsole(machine)) };
      case 'process':
        return { value: (this.#process ??= this.#makeProcess(node)) };
      default:
        return undefined;
    }
  }

  /** The exports of a module of Node. */
  builtin(machine: Machine, name: string, node: SyntaxNode): (key: string) => unknown {
    const known = this.#known(machine, name, node);
    return key => {
      if (known?.has(key) === true) return known.get(key);
      if (known !== undefined && key === 'default') return Object.freeze(Object.fromEntries(known));
      return new Dyn(describeUnknown(`"${key}" of "node:${name}"`), node);
    };
  }

  #known(machine: Machine, name: string, node: SyntaxNode): Map<string, unknown> | undefined {
    let exports = this.#modules.get(name);
    if (exports !== undefined) return exports;
    switch (name) {
      case 'path':
      case 'path/posix':
        exports = this.#path(machine);
        break;
      case 'url':
        exports = new Map<string, unknown>([
          ['URL', URL],
          ['URLSearchParams', URLSearchParams],
        ]);
        this.#add(machine, exports, 'fileURLToPath', url => fileURLToPath(url as string));
        this.#add(machine, exports, 'pathToFileURL', path => pathToFileURL(String(path)));
        break;
      case 'fs':
        exports = this.#fileFunctions(machine, node);
        break;
      case 'fs/promises':
        exports = this.#promised(machine, node);
        break;
      case 'process': {
        const process = this.global(machine, 'process', node)?.value as Record<string, unknown>;
        exports = new Map(['env', 'argv', 'platform'].map(key => [key, process[key]]));
        exports.set('default', process);
        break;
      }
      default:
        return undefined;
    }
    this.#modules.set(name, exports);
    return exports;
  }

  /** Adds a function that breaks off with the unknown value that it is given. */
  #add(machine: Machine, exports: Map<string, unknown>, name: string, action: AnyFunction): void {
    const fn = (...args: unknown[]): unknown => {
      const dyn = args.find(arg => arg instanceof Dyn) ?? args.map(arg => machine.opened(arg)).find(Boolean);
      return dyn instanceof Dyn ? dyn.derive() : action(...args);
    };
    Object.defineProperty(fn, 'name', { value: name });
    machine.allow(fn);
    exports.set(name, fn);
  }

  #makeConsole(machine: Machine): object {
    const nothing = (): void => undefined;
    machine.allow(nothing);
    return Object.freeze(
      Object.fromEntries(Object.keys(console).map(name => [name, nothing])) as Record<string, unknown>,
    );
  }

  #makeProcess(node: SyntaxNode): object {
    const environment = this.#environment;
    const env = new Proxy(Object.freeze({}), {
      get: (_, key) =>
        typeof key !== 'string'
          ? undefined
          : environment === undefined
            ? new Dyn(`the environment variable ${key}`, node)
            : environment[key],
      getOwnPropertyDescriptor: () => undefined,
    });
    return new Proxy(Object.freeze({}), {
      get: (_, key) => {
        if (key === 'env') return env;
        return typeof key === 'string' && key in process
          ? new Dyn(describeUnknown(`process.${key}`), node)
          : undefined;
      },
    });
  }

  #path(machine: Machine): Map<string, unknown> {
    const exports = new Map<string, unknown>();
    for (const name of [
      'join',
      'basename',
      'dirname',
      'extname',
      'normalize',
      'isAbsolute',
      'parse',
      'format',
      'relative',
    ] as const) {
      this.#add(machine, exports, name, (...args) =>
        Reflect.apply(nodePath[name] as AnyFunction, nodePath, args),
      );
    }
    this.#add(machine, exports, 'resolve', (...args) => {
      const isAbsolute = args.some(arg => typeof arg === 'string' && nodePath.isAbsolute(arg));
      return isAbsolute
        ? nodePath.resolve(...(args as string[]))
        : new Dyn('the directory in which the run starts', undefined);
    });
    exports.set('sep', nodePath.sep);
    exports.set('delimiter', nodePath.delimiter);
    exports.set('posix', Object.freeze(Object.fromEntries(exports)));
    return exports;
  }

  /** The absolute path that a program means, if it lies in the project. */
  #ownPath(path: unknown): string | Dyn {
    const text = path instanceof URL ? fileURLToPath(path) : String(path);
    if (!nodePath.isAbsolute(text)) return new Dyn('the directory in which the run starts', undefined);
    const absolute = nodePath.resolve(text);
    if (this.#files.isOwn(absolute)) return absolute;
    return new Dyn(`the file ${absolute}, which is not part of the project`, undefined);
  }

  #fileFunctions(machine: Machine, node: SyntaxNode): Map<string, unknown> {
    const exports = new Map<string, unknown>();
    this.#add(machine, exports, 'existsSync', path => {
      const own = this.#ownPath(path);
      if (own instanceof Dyn) return own;
      this.#files.onRead(own);
      return this.#files.fileSystem.stat(own) !== undefined;
    });
    this.#add(machine, exports, 'readFileSync', (path, options) => this.#readFile(path, options, node));
    this.#add(machine, exports, 'readdirSync', (path, options) =>
      this.#readDirectory(machine, path, options, node),
    );
    this.#add(machine, exports, 'globSync', (pattern, options) => this.#glob(pattern, options));
    return exports;
  }

  #promised(machine: Machine, node: SyntaxNode): Map<string, unknown> {
    const exports = new Map<string, unknown>();
    const promise =
      (action: AnyFunction): AnyFunction =>
      (...args) => {
        try {
          return resolved(machine, action(...args));
        } catch (error) {
          return rejected(machine, new UserThrow(error instanceof UserThrow ? error.value : error, node));
        }
      };
    this.#add(
      machine,
      exports,
      'readFile',
      promise((path, options) => this.#readFile(path, options, node)),
    );
    this.#add(
      machine,
      exports,
      'readdir',
      promise((path, options) => this.#readDirectory(machine, path, options, node)),
    );
    return exports;
  }

  #readFile(path: unknown, options: unknown, node: SyntaxNode): unknown {
    const own = this.#ownPath(path);
    if (own instanceof Dyn) return own;
    const encoding: unknown =
      typeof options === 'object' && options !== null ? Reflect.get(options, 'encoding') : options;
    const text = this.#files.read(own);
    if (text === undefined) throw systemError('ENOENT', 'no such file or directory', 'open', own);
    const isText = encoding === 'utf8' || encoding === 'utf-8';
    return isText ? text : new Dyn('the bytes of a file', node);
  }

  #readDirectory(machine: Machine, path: unknown, options: unknown, node: SyntaxNode): unknown {
    const own = this.#ownPath(path);
    if (own instanceof Dyn) return own;
    const { withFileTypes, recursive } =
      typeof options === 'object' && options !== null
        ? (options as { withFileTypes?: unknown; recursive?: unknown })
        : {};
    if (recursive) return new Dyn('the files in a directory and below', node);
    this.#files.onRead(own);
    const entries = this.#files.fileSystem.readDirectory(own);
    if (entries === undefined) throw systemError('ENOENT', 'no such file or directory', 'scandir', own);
    if (!withFileTypes) return entries.map(({ name }) => name);
    return entries.map(({ name, isDirectory }) => {
      const entry = {
        name,
        parentPath: own,
        isDirectory: () => isDirectory,
        isFile: () => !isDirectory,
        isSymbolicLink: () => false,
      };
      for (const method of [entry.isDirectory, entry.isFile, entry.isSymbolicLink]) machine.allow(method);
      return entry;
    });
  }

  /** Node's own globbing. */
  #glob(pattern: unknown, options: unknown): unknown {
    const { cwd, exclude, withFileTypes } =
      typeof options === 'object' && options !== null
        ? (options as { cwd?: unknown; exclude?: unknown; withFileTypes?: unknown })
        : {};
    const patterns = Array.isArray(pattern) ? pattern : [pattern];
    const isPlain = patterns.every(one => typeof one === 'string') && exclude === undefined && !withFileTypes;
    const [first] = patterns as string[];
    if (!isPlain || first === undefined || patterns.length > 1)
      return new Dyn('the files that a pattern matches', undefined);
    const base = this.#ownPath(cwd ?? (nodePath.isAbsolute(first) ? this.#files.directory : first));
    if (base instanceof Dyn) return base;
    const isAbsolute = nodePath.isAbsolute(first);
    if (isAbsolute && !this.#files.isOwn(first))
      return new Dyn('files that are not part of the project', undefined);
    const relativePattern = isAbsolute ? nodePath.relative(base, first) : first;
    const found = this.#files.glob([relativePattern], base, []);
    const ordered = this.#inNodesOrder(found, relativePattern, base);
    if (ordered === undefined) return new Dyn('the order in which files are found', undefined);
    return isAbsolute ? ordered.map(file => nodePath.join(base, file)) : ordered;
  }

  /** The order in which Node finds files; `undefined` where that cannot be tried out. */
  #inNodesOrder(found: readonly string[], pattern: string, base: string): readonly string[] | undefined {
    if (found.length < 2) return found;
    const ordered = this.#files.fileSystem.glob?.(pattern, base);
    const all = new Set(found);
    const isSame = ordered?.length === found.length && ordered.every(file => all.has(file));
    if (isSame) return ordered;
    // In one directory it is that of the names.
    return /\*\*|[{(]|[*?[].*\//.test(pattern) ? undefined : [...found].sort((a, b) => (a < b ? -1 : 1));
  }
}

function systemError(code: string, meaning: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${meaning}, ${call} '${path}'`), { code, syscall: call, path });
}
