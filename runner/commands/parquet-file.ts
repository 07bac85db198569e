/** Reads Parquet files into the data of `COPY … FROM STDIN`, a stretch of rows at a time. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
} from 'hyparquet';
import { checkFile, displayPath } from './files.ts';
import { FileLoadError, type InputFile } from './input.ts';
import { escapeText, type TableColumn } from './json-lines.ts';
import type { CopySource } from './load-records.ts';
import { type Annotation, type Annotations, columnWriter } from './parquet-values.ts';

/** Rows that are read at once where the file tells where its pages are; otherwise it is a whole group of rows. */
const ROWS_AT_ONCE = 1 << 16;

/** Text of `COPY` is handed on in pieces of about this many characters. */
const PIECE = 1 << 16;

/** What the library does not unpack itself, Node does. */
const compressors: Compressors = {
  GZIP: input => gunzipSync(input),
  BROTLI: input => brotliDecompressSync(input),
  ZSTD: input => zstdDecompressSync(input),
};

interface OpenFile {
  /** For messages. */
  readonly name: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly annotations: Annotations;
}

/** The data of a Parquet file; its columns are matched with those of the table by their names. */
export function parquetSource(input: InputFile, table: string): CopySource {
  return async function* copies(columns) {
    const path = await checkFile(input.base, input.file);
    const open = await openFile(path);
    const names = parquetSchema(open.metadata).children.map(({ element }) => element.name);
    const unknown = names.filter(name => !columns.some(column => column.name === name));
    if (unknown.length > 0) {
      const known = columns.map(({ name }) => name).join(', ');
      const missing = unknown.map(name => `"${name}"`).join(', ');
      throw new FileLoadError(`${open.name}: table ${table} has no column ${missing}. It has: ${known}.`);
    }
    yield {
      columns: names,
      options: '',
      data: copyText(open, columns),
      place: line => `${open.name}, row ${String(line)}`,
    };
  };
}

async function openFile(path: string): Promise<OpenFile> {
  const name = displayPath(path);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file, { geoparquet: false });
    return { name, file, metadata, annotations: takeAnnotations(metadata) };
  } catch (error) {
    throw unreadableParquet(name, error);
  }
}

/**
 * Makes the library hand on values as they are stored: by itself it turns decimals into floating point numbers and cuts
 * times to milliseconds. Texts stay, because they are the keys of maps.
 */
function takeAnnotations(metadata: FileMetaData): Annotations {
  const annotations = new Map<string, Annotation>();
  const visit = (tree: ReturnType<typeof parquetSchema>): void => {
    for (const child of tree.children) visit(child);
    const { element } = tree;
    if (tree.children.length > 0 || isText(element)) return;
    const { converted_type, logical_type, scale } = element;
    annotations.set(tree.path.join('.'), {
      ...(converted_type === undefined ? {} : { converted_type }),
      ...(logical_type === undefined ? {} : { logical_type }),
      ...(scale === undefined ? {} : { scale }),
    });
    delete element.converted_type;
    delete element.logical_type;
  };
  visit(parquetSchema(metadata));
  return annotations;
}

function isText({ converted_type: converted, logical_type: logical }: Annotation): boolean {
  return converted === 'UTF8' || logical?.type === 'STRING';
}

async function* copyText(open: OpenFile, targets: readonly TableColumn[]): AsyncGenerator<string> {
  const { metadata, annotations, name } = open;
  const columns = parquetSchema(metadata).children.map(tree => {
    const target = targets.find(column => column.name === tree.element.name);
    return {
      name: tree.element.name,
      write: columnWriter({ tree, annotations, target: target ?? { name: '', type: 'text' } }),
    };
  });
  let piece = '';
  for (const [start, end] of stretches(metadata)) {
    const values = await readColumns(open, start, end);
    const read = columns.map(column => ({ write: column.write, values: values.get(column.name) ?? [] }));
    for (let row = 0; row < end - start; row++) {
      let line = '';
      try {
        for (const column of read) {
          const text = column.write(column.values[row]);
          line += `\t${text === null ? '\\N' : escapeText(text)}`;
        }
      } catch (error) {
        throw new FileLoadError(`${name}, row ${String(start + row + 1)}: ${messageOf(error)}.`, {
          cause: error,
        });
      }
      piece += `${line.slice(1)}\n`;
      if (piece.length >= PIECE) {
        yield piece;
        piece = '';
      }
    }
  }
  if (piece !== '') yield piece;
}

/** Rows to read at once, from and to, within one group of rows each. */
function* stretches({ row_groups: groups }: FileMetaData): Generator<readonly [start: number, end: number]> {
  let start = 0;
  for (const group of groups) {
    const end = start + Number(group.num_rows);
    const hasPageIndex = group.columns.every(column => column.offset_index_offset !== undefined);
    while (start < end) {
      const next = hasPageIndex ? Math.min(end, start + ROWS_AT_ONCE) : end;
      yield [start, next];
      start = next;
    }
  }
}

/** The values of some rows by the name of the column: a row would be one more object for each of them. */
async function readColumns(
  { file, metadata, name }: OpenFile,
  start: number,
  end: number,
): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const columns = new Map<string, unknown[]>();
  try {
    await parquetRead({
      file,
      metadata,
      compressors,
      rowStart: start,
      rowEnd: end,
      utf8: false,
      geoparquet: false,
      useOffsetIndex: true,
      parsers: { timestampFromNanoseconds: (sinceEpoch: bigint) => sinceEpoch },
      onChunk({ columnName, columnData, rowStart }) {
        let values = columns.get(columnName);
        if (values === undefined) columns.set(columnName, (values = []));
        const from = Math.max(start, rowStart);
        const to = Math.min(end, rowStart + columnData.length);
        for (let row = from; row < to; row++) values[row - start] = columnData[row - rowStart];
      },
    });
  } catch (error) {
    throw unreadableParquet(name, error);
  }
  return columns;
}

function unreadableParquet(name: string, error: unknown): FileLoadError {
  const message = messageOf(error);
  const problem = message.includes('unsupported compression codec')
    ? `${message}. Write the file with snappy, gzip, zstd or no compression`
    : `not a Parquet file, or a damaged one (${message})`;
  return new FileLoadError(`${name}: ${problem}.`, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
