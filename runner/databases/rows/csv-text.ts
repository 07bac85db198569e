/** Rows as CSV, for services that load files. */
import type { BinaryText, Cell, RowBatch } from './row.ts';

/** What stands for NULL; a text that is the same is quoted. */
export const CSV_NULL = '\\N';

/** @param binary how the source wrote bytes as text; bytes themselves become base64 */
export async function* csvText(
  batches: AsyncIterable<RowBatch>,
  onRows: (count: number) => void,
): AsyncGenerator<string> {
  for await (const { rows } of batches) {
    yield rows.map(row => `${row.map(csvField).join(',')}\n`).join('');
    onRows(rows.length);
  }
}

function csvField(cell: Cell): string {
  if (cell === null) return CSV_NULL;
  const text = typeof cell === 'string' ? cell : cell.toString('base64' satisfies BinaryText);
  return text === '' || text === CSV_NULL || /[",\r\n]|^\s|\s$/.test(text)
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
