/** A script of INSERT statements in one transaction, for clients that have no faster way that keeps all values. */
import type { Cell, RowBatch } from './row.ts';

export interface InsertDialect {
  readonly begin: string;
  /** A text as a literal. */
  text(value: string): string;
}

const ROWS = 500;
/** Statements are cut at about this many characters: servers limit them. */
const CHARACTERS = 1 << 18;

/** The script; `onRows` is told of rows once they are in it. Without the last line nothing of it lasts. */
export async function* insertScript(
  table: string,
  batches: AsyncIterable<RowBatch>,
  dialect: InsertDialect,
  onRows: (count: number) => void,
): AsyncGenerator<string> {
  yield `${dialect.begin};\n`;
  for await (const { rows } of batches) {
    let values: string[] = [];
    let size = 0;
    for (const row of rows) {
      const tuple = `(${row.map(cell => literal(cell, dialect)).join(', ')})`;
      values.push(tuple);
      size += tuple.length;
      if (values.length < ROWS && size < CHARACTERS) continue;
      yield statement(table, values);
      values = [];
      size = 0;
    }
    if (values.length > 0) yield statement(table, values);
    onRows(rows.length);
  }
  yield 'COMMIT;\n';
}

function statement(table: string, values: readonly string[]): string {
  return `INSERT INTO ${table} VALUES\n${values.join(',\n')};\n`;
}

function literal(cell: Cell, dialect: InsertDialect): string {
  if (cell === null) return 'NULL';
  return typeof cell === 'string' ? dialect.text(cell) : `X'${cell.toString('hex')}'`;
}
