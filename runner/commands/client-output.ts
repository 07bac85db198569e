/** The rows of a query of a command line client in the format of a file. */
import { PipelineError } from '../api/errors.ts';
import type { ClientDatabase } from '../databases/client-database.ts';
import { psqlCopy } from '../databases/clients/psql.ts';
import { oneQuery } from '../databases/copy-ends.ts';
import type { Cell, RowBatch } from '../databases/rows/row.ts';
import type { SqlSource } from '../databases/sql-error.ts';
import type { CsvFormat, TextFormat } from './formats.ts';
import { writeStatement } from './write-statement.ts';

export interface ClientQuery {
  readonly source: SqlSource;
  readonly format: TextFormat;
  readonly timezone: string | undefined;
  /** Takes what the client says on standard error. */
  readonly onError: (text: string) => void;
  /** Is told of rows; not by psql, which does not count what it copies. */
  readonly onRows: (count: number) => void;
}

/** The text of the file, as it comes. */
export async function* clientRows(
  database: ClientDatabase,
  { source, format, timezone, onError, onRows }: ClientQuery,
): AsyncGenerator<Buffer | string> {
  const { definition } = database;
  if (definition.type === 'postgresql') {
    const { text } = writeStatement(oneQuery(source).text, format);
    yield* database.output(psqlCopy(await database.program(), definition, text, timezone), onError);
    return;
  }
  if (timezone !== undefined && !database.client.hasTimezone) {
    throw new PipelineError(
      `Database "${database.alias}": a session of ${database.typeName} gets no time zone from its client. Leave out timezone.`,
    );
  }
  const { batches } = await database.rows(source.script, { timezone, onError });
  let isFirst = true;
  for await (const batch of batches) {
    yield format.kind === 'csv' ? csvLines(batch, format, isFirst) : jsonLines(batch);
    isFirst = false;
    onRows(batch.rows.length);
  }
}

function csvLines({ columns, rows }: RowBatch, format: CsvFormat, isFirst: boolean): string {
  const lines = rows.map(row => row.map(cell => csvField(cell, format)).join(format.delimiter));
  if (isFirst && format.header !== false) {
    lines.unshift(columns.map(name => csvField(name, format)).join(format.delimiter));
  }
  return `${lines.join('\n')}\n`;
}

function csvField(cell: Cell, { delimiter, quote, nullValue }: CsvFormat): string {
  if (cell === null) return nullValue;
  const text = textOf(cell);
  const isQuoted = text === nullValue || [delimiter, quote, '\n', '\r'].some(part => text.includes(part));
  return isQuoted ? quote + text.replaceAll(quote, quote + quote) + quote : text;
}

function jsonLines({ columns, rows }: RowBatch): string {
  return rows
    .map(row => {
      const members = row.map((cell, index) => [columns[index] ?? '', cell === null ? null : textOf(cell)]);
      return `${JSON.stringify(Object.fromEntries(members))}\n`;
    })
    .join('');
}

/** Bytes as Postgres writes them. */
function textOf(cell: string | Buffer): string {
  return typeof cell === 'string' ? cell : `\\x${cell.toString('hex')}`;
}
