/** The row of a run as its runner sees it: making it, and coming back to it after the connection was lost. */
import { hostname } from 'node:os';
import type { Client } from 'pg';
import { formatPath, type NodeGraph, type NodePath, type ParameterValue, type RunTrigger } from '../model.ts';
import { storable } from './rows.ts';
import { CANCEL_CHANNEL, CHANGES_CHANNEL, changeNotice, lockRun, runLockSql } from './run-lock.ts';

/** What is known of a run when it begins. */
export interface NewRun {
  readonly pipelinePath: NodePath;
  /** The selection; empty when the whole pipeline runs. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  /** Default: this machine. */
  readonly host?: string;
  /** Default: this process. */
  readonly pid?: number;
  /** Commit of the project, with `-dirty` when files differ from it. */
  readonly codeVersion: string | null;
  readonly runnerVersion: string;
  readonly resumedFrom: number | null;
  readonly graph: NodeGraph | null;
}

/** Tells a run from one of the same id in another database. */
export interface RunIdentity {
  readonly runId: number;
  /** `started_at` in microseconds since the epoch, which a `Date` cannot hold. */
  readonly startedMicros: number;
}

const STARTED_MICROS = '(extract(epoch FROM started_at) * 1000000)::bigint';

/**
 * Makes the row, locks the run and listens for requests to cancel it, in this order of visibility: nobody can see the
 * run before it is locked and listening. Output is committed without waiting for the disk on this connection.
 */
export async function insertRun(client: Client, run: NewRun): Promise<RunIdentity> {
  const prepared = prepareSession(client);
  const inserted = client.query<{ run_id: number; micros: number }>(
    `WITH made AS (
      INSERT INTO run (pipeline_path, node_paths, with_upstreams, params, status, started_at, trigger, started_by, host,
        pid, code_version, runner_version, resumed_from, graph)
      VALUES ($1, $2, $3, $4, 'running', clock_timestamp(), $5, $6, $7, $8, $9, $10, $11, $12)
      RETURNING run_id, started_at
    )
    SELECT run_id, ${STARTED_MICROS} AS micros, pg_advisory_lock(${runLockSql('run_id')}),
      set_config('synchronous_commit', 'on', true),
      pg_notify('${CHANGES_CHANNEL}', json_build_object('run', run_id, 'changed', json_build_array('run'))::text)
    FROM made`,
    [
      run.pipelinePath,
      run.nodePaths.map(formatPath),
      run.withUpstreams,
      storableJson(run.params),
      run.trigger,
      storable(run.startedBy),
      run.host ?? hostname(),
      run.pid ?? process.pid,
      run.codeVersion,
      run.runnerVersion,
      run.resumedFrom,
      run.graph === null ? null : storableJson(run.graph),
    ],
  );
  const [, { rows }] = await Promise.all([prepared, inserted]);
  const [row] = rows;
  if (row === undefined) throw new Error('The store did not return the new run.');
  return { runId: row.run_id, startedMicros: row.micros };
}

/**
 * Comes back to a run over a new connection: locks it again and opens its row again should somebody have taken it for
 * dead meanwhile.
 *
 * @throws when the store has no such run.
 */
export async function resumeRun(
  client: Client,
  run: RunIdentity,
): Promise<{ readonly wasClosed: boolean; readonly cancelRequested: boolean }> {
  await Promise.all([prepareSession(client), lockRun(client, run.runId)]);
  if ((await startedMicros(client, run.runId)) !== run.startedMicros) {
    throw new Error(`the store has no run ${run.runId} that started then`);
  }
  const { rowCount } = await client.query(
    `WITH opened AS (
      UPDATE run SET status = 'running', ended_at = NULL WHERE run_id = $1 AND status = 'lost' RETURNING run_id
    )
    SELECT pg_notify('${CHANGES_CHANNEL}', $2) FROM opened`,
    [run.runId, changeNotice({ run: run.runId, changed: ['run'] })],
  );
  const { rows } = await client.query<{ asked: boolean }>(
    'SELECT cancel_requested_at IS NOT NULL AS asked FROM run WHERE run_id = $1',
    [run.runId],
  );
  return { wasClosed: rowCount === 1, cancelRequested: rows[0]?.asked === true };
}

/** `null` when the store has no such run. */
export async function startedMicros(client: Client, runId: number): Promise<number | null> {
  const sql = `SELECT ${STARTED_MICROS} AS micros FROM run WHERE run_id = $1`;
  const { rows } = await client.query<{ micros: number }>(sql, [runId]);
  return rows[0]?.micros ?? null;
}

async function prepareSession(client: Client): Promise<void> {
  await client.query(`LISTEN ${CANCEL_CHANNEL}; SET synchronous_commit = off`);
}

/** JSON that `jsonb` takes: strings in it are {@link storable}. */
function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(?:0000|d[89a-f])/.test(json)) return json;
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? storable(item) : item));
}
