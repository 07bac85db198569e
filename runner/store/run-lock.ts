/**
 * A run is alive exactly while its runner holds the run's advisory lock, in Postgres' form of two 32-bit numbers:
 * a namespace, and the run's id cut to 31 bits. SQL with `$1` stands for the run's id.
 */
import type { Client } from 'pg';

/** `MRUN` in ASCII. */
export const RUN_LOCK_NAMESPACE = 0x4d52554e;

/** Who follows runs listens here; the payload is a {@link ChangeNotice} as JSON. */
export const CHANGES_CHANNEL = 'millrace';
/** Runners listen here; the payload is a run's id. */
export const CANCEL_CHANNEL = 'millrace_cancel';

/** What changed in the store. */
export interface ChangeNotice {
  readonly run: number;
  /** `run`: it began, ended, was closed or deleted. */
  readonly changed: readonly ('run' | 'nodes' | 'output' | 'statistics' | 'cancel')[];
  /** Node runs with new output; absent when there are many. */
  readonly nodeRuns?: readonly number[];
}

/** The lock's second number, for a column or parameter that holds a run's id. */
export function lockKeySql(runId: string): string {
  return `(${runId} % 2147483648)::integer`;
}

/** Both numbers of the lock, to stand between the brackets of a lock function. */
export function runLockSql(runId: string): string {
  return `${RUN_LOCK_NAMESPACE}, ${lockKeySql(runId)}`;
}

/** Takes the lock for as long as the connection lives, waiting for a moment when somebody else looks after the run. */
export async function lockRun(client: Client, runId: number): Promise<void> {
  await client.query(`SELECT pg_advisory_lock(${runLockSql('$1::bigint')})`, [runId]);
}

/** Takes the lock for as long as the connection lives; `false` when somebody else holds it. */
export async function tryLockRun(client: Client, runId: number): Promise<boolean> {
  const sql = `SELECT pg_try_advisory_lock(${runLockSql('$1::bigint')}) AS locked`;
  const { rows } = await client.query<{ locked: boolean }>(sql, [runId]);
  return rows[0]?.locked === true;
}

/** Whether anybody holds the lock; does not take it, so that it can be asked at any time without harm. */
export const IS_ALIVE_SQL = (runId: string): string => `EXISTS (
  SELECT FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = ${RUN_LOCK_NAMESPACE} AND l.objid = ${lockKeySql(runId)}::oid
)`;

/** Tells followers, in SQL; for a statement of its own or as the last part of another one. */
export function changeNotice(notice: ChangeNotice): string {
  const { nodeRuns, ...rest } = notice;
  return JSON.stringify(nodeRuns === undefined || nodeRuns.length > 200 ? rest : notice);
}
