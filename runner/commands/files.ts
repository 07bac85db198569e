/** Files that commands name. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { cwd } from 'node:process';
import { pipeline } from 'node:stream/promises';
import { PipelineError } from '../api/errors.ts';
import type { Node } from '../api/node.ts';

/** A directory that file names are relative to, and how a message explains it. */
export interface FileBase {
  readonly directory: string;
  /** For example `the base path of pipeline "shop"`. */
  readonly meaning: string;
  /** The task that names the file. */
  readonly owner: string;
}

/** The base path of a node, for its commands' files. */
export function basePathOf(node: Node | undefined, directory = node?.basePath ?? cwd()): FileBase {
  const pipeline = node?.parent;
  const meaning =
    pipeline === undefined
      ? 'the current directory'
      : `the base path of ${lowerCaseStart(pipeline.toString())}`;
  return { directory, meaning, owner: node?.toString() ?? 'A command outside of a pipeline' };
}

/** The project's directory of input files. */
export function dataDirectory(node: Node | undefined, directory: string): FileBase {
  return { directory, meaning: 'the dataDir of millrace.config.ts', owner: node?.toString() ?? 'A command' };
}

/** A path as people read it: relative to the current directory when it lies below it. */
export function displayPath(path: string): string {
  const short = relative(cwd(), path);
  return short === '' || short.startsWith('..') || short.startsWith(sep) || resolve(short) !== path
    ? path
    : short;
}

/**
 * The text of a file.
 *
 * @throws PipelineError that names the resolved path, when it cannot be read
 */
export async function readText(base: FileBase, file: string): Promise<string> {
  const path = resolve(base.directory, file);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(base, file, error);
  }
}

/**
 * Checks that a file is there.
 *
 * @throws PipelineError that names the resolved path, when it is not a file
 */
export async function checkFile(base: FileBase, file: string): Promise<string> {
  const path = resolve(base.directory, file);
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  } catch (error) {
    throw unreadable(base, file, error);
  }
  return path;
}

/**
 * A hash of the content of a file, however long it is.
 *
 * @throws PipelineError that names the resolved path, when it cannot be read
 */
export async function hashFile(base: FileBase, file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(resolve(base.directory, file)), hash);
  } catch (error) {
    throw unreadable(base, file, error);
  }
  return hash.digest('hex');
}

/** Why a file cannot be read: names the path, what it is relative to, and the task. */
export function unreadable(base: FileBase, file: string, error: unknown): PipelineError {
  const path = resolve(base.directory, file);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${path} ("${file}" is relative to ${base.meaning}).`;
  const problem =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? `there is no file ${place}`
      : code === 'EISDIR'
        ? `this is a directory, not a file: ${place}`
        : code === 'EACCES'
          ? `no permission to read ${place}`
          : `cannot read ${place} ${error instanceof Error ? error.message : String(error)}`;
  return new PipelineError(`${base.owner}: ${problem}`, { cause: error });
}

function lowerCaseStart(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
