/** Which runs are alive, and closing those whose runner died. */
import { hostname } from 'node:os';
import type { Client } from 'pg';
import { processExists } from './process-exists.ts';
import { CHANGES_CHANNEL, changeNotice, IS_ALIVE_SQL, runLockSql } from './run-lock.ts';
import type { Store } from './store.ts';

/** Seconds in which whoever was cut off from the store comes back to it: a runner tries to every 5 s. */
export const RETURN_GRACE = 12;

interface LivenessOptions {
  /** Seconds after the server's start in which runners that may live are waited for. Default: {@link RETURN_GRACE}. */
  readonly grace?: number;
}

/** Whether the run's runner is there: it holds the run's lock. */
export async function isAlive(client: Client, runId: number): Promise<boolean> {
  const sql = `SELECT ${IS_ALIVE_SQL('$1::bigint')} AS alive`;
  const { rows } = await client.query<{ alive: boolean }>(sql, [runId]);
  return rows[0]?.alive === true;
}

/**
 * Closes every run that is said to be running and whose lock is free, as `lost`; its end is when it was last heard
 * of. Any number of processes may do so at once. A server that has just started has forgotten all locks: runners that
 * were there before get time to come back, unless they are known to be gone.
 *
 * @param from a connection that nobody else uses meanwhile saves making one.
 * @returns the runs that this call closed.
 */
export async function closeLostRuns(from: Store | Client, options: LivenessOptions = {}): Promise<number[]> {
  const client = 'databaseName' in from ? await from.connect() : from;
  try {
    const { rows } = await client.query<{ run_id: number }>(
      `SELECT run_id FROM run WHERE status = 'running' AND NOT ${IS_ALIVE_SQL('run_id')} ORDER BY run_id`,
    );
    const closed: number[] = [];
    for (const { run_id } of rows) if (await closeIfLost(client, run_id, options)) closed.push(run_id);
    return closed;
  } finally {
    if (client !== from) await client.end();
  }
}

/**
 * Closes one run if it is said to be running and nobody holds its lock, as {@link closeLostRuns} does.
 *
 * @returns whether this call closed it.
 */
export async function closeIfLost(
  client: Client,
  runId: number,
  { grace = RETURN_GRACE }: LivenessOptions = {},
): Promise<boolean> {
  await client.query('BEGIN');
  try {
    // The lock keeps a runner that comes back after a cut connection from going on before this is done.
    const { rows } = await client.query<{ locked: boolean; awaited: boolean; host: string; pid: number }>(
      `SELECT pg_try_advisory_xact_lock(${runLockSql('run_id')}) AS locked, host, pid,
        started_at < pg_postmaster_start_time()
          AND clock_timestamp() < pg_postmaster_start_time() + make_interval(secs => $2::float8) AS awaited
      FROM run WHERE run_id = $1 AND status = 'running'`,
      [runId, grace],
    );
    const [run] = rows;
    const mayReturn = run?.awaited === true && (run.host !== hostname() || processExists(run.pid));
    const closed = run?.locked === true && !mayReturn && (await markLost(client, runId));
    await client.query('COMMIT');
    return closed;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the first error says more
    throw error;
  }
}

/** Closes a run, and whatever is open in it, as `lost`. The caller holds the run's lock. */
export async function markLost(client: Client, runId: number): Promise<boolean> {
  await client.query(
    `UPDATE node_run n SET
      status = 'lost',
      ended_at = greatest(n.started_at, (
        SELECT o.at FROM node_output o WHERE o.node_run_id = n.node_run_id ORDER BY o.seq DESC LIMIT 1
      )),
      reason = coalesce(n.reason, 'the runner died')
    WHERE n.run_id = $1 AND n.status = 'running'`,
    [runId],
  );
  const { rowCount } = await client.query(
    `UPDATE run r SET
      status = 'lost',
      ended_at = greatest(
        r.started_at,
        (SELECT max(n.ended_at) FROM node_run n WHERE n.run_id = r.run_id),
        (SELECT max(s.at) FROM system_statistics s WHERE s.run_id = r.run_id)
      )
    WHERE r.run_id = $1 AND r.status IN ('running', 'lost')`,
    [runId],
  );
  const notice = changeNotice({ run: runId, changed: ['run', 'nodes'] });
  await client.query(`SELECT pg_notify('${CHANGES_CHANNEL}', $1)`, [notice]);
  return rowCount === 1;
}
