/** Turns lines of JSON into the data of `COPY … FROM STDIN`. */
import { describeValue } from '../api/errors.ts';
import { isRawNumber, parseExactly } from '../databases/rows/exact-json.ts';

export interface TableColumn {
  readonly name: string;
  /** The type's name, without length or precision: `character varying`, `bigint[]`. */
  readonly type: string;
}

export interface JsonLinesOptions {
  readonly columns: readonly TableColumn[];
  /** For messages. */
  readonly file: string;
  readonly table: string;
}

/** A line that cannot be loaded. */
export class JsonLineError extends Error {
  override readonly name = 'JsonLineError';
}

type Json = Readonly<Record<string, unknown>>;

/** Text of `COPY` is handed on in pieces of about this many characters. */
const PIECE = 1 << 16;

/**
 * Reads the lines of a file once. The columns are the keys that have been met: when a line brings a new one, the copy
 * ends and another one with more columns begins, in the same transaction.
 *
 * Use: while {@link nextKeys} gives keys, copy {@link records} into the columns of these names.
 */
export class JsonLinesReader {
  readonly #options: JsonLinesOptions;
  readonly #columns: ReadonlyMap<string, TableColumn>;
  readonly #lines: AsyncGenerator<string[]>;
  #batch: readonly string[] = [];
  #inBatch = 0;
  /** Lines of the file that were read. */
  #line = 0;
  readonly #keys = new Map<string, TableColumn>();
  #pending: Json | undefined;
  /** The file's lines of the records of this copy: where they begin, and which ones were blank. */
  #firstLine = 0;
  #blankLines: number[] = [];

  constructor(chunks: AsyncIterable<Buffer>, options: JsonLinesOptions) {
    this.#options = options;
    this.#columns = new Map(options.columns.map(column => [column.name, column]));
    this.#lines = splitLines(chunks, line => this.#problem(line, 'not valid UTF-8'));
  }

  /** The keys for the next copy; `null` at the end of the file. */
  async nextKeys(): Promise<readonly string[] | null> {
    this.#pending ??= await this.#next();
    if (this.#pending === undefined) return null;
    this.#addKeys(this.#pending);
    this.#firstLine = this.#line;
    this.#blankLines = [];
    return [...this.#keys.keys()];
  }

  /** Data for the copy, up to a record with a key that it has no column for. */
  async *records(): AsyncGenerator<string> {
    let piece = '';
    for (let record = this.#pending; record !== undefined; record = await this.#next()) {
      this.#pending = record;
      if (this.#hasNewKey(record)) break;
      piece += this.#copyLine(record);
      this.#pending = undefined;
      if (piece.length >= PIECE) {
        yield piece;
        piece = '';
      }
    }
    if (piece !== '') yield piece;
  }

  /** The file's line of a line of the copy that runs. */
  fileLine(copyLine: number): number {
    let line = this.#firstLine + copyLine - 1;
    for (const blank of this.#blankLines) if (blank <= line) line++;
    return line;
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined);
  }

  async #next(): Promise<Json | undefined> {
    for (;;) {
      while (this.#inBatch >= this.#batch.length) {
        const next = await this.#lines.next();
        if (next.done === true) return undefined;
        this.#batch = next.value;
        this.#inBatch = 0;
      }
      const text = this.#batch[this.#inBatch++] ?? '';
      this.#line++;
      if (text.trim() === '') this.#blankLines.push(this.#line);
      else return this.#parse(text);
    }
  }

  #parse(text: string): Json {
    let value: unknown;
    try {
      value = parseExactly(text);
    } catch (error) {
      throw this.#problem(
        this.#line,
        `not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isRawNumber(value)) {
      throw this.#problem(this.#line, `a line must be a JSON object, not ${describeValue(JSON.parse(text))}`);
    }
    return value as Json;
  }

  #hasNewKey(record: Json): boolean {
    for (const key in record) if (!this.#keys.has(key)) return true;
    return false;
  }

  #addKeys(record: Json): void {
    for (const key of Object.keys(record)) {
      const column = this.#columns.get(key);
      if (column === undefined) {
        const known = this.#options.columns.map(({ name }) => name).join(', ');
        throw this.#problem(
          this.#line,
          `table ${this.#options.table} has no column "${key}". It has: ${known}`,
        );
      }
      this.#keys.set(key, column);
    }
    if (this.#keys.size === 0)
      throw this.#problem(this.#line, 'the first line names no column: it is an empty object');
  }

  #copyLine(record: Json): string {
    let line = '';
    for (const [key, column] of this.#keys) {
      line += `\t${Object.hasOwn(record, key) ? copyValue(record[key], column) : '\\N'}`;
    }
    return `${line.slice(1)}\n`;
  }

  #problem(line: number, message: string): JsonLineError {
    return new JsonLineError(`${this.#options.file}:${String(line)}: ${message}.`);
  }
}

/** A value in the text format of COPY. JSON's null is NULL, also for a column of JSON. */
function copyValue(value: unknown, column: TableColumn): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'string' && !isJson(column)) return escapeText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return escapeText(JSON.stringify(value));
}

/** Whether the column takes any JSON value, texts included. */
export function isJson({ type }: TableColumn): boolean {
  return type === 'json' || type === 'jsonb';
}

/** A text in the text format of COPY. */
export function escapeText(text: string): string {
  if (!/[\\\n\r\t]/.test(text)) return text;
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}

const NEWLINE = 10;

/** Splits bytes into lines, a batch for each chunk. */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  invalid: (line: number) => Error,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: Buffer[] = [];
  let line = 0;
  const decode = (bytes: Buffer): string[] => {
    try {
      const lines = decoder.decode(bytes).split('\n');
      line += lines.length;
      return lines;
    } catch {
      throw invalid(line + 1 + invalidLine(bytes));
    }
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) {
      rest.push(chunk);
      continue;
    }
    const batch = Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    yield decode(batch);
  }
  if (rest.length > 0) yield decode(Buffer.concat(rest));
}

/** Which line, from 0, is not valid UTF-8. */
function invalidLine(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return line;
}
