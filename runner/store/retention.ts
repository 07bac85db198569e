/** Forgetting old runs. What incremental processing has to remember is never touched. */
import type { Client } from 'pg';
import { NODE_RUNS_PER_RUN } from './rows.ts';
import { CHANGES_CHANNEL, changeNotice, IS_ALIVE_SQL } from './run-lock.ts';
import type { Store } from './store.ts';

export interface PruneCounts {
  readonly runs: number;
  readonly nodeRuns: number;
  readonly outputLines: number;
}

/** Rows that one statement deletes at most, so that nobody waits for it and the server's log stays small. */
const BATCH = 20_000;

/** Whoever prunes holds this lock; a second one has nothing to do. */
const PRUNE_LOCK = 0x4d52504e;

/**
 * Deletes the runs that started longer ago than so many days, unless they go on, with all that belongs to them. The
 * run itself goes last, so that an interruption leaves nothing behind that the next call does not find.
 */
export async function pruneRuns(store: Store, retentionDays: number): Promise<PruneCounts> {
  const counts = { runs: 0, nodeRuns: 0, outputLines: 0 };
  const client = await store.connect();
  try {
    const { rows: locks } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS locked',
      [PRUNE_LOCK],
    );
    if (locks[0]?.locked !== true) return counts;
    await client.query('SET synchronous_commit = off'); // what a crash brings back is deleted the next time
    const { rows } = await client.query<{ run_id: number }>(
      `SELECT run_id FROM run
      WHERE started_at < clock_timestamp() - make_interval(secs => $1::float8 * 86400) AND NOT ${IS_ALIVE_SQL('run_id')}
      ORDER BY run_id`,
      [retentionDays],
    );
    for (const { run_id: runId } of rows) {
      counts.outputLines += await pruneOutput(client, runId);
      await client.query('DELETE FROM system_statistics WHERE run_id = $1', [runId]);
      counts.nodeRuns += await inBatches(client, 'node_run', 'run_id = $1', [runId]);
      const { rowCount } = await client.query(
        `WITH deleted AS (DELETE FROM run WHERE run_id = $1 RETURNING run_id)
        SELECT pg_notify('${CHANGES_CHANNEL}', $2) FROM deleted`,
        [runId, changeNotice({ run: runId, changed: ['run'] })],
      );
      counts.runs += rowCount ?? 0;
    }
    return counts;
  } finally {
    await client.end();
  }
}

async function pruneOutput(client: Client, runId: number): Promise<number> {
  const ids = [runId * NODE_RUNS_PER_RUN, (runId + 1) * NODE_RUNS_PER_RUN];
  return await inBatches(client, 'node_output', 'node_run_id >= $1 AND node_run_id < $2', ids);
}

async function inBatches(
  client: Client,
  table: string,
  condition: string,
  values: unknown[],
): Promise<number> {
  const sql = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH}))`;
  for (let deleted = 0; ;) {
    const { rowCount } = await client.query(sql, values);
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return deleted;
  }
}
