/** Which files are the runner itself: they are not user code, wherever a project lies. */
import { join, sep } from 'node:path';
import { isBundled } from '../entry-files.ts';

/** From source, this file is `<package>/runner/loader/own-source.ts`; bundled, a part of a file in `<package>/dist`. */
const DIRECTORIES: readonly string[] = isBundled
  ? [import.meta.dirname + sep]
  : ['runner', 'migrations'].map(name => join(import.meta.dirname, '..', '..', name) + sep);

/** @param path absolute. */
export function isOwnSource(path: string): boolean {
  return DIRECTORIES.some(directory => path.startsWith(directory));
}
