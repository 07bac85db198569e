/** Rows on their way from a database that a command line client reads to another database. */

/** A value as text; bytes that are no text; `null` for NULL. */
export type Cell = string | Buffer | null;

/** Consecutive rows of one query. */
export interface RowBatch {
  /** Names of the columns; empty where the source does not tell. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** How a source writes values of binary columns: as they are, or as text. */
export type BinaryText = 'bytes' | 'hex' | 'base64';

/** Makes rows of what a client prints. */
export type RowDecoder = (chunks: AsyncIterable<Buffer>) => AsyncGenerator<RowBatch>;

/** What a client printed is not what it should print. */
export class RowFormatError extends Error {
  override readonly name = 'RowFormatError';
}
