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
  const changed: ChangeNotice['changed'][number][] = [];
  if (batch.nodes.length > 0) changed.push('nodes');
  if (batch.statistics.length > 0) changed.push('statistics');
  if (batch.end !== null) changed.push('run');
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
  await client.query('BEGIN; SET LOCAL synchronous_commit = on');
  if (batch.nodes.length > 0) await client.query(UPSERT_NODES, [JSON.stringify(batch.nodes)]);
  if (batch.statistics.length > 0) await client.query(INSERT_STATISTICS, [JSON.stringify(batch.statistics)]);
  if (batch.end !== null) await writeEnd(client, runId, batch.end);
  await client.query(`SELECT pg_notify('${CHANGES_CHANNEL}', $1)`, [notice]);
  await client.query('COMMIT');
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
