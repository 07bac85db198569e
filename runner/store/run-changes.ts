/** What is new in a run since it was read last: few rows, however long the run is. */
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { toNodeRun, type NodeRun } from './history.ts';
import { nodeRunIds } from './rows.ts';
import type { NodeRunTable, SystemStatisticsTable } from './schema.ts';
import type { Store } from './store.ts';

/**
 * Attempts that were begun after one, and the given ones as they are now, in the order in which they were begun.
 *
 * @param newest the highest id that is known; 0 for none
 */
export async function changedNodeRuns(
  store: Store,
  runId: number,
  newest: number,
  known: readonly number[],
): Promise<NodeRun[]> {
  const { first, end } = nodeRunIds(runId);
  const { rows } = await sql<Selectable<NodeRunTable>>`
    SELECT * FROM node_run WHERE node_run_id > ${Math.max(first, newest)} AND node_run_id < ${end}
    UNION ALL
    SELECT * FROM node_run WHERE node_run_id = ANY (${[...known]}::bigint[])
    ORDER BY node_run_id
  `.execute(await store.db());
  return rows.map(toNodeRun);
}

/** Samples that were taken after one, oldest first. */
export async function newStatistics(
  store: Store,
  runId: number,
  after: Date,
): Promise<Selectable<SystemStatisticsTable>[]> {
  const db = await store.db();
  return await db
    .selectFrom('system_statistics')
    .selectAll()
    .where('run_id', '=', runId)
    .where('at', '>', after)
    .orderBy('at')
    .execute();
}

/** Ids of the runs that go on, and the highest id of all; 0 when there is no run. */
export async function runsGoingOn(store: Store): Promise<{ running: number[]; newest: number }> {
  const { rows } = await sql<{ running: number[] | null; newest: number | null }>`
    SELECT
      (SELECT array_agg(run_id::float8 ORDER BY run_id) FROM run WHERE status = 'running') AS running,
      (SELECT max(run_id) FROM run) AS newest
  `.execute(await store.db());
  return { running: rows[0]?.running ?? [], newest: rows[0]?.newest ?? 0 };
}
