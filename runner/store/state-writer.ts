/** Writes rows of node runs, statistics and the run's end, and wakes followers: one statement where that is enough. */
import type { Client } from 'pg';
import { CHANGES_CHANNEL, changeNotice, type ChangeNotice } from './run-lock.ts';
import type { RunEnd, StateBatch } from './rows.ts';

const NODE_COLUMNS = `node_run_id, run_id, node_path, kind, attempt, status, started_at, ended_at, cost, rows_processed,
  exit_code, error, reason`;

const UPSERT_NODES = `INSERT INTO node_run (${NODE_COLUMNS})
  SELECT ${NODE_COLUMNS} FROM json_to_recordset($1::json) AS r (
    node_run_id bigint, run_id bigint, node_path text[], kind text, attempt integer, status text,
    started_at timestamptz, ended_at timestamptz, cost double precision, rows_processed bigint, exit_code integer,
    error text, reason text
  )
  ON CONFLICT (node_run_id) DO UPDATE SET
    status = excluded.status, started_at = excluded.started_at, ended_at = excluded.ended_at, cost = excluded.cost,
    rows_processed = excluded.rows_processed, exit_code = excluded.exit_code, error = excluded.error,
    reason = excluded.reason
  WHERE excluded.status <> 'running' OR node_run.status IN ('running', 'lost')`;

const STATISTICS_COLUMNS = 'run_id, at, cpu, memory, swap, disk_read, disk_write, net_received, net_sent';

const INSERT_STATISTICS = `INSERT INTO system_statistics (${STATISTICS_COLUMNS})
  SELECT ${STATISTICS_COLUMNS} FROM json_to_recordset($1::json) AS r (
    run_id bigint, at timestamptz, cpu double precision, memory double precision, swap double precision,
    disk_read double precision, disk_write double precision, net_received double precision, net_sent double precision
  )
  ON CONFLICT DO NOTHING`;

const NOTIFY = `SELECT pg_notify('${CHANGES_CHANNEL}', $2)`;

/**
 * Stores a batch durably, all of it or nothing. Storing it again changes nothing, also when later ones came meanwhile.
 * The run's end closes what is open below it, so that nothing looks alive in a run that is over.
 */
export async function writeStates(client: Client, runId: number, batch: StateBatch): Promise<void> {
  const changed = changesOf(batch);
  if (changed.length === 0) return;
  const notice = changeNotice({ run: runId, changed });

  if (batch.statistics.length === 0 && batch.end === null) {
    await client.query({
      name: 'node-runs',
      text: `WITH written AS (${UPSERT_NODES}) ${NOTIFY}, set_config('synchronous_commit', 'on', true)`,
      values: [JSON.stringify(batch.nodes), notice],
    });
    return;
  }
  await client.query(BEGIN_DURABLE);
  await putStates(client, runId, batch, notice);
  await client.query('COMMIT');
}

/** Begins a transaction whose commit waits for the server's disk, whatever the connection does otherwise. */
export const BEGIN_DURABLE = 'BEGIN; SET LOCAL synchronous_commit = on';

/**
 * Stores batches and lines of output durably, all of it or nothing: what has ended has its last lines then.
 *
 * @param writeOutput stores the lines within the transaction
 */
export async function writeTogether(
  client: Client,
  runId: number,
  batches: readonly StateBatch[],
  writeOutput: () => Promise<void>,
): Promise<void> {
  await client.query(BEGIN_DURABLE);
  for (const batch of batches) {
    const changed = changesOf(batch);
    if (changed.length > 0) await putStates(client, runId, batch, changeNotice({ run: runId, changed }));
  }
  await writeOutput();
  await client.query('COMMIT');
}

async function putStates(client: Client, runId: number, batch: StateBatch, notice: string): Promise<void> {
  if (batch.nodes.length > 0) await client.query(UPSERT_NODES, [JSON.stringify(batch.nodes)]);
  if (batch.statistics.length > 0) await client.query(INSERT_STATISTICS, [JSON.stringify(batch.statistics)]);
  if (batch.end !== null) await writeEnd(client, runId, batch.end);
  await client.query(`SELECT pg_notify('${CHANGES_CHANNEL}', $1)`, [notice]);
}

function changesOf(batch: StateBatch): ChangeNotice['changed'][number][] {
  return [
    ...(batch.nodes.length > 0 ? (['nodes'] as const) : []),
    ...(batch.statistics.length > 0 ? (['statistics'] as const) : []),
    ...(batch.end !== null ? (['run'] as const) : []),
  ];
}

async function writeEnd(client: Client, runId: number, end: RunEnd): Promise<void> {
  await client.query('UPDATE run SET status = $2, ended_at = $3 WHERE run_id = $1', [
    runId,
    end.status,
    end.ended_at,
  ]);
  await client.query(
    `UPDATE node_run SET status = $2, ended_at = $3, reason = coalesce(reason, 'the run ended before it')
    WHERE run_id = $1 AND status = 'running'`,
    [runId, end.status === 'cancelled' ? 'cancelled' : 'lost', end.ended_at],
  );
}
