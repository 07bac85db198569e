/** Files that commands write below the project's `dataDir`: never outside of it, and whole or not at all. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { finished } from 'node:stream/promises';
import { describeValue, PipelineError } from '../api/errors.ts';
import { displayPath, type FileBase } from './files.ts';

/** @throws PipelineError unless the value is the name of a file that stays below the directory that it is relative to */
export function checkDataFile(what: string, option: string, file: unknown): asserts file is string {
  if (file === undefined) throw new PipelineError(`${what}: ${option} is missing.`);
  if (typeof file !== 'string' || file === '' || file.includes('\0')) {
    throw new PipelineError(`${what}: ${option} must be the name of a file, not ${describeValue(file)}.`);
  }
  if (isAbsolute(file) || leads(resolve('/data', file), '/data')) {
    throw new PipelineError(
      `${what}: ${option} must be a file below the project's dataDir, and ${describeValue(file)} leads out of it.`,
    );
  }
}

/**
 * The path of a file that may be written or removed.
 *
 * @throws PipelineError when a symbolic link leads out of the directory
 */
export async function writablePath({ directory, owner }: FileBase, file: string): Promise<string> {
  const path = resolve(directory, file);
  const [root, parent] = await Promise.all([
    realpathOfExisting(directory),
    realpathOfExisting(dirname(path)),
  ]);
  if (parent !== root && leads(join(parent, 'file'), root)) {
    throw new PipelineError(
      `${owner}: "${file}" is not below ${directory}: a symbolic link on its way leads to ${parent}.`,
    );
  }
  return path;
}

export interface NewFile extends AsyncDisposable {
  /** Takes the content; whoever writes ends it. */
  readonly stream: WriteStream;
  /** Puts the file in its place, instead of one that is there. Without it nothing changes. */
  commit(): Promise<void>;
}

/** Begins a file beside its later place; disposing of it removes what was not committed. */
export async function newFile(path: string): Promise<NewFile> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${String(process.pid)}.tmp`);
  const stream = createWriteStream(temporary, { highWaterMark: 1 << 18 });
  // Whoever writes gets the error as well; without a listener it would end the process.
  stream.on('error', () => undefined);
  const done = finished(stream);
  done.catch(() => undefined);
  let committed = false;
  return {
    stream,
    async commit() {
      await done;
      // After a crash of the machine, a name must not stand for a file without its content.
      await using file = await open(temporary, 'r+');
      await file.sync();
      await rename(temporary, path);
      committed = true;
    },
    async [Symbol.asyncDispose]() {
      if (committed) return;
      stream.destroy();
      await done.catch(() => undefined);
      await rm(temporary, { force: true });
    },
  };
}

/** Why a file cannot be written. */
export function unwritable(path: string, owner: string, error: unknown): PipelineError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const shown = displayPath(path);
  const problem =
    code === 'EACCES' || code === 'EPERM'
      ? `no permission to write ${shown}`
      : code === 'ENOSPC'
        ? `no space is left for ${shown}`
        : code === 'EISDIR' || code === 'ENOTEMPTY'
          ? `${shown} is a directory`
          : code === 'ENOTDIR' || code === 'EEXIST'
            ? `a part of the path ${shown} is a file, not a directory`
            : `cannot write ${shown}: ${error instanceof Error ? error.message : String(error)}`;
  return new PipelineError(`${owner}: ${problem}.`, { cause: error });
}

/** Whether an error is the file system's. */
export function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error && !('port' in error);
}

/** Whether a path leads out of a directory. */
function leads(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** Of what does not exist yet, the nearest directory that does. */
async function realpathOfExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing || parent === path) throw error;
    return join(await realpathOfExisting(parent), basename(path));
  }
}
