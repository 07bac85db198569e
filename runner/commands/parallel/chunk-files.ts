/** The files of one chunk of a list, and the record that they are loaded. */
import { PipelineError } from '../../api/errors.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import type { ReadMode } from './loaded-files.ts';
import { loadedSchema as schema, stateOf } from './loaded-schema.ts';

/** A chunk of a list. */
export interface ChunkKey {
  readonly target: string;
  readonly list: string;
  readonly chunk: number;
}

/** One file of a chunk. */
export interface PendingFile {
  readonly position: number;
  readonly file: string;
}

/** What a file is claimed for. */
export interface Claim {
  /** As it is written in SQL. */
  readonly table: string;
  readonly mode: ReadMode;
  readonly chain: string;
  readonly lastModified: Date;
}

/** Files that a chunk asks for at once. */
const BATCH = 500;

/** The files of a chunk that are still to be loaded, newest first; while they are used, others may go. */
export async function* pendingFiles(
  session: PostgresSession,
  { target, list, chunk }: ChunkKey,
): AsyncGenerator<PendingFile> {
  for (let after = -1; ;) {
    const { rows } = await session.query(
      `SELECT position, file_name FROM ${schema}.pending
      WHERE target_id = $1 AND list = $2 AND chunk = $3 AND position > $4 ORDER BY position LIMIT ${String(BATCH)}`,
      [target, list, chunk, after],
    );
    for (const row of rows) {
      after = Number(row['position']);
      yield { position: after, file: String(row['file_name']) };
    }
    if (rows.length < BATCH) return;
  }
}

/**
 * Says in the open transaction that a file is loaded, before it is. Gives `false` when it is loaded already, in this
 * version or by this run; waits for another transaction that is loading it.
 *
 * @throws PipelineError when the list is not the newest any more, or is one for a table that is gone
 */
export async function claimFile(
  session: PostgresSession,
  key: ChunkKey,
  { position, file }: PendingFile,
  { table, mode, chain, lastModified }: Claim,
): Promise<boolean> {
  const again = {
    all: 'f.chain <> excluded.chain',
    onlyLatest: 'f.chain <> excluded.chain',
    onlyChanged: 'f.last_modified_at <> excluded.last_modified_at',
    onlyNew: 'false',
    onlyNewExceptLatest: 'false',
  }[mode];
  let rows: readonly Readonly<Record<string, unknown>>[];
  try {
    ({ rows } = await session.query(
      `WITH listed AS (
        DELETE FROM ${schema}.pending WHERE target_id = $1 AND list = $2 AND chunk = $3 AND position = $4 RETURNING day
      ), claimed AS (
        INSERT INTO ${schema}.file AS f (target_id, file_name, last_modified_at, day, chain)
        SELECT $1, $5, $6, day, $7 FROM listed
        ON CONFLICT (target_id, file_name) DO UPDATE SET last_modified_at = excluded.last_modified_at, day = excluded.day,
          chain = excluded.chain, loaded_at = clock_timestamp() WHERE ${again}
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM listed)::integer AS listed, (SELECT count(*) FROM claimed)::integer AS claimed,
        (SELECT relation = to_regclass($8) FROM ${schema}.target WHERE target_id = $1) AS same`,
      [key.target, key.list, key.chunk, position, file, lastModified, chain, table],
    ));
  } catch (error) {
    if (isForgotten(error)) throw superseded(error);
    throw error;
  }
  if (rows[0]?.['listed'] !== 1) throw superseded();
  // The rows would be on record for a table that is gone, and be loaded once more by the next run.
  if (rows[0]['same'] !== true) {
    throw new PipelineError(
      `The table ${table} was made anew after its files were listed, so what was loaded before is not in it. ` +
        'Make it in a task before this one, not in commandsBefore, and run the parallel task again.',
    );
  }
  return rows[0]['claimed'] === 1;
}

/** @throws PipelineError when the list is not the newest any more, so that what was left of it is another run's work */
export async function checkNewest(
  session: PostgresSession,
  { target, list }: Pick<ChunkKey, 'target' | 'list'>,
): Promise<void> {
  const { rows } = await session.query(`SELECT FROM ${schema}.target WHERE target_id = $1 AND list = $2`, [
    target,
    list,
  ]);
  if (rows.length === 0) throw superseded();
}

/** Forgets the files of days, in the open transaction: their partitions have been emptied. */
export async function forgetDays(
  session: PostgresSession,
  target: string,
  days: readonly string[],
): Promise<void> {
  await session.query(`DELETE FROM ${schema}.file WHERE target_id = $1 AND day = ANY ($2::date[])`, [
    target,
    days,
  ]);
}

/** `foreign_key_violation`: the row of the target is gone. */
function isForgotten(error: unknown): boolean {
  return stateOf(error) === '23503';
}

function superseded(cause?: unknown): PipelineError {
  return new PipelineError(
    'The list of files that this task works on is not the newest any more: another run has listed them again, or what was ' +
      'remembered was reset. What is loaded is on record. Run the parallel task again.',
    { cause },
  );
}
