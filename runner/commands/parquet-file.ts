/** Reads Parquet files into the data of `COPY … FROM STDIN`, a group of rows at a time. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetParsers,
  parquetRead,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { checkFile, displayPath } from './files.ts';
import { FileLoadError, type InputFile } from './input.ts';
import { escapeText, type TableColumn } from './json-lines.ts';
import type { CopySource } from './load-records.ts';
import { parquetText } from './parquet-values.ts';

/** Rows that are read at once, where the file says where its pages are; otherwise it is a whole group of rows. */
const ROWS_AT_ONCE = 1 << 16;

/** Text of `COPY` is handed on in pieces of about this many characters. */
const PIECE = 1 << 16;

/** What the library does not unpack itself, Node does. */
const compressors: Compressors = {
  GZIP: input => gunzipSync(input),
  BROTLI: input => brotliDecompressSync(input),
  ZSTD: input => zstdDecompressSync(input),
};

/** Everything as text or JSON: a `Date` has milliseconds only. Values of plain columns are converted in parquet-values. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value: bigint) => timestamp(BigInt(value) * 1_000_000n),
  timestampFromMicroseconds: (value: bigint) => timestamp(BigInt(value) * 1000n),
  timestampFromNanoseconds: (value: bigint) => timestamp(value),
  dateFromDays: (days: number | undefined) => days ?? undefined,
};

/** The data of a Parquet file, matched with the columns of the table by name. */
export function parquetSource(file: InputFile, table: string): CopySource {
  return async function* copies(columns) {
    const path = await checkFile(file.base, file.file);
    const name = displayPath(path);
  };
}
