/** Reads what backup.ts wrote into a store. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Client } from 'pg';
import { copyFrom } from '../databases/copy-stream.ts';
import { latestMigration } from '../../migrations/names.ts';
import { type BackupOptions, type BackupResult, storeTables } from './backup.ts';
import {
  BACKUP_FORMAT,
  BackupError,
  type BackupHeader,
  BackupReader,
  countRows,
  DamageError,
  parseEnd,
  parseHeader,
  parseTableStart,
} from './backup-format.ts';
import { errorCode, errorMessage } from './errors.ts';
import { IS_ALIVE_SQL } from './run-lock.ts';
import type { Store } from './store.ts';

export interface RestoreOptions extends BackupOptions {
  /** Whether a store that holds something is emptied first. */
  readonly overwrite: boolean;
}

/**
 * Restores a backup, all of it or nothing.
 *
 * @throws {BackupError} when the file is no backup that fits, or when the store is not empty.
 */
export async function readBackup(
  store: Store,
  name: string,
  options: RestoreOptions,
): Promise<Omit<BackupResult, 'bytes'>> {
  const file = resolve(options.cwd, name);
  const compressed = createReadStream(file);
  const text = createGunzip();
  compressed.on('error', error => text.destroy(error));
  compressed.pipe(text);
  const client = await store.connect();
  try {
    const reader = new BackupReader(text);
    const header = await readHeader(reader, file);
    await client.query('BEGIN');
    await prepareStore(client, store, options.overwrite);
    const counts = await readTables(client, reader, options);
    await setLastRunId(client, header.lastRunId);
    await client.query('COMMIT');
    await client.query('ANALYZE run, node_run, node_output');
    const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { runs: counts['run'] ?? 0, rows };
  } catch (error) {
    throw restoreError(error, file);
  } finally {
    compressed.destroy();
    text.destroy();
    // Ends the transaction if it is open.
    await client.end();
  }
}

async function readHeader(reader: BackupReader, file: string): Promise<BackupHeader> {
  const header = parseHeader((await reader.line()) ?? '');
  if (header === null) throw noBackup(file);
  const { format, schema, runnerVersion } = header;
  if (format > BACKUP_FORMAT) {
    throw new BackupError(
      `${file} was written by a newer Millrace (${runnerVersion}), in a form that this one does not know. Restore it with that one.`,
    );
  }
  if (schema !== latestMigration) {
    throw new BackupError(
      `${file} was written by Millrace ${runnerVersion}, whose store has the schema ${schema}; this Millrace has ` +
        `${latestMigration}. Restore it with Millrace ${runnerVersion}; a newer one brings the store up to date when it opens it.`,
    );
  }
  return header;
}

async function prepareStore(client: Client, store: Store, overwrite: boolean): Promise<void> {
  // Nobody begins a run meanwhile.
  await client.query('LOCK TABLE run IN ACCESS EXCLUSIVE MODE');
  const tables = await storeTables(client);
  const { rows: alive } = await client.query<{ run_id: number }>(
    `SELECT run_id FROM run WHERE status = 'running' AND ${IS_ALIVE_SQL('run_id')} ORDER BY run_id LIMIT 1`,
  );
  if (alive[0] !== undefined) {
    throw new BackupError(
      `Run ${String(alive[0].run_id)} is going on. Wait for it, or end it with "millrace cancel ${String(alive[0].run_id)}".`,
    );
  }
  if (overwrite) {
    await client.query(`TRUNCATE ${tables.map(({ table }) => table).join(', ')}`);
    return;
  }
  const anything = tables.map(({ table }) => `EXISTS (SELECT FROM ${table})`).join(' OR ');
  const { rows } = await client.query<{ filled: boolean; runs: number }>(
    `SELECT ${anything} AS filled, (SELECT count(*) FROM run) AS runs`,
  );
  if (rows[0]?.filled !== true) return;
  throw new BackupError(
    `The store (${store.description}) is not empty: it holds ${String(rows[0].runs)} ${rows[0].runs === 1 ? 'run' : 'runs'}. ` +
      'To replace all that it holds by the backup, say --overwrite.',
  );
}

async function readTables(
  client: Client,
  reader: BackupReader,
  { onProgress }: RestoreOptions,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (;;) {
    const line = await reader.line();
    const expected = line === null ? null : parseEnd(line);
    if (expected !== null) {
      const wrong = Object.keys(expected).find(table => counts[table] !== expected[table]);
      if (wrong !== undefined) throw new DamageError(`not all rows of ${wrong} are there`);
      return counts;
    }
    const start = line === null ? null : parseTableStart(line);
    if (start === null)
      throw new DamageError(line === null ? 'it ends too early' : 'it has a line that belongs to no table');
    const { table, columns } = start;
    let rows = 0;
    async function* counted(): AsyncGenerator<Buffer, void> {
      for await (const piece of reader.rows()) {
        rows += countRows(piece);
        onProgress?.(table, rows);
        yield piece;
      }
    }
    await pipeline(counted(), client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN`)));
    counts[table] = rows;
  }
}

/** New runs get new numbers, also when the last ones had been deleted. */
async function setLastRunId(client: Client, lastRunId: number | null): Promise<void> {
  await client.query(`SELECT setval(pg_get_serial_sequence('millrace.run', 'run_id'), $1::bigint, $2)`, [
    lastRunId ?? 1,
    lastRunId !== null,
  ]);
}

function noBackup(file: string): BackupError {
  return new BackupError(`${file} is not a backup of Millrace, which "millrace store backup" writes.`);
}

function restoreError(error: unknown, file: string): unknown {
  const code = errorCode(error) ?? '';
  if (code === 'ENOENT') return new BackupError(`Cannot read ${file}: it does not exist.`, { cause: error });
  if (code === 'EISDIR') return new BackupError(`Cannot read ${file}: it is a folder.`, { cause: error });
  if (code === 'EACCES')
    return new BackupError(`Cannot read ${file}: you may not read it.`, { cause: error });
  // What gzip finds in something else, in a damaged file, and in one that ends too early.
  if (code === 'Z_DATA_ERROR' && errorMessage(error).includes('incorrect header')) return noBackup(file);
  const damage = damageOf(error, code);
  if (damage === undefined) return error;
  return new BackupError(`${file} is damaged: ${damage}. Nothing was restored.`, { cause: error });
}

function damageOf(error: unknown, code: string): string | undefined {
  if (code === 'Z_BUF_ERROR') return 'it ends too early';
  // Postgres does not understand a row: class 22 is about data, 23 about constraints.
  if (error instanceof DamageError || code.startsWith('Z_') || /^2[23]...$/.test(code))
    return errorMessage(error);
  return undefined;
}
