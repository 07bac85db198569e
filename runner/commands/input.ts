/** Input files: what they hold as bytes, unpacked. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ZipFile } from 'yauzl';
import { describeValue, PipelineError } from '../api/errors.ts';
import { checkFile, displayPath, type FileBase, unreadable } from './files.ts';

/** How a file is packed. Of an archive every file is read, in the archive's order. */
export type Compression = 'none' | 'gzip' | 'zip' | 'tar.gz';

/** A file that cannot be loaded. The message names the file and, if one is to blame, its line. */
export class FileLoadError extends Error {
  override readonly name = 'FileLoadError';
}

/** Records that are read from their beginning: a file, or a file in an archive, with a header and a footer of its own. */
export interface InputPart {
  /** What messages call it. */
  readonly name: string;
  /** Its bytes; to be asked for once. */
  chunks(): AsyncGenerator<Buffer>;
}

/** Where records come from. Each part has to be read before the next one is asked for. */
export type Input = () => AsyncGenerator<InputPart>;

export interface InputFile {
  readonly base: FileBase;
  /** Relative to the base. */
  readonly file: string;
  readonly compression: Compression;
}

/** Bytes that are read and handed on at once. */
const CHUNK = 1 << 18;

const endings: readonly (readonly [ending: RegExp, compression: Compression])[] = [
  [/\.(?:tar\.gz|tgz)$/i, 'tar.gz'],
  [/\.gz$/i, 'gzip'],
  [/\.zip$/i, 'zip'],
];

const compressions: readonly string[] = ['none', 'gzip', 'zip', 'tar.gz'] satisfies Compression[];

/** The compression that the ending of a file's name tells. */
export function compressionByName(file: string): Compression {
  return endings.find(([ending]) => ending.test(file))?.[1] ?? 'none';
}

/** @throws PipelineError unless the value is `undefined` or one of the compressions */
export function checkCompression(
  what: string,
  value: unknown,
  allowed: readonly string[] = compressions,
): void {
  if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return;
  const names = allowed.map(name => `"${name}"`);
  throw new PipelineError(
    `${what}: compression must be ${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}, not ${describeValue(value)}.`,
  );
}

/**
 * What a file holds.
 *
 * @throws PipelineError, when the first part is asked for, if it cannot be read; FileLoadError if it cannot be unpacked
 */
export function fileInput(file: InputFile): Input {
  return async function* parts() {
    const path = await checkFile(file.base, file.file);
    const name = displayPath(path);
    switch (file.compression) {
      case 'none':
      case 'gzip':
        yield { name, chunks: () => read(file, path, stream => stream) };
        return;
      case 'zip':
        yield* zipParts(file, path, name);
        return;
      case 'tar.gz':
        yield* tarParts(file, path, name);
        return;
    }
  };
}

async function* read(
  file: InputFile,
  path: string,
  through: (stream: Readable) => AsyncIterable<unknown>,
): AsyncGenerator<Buffer> {
  const raw = createReadStream(path, { highWaterMark: CHUNK });
  const isPacked = file.compression !== 'none';
  const stream = isPacked ? unpack(raw) : raw;
  try {
    for await (const chunk of through(stream)) yield chunk as Buffer;
  } catch (error) {
    throw explainReading(error, file, path);
  } finally {
    raw.destroy();
    stream.destroy();
  }
}

function unpack(raw: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  raw.on('error', error => gunzip.destroy(error));
  return raw.pipe(gunzip);
}

/** Reads the directory at the end of the archive, then one file after the other. */
async function* zipParts(file: InputFile, path: string, name: string): AsyncGenerator<InputPart> {
  const { openPromise } = await import('yauzl');
  let archive: ZipFile;
  try {
    archive = await openPromise(path, { autoClose: false });
  } catch (error) {
    throw explainReading(error, file, path);
  }
  try {
    const entries = archive.eachEntry();
    for (;;) {
      const next = await entries.next().catch((error: unknown) => {
        throw explainReading(error, file, path);
      });
      if (next.done === true) return;
      const entry = next.value;
      if (entry.fileName.endsWith('/')) continue;
      const what = `${name}: ${entry.fileName}`;
      if (!entry.canDecodeFileData()) {
        throw new FileLoadError(
          `${what}: ${entry.isEncrypted() ? 'it is encrypted' : 'it is packed with a method that cannot be read'}.`,
        );
      }
      yield {
        name: what,
        async *chunks() {
          let stream: Readable | undefined;
          try {
            stream = await archive.openReadStreamPromise(entry);
            for await (const chunk of stream) yield chunk as Buffer;
          } catch (error) {
            throw explainReading(error, file, path);
          } finally {
            stream?.destroy();
          }
        },
      };
    }
  } finally {
    archive.close();
  }
}

async function* tarParts(file: InputFile, path: string, name: string): AsyncGenerator<InputPart> {
  const { extract } = await import('tar-stream');
  const raw = createReadStream(path, { highWaterMark: CHUNK });
  const gunzip = unpack(raw);
  const archive = extract();
  gunzip.on('error', error => {
    archive.destroy(error);
  });
  gunzip.pipe(archive);
  const entries = archive[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await entries.next().catch((error: unknown) => {
        throw explainReading(error, file, path);
      });
      if (next.done === true) return;
      const entry = next.value;
      const { type } = entry.header;
      if (type !== 'file' && type !== 'contiguous-file') {
        entry.resume();
        continue;
      }
      yield {
        name: `${name}: ${entry.header.name}`,
        async *chunks() {
          try {
            for await (const chunk of entry) yield chunk as Buffer;
          } catch (error) {
            throw explainReading(error, file, path);
          }
        },
      };
    }
  } finally {
    raw.destroy();
    gunzip.destroy();
    archive.destroy();
  }
}

/** Errors of the libraries that unpack say what is wrong with the bytes; the user needs the file and the remedy. */
function explainReading(error: unknown, { base, file, compression }: InputFile, path: string): Error {
  if (error instanceof FileLoadError || error instanceof PipelineError) return error;
  const shown = displayPath(path);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return new FileLoadError(`${shown}: the ${compression} file is incomplete.`);
  // Errors of the file system have an `errno` that names a system call; all others are about the content.
  if (compression === 'none' || (error instanceof Error && 'syscall' in error))
    return unreadable(base, file, error);
  const detail = code === 'Z_DATA_ERROR' || !(error instanceof Error) ? '' : ` (${error.message})`;
  return new FileLoadError(
    `${shown}: not a ${compression} file, or a damaged one${detail}. Check the option compression.`,
  );
}
