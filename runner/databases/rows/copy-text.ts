/** The text format of Postgres's COPY: a line per row, tabs between values, `\N` for NULL. */
import type { BinaryText, Cell, RowBatch, RowDecoder } from './row.ts';

/** A column that rows are loaded into. */
export interface TargetColumn {
  readonly name: string;
  readonly kind: 'text' | 'bytes';
}

/** Bytes that the column cannot hold. */
export class CopyValueError extends Error {
  override readonly name = 'CopyValueError';
}

/** Lines for a batch of rows. */
export function encodeCopyText(
  { rows }: RowBatch,
  columns: readonly TargetColumn[],
  binary: BinaryText,
): string {
  let text = '';
  for (const row of rows) {
    let line = '';
    row.forEach((cell, index) => {
      if (index > 0) line += '\t';
      const column = columns[index];
      line += cell === null ? '\\N' : column === undefined ? '' : encode(cell, column, binary);
    });
    text += `${line}\n`;
  }
  return text;
}

function encode(cell: string | Buffer, { name, kind }: TargetColumn, binary: BinaryText): string {
  if (kind === 'bytes') return `\\\\x${toBytes(cell, binary).toString('hex')}`;
  if (typeof cell !== 'string') {
    throw new CopyValueError(
      `column "${name}" gets bytes that are no text: make it a bytea, or turn them into text in the query`,
    );
  }
  return escapeCopyText(cell);
}

function toBytes(cell: string | Buffer, binary: BinaryText): Buffer {
  if (typeof cell !== 'string') return cell;
  return Buffer.from(cell, binary === 'bytes' ? 'utf8' : binary);
}

export function escapeCopyText(text: string): string {
  if (!/[\\\n\r\t]/.test(text)) return text;
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}

/** Rows of what `COPY … TO STDOUT` gives; it does not tell the names of the columns. */
export const decodeCopyText: RowDecoder = async function* (chunks) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf('\n');
    if (end === -1) {
      rest = text;
      continue;
    }
    rest = text.slice(end + 1);
    yield { columns: [], rows: text.slice(0, end).split('\n').map(decodeLine) };
  }
};

function decodeLine(line: string): Cell[] {
  return line.split('\t').map(field => {
    if (field === '\\N') return null;
    return field.includes('\\')
      ? field.replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character)
      : field;
  });
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
