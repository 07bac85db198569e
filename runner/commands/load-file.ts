/** Streams a file into a table of Postgres. */
import { resolve } from 'node:path';
import type { PostgresSession } from '../databases/postgres.ts';
import { displayPath } from './files.ts';
import type { FileFormat } from './formats.ts';
import { fileInput, type Input, type InputFile } from './input.ts';
import { type CopySource, loadRecords, type LoadResult, textSource } from './load-records.ts';

export interface FileLoad extends InputFile {
  /** As it is written in SQL. */
  readonly table: string;
  readonly format: FileFormat;
  /** Whether of records that are the same in all columns one is loaded. Default: false. */
  readonly makeUnique?: boolean;
  /** Turns what the file holds into what is loaded; not for Parquet. Default: nothing changes. */
  readonly filter?: ((input: Input) => Input) | undefined;
}

/**
 * Loads all records of a file, or none. When a transaction is open, they are part of that; else they have one of their
 * own.
 *
 * @throws FileLoadError for a record that the table does not take; PipelineError for a file that cannot be read
 */
export async function loadFile(session: PostgresSession, load: FileLoad): Promise<LoadResult> {
  const { base, file, table, makeUnique = false } = load;
  const name = displayPath(resolve(base.directory, file));
  return await loadRecords(session, { name, table, makeUnique, source: await sourceOf(load) });
}

async function sourceOf(load: FileLoad): Promise<CopySource> {
  const { format, table, filter } = load;
  if (format.kind === 'parquet') {
    // Few projects have such files.
    const { parquetSource } = await import('./parquet-file.ts');
    return parquetSource(load, table);
  }
  const input = fileInput(load);
  return textSource(filter === undefined ? input : filter(input), format, table);
}
