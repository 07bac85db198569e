/**
 * Tar archives, as far as the archive of the Postgres programs needs them: files with their modes, directories,
 * symbolic links, long names (GNU). Modes, owners and times of the machine that packs are left out.
 */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';

/** What an archive holds; paths have `/` and are relative. */
export type TarEntry =
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 'file';
      readonly path: string;
      readonly executable: boolean;
      readonly content: Uint8Array;
    }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

const BLOCK = 512;

/** Keeps all threads of the pool busy without holding many files in memory. */
const WRITES_AT_ONCE = 16;

/**
 * Reads an archive.
 *
 * @throws {Error} when it is cut off or damaged.
 */
export function* readTar(archive: Buffer): Generator<TarEntry> {
  let longPath: string | undefined;
  let longTarget: string | undefined;
  for (let position = 0; ;) {
    const header = archive.subarray(position, position + BLOCK);
    if (header.length < BLOCK) throw new Error('the archive is cut off');
    if (header.every(byte => byte === 0)) return;
    if (checksum(header) !== octal(header, 148, 8))
      throw new Error(`the archive is damaged at byte ${position}`);
    const size = octal(header, 124, 12);
    const start = position + BLOCK;
    position = start + Math.ceil(size / BLOCK) * BLOCK;
    if (position > archive.length) throw new Error('the archive is cut off');
    const content = archive.subarray(start, start + size);
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L') {
      longPath = text(content, 0, size);
      continue;
    }
    if (type === 'K') {
      longTarget = text(content, 0, size);
      continue;
    }
    const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
    const name = text(header, 0, 100);
    const path = longPath ?? (prefix === '' ? name : `${prefix}/${name}`);
    const target = longTarget ?? text(header, 157, 100);
    longPath = longTarget = undefined;
    if (type === '5') yield { type: 'directory', path: path.replace(/\/$/, '') };
    else if (type === '2') yield { type: 'link', path, target };
    else if (type === '0' || type === '\0') {
      yield { type: 'file', path, executable: (octal(header, 100, 8) & 0o100) !== 0, content };
    }
  }
}

/**
 * Writes entries into an existing directory. Nothing is written outside of it.
 *
 * @throws {Error} when an entry or the target of a link would leave the directory.
 */
export async function unpackEntries(
  entries: Iterable<TarEntry> | AsyncIterable<TarEntry>,
  directory: string,
): Promise<void> {
  const folders = new Set([directory]);
  let files: { readonly path: string; readonly entry: Extract<TarEntry, { type: 'file' }> }[] = [];
  const writeFiles = async (): Promise<void> => {
    const batch = files;
    files = [];
    await Promise.all(
      batch.map(async ({ path, entry }) => {
        await writeFile(path, entry.content);
        // Not by an option of writeFile: the umask would take away the others' right to read.
        await chmod(path, entry.executable ? 0o755 : 0o644);
      }),
    );
  };
  const makeFolder = async (path: string): Promise<void> => {
    if (folders.has(path)) return;
    await makeFolder(dirname(path));
    await mkdir(path, { recursive: true });
    await chmod(path, 0o755);
    folders.add(path);
  };
  for await (const entry of entries) {
    const path = inside(directory, join(directory, entry.path), entry.path);
    await makeFolder(entry.type === 'directory' ? path : dirname(path));
    if (entry.type === 'file') {
      if (files.push({ path, entry }) === WRITES_AT_ONCE) await writeFiles();
    } else if (entry.type === 'link') {
      if (isAbsolute(entry.target)) throw new Error(`the link ${entry.path} leads out of the archive`);
      inside(directory, join(dirname(path), entry.target), entry.path);
      await symlink(entry.target, path);
    }
  }
  await writeFiles();
}

/** Packs entries; the same entries give the same bytes. */
export function packTar(entries: Iterable<TarEntry>): Buffer {
  const blocks: Uint8Array[] = [];
  const add = (type: string, path: string, mode: number, content: Uint8Array, target = ''): void => {
    blocks.push(header(type, path, mode, content.length, target), content);
    blocks.push(Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  };
  const nothing = Buffer.alloc(0);
  for (const entry of entries) {
    const target = entry.type === 'link' ? entry.target : '';
    if (Buffer.byteLength(target) > 100) add('K', '././@LongLink', 0o644, Buffer.from(`${target}\0`));
    if (Buffer.byteLength(entry.path) > 100) add('L', '././@LongLink', 0o644, Buffer.from(`${entry.path}\0`));
    if (entry.type === 'file') add('0', entry.path, entry.executable ? 0o755 : 0o644, entry.content);
    else if (entry.type === 'link') add('2', entry.path, 0o777, nothing, target);
    else add('5', entry.path, 0o755, nothing);
  }
  blocks.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(blocks);
}

function header(type: string, path: string, mode: number, size: number, target: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (value: string, offset: number, length: number): void => {
    Buffer.from(value).copy(block, offset, 0, length);
  };
  const number = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  put(path, 0, 100);
  put(number(mode, 7), 100, 8);
  put(number(0, 7), 108, 8);
  put(number(0, 7), 116, 8);
  put(number(size, 11), 124, 12);
  put(number(0, 11), 136, 12);
  put(type, 156, 1);
  put(target, 157, 100);
  put('ustar\u000000', 257, 8);
  put(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}

/** The sum of the header's bytes, where the checksum itself counts as blanks. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

function text(bytes: Buffer, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function octal(bytes: Buffer, offset: number, length: number): number {
  const digits = text(bytes, offset, length).trim();
  if (digits === '') return 0;
  const value = /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : NaN;
  if (Number.isNaN(value)) throw new Error('the archive is damaged: a number was expected in a header');
  return value;
}

function inside(directory: string, path: string, name: string): string {
  const way = relative(directory, path);
  if (way.startsWith('..') || isAbsolute(way)) throw new Error(`the entry ${name} leads out of the archive`);
  return path;
}
