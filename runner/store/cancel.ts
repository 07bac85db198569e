/** Asking a run that may go on anywhere to stop. */
import type { RunOutcome } from '../model.ts';
import { closeIfLost, isAlive } from './liveness.ts';
import { CANCEL_CHANNEL, CHANGES_CHANNEL, changeNotice } from './run-lock.ts';
import type { Store } from './store.ts';

export type CancelResult =
  /** The run has been told; it ends by itself. */
  | { readonly kind: 'requested' }
  /** It had been told before, and has been told again. */
  | { readonly kind: 'already-requested'; readonly since: Date }
  /** Its runner was dead: the run has been closed. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended'; readonly status: RunOutcome; readonly endedAt: Date | null }
  | { readonly kind: 'unknown' };

interface RunState {
  readonly status: 'running' | RunOutcome;
  readonly ended_at: Date | null;
  readonly cancel_requested_at: Date | null;
}

export async function requestCancel(store: Store, runId: number): Promise<CancelResult> {
  const client = await store.connect();
  try {
    const find = async (): Promise<RunState | undefined> => {
      const sql = 'SELECT status, ended_at, cancel_requested_at FROM run WHERE run_id = $1';
      return (await client.query<RunState>(sql, [runId])).rows[0];
    };
    const run = await find();
    if (run === undefined) return { kind: 'unknown' };
    if (run.status === 'running') {
      if (!(await isAlive(client, runId)) && (await closeIfLost(client, runId))) return { kind: 'lost' };
      const { rowCount } = await client.query(
        `WITH asked AS (
          UPDATE run SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
          WHERE run_id = $1 AND status = 'running' RETURNING run_id
        )
        SELECT pg_notify('${CANCEL_CHANNEL}', run_id::text), pg_notify('${CHANGES_CHANNEL}', $2) FROM asked`,
        [runId, changeNotice({ run: runId, changed: ['cancel'] })],
      );
      if (rowCount === 1) {
        const since = run.cancel_requested_at;
        return since === null ? { kind: 'requested' } : { kind: 'already-requested', since };
      }
    }
    const ended = run.status === 'running' ? await find() : run;
    if (ended === undefined) return { kind: 'unknown' };
    if (ended.status === 'lost' && run.status === 'running') return { kind: 'lost' };
    return {
      kind: 'ended',
      status: ended.status === 'running' ? 'lost' : ended.status,
      endedAt: ended.ended_at,
    };
  } finally {
    await client.end();
  }
}
