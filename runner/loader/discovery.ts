/** Which files of a project hold pipelines. */
import { join } from 'node:path';

export const DEFAULT_PIPELINE_FILES: readonly string[] = ['**/*.pipeline.{ts,mts,js,mjs}'];

/** What is never looked into, whatever the patterns say. */
const IGNORED = ['**/node_modules/**', '**/.*/**'];

/**
 * Lists the files of a project that match the setting `pipelineFiles`: absolute, sorted by their path below the project
 * so that every machine loads them in the same order. Ignored directories are not entered.
 *
 * @param patterns relative to `directory`; one that begins with `!` leaves files out.
 */
export async function findPipelineFiles(
  directory: string,
  patterns: readonly string[] = DEFAULT_PIPELINE_FILES,
): Promise<string[]> {
  const { glob } = await import('tinyglobby');
  const found = await glob(patterns, {
    cwd: directory,
    ignore: IGNORED,
    expandDirectories: false,
    followSymbolicLinks: false,
  });
  return found.sort(byCodePoint).map(file => join(directory, file));
}

/** Not by locale, which differs between machines. */
function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
