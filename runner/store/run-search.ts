/** Looking for runs: filters, pages and counts for the history of an editor. */
import { sql, type RawBuilder } from 'kysely';
import type { RunStatus } from '../model.ts';
import type { RunQuery } from '../records.ts';
import { listRunsWhere, type RunSummary } from './history.ts';
import { storable } from './rows.ts';
import type { Store } from './store.ts';

export interface RunSearch extends Omit<RunQuery, 'since'> {
  /** Runs that started at this time or later. */
  readonly since?: Date;
}

export interface RunCounts {
  /** Runs that fit, without `limit` and `before`. */
  readonly matching: number;
  readonly total: number;
  /** Runs by status among those that fit without `statuses`. */
  readonly byStatus: Readonly<Partial<Record<RunStatus, number>>>;
}

/** Runs that fit, newest first. */
export async function searchRuns(store: Store, search: RunSearch): Promise<RunSummary[]> {
  const { statuses, before, limit = 50 } = search;
  const conditions = conditionsOf(search);
  if (statuses !== undefined) conditions.push(hasStatus(statuses));
  if (before !== undefined) conditions.push(sql`r.run_id < ${before}`);
  return await listRunsWhere(store, conditions, limit);
}

/** How many fit. */
export async function countRuns(store: Store, search: RunSearch): Promise<RunCounts> {
  const db = await store.db();
  const [{ rows }, totals] = await Promise.all([
    sql<{ status: RunStatus; count: number }>`
      SELECT r.status, count(*) AS count FROM run r
      WHERE ${sql.join(conditionsOf(search), sql` AND `)} GROUP BY r.status
    `.execute(db),
    sql<{ count: number }>`SELECT count(*) AS count FROM run`.execute(db),
  ]);
  const { statuses } = search;
  const matching = rows.filter(row => statuses === undefined || statuses.includes(row.status));
  return {
    matching: matching.reduce((sum, { count }) => sum + count, 0),
    total: totals.rows[0]?.count ?? 0,
    byStatus: Object.fromEntries(rows.map(({ status, count }) => [status, count])),
  };
}

/** Runs by their ids, newest first; those that are gone are missing. */
export async function runsById(store: Store, runIds: readonly number[]): Promise<RunSummary[]> {
  if (runIds.length === 0) return [];
  return await listRunsWhere(store, [sql`r.run_id = ANY (${[...runIds]}::bigint[])`], runIds.length);
}

function hasStatus(statuses: readonly RunStatus[]): RawBuilder<unknown> {
  return sql`r.status = ANY (${[...statuses]}::text[])`;
}

/** Everything but the status and the page. */
function conditionsOf(search: RunSearch): RawBuilder<unknown>[] {
  const { path, triggers, since, text, unresolvedOnly } = search;
  const conditions = [sql`true`];
  if (path !== undefined) {
    const ids = [...path];
    conditions.push(sql`(r.pipeline_path = ${ids}::text[] OR r.run_id IN (
      SELECT n.run_id FROM node_run n WHERE n.node_path = ${ids}::text[]
    ))`);
  }
  if (triggers !== undefined) conditions.push(sql`r.trigger = ANY (${[...triggers]}::text[])`);
  if (since !== undefined) conditions.push(sql`r.started_at >= ${since}::timestamptz`);
  if (text !== undefined && text.trim() !== '') conditions.push(contains(text.trim()));
  if (unresolvedOnly === true) conditions.push(isUnresolved);
  return conditions;
}

/** Of node runs only those that failed are looked at, which have an index of their own. */
function contains(text: string): RawBuilder<unknown> {
  const wanted = sql`lower(${storable(text)}::text)`;
  return sql`(
    r.run_id::text = ltrim(${storable(text)}::text, '#')
    OR position(${wanted} IN lower(array_to_string(r.pipeline_path, '/'))) > 0
    OR position(${wanted} IN lower(array_to_string(r.node_paths, ' '))) > 0
    OR r.run_id IN (
      SELECT n.run_id FROM node_run n
      WHERE n.status = 'failed' AND n.kind <> 'pipeline'
        AND position(${wanted} IN lower(array_to_string(n.node_path, '/') || ' ' || coalesce(n.error, ''))) > 0
    )
  )`;
}

/** A later run makes it good that succeeded with everything or with at least the same selection. */
const isUnresolved = sql`(r.status IN ('failed', 'lost') AND NOT EXISTS (
  SELECT FROM run later
  WHERE later.pipeline_path = r.pipeline_path AND later.run_id > r.run_id AND later.status = 'succeeded'
    AND (later.node_paths = '{}' OR (r.node_paths <> '{}' AND later.node_paths @> r.node_paths))
))`;
