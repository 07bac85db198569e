/** The files of a project: parsed once for each version, and found the way in which the loader finds them. */
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createPathsMatcher } from 'get-tsconfig';
import { type GlobOptions, globSync } from 'tinyglobby';
import type { FileSystem } from './file-system.ts';
import { isTypeScriptFile, parse, readCompilerPaths, type SourceFile } from './syntax.ts';

/** What a specifier means. */
export type Resolution =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'api' }
  | { readonly kind: 'builtin'; readonly name: string }
  /** Installed, so that its code is not evaluated. */
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'missing' };

/** Tried for a specifier without extension, in TypeScript's order. */
const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'] as const;
const sourceOf: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };

export const defaultPipelineFiles: readonly string[] = ['**/*.pipeline.{ts,mts,js,mjs}'];
const ignored = ['**/node_modules/**', '**/.*/**'];

/** Characters of all files of which the syntax tree is kept; a tree takes some 30 bytes for each. */
const maxParsedLength = 1_500_000;

/** More than are parsed for an edit. */
const fewFiles = 10;

type Matcher = (specifier: string) => readonly string[];

export class ProjectFiles {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly #parsed = new Map<string, SourceFile>();
  /** Files that were parsed since the trees were last counted. */
  readonly #fresh: string[] = [];
  readonly #matchers = new Map<string, Matcher>();
  /** Files that were there when something asked for them, or for what is in their directory. */
  readonly #seen = new Set<string>();
  /**
   * Takes note of every file and directory whose content an answer depends on. That a file is there is not noted: when
   * files come and go, everything is evaluated anew.
   */
  onRead: (path: string) => void = () => undefined;

  constructor(directory: string, fileSystem: FileSystem) {
    this.directory = directory;
    this.fileSystem = fileSystem;
  }

  /** Forgets what was read of a file, since it has changed. */
  forget(path: string, isThere = true): void {
    // When it comes back, it is a new one.
    this.#note(path, isThere);
    this.#parsed.delete(path);
    if (path.endsWith('.json')) this.#matchers.clear();
  }

  /** Whether a file was parsed with this very text. */
  knows(path: string, text: string): boolean {
    return this.#parsed.get(path)?.text === text;
  }

  /** Whether a file was there when something asked for it last, or for what is in its directory. */
  hasSeen(path: string): boolean {
    return this.#seen.has(path);
  }

  read(path: string): string | undefined {
    this.onRead(path);
    const text = this.fileSystem.readFile(path);
    this.#note(path, text !== undefined);
    return text;
  }

  #note(path: string, isThere: boolean): void {
    if (isThere) this.#seen.add(path);
    else this.#seen.delete(path);
  }

  parse(path: string): SourceFile | undefined {
    this.onRead(path);
    const known = this.#parsed.get(path);
    if (known !== undefined) {
      // The order of the map is that of their last use.
      this.#parsed.delete(path);
      this.#parsed.set(path, known);
      return known;
    }
    const text = this.fileSystem.readFile(path);
    this.#note(path, text !== undefined);
    if (text === undefined) return undefined;
    const source = parse(path, text);
    this.#parsed.set(path, source);
    this.#fresh.push(path);
    return source;
  }

  /**
   * Forgets syntax trees when there are many: they are parsed anew if needed. After a few files were parsed, those go that
   * were not used for long; after many were, the new ones: that was a walk through all files, and so will be the next one.
   */
  trim(): void {
    const fresh = this.#fresh.splice(0);
    let length = 0;
    for (const { text } of this.#parsed.values()) length += text.length;
    for (const path of [...(fresh.length > fewFiles ? fresh : []), ...this.#parsed.keys()]) {
      if (length <= maxParsedLength) return;
      length -= this.#parsed.get(path)?.text.length ?? 0;
      this.#parsed.delete(path);
    }
  }

  isFile(path: string): boolean {
    const isThere = this.fileSystem.stat(path) === 'file';
    this.#note(path, isThere);
    return isThere;
  }

  /** Whether a path lies in the project and is not installed: only such files are looked into. */
  isOwn(path: string): boolean {
    return (path === this.directory || path.startsWith(this.directory + sep)) && !isInstalled(path);
  }

  resolve(specifier: string, importer: string): Resolution {
    if (specifier === 'millrace') return { kind: 'api' };
    if (isBuiltin(specifier)) return { kind: 'builtin', name: specifier.replace(/^node:/, '') };
    const fromTypeScript = isTypeScriptFile(importer);
    if (specifier.startsWith('file:') || /^(?:\.{0,2}\/|\.{1,2}$|[A-Za-z]:[\\/])/.test(specifier)) {
      const [name = specifier] = specifier.split(/[?#]/, 1);
      const path = name.startsWith('file:') ? fileURLToPath(name) : resolve(dirname(importer), decode(name));
      const found = /(?:^|\/)\.{0,2}$/.test(name)
        ? this.#withExtension(join(path, 'index'))
        : this.#findSource(path, fromTypeScript);
      return found === undefined ? { kind: 'missing' } : { kind: 'file', path: found };
    }
    for (const candidate of this.#matcher(dirname(importer))(specifier)) {
      const found = this.#findSource(candidate, fromTypeScript);
      if (found !== undefined) return { kind: 'file', path: found };
    }
    return this.#resolvePackage(specifier, dirname(importer));
  }

  #findSource(path: string, fromTypeScript: boolean): string | undefined {
    const extension = extname(path);
    const emitted = sourceOf[extension];
    const source = emitted === undefined ? undefined : path.slice(0, -extension.length) + emitted;
    if (fromTypeScript && source !== undefined && this.isFile(source)) return source;
    if (this.isFile(path)) return path;
    if (source !== undefined && this.isFile(source)) return source;
    return this.#withExtension(path) ?? this.#withExtension(join(path, 'index'));
  }

  #withExtension(path: string): string | undefined {
    return extensions.map(extension => path + extension).find(file => this.isFile(file));
  }

  #resolvePackage(specifier: string, from: string): Resolution {
    const [first = '', second = ''] = specifier.split('/');
    const name = first.startsWith('@') ? `${first}/${second}` : first;
    if (specifier.startsWith('#')) return { kind: 'package', name: specifier };
    for (let directory = from; ; directory = dirname(directory)) {
      const place = join(directory, 'node_modules', name);
      if (this.fileSystem.stat(place) === 'directory') {
        const own = this.#ownPackage(place, specifier.slice(name.length));
        return own === undefined ? { kind: 'package', name } : { kind: 'file', path: own };
      }
      if (dirname(directory) === directory) return { kind: 'missing' };
    }
  }

  /** The entry of a package whose source is a part of the workspace, as in a monorepo. */
  #ownPackage(place: string, subPath: string): string | undefined {
    const real = this.fileSystem.realPath(place);
    if (!this.isOwn(real)) return undefined;
    if (subPath !== '') return this.#findSource(join(real, subPath), true);
    const manifest = parseJson(this.read(join(real, 'package.json')));
    for (const entry of entriesOf(manifest)) {
      const found = this.#findSource(join(real, entry), true);
      if (found !== undefined) return found;
    }
    return this.#withExtension(join(real, 'index'));
  }

  /** Where `paths` of the nearest tsconfig.json say that something may lie. */
  #matcher(directory: string): Matcher {
    const known = this.#matchers.get(directory);
    if (known !== undefined) return known;
    const file = join(directory, 'tsconfig.json');
    const text = this.read(file);
    const parent = dirname(directory);
    const matcher =
      text !== undefined
        ? this.#readMatcher(file, text)
        : parent === directory
          ? () => []
          : this.#matcher(parent);
    this.#matchers.set(directory, matcher);
    return matcher;
  }

  #readMatcher(file: string, text: string): Matcher {
    if (!/"(?:paths|baseUrl|extends)"/.test(text)) return () => [];
    const { paths, baseUrl, pathsBase } = readCompilerPaths(file, text, {
      readFile: path => this.read(path),
      isFile: path => this.isFile(path),
      realPath: path => this.fileSystem.realPath(path),
    });
    const matcher = createPathsMatcher({
      path: join(pathsBase ?? dirname(file), 'tsconfig.json'),
      config: {
        compilerOptions: {
          ...(paths === undefined ? {} : { paths }),
          ...(baseUrl === undefined ? {} : { baseUrl }),
        },
      },
    });
    return specifier => matcher?.(specifier) ?? [];
  }

  /** The files that match the setting `pipelineFiles`, in the order in which they are loaded. */
  findPipelineFiles(patterns: readonly string[] = defaultPipelineFiles): string[] {
    const found = globSync(patterns, {
      cwd: this.directory,
      ignore: ignored,
      expandDirectories: false,
      followSymbolicLinks: false,
      fs: this.#globFileSystem(),
    });
    return found
      .map(file => file.split('\\').join('/'))
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      .map(file => join(this.directory, file));
  }

  /** What globbing asks of a file system, answered by ours. */
  #globFileSystem(): NonNullable<GlobOptions['fs']> {
    const readdirSync = (path: string): unknown[] => {
      const directory = resolve(path);
      this.onRead(directory);
      return (this.fileSystem.readDirectory(directory) ?? []).map(({ name, isDirectory }) => {
        if (!isDirectory && isEdited(name)) this.#note(join(directory, name), true);
        return {
          name,
          isDirectory: () => isDirectory,
          isFile: () => !isDirectory,
          isSymbolicLink: () => false,
        };
      });
    };
    return { readdirSync } as unknown as NonNullable<GlobOptions['fs']>;
  }

  /** Files of the project below a directory that match patterns, relative to it. */
  glob(patterns: readonly string[], directory: string, ignore: readonly string[]): string[] {
    return globSync(patterns, {
      cwd: directory,
      ignore,
      expandDirectories: false,
      followSymbolicLinks: false,
      fs: this.#globFileSystem(),
    });
  }

  /** A path as messages show it. */
  display(path: string): string {
    return relative(this.directory, path);
  }
}

export function isInstalled(path: string): boolean {
  return path.includes('/node_modules/') || path.includes('\\node_modules\\');
}

/** Whether people edit files of such a name: of data, there may be any number. */
function isEdited(name: string): boolean {
  return /\.(?:[cm]?[jt]s|json|sql|py|sh|env)$/.test(name);
}

function decode(specifier: string): string {
  return specifier.includes('%') ? decodeURIComponent(specifier) : specifier;
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where the entry of a package may be, by its manifest. */
function entriesOf(manifest: unknown): string[] {
  if (typeof manifest !== 'object' || manifest === null) return [];
  const { exports, main } = manifest as { readonly exports?: unknown; readonly main?: unknown };
  const entries: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') entries.push(value);
    else if (typeof value === 'object' && value !== null) {
      const conditions = value as Record<string, unknown>;
      for (const key of ['.', 'import', 'node', 'default']) visit(conditions[key]);
    }
  };
  visit(exports);
  visit(main);
  return entries;
}
