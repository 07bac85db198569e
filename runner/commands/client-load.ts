/** Loads records of CSV into a database that is reached through its command line client. */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { PipelineError } from '../api/errors.ts';
import type { ClientDatabase } from '../databases/client-database.ts';
import { loadRows } from '../databases/copy-targets.ts';
import type { Cell, RowBatch } from '../databases/rows/row.ts';
import { dropFooter } from './csv-footer.ts';
import type { CsvFormat, FileFormat } from './formats.ts';
import { FileLoadError, type Input, type InputPart } from './input.ts';
import type { LoadResult } from './load-records.ts';

export interface ClientLoad {
  /** The command, for messages. */
  readonly what: string;
  readonly table: string;
  readonly input: Input;
  readonly format: FileFormat;
  readonly makeUnique: boolean;
  readonly timezone: string | undefined;
  /** Takes what the client says on standard error. */
  readonly onError: (text: string) => void;
}

const BATCH = 500;

/**
 * Loads all records or none.
 *
 * @throws PipelineError for what only the bundled client of Postgres can do; FileLoadError for text that is not CSV;
 *   ClientError when the database refuses
 */
export async function loadByClient(database: ClientDatabase, load: ClientLoad): Promise<LoadResult> {
  const { what, table, input, format, makeUnique, timezone, onError } = load;
  const place = `${what} into database "${database.alias}" (${database.typeName}, through its command line client)`;
  if (format.kind !== 'csv') throw new PipelineError(`${place} takes csv() only, not ${format.kind}().`);
  if (format.header === 'match')
    throw new PipelineError(`${place} cannot compare the header. Use header: true.`);
  if (makeUnique) throw new PipelineError(`${place} cannot remove duplicates. Leave out makeUnique.`);
  const loaded = await loadRows(
    database,
    { kind: 'rows', batches: csvRows(input, format), binary: 'bytes' },
    { table, format: { csv: false, delimiter: undefined }, timezone, onError },
  );
  return { read: loaded, loaded };
}

async function* csvRows(input: Input, format: CsvFormat): AsyncGenerator<RowBatch> {
  for await (const part of input()) {
    let rows: Cell[][] = [];
    for await (const record of records(part, format)) {
      rows.push(record);
      if (rows.length < BATCH) continue;
      yield { columns: [], rows };
      rows = [];
    }
    if (rows.length > 0) yield { columns: [], rows };
  }
}

async function* records(part: InputPart, format: CsvFormat): AsyncGenerator<Cell[]> {
  const { delimiter, quote, header, footer, nullValue } = format;
  const parser = parse({
    delimiter,
    quote,
    escape: quote,
    bom: true,
    from: header === false ? 1 : 2,
    skip_empty_lines: true,
    cast: (value, { quoting }) => (!quoting && value === nullValue ? null : value),
  });
  const chunks = part.chunks();
  const source = Readable.from(footer ? dropFooter(chunks) : chunks, { objectMode: false });
  source.on('error', error => parser.destroy(error));
  try {
    for await (const record of source.pipe(parser) as AsyncIterable<Cell[]>) yield record;
  } catch (error) {
    throw error instanceof CsvError ? new FileLoadError(`${part.name}: ${error.message}.`) : error;
  } finally {
    source.destroy();
  }
}
