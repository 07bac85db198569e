/** The history of runs, for the command line and for pages. Each query is bounded and has an index that fits it. */
import { sql, type RawBuilder, type Selectable } from 'kysely';
import {
  parsePath,
  type NodeGraph,
  type NodeKind,
  type NodePath,
  type NodeRunStatus,
  type ParameterValue,
  type RunStatus,
  type RunTrigger,
} from '../model.ts';
import { pathEnd } from './path-range.ts';
import type { NodeRunTable, RunTable, SystemStatisticsTable } from './schema.ts';
import type { Store } from './store.ts';

export interface RunSummary {
  readonly runId: number;
  readonly pipelinePath: NodePath;
  /** The selection; empty when the whole pipeline ran. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly status: RunStatus;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  readonly host: string;
  readonly pid: number;
  readonly codeVersion: string | null;
  readonly runnerVersion: string;
  readonly resumedFrom: number | null;
  readonly cancelRequestedAt: Date | null;
  /** The task that failed first, with the first line of its error. */
  readonly failure: { readonly nodePath: NodePath; readonly error: string } | null;
}

/** One attempt of one node. */
export interface NodeRun {
  readonly nodeRunId: number;
  readonly runId: number;
  readonly nodePath: NodePath;
  readonly kind: NodeKind;
  readonly attempt: number;
  readonly status: NodeRunStatus;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly cost: number;
  readonly rowsProcessed: number | null;
  readonly exitCode: number | null;
  /** What went wrong, on one or more lines. */
  readonly error: string | null;
  readonly reason: string | null;
}

export interface RunDetails extends RunSummary {
  readonly graph: NodeGraph | null;
  /** All attempts of all nodes, in the order in which they were begun. */
  readonly nodeRuns: readonly NodeRun[];
  /** Tasks and parallel tasks by the status of their last attempt. */
  readonly counts: Readonly<Record<NodeRunStatus, number>>;
}

export interface RunFilter {
  /** Runs of this pipeline, and runs in which this node had its turn. */
  readonly path?: NodePath;
  readonly status?: RunStatus;
  /** Default 50. */
  readonly limit?: number;
  /** Only runs older than this one: the last `runId` of the page before. */
  readonly before?: number;
}

/** Runs, newest first. */
export async function listRuns(store: Store, filter: RunFilter = {}): Promise<RunSummary[]> {
  const { path, status, limit = 50, before } = filter;
  const conditions = [sql`true`];
  if (status !== undefined) conditions.push(sql`r.status = ${status}`);
  if (before !== undefined) conditions.push(sql`r.run_id < ${before}`);
  if (path !== undefined) {
    const ids = [...path];
    conditions.push(sql`(r.pipeline_path = ${ids}::text[] OR r.run_id IN (
      SELECT n.run_id FROM node_run n WHERE n.node_path = ${ids}::text[]
    ))`);
  }
  return await listRunsWhere(store, conditions, limit);
}

/** Runs that fulfil all conditions on `run r`, newest first. */
export async function listRunsWhere(
  store: Store,
  conditions: readonly RawBuilder<unknown>[],
  limit: number,
): Promise<RunSummary[]> {
  const { rows } = await sql<RunRow>`
    ${selectRuns} WHERE ${sql.join(conditions, sql` AND `)} ORDER BY r.run_id DESC LIMIT ${limit}
  `.execute(await store.db());
  return rows.map(toRunSummary);
}

/** One run with everything but its output; `null` when there is none with this id. */
export async function getRun(store: Store, runId: number): Promise<RunDetails | null> {
  const db = await store.db();
  const [found, graphs, nodeRows] = await Promise.all([
    sql<RunRow>`${selectRuns} WHERE r.run_id = ${runId}`.execute(db),
    db.selectFrom('run').select('graph').where('run_id', '=', runId).execute(),
    db.selectFrom('node_run').selectAll().where('run_id', '=', runId).orderBy('node_run_id').execute(),
  ]);
  const [row] = found.rows;
  if (row === undefined) return null;
  const nodeRuns = nodeRows.map(toNodeRun);
  return { ...toRunSummary(row), graph: graphs[0]?.graph ?? null, nodeRuns, counts: countLast(nodeRuns) };
}

/** Attempts of one node, newest first, for charts and pickers. */
export async function nodeRuns(
  store: Store,
  path: NodePath,
  options: { readonly limit?: number; readonly before?: number } = {},
): Promise<NodeRun[]> {
  const db = await store.db();
  let query = db
    .selectFrom('node_run')
    .selectAll()
    .where(eb => eb('node_path', '=', eb.val([...path])));
  if (options.before !== undefined) query = query.where('node_run_id', '<', options.before);
  const rows = await query
    .orderBy('node_run_id', 'desc')
    .limit(options.limit ?? 100)
    .execute();
  return rows.map(toNodeRun);
}

/**
 * The newest attempt of each node at or below a path, in the order of the paths. Jumps from one path to the next in
 * the index, so its time grows with the nodes, not with the runs.
 */
export async function lastOutcomes(store: Store, path: NodePath): Promise<NodeRun[]> {
  const end = pathEnd(path);
  const below =
    end === null
      ? sql`true`
      : sql`n.node_path >= ${[...path]}::text[] AND n.node_path < ${[...end]}::text[]
          AND n.node_path[1:${path.length}::integer] = ${[...path]}::text[]`;
  const { rows } = await sql<Selectable<NodeRunTable>>`
    WITH RECURSIVE last AS (
      (SELECT n.* FROM node_run n WHERE ${below} ORDER BY n.node_path, n.node_run_id DESC LIMIT 1)
      UNION ALL
      SELECT next.* FROM last, LATERAL (
        SELECT n.* FROM node_run n
        WHERE n.node_path > last.node_path AND ${below}
        ORDER BY n.node_path, n.node_run_id DESC LIMIT 1
      ) next
    )
    SELECT * FROM last
  `.execute(await store.db());
  return rows.map(toNodeRun);
}

/** Samples of how busy the machine was during a run, oldest first. */
export async function systemStatistics(
  store: Store,
  runId: number,
): Promise<Selectable<SystemStatisticsTable>[]> {
  const db = await store.db();
  return await db
    .selectFrom('system_statistics')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('at')
    .execute();
}

type RunRow = Omit<Selectable<RunTable>, 'graph'> & {
  readonly failed_path: string[] | null;
  readonly failed_error: string | null;
};

const selectRuns = sql`
  SELECT r.run_id, r.pipeline_path, r.node_paths, r.with_upstreams, r.params, r.status, r.started_at, r.ended_at,
    r.trigger, r.started_by, r.host, r.pid, r.code_version, r.runner_version, r.resumed_from, r.cancel_requested_at,
    f.node_path AS failed_path, f.error AS failed_error
  FROM run r LEFT JOIN LATERAL (
    SELECT n.node_path, split_part(coalesce(n.error, ''), chr(10), 1) AS error FROM node_run n
    WHERE n.run_id = r.run_id AND n.status = 'failed' AND n.kind <> 'pipeline'
      AND r.status <> 'succeeded'
      AND NOT EXISTS (
        SELECT FROM node_run later
        WHERE later.run_id = n.run_id AND later.node_path = n.node_path AND later.attempt > n.attempt
      )
    ORDER BY n.ended_at, n.node_run_id LIMIT 1
  ) f ON true`;

function toRunSummary(row: RunRow): RunSummary {
  return {
    runId: row.run_id,
    pipelinePath: row.pipeline_path,
    nodePaths: row.node_paths.map(parsePath),
    withUpstreams: row.with_upstreams,
    params: row.params,
    status: row.status,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    trigger: row.trigger,
    startedBy: row.started_by,
    host: row.host,
    pid: row.pid,
    codeVersion: row.code_version,
    runnerVersion: row.runner_version,
    resumedFrom: row.resumed_from,
    cancelRequestedAt: row.cancel_requested_at,
    failure: row.failed_path === null ? null : { nodePath: row.failed_path, error: row.failed_error ?? '' },
  };
}

/** The row of an attempt as the rest of Millrace knows it. */
export function toNodeRun(row: Selectable<NodeRunTable>): NodeRun {
  return {
    nodeRunId: row.node_run_id,
    runId: row.run_id,
    nodePath: row.node_path,
    kind: row.kind,
    attempt: row.attempt,
    status: row.status,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    cost: row.cost,
    rowsProcessed: row.rows_processed,
    exitCode: row.exit_code,
    error: row.error,
    reason: row.reason,
  };
}

function countLast(nodeRuns: readonly NodeRun[]): Record<NodeRunStatus, number> {
  const last = new Map<string, NodeRunStatus>();
  for (const { nodePath, kind, status } of nodeRuns) {
    if (kind !== 'pipeline') last.set(JSON.stringify(nodePath), status);
  }
  const counts = { running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
  for (const status of last.values()) counts[status]++;
  return counts;
}
