/** Rows of clients that print JSON: one array of objects, or one object per line. */
import { jsonCell, parseExactly } from './exact-json.ts';
import { type RowBatch, type RowDecoder, RowFormatError } from './row.ts';

/** Reads `[{…}, {…}]`, with or without white space, as it arrives. What stands before the array is passed over. */
export const decodeJsonArray: RowDecoder = async function* (chunks) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const scanner = new ObjectScanner();
  for await (const chunk of chunks) {
    const objects = scanner.add(decoder.decode(chunk, { stream: true }));
    if (objects.length > 0) yield toBatch(objects);
  }
  scanner.end();
};

/** Reads one object per line. Other lines, such as counts of rows, are passed over. */
export const decodeJsonLines: RowDecoder = async function* (chunks) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    const objects = lines.filter(isObjectLine);
    if (objects.length > 0) yield toBatch(objects);
  }
  if (isObjectLine(rest)) yield toBatch([rest]);
};

function isObjectLine(line: string): boolean {
  return line.startsWith('{');
}

function toBatch(texts: readonly string[]): RowBatch {
  let columns: readonly string[] = [];
  const rows = texts.map(text => {
    const record = parse(text);
    columns = Object.keys(record);
    return Object.values(record).map(jsonCell);
  });
  return { columns, rows };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return parseExactly(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new RowFormatError(`the client printed a row that is not valid JSON: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}

/** Cuts the objects out of an array. */
class ObjectScanner {
  #text = '';
  /** Where the scan goes on in the text, and where the object that is open begins. */
  #position = 0;
  #start = 0;
  #state: 'before' | 'inside' | 'after' = 'before';
  #depth = 0;
  #inString = false;

  add(piece: string): string[] {
    this.#text += piece;
    const objects: string[] = [];
    const text = this.#text;
    let position = this.#position;
    for (; position < text.length; position++) {
      const character = text.charCodeAt(position);
      if (this.#inString) {
        if (character === BACKSLASH) {
          // What is escaped may come with the next piece.
          if (position + 1 >= text.length) break;
          position++;
        } else if (character === QUOTE) this.#inString = false;
      } else if (this.#state !== 'inside') {
        if (character === OPEN_ARRAY && this.#state === 'before') this.#state = 'inside';
      } else if (character === QUOTE) this.#inString = true;
      else if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
        if (this.#depth++ === 0) this.#start = position;
      } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
        if (this.#depth === 0) this.#state = 'after';
        else if (--this.#depth === 0) objects.push(text.slice(this.#start, position + 1));
      }
    }
    const kept = this.#depth > 0 ? this.#start : position;
    this.#text = text.slice(kept);
    this.#start = 0;
    this.#position = position - kept;
    return objects;
  }

  end(): void {
    if (this.#state === 'inside') throw new RowFormatError('what the client printed ends in the middle');
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
