/**
 * The file that holds a backup, compressed with gzip. Inside it is text: a first line that says what it is, then each
 * table as psql would take it (`COPY … FROM stdin;`, rows, `\.`), then a last line with the number of rows of each
 * table, so that a file that ends too early is known.
 */
import { z } from 'zod';

/** Raised when an older Millrace could not read what this one writes. */
export const BACKUP_FORMAT = 1;

/** What the first line says. */
export interface BackupHeader {
  readonly format: number;
  /** The last migration of the store. */
  readonly schema: string;
  readonly runnerVersion: string;
  readonly createdAt: string;
  /** The highest id that a run has had; `null` when there was none. */
  readonly lastRunId: number | null;
}

/** The file cannot be written, read, or must not be restored; the message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  /** What the command line exits with: wrong usage. */
  readonly exitCode = 2;
}

/** A backup is not what it should be; the message, part of a sentence, says in which way. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
}

const headerStart = '-- millrace backup ';
const endStart = '-- end ';

const headerShape = z.object({
  format: z.number(),
  schema: z.string(),
  runnerVersion: z.string(),
  createdAt: z.string(),
  lastRunId: z.number().nullable(),
});
const countsShape = z.record(z.string(), z.number());

export function formatHeader(header: BackupHeader): string {
  return `${headerStart}${JSON.stringify(header)}\n`;
}

/** `null` when the line is not the first one of a backup. */
export function parseHeader(line: string): BackupHeader | null {
  return line.startsWith(headerStart)
    ? (headerShape.safeParse(parseJson(line.slice(headerStart.length))).data ?? null)
    : null;
}

export function formatTableStart(table: string, columns: readonly string[]): string {
  return `COPY millrace.${table} (${columns.join(', ')}) FROM stdin;\n`;
}

/** `null` when the line does not begin a table. Names are plain words, so that nothing else gets into a statement. */
export function parseTableStart(
  line: string,
): { readonly table: string; readonly columns: readonly string[] } | null {
  const [, table, columns] = /^COPY millrace\.(\w+) \((\w+(?:, \w+)*)\) FROM stdin;$/.exec(line) ?? [];
  return table === undefined || columns === undefined ? null : { table, columns: columns.split(', ') };
}

export const tableEnd = '\\.\n';

/** The last line: rows by table. */
export function formatEnd(counts: Readonly<Record<string, number>>): string {
  return `${endStart}${JSON.stringify(counts)}\n`;
}

export function parseEnd(line: string): Readonly<Record<string, number>> | null {
  return line.startsWith(endStart)
    ? (countsShape.safeParse(parseJson(line.slice(endStart.length))).data ?? null)
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a backup's text: lines, and the rows of tables in pieces of any size. */
export class BackupReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /**
   * The next line without its end; `null` at the end of the file, or when it is longer than `limit` bytes and thus none
   * of a backup.
   */
  async line(limit = 64 * 1024): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > limit || !(await this.#more())) return null;
    }
  }

  /**
   * The rows up to the end of the table.
   *
   * @throws {DamageError} when the file ends before.
   */
  async *rows(): AsyncGenerator<Buffer, void> {
    const end = `\n${tableEnd}`;
    // The end follows a line break; before the first row there is none.
    this.#rest = Buffer.concat([Buffer.from('\n'), this.#rest]);
    let invented = 1;
    for (;;) {
      const at = this.#rest.indexOf(end);
      const safe = at >= 0 ? at + 1 : Math.max(invented, this.#rest.length - end.length + 1);
      if (safe > invented) {
        yield this.#rest.subarray(invented, safe);
        invented = 0;
        if (at < 0) this.#rest = this.#rest.subarray(safe);
      }
      if (at >= 0) {
        this.#rest = this.#rest.subarray(at + end.length);
        return;
      }
      if (!(await this.#more())) throw new DamageError('it ends too early');
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    return true;
  }
}

/** Rows in a piece of COPY's text: within a row a line break is written as `\n`. */
export function countRows(piece: Buffer): number {
  let rows = 0;
  for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) rows++;
  return rows;
}
