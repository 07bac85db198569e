/** Rows of the client of SQLite in its mode `quote`: literals of SQL, which tell NULL, texts, numbers and bytes apart. */
import { type Cell, type RowDecoder, RowFormatError } from './row.ts';

/** A literal, and what ends it. Newer clients write control characters as `unistr('\u000a')`. */
const LITERAL = /(?:'((?:[^']|'')*)'|unistr\('((?:[^']|'')*)'\)|[Xx]'([0-9a-fA-F]*)'|([^',\n]+))([,\n])/y;

/** The first row holds the names of the columns. */
export const decodeSqliteQuote: RowDecoder = async function* (chunks) {
  const decoder = new TextDecoder('utf-8');
  let text = '';
  let columns: readonly string[] | undefined;
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const { rows, end } = decodeRows(text);
    text = text.slice(end);
    if (rows.length === 0) continue;
    columns ??= (rows.shift() ?? []).map(String);
    if (rows.length > 0) yield { columns, rows };
  }
  if (text !== '')
    throw new RowFormatError(`the client printed a row that is cut off: ${text.slice(0, 200)}`);
};

/** The complete rows at the start of a text, and where they end. */
function decodeRows(text: string): { readonly rows: Cell[][]; readonly end: number } {
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let end = 0;
  LITERAL.lastIndex = 0;
  for (let match = LITERAL.exec(text); match !== null; match = LITERAL.exec(text)) {
    row.push(toCell(match));
    if (match[5] !== '\n') continue;
    rows.push(row);
    row = [];
    end = LITERAL.lastIndex;
  }
  return { rows, end };
}

function toCell([, quoted, escaped, hex, bare]: RegExpExecArray): Cell {
  if (quoted !== undefined) return quoted.includes("'") ? quoted.replaceAll("''", "'") : quoted;
  if (escaped !== undefined) return fromUnistr(escaped.replaceAll("''", "'"));
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  if (bare === undefined || bare === 'NULL') return null;
  // The client writes more digits of a floating point number than it needs.
  return /[.eE]/.test(bare) ? String(Number(bare)) : bare;
}

function fromUnistr(text: string): string {
  return text.replace(UNICODE, (_, ...codes: (string | undefined)[]) => {
    const code = codes.slice(0, 4).find(each => each !== undefined);
    return code === undefined ? '\\' : String.fromCodePoint(Number.parseInt(code, 16));
  });
}

const UNICODE = /\\(?:u([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|U([0-9a-fA-F]{8})|([0-9a-fA-F]{4})|\\)/g;
