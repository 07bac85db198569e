/** Which files of a project hold pipelines. */
import { type Dirent, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const DEFAULT_PIPELINE_FILES: readonly string[] = ['**/*.pipeline.{ts,mts,js,mjs}'];

/** The same as {@link DEFAULT_PIPELINE_FILES}, for names of files. */
const DEFAULT_NAMES = /^[^.].*\.pipeline\.m?[tj]s$/;

/** What is never looked into, whatever the patterns say. */
const IGNORED = ['**/node_modules/**', '**/.*/**'];

/**
 * Lists the files of a project that match the setting `pipelineFiles`: absolute, sorted by their path below the project
 * so that every machine loads them in the same order. Ignored directories are not entered, links are not followed.
 *
 * @param patterns relative to `directory`; one that begins with `!` leaves files out.
 */
export async function findPipelineFiles(
  directory: string,
  patterns: readonly string[] = DEFAULT_PIPELINE_FILES,
): Promise<string[]> {
  const found = patterns === DEFAULT_PIPELINE_FILES ? walk(directory) : await glob(directory, patterns);
  return found.sort(byPath).map(name => join(directory, name));
}

/** Any patterns, with `/` between the parts of the names that come out. */
export async function glob(directory: string, patterns: readonly string[]): Promise<string[]> {
  const tinyglobby = await import('tinyglobby');
  return tinyglobby.glob(patterns, {
    cwd: directory,
    ignore: IGNORED,
    expandDirectories: false,
    followSymbolicLinks: false,
  });
}

/** The default pattern, which nearly all projects have, without the 8 ms that the library needs to get going. */
function walk(directory: string): string[] {
  const found: string[] = [];
  const pending = [directory];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    for (const entry of entriesOf(current)) {
      const { name } = entry;
      if (entry.isDirectory() && name !== 'node_modules' && !name.startsWith('.')) {
        pending.push(join(current, name));
      } else if (entry.isFile() && DEFAULT_NAMES.test(name)) {
        found.push(relative(directory, join(current, name)).replaceAll(sep, '/'));
      }
    }
  }
  return found;
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // Gone in the meantime, or not for this user: as for the library, nothing is in it.
    return [];
  }
}

/** Not by locale, which differs between machines. */
function byPath(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
