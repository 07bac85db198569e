/** Where a project begins: the directory that every other path of the loader is relative to. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Names that a project's configuration can have, in the order in which they are looked for. */
export const CONFIG_FILE_NAMES = [
  'millrace.config.ts',
  'millrace.config.mts',
  'millrace.config.js',
  'millrace.config.mjs',
] as const;

const MARKERS = [...CONFIG_FILE_NAMES, 'package.json', '.git'] as const;

export interface ProjectPlace {
  /** Absolute. */
  readonly directory: string;
  /** The project's millrace.config file, absolute; `undefined` where there is none. */
  readonly configFile: string | undefined;
}

/** There is no project where one was looked for; the message says what to do. */
export class ProjectNotFoundError extends Error {
  override readonly name = 'ProjectNotFoundError';
  /** What the command line exits with: wrong usage. */
  readonly exitCode = 2;
}

/**
 * Finds the project that a directory belongs to: the nearest directory, going up, that has a millrace.config file,
 * a package.json or a .git. The nearest wins whichever of them it has: a package inside of a larger repository is a
 * project of its own, and a project never depends on what lies above it.
 *
 * @param override what the user gave as `--project`: taken as it is, it only has to be a directory.
 * @throws ProjectNotFoundError
 */
export function findProject(startDirectory: string, override?: string): ProjectPlace {
  if (override !== undefined) return projectAt(resolve(startDirectory, override));
  const start = resolve(startDirectory);
  for (let directory = start; ; directory = dirname(directory)) {
    if (MARKERS.some(name => exists(join(directory, name)))) return projectAt(directory);
    if (dirname(directory) === directory) break;
  }
  throw new ProjectNotFoundError(
    `No project found: neither ${start} nor a directory above it has a millrace.config.ts, a package.json or a .git. ` +
      'Make one with "millrace init", or name the directory of an existing one with "--project DIR".',
  );
}

/** @throws ProjectNotFoundError when it is not a directory. */
function projectAt(directory: string): ProjectPlace {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new ProjectNotFoundError(`The project directory ${directory} does not exist.`);
  if (!stats.isDirectory()) {
    throw new ProjectNotFoundError(
      `The project directory ${directory} is a file; give the directory that it is in.`,
    );
  }
  return { directory, configFile: existingFile(directory, CONFIG_FILE_NAMES) };
}

/** The first of some files of a directory that exists, absolute. */
export function existingFile(directory: string, names: readonly string[]): string | undefined {
  return names.map(name => join(directory, name)).find(exists);
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
