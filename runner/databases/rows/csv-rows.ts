/** Rows of clients that print CSV with a header. */
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { Cell, RowBatch, RowDecoder } from './row.ts';

const BATCH = 500;

/** @param nullText what stands for NULL, quoted or not */
export function csvDecoder(nullText: string): RowDecoder {
  return async function* (chunks): AsyncGenerator<RowBatch> {
    const parser = parse({ relax_column_count: false, skip_empty_lines: true });
    const source = Readable.from(chunks, { objectMode: false });
    source.on('error', error => parser.destroy(error));
    const records = source.pipe(parser) as AsyncIterable<string[]>;
    let columns: readonly string[] | undefined;
    let rows: Cell[][] = [];
    for await (const record of records) {
      if (columns === undefined) {
        columns = record;
        continue;
      }
      rows.push(record.map(text => (text === nullText ? null : text)));
      if (rows.length < BATCH) continue;
      yield { columns, rows };
      rows = [];
    }
    if (columns !== undefined && rows.length > 0) yield { columns, rows };
  };
}
