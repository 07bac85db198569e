/**
 * Rows of the client of MySQL and MariaDB with `--xml`: the only output of it that tells NULL from the text "NULL" and
 * loses nothing of a text but NUL characters. The client writes texts as they are, besides four entities.
 */
import { isUtf8 } from 'node:buffer';
import { type Cell, type RowBatch, type RowDecoder, RowFormatError } from './row.ts';

const FIELD = '<field name="';
const ROW_END = '</row>';
const NIL = '" xsi:nil="true"';
const FIELD_END = '</field>';

/** @param isHex which columns are bytes as hexadecimal digits */
export function mysqlXmlDecoder(isHex: readonly boolean[]): RowDecoder {
  return chunks => decode(chunks, isHex);
}

async function* decode(chunks: AsyncIterable<Buffer>, isHex: readonly boolean[]): AsyncGenerator<RowBatch> {
  // One character per byte: what is text and what bytes is decided value by value.
  let text = '';
  let started = false;
  for await (const chunk of chunks) {
    text += chunk.toString('latin1');
    if (!started) {
      // The statement stands in an attribute before the rows; its brackets are entities.
      const head = /<resultset [^>]*>/.exec(text);
      if (head === null) continue;
      started = true;
      text = text.slice(head.index + head[0].length);
    }
    const end = text.lastIndexOf(ROW_END);
    if (end === -1) continue;
    const rows = text.slice(0, end);
    text = text.slice(end + ROW_END.length);
    yield decodeRows(rows, isHex);
  }
}

function decodeRows(text: string, isHex: readonly boolean[]): { columns: string[]; rows: Cell[][] } {
  const rows: Cell[][] = [];
  let columns: string[] = [];
  for (const row of text.split(ROW_END)) {
    const cells: Cell[] = [];
    const names: string[] = [];
    for (let position = row.indexOf(FIELD); position !== -1; position = row.indexOf(FIELD, position)) {
      const nameStart = position + FIELD.length;
      const nameEnd = row.indexOf('"', nameStart);
      if (rows.length === 0) names.push(String(toCell(row.slice(nameStart, nameEnd))));
      if (row.startsWith(NIL, nameEnd)) {
        cells.push(null);
        position = nameEnd + NIL.length;
        continue;
      }
      const end = row.indexOf(FIELD_END, nameEnd);
      if (nameEnd === -1 || end === -1) throw new RowFormatError('the client printed a row that is cut off');
      const value = row.slice(nameEnd + '">'.length, end);
      cells.push(isHex[cells.length] === true ? Buffer.from(value, 'hex') : toCell(value));
      position = end + FIELD_END.length;
    }
    if (rows.length === 0) columns = names;
    rows.push(cells);
  }
  return { columns, rows };
}

const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' };

function toCell(escaped: string): string | Buffer {
  const text = escaped.includes('&')
    ? escaped.replace(/&(?:lt|gt|quot|amp);/g, entity => entities[entity] ?? entity)
    : escaped;
  if (/^[\0-\x7f]*$/.test(text)) return text;
  const bytes = Buffer.from(text, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}
