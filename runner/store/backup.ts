/** Writes all that a store holds into a file, while runs go on. */
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { latestMigration } from '../../migrations/names.ts';
import { runnerVersion } from '../version.ts';
import {
  BACKUP_FORMAT,
  BackupError,
  countRows,
  formatEnd,
  formatHeader,
  formatTableStart,
  tableEnd,
} from './backup-format.ts';
import { errorCode, errorMessage } from './errors.ts';
import type { Store } from './store.ts';

export interface BackupOptions {
  /** What the file's name is relative to. */
  readonly cwd: string;
  /** Called while a table is written or read, with the number of its rows so far. */
  readonly onProgress?: (table: string, rows: number) => void;
}

export interface BackupResult {
  readonly runs: number;
  /** Of all tables. */
  readonly rows: number;
  /** Size of the file. */
  readonly bytes: number;
}

/** Tables with what the migrations have done are made by migrating. */
const notBackedUp = ['migration', 'migration_lock'];

/**
 * Writes the store as it is at one moment. The file is complete or not there: one that exists is replaced at the end.
 *
 * @throws {BackupError} when the file cannot be written.
 */
export async function writeBackup(store: Store, name: string, options: BackupOptions): Promise<BackupResult> {
  const file = resolve(options.cwd, name);
  const temporary = `${file}.${String(process.pid)}.tmp`;
  const counts: Record<string, number> = {};
  const client = await store.connect();
  try {
    await pipeline(
      contents(client, counts, options),
      // Reading must not wait for compressing.
      createGzip({ level: constants.Z_BEST_SPEED }),
      // Output may hold what is nobody else's business.
      createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }),
    );
    const { size } = await stat(temporary);
    await rename(temporary, file);
    const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { runs: counts['run'] ?? 0, rows, bytes: size };
  } catch (error) {
    // What went wrong first says more; where nothing can be written, there is nothing to remove either.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, file);
  } finally {
    await client.end();
  }
}

async function* contents(
  client: Client,
  counts: Record<string, number>,
  { onProgress }: BackupOptions,
): AsyncGenerator<Buffer | string, void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // From the first row on, whoever else reads: the same store gives the same file.
  await client.query('SET LOCAL synchronize_seqscans = off');
  yield formatHeader({
    format: BACKUP_FORMAT,
    schema: latestMigration,
    runnerVersion,
    createdAt: new Date().toISOString(),
    lastRunId: await lastRunId(client),
  });
  for (const { table, columns } of await storeTables(client)) {
    const start = formatTableStart(table, columns);
    yield start;
    let rows = 0;
    for await (const piece of client.query(copyTo(start.replace(/ FROM stdin;\n$/, ' TO STDOUT')))) {
      const bytes = piece as Buffer;
      rows += countRows(bytes);
      onProgress?.(table, rows);
      yield bytes;
    }
    counts[table] = rows;
    yield tableEnd;
  }
  await client.query('COMMIT');
  yield formatEnd(counts);
}

/** All tables that hold something of the user, each after those that it refers to. */
export async function storeTables(
  client: Client,
): Promise<readonly { readonly table: string; readonly columns: readonly string[] }[]> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'millrace'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL ($1)
    GROUP BY c.relname ORDER BY c.relname <> 'run', c.relname`,
    [notBackedUp],
  );
  return rows;
}

async function lastRunId(client: Client): Promise<number | null> {
  const { rows } = await client.query<{ last: number | null }>(
    `SELECT pg_sequence_last_value(pg_get_serial_sequence('millrace.run', 'run_id')) AS last`,
  );
  return rows[0]?.last ?? null;
}

/** What the system says about a file, for the user. */
function fileError(error: unknown, file: string): unknown {
  switch (errorCode(error)) {
    case 'ENOENT':
      return new BackupError(`Cannot write ${file}: the folder ${dirname(file)} does not exist.`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new BackupError(`Cannot write ${file}: you may not write into ${dirname(file)}.`, {
        cause: error,
      });
    case 'EISDIR':
      return new BackupError(`Cannot write ${file}: it is a folder.`, { cause: error });
    case 'ENOSPC':
    case 'EDQUOT':
      return new BackupError(`Cannot write ${file}: the disk is full. Nothing was written.`, {
        cause: error,
      });
    case 'ENOTDIR':
      return new BackupError(`Cannot write ${file}: ${errorMessage(error)}.`, { cause: error });
    default:
      return error;
  }
}
