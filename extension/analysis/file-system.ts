/** The files that the analysis sees: those on the disk, below what is typed in the editor and not saved yet. */
import { globSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Paths are absolute. Nothing throws: what is not there, or cannot be read, is `undefined`. */
export interface FileSystem {
  readFile(path: string): string | undefined;
  /** The entries of a directory, sorted by name. */
  readDirectory(path: string): readonly DirectoryEntry[] | undefined;
  stat(path: string): 'file' | 'directory' | undefined;
  /** The path with symbolic links resolved; the path itself where there are none. */
  realPath(path: string): string;
  /** What Node's own `globSync` finds in a directory, in its order. A file system without it does not know the order. */
  glob?(pattern: string, directory: string): readonly string[] | undefined;
}

/** The disk as it is now. */
export const diskFileSystem: FileSystem = {
  readFile: path => attempt(() => readFileSync(path, 'utf8')),
  readDirectory: path =>
    attempt(() =>
      readdirSync(path, { withFileTypes: true })
        .map(entry => ({ name: entry.name, isDirectory: entry.isDirectory() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ),
  stat: path =>
    attempt(() => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? undefined : found.isDirectory() ? 'directory' : 'file';
    }),
  realPath: path => attempt(() => realpathSync.native(path)) ?? path,
  glob: (pattern, cwd) => attempt(() => globSync(pattern, { cwd })),
};

/** Another file system below texts that are given by hand, such as the unsaved buffers of an editor. */
export class OverlayFileSystem implements FileSystem {
  readonly below: FileSystem;
  readonly #texts = new Map<string, string>();

  constructor(below: FileSystem, texts: Iterable<readonly [path: string, text: string]> = []) {
    this.below = below;
    for (const [path, text] of texts) this.#texts.set(path, text);
  }

  /** Lays a text over a file; `undefined` lets the file below show again. */
  set(path: string, text: string | undefined): void {
    if (text === undefined) this.#texts.delete(path);
    else this.#texts.set(path, text);
  }

  has(path: string): boolean {
    return this.#texts.has(path);
  }

  /** The text that lies over a file. */
  textOf(path: string): string | undefined {
    return this.#texts.get(path);
  }

  readFile(path: string): string | undefined {
    return this.#texts.get(path) ?? this.below.readFile(path);
  }

  readDirectory(path: string): readonly DirectoryEntry[] | undefined {
    const below = this.below.readDirectory(path);
    const prefix = path.endsWith('/') ? path : `${path}/`;
    const names = new Map((below ?? []).map(entry => [entry.name, entry.isDirectory]));
    const known = names.size;
    for (const file of this.#texts.keys()) {
      if (!file.startsWith(prefix)) continue;
      const [name = '', ...rest] = file.slice(prefix.length).split('/');
      if (!names.has(name)) names.set(name, rest.length > 0);
    }
    if (below !== undefined && names.size === known) return below;
    if (below === undefined && names.size === 0) return undefined;
    return [...names]
      .map(([name, isDirectory]) => ({ name, isDirectory }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stat(path: string): 'file' | 'directory' | undefined {
    if (this.#texts.has(path)) return 'file';
    const below = this.below.stat(path);
    if (below !== undefined) return below;
    return [...this.#texts.keys()].some(file => file.startsWith(`${path}/`)) ? 'directory' : undefined;
  }

  /** That of the files below: what is only here is not among them. */
  glob(pattern: string, directory: string): readonly string[] | undefined {
    return this.below.glob?.(pattern, directory);
  }

  realPath(path: string): string {
    if (!this.#texts.has(path)) return this.below.realPath(path);
    const directory = dirname(path);
    return directory === path ? path : `${this.below.realPath(directory)}/${basename(path)}`;
  }
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // Not there, or not readable: both mean that the analysis does not know it.
    return undefined;
  }
}
