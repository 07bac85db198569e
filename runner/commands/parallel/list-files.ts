/** Lists files by a pattern, one after the other, however many there are. */
import type { Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeValue, PipelineError } from '../../api/errors.ts';

/** Entries of a directory that are read at once. */
const ENTRIES = 1024;

/** What the names at one level must be like; `deep`: any number of directories. */
type Segment = 'deep' | { readonly name: string } | { readonly matches: RegExp };

/**
 * A pattern for names of files below a directory: `*` and `?` stand for characters of one name, `**` for any number of
 * directories, `[a-z]` for one of several characters, `{a,b}` for one of several texts. Names that begin with a dot are
 * matched only by a pattern that does.
 */
export class FilePattern {
  readonly #alternatives: readonly (readonly Segment[])[];

  /** @throws PipelineError when it is none, or leads out of the directory */
  constructor(what: string, pattern: unknown) {
    if (typeof pattern !== 'string' || pattern === '') {
      throw new PipelineError(
        `${what}: filePattern must be a pattern like "events/*.csv.gz", not ${describeValue(pattern)}.`,
      );
    }
    this.#alternatives = expandBraces(pattern).map(text => {
      const names = text.split('/').filter(name => name !== '' && name !== '.');
      if (text.startsWith('/') || names.includes('..') || names.length === 0) {
        throw new PipelineError(`${what}: filePattern must stay below dataDir, which "${pattern}" does not.`);
      }
      return names.map(segmentOf);
    });
  }

  /**
   * The files below a directory that match, relative to it and with `/`, each one once and in no particular order. A
   * directory that is not there has no files. Links to files count as files; links to directories are followed where
   * the pattern names them, but not by `**`.
   */
  async *files(directory: string, signal?: AbortSignal): AsyncGenerator<string> {
    yield* walk(directory, '', this.#alternatives, signal);
  }
}

async function* walk(
  root: string,
  prefix: string,
  rests: readonly (readonly Segment[])[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  signal?.throwIfAborted();
  const place = join(root, prefix);
  // Where one name is possible only, the other ones need not be read.
  const only = onlyNames(rests);
  const entries = only === undefined ? readEntries(place) : namedEntries(place, only);
  for await (const { name, isDirectory, isLink } of entries) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const below: (readonly Segment[])[] = [];
    let isFound = false;
    for (const rest of rests) isFound = advance(rest, name, isLink, below) || isFound;
    if (!isDirectory) {
      if (isFound) yield path;
    } else if (below.length > 0) yield* walk(root, path, below, signal);
  }
}

/** Whether a name ends the pattern; `below` gets what is left of it for the content of a directory of that name. */
function advance(
  rest: readonly Segment[],
  name: string,
  isLink: boolean,
  below: (readonly Segment[])[],
): boolean {
  const [segment] = rest;
  if (segment === undefined) return false;
  if (segment === 'deep') {
    const isHidden = name.startsWith('.');
    const after = rest.slice(1);
    // No directory, or one more. A pattern that ends in `**` matches every file below.
    const found = after.length === 0 ? !isHidden : advance(after, name, isLink, below);
    if (!isHidden && !isLink) below.push(rest);
    return found;
  }
  if (!('name' in segment ? segment.name === name : segment.matches.test(name))) return false;
  if (rest.length === 1) return true;
  below.push(rest.slice(1));
  // `a/**` matches what is in `a`, so nothing of the directory itself.
  return false;
}

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
}

function onlyNames(rests: readonly (readonly Segment[])[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const [segment] of rests) {
    if (typeof segment !== 'object' || !('name' in segment)) return undefined;
    names.add(segment.name);
  }
  return names;
}

async function* namedEntries(place: string, names: ReadonlySet<string>): AsyncGenerator<Entry> {
  for (const name of names) {
    const found = await statOf(join(place, name));
    if (found !== undefined) yield { name, isLink: false, isDirectory: found.isDirectory() };
  }
}

async function* readEntries(place: string): AsyncGenerator<Entry> {
  let directory: AsyncIterable<Dirent>;
  try {
    directory = await opendir(place, { bufferSize: ENTRIES });
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  for await (const entry of directory) {
    const { name } = entry;
    if (!entry.isSymbolicLink()) {
      if (entry.isFile() || entry.isDirectory())
        yield { name, isLink: false, isDirectory: entry.isDirectory() };
      continue;
    }
    const target = await statOf(join(place, name));
    if (target !== undefined) yield { name, isLink: true, isDirectory: target.isDirectory() };
  }
}

/** `undefined`: there is nothing, or a link to nothing. */
async function statOf(path: string): Promise<{ isDirectory(): boolean } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function segmentOf(text: string): Segment {
  if (text === '**') return 'deep';
  if (!/[*?[\\]/.test(text)) return { name: text };
  let source = text.startsWith('.') ? '' : '(?!\\.)';
  for (const [part] of text.matchAll(/\*+|\?|\[[!^]?\]?[^\]]*\]|\\?./gsu)) {
    if (part.startsWith('*')) source += '.*';
    else if (part === '?') source += '.';
    else if (part.startsWith('[') && part.length > 1) {
      const isNegative = part[1] === '!' || part[1] === '^';
      source += `[${isNegative ? '^' : ''}${part.slice(isNegative ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&')}]`;
    } else source += escape(part.length > 1 && part.startsWith('\\') ? part.slice(1) : part);
  }
  return { matches: new RegExp(`^${source}$`, 's') };
}

/** Texts for the alternatives in `{a,b}`, which may hold others. */
function expandBraces(text: string): string[] {
  const found = /(?<!\\)\{([^{}]*,[^{}]*)\}/.exec(text);
  if (found === null) return [text];
  const [whole, inside = ''] = found;
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + whole.length);
  return [
    ...new Set(inside.split(',').flatMap(alternative => expandBraces(`${before}${alternative}${after}`))),
  ];
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
