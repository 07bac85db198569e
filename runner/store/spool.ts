/**
 * The spool: a file that takes up what a run has to say while the store is away. One file per run, below
 * `<state folder>/spool/<database>/`. It begins with a line that names the format and a line of JSON, the
 * {@link SpoolHeader}; then follow records: a line with kind and length, the payload, a newline.
 */
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { stateHome } from './embedded/paths.ts';
import { errorCode } from './errors.ts';
import { processExists } from './process-exists.ts';
import type { StateBatch } from './rows.ts';

export interface SpoolHeader {
  readonly runId: number;
  /** `started_at` of the run in microseconds: tells the run from one of the same id in another database. */
  readonly runStartedMicros: number;
  readonly host: string;
  readonly pid: number;
}

/** `states`: a {@link StateBatch}; `output`: rows as COPY takes them (output-encoder.ts). */
export type SpoolRecord =
  | { readonly kind: 'states'; readonly batch: StateBatch }
  | { readonly kind: 'output'; readonly rows: Buffer };

const FORMAT = 'millrace spool 1';
const SUFFIX = '.spool';
/** The writer shows this often, by the file's time, that it is alive. */
const HEARTBEAT = 5_000;
/** Longest first line of a record. */
const MAX_HEAD = 32;

/** Where the spools of a database are. */
export function spoolFolder(databaseName: string, home: string = stateHome()): string {
  return join(home, 'spool', encodeURIComponent(databaseName));
}

export function spoolPath(folder: string, header: Pick<SpoolHeader, 'runId' | 'runStartedMicros'>): string {
  return join(folder, `${header.runId}.${header.runStartedMicros}${SUFFIX}`);
}

/** The spools in a folder, oldest run first. */
export async function listSpools(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter(name => name.endsWith(SUFFIX));
    const runId = (name: string): number => Number.parseInt(name, 10);
    return names.sort((a, b) => runId(a) - runId(b)).map(name => join(folder, name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * The spool of a run that goes on. The file is made when the first record comes. Records are written in the
 * background, in order; when that fails, the file is cut back to its last whole record, what comes is kept in memory,
 * and `onFailure` is called, once.
 */
export class Spool {
  readonly path: string;
  readonly #header: SpoolHeader;
  readonly #onFailure: (error: Error) => void;
  #file: FileHandle | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #failure: Error | null = null;
  #start = 0;
  #end = 0;
  #appended = 0;

  constructor(folder: string, header: SpoolHeader, onFailure: (error: Error) => void) {
    this.path = spoolPath(folder, header);
    this.#header = header;
    this.#onFailure = onFailure;
  }

  /** Bytes that are in memory only. */
  get pendingBytes(): number {
    return this.#queuedBytes;
  }

  /** Records appended so far. */
  get appended(): number {
    return this.#appended;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** Position of the first record; 0 while there is no file. */
  get start(): number {
    return this.#start;
  }

  /** Position after the last record in the file. */
  get end(): number {
    return this.#end;
  }

  append(record: SpoolRecord): void {
    const bytes = encodeRecord(record);
    this.#appended++;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#failure === null) this.#writing ??= this.#write();
  }

  /** When everything that was appended is in the file, or cannot be. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Tries again to write what could not be written. */
  async retry(): Promise<void> {
    await this.settled();
    this.#failure = null;
    this.#writing ??= this.#write();
    await this.settled();
  }

  /** The record at a position of the file; `null` at its end. */
  async read(position: number): Promise<{ readonly record: SpoolRecord; readonly next: number } | null> {
    if (this.#file === null || position >= this.#end) return null;
    return await readRecord(this.#file, position);
  }

  /** The first of the records that are in memory because the file cannot be written. */
  get unwritten(): SpoolRecord | undefined {
    const bytes = this.#queue[0];
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  /** Forgets {@link unwritten}, which is in the store now. */
  dropUnwritten(): void {
    this.#queuedBytes -= this.#queue.shift()?.length ?? 0;
  }

  /** Writes what is left down to the disk and lets go of the file, which stays. */
  async seal(): Promise<void> {
    await this.settled();
    await this.#file?.sync();
    // Nobody shows signs of life by it any more, although the process may live on.
    await this.#file?.utimes(0, 0);
    await this.#close();
  }

  /** Everything in it has been stored: removes the file. */
  async remove(): Promise<void> {
    await this.settled();
    await this.#close();
    await rm(this.path, { force: true });
  }

  async #close(): Promise<void> {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    await this.#file?.close();
    this.#file = null;
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await this.#create();
      for (let bytes = this.#queue[0]; bytes !== undefined; bytes = this.#queue[0]) {
        await writeAt(this.#file, bytes, this.#end);
        this.#end += bytes.length;
        this.#queuedBytes -= bytes.length;
        this.#queue.shift();
      }
    } catch (error) {
      await this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#writing = null;
    }
  }

  async #create(): Promise<FileHandle> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'wx+', 0o600);
    try {
      const head = Buffer.from(`${FORMAT}\n${JSON.stringify(this.#header)}\n`);
      await writeAt(file, head, 0);
      this.#start = this.#end = head.length;
    } catch (error) {
      await file.close();
      await rm(this.path, { force: true });
      throw error;
    }
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      file.utimes(now, now).catch(() => undefined); // only a sign of life; writing tells of a broken disk
    }, HEARTBEAT).unref();
    return file;
  }

  async #fail(error: Error): Promise<void> {
    const first = this.#failure === null;
    this.#failure = error;
    try {
      await this.#file?.truncate(this.#end);
    } catch {
      // A reader stops at a record that is not whole.
    }
    if (first) this.#onFailure(error);
  }
}

/** A spool that somebody else has left. */
export class AbandonedSpool implements AsyncDisposable {
  readonly header: SpoolHeader;
  readonly #file: FileHandle;
  readonly #start: number;

  private constructor(file: FileHandle, header: SpoolHeader, start: number) {
    this.#file = file;
    this.header = header;
    this.#start = start;
  }

  /** `null` when the file is gone, or so young that its first lines are not whole. */
  static async open(path: string): Promise<AbandonedSpool | null> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0);
    const [format, json, ...rest] = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (format === undefined || json === undefined || rest.length === 0 || format !== FORMAT) {
      await file.close();
      if (rest.length > 0 && format !== FORMAT)
        throw new Error(`${path} is not a spool of this version of Millrace.`);
      return null;
    }
    return new AbandonedSpool(file, parseHeader(path, json), Buffer.byteLength(`${format}\n${json}\n`));
  }

  /** Whether the process that writes it is still there: then it is not abandoned at all. */
  async isOwned(): Promise<boolean> {
    const age = Date.now() - (await this.#file.stat()).mtimeMs;
    if (age > 12 * HEARTBEAT) return false;
    return this.header.host !== hostname() || processExists(this.header.pid);
  }

  /** Its records in order; ends at one that is not whole. */
  async *records(): AsyncGenerator<SpoolRecord> {
    let position = this.#start;
    for (;;) {
      const found = await readRecord(this.#file, position);
      if (found === null) return;
      yield found.record;
      position = found.next;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function parseHeader(path: string, json: string): SpoolHeader {
  const value: unknown = JSON.parse(json);
  if (typeof value === 'object' && value !== null && 'runId' in value && 'runStartedMicros' in value) {
    const { runId, runStartedMicros } = value;
    const host = 'host' in value ? String(value.host) : '';
    const pid = 'pid' in value ? Number(value.pid) : 0;
    if (typeof runId === 'number' && typeof runStartedMicros === 'number')
      return { runId, runStartedMicros, host, pid };
  }
  throw new Error(`${path} is damaged: its second line does not name a run.`);
}

function encodeRecord(record: SpoolRecord): Buffer {
  const payload = record.kind === 'output' ? record.rows : Buffer.from(JSON.stringify(record.batch));
  return Buffer.concat([Buffer.from(`${record.kind} ${payload.length}\n`), payload, Buffer.from('\n')]);
}

function decodeRecord(bytes: Buffer): SpoolRecord {
  const newline = bytes.indexOf('\n');
  const payload = bytes.subarray(newline + 1, -1);
  return toRecord(bytes.toString('latin1', 0, newline).startsWith('output'), payload);
}

function toRecord(isOutput: boolean, payload: Buffer): SpoolRecord {
  if (isOutput) return { kind: 'output', rows: payload };
  // Written by this very program: the format's version is checked when the file is opened.
  const batch = JSON.parse(payload.toString('utf8')) as StateBatch;
  return { kind: 'states', batch };
}

async function readRecord(
  file: FileHandle,
  position: number,
): Promise<{ readonly record: SpoolRecord; readonly next: number } | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HEAD), 0, MAX_HEAD, position);
  const head = /^(output|states) (\d+)\n/.exec(buffer.toString('latin1', 0, bytesRead));
  if (head === null) return null;
  const length = Number(head[2]);
  const payload = Buffer.allocUnsafe(length + 1);
  const start = position + head[0].length;
  let read = 0;
  while (read < payload.length) {
    const part = await file.read(payload, read, payload.length - read, start + read);
    if (part.bytesRead === 0) return null;
    read += part.bytesRead;
  }
  return { record: toRecord(head[1] === 'output', payload.subarray(0, length)), next: start + length + 1 };
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const part = await file.write(bytes, written, bytes.length - written, position + written);
    written += part.bytesWritten;
  }
}
