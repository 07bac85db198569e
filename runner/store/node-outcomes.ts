/** What became of nodes in past runs: points of charts, cells of grids, attempts with their output. */
import { sql } from 'kysely';
import { formatPath, type NodeGraph, type NodePath, type NodeRunStatus, type NodeKind } from '../model.ts';
import { nodeRuns, type NodeRun } from './history.ts';
import { nodeRunIds } from './rows.ts';
import type { Store } from './store.ts';

/** The last attempt of a node in one run. */
export interface Outcome {
  readonly runId: number;
  readonly status: NodeRunStatus;
  /** When it started, or when the run did if it never had its turn: milliseconds since the epoch. */
  readonly at: number;
  /** Seconds; `null` when it did not run or still does. */
  readonly duration: number | null;
}

/**
 * The newest outcomes of nodes, oldest first, by path as `a/b`. Of each node no more than its newest attempts are read,
 * so that the time grows with the nodes, not with the runs. Those of a node come as one value, because a row for each
 * takes many times as long to read.
 *
 * @param limit attempts of each node; of those in the same run only the last one counts
 */
export async function newestOutcomes(
  store: Store,
  paths: readonly NodePath[],
  limit: number,
): Promise<Map<string, Outcome[]>> {
  if (paths.length === 0) return new Map();
  const { rows } = await sql<{ path: string; outcomes: string | null }>`
    SELECT wanted.path, (
      SELECT string_agg(
        concat_ws(' ', l.run_id, l.status,
          date_part('epoch', coalesce(l.started_at, (SELECT r.started_at FROM run r WHERE r.run_id = l.run_id))),
          date_part('epoch', l.ended_at - l.started_at)),
        E'\n' ORDER BY l.node_run_id)
      FROM (
        SELECT n.run_id, n.status, n.started_at, n.ended_at, n.node_run_id FROM node_run n
        WHERE n.node_path = CASE wanted.path WHEN '' THEN '{}'::text[] ELSE string_to_array(wanted.path, '/') END
        ORDER BY n.node_path DESC, n.node_run_id DESC LIMIT ${limit}
      ) l
    ) AS outcomes
    FROM unnest(${paths.map(formatPath)}::text[]) AS wanted (path)
  `.execute(await store.db());
  return new Map(rows.map(row => [row.path, parseOutcomes(row.outcomes)]));
}

function parseOutcomes(text: string | null): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const line of text?.split('\n') ?? []) {
    const [runId, status, at, duration] = line.split(' ');
    const outcome = {
      runId: Number(runId),
      status: status as NodeRunStatus, // the table allows no others
      at: Math.round(Number(at) * 1000),
      duration: duration === undefined ? null : Number(duration),
    };
    if (outcomes.at(-1)?.runId === outcome.runId) outcomes.pop();
    outcomes.push(outcome);
  }
  return outcomes;
}

/** Attempts of a node, newest first, each with the number of lines that it wrote. */
export async function attemptsWithLines(
  store: Store,
  path: NodePath,
  options: { readonly limit?: number; readonly before?: number } = {},
): Promise<(NodeRun & { readonly lines: number })[]> {
  const attempts = await nodeRuns(store, path, options);
  // Lines of an attempt are numbered from 1 without gaps.
  const { rows } = await sql<{ id: number; lines: number }>`
    SELECT wanted.id, coalesce((
      SELECT o.seq FROM node_output o WHERE o.node_run_id = wanted.id ORDER BY o.seq DESC LIMIT 1
    ), 0) AS lines
    FROM unnest(${attempts.map(({ nodeRunId }) => nodeRunId)}::bigint[]) AS wanted (id)
  `.execute(await store.db());
  const lines = new Map(rows.map(row => [row.id, row.lines]));
  return attempts.map(attempt => ({ ...attempt, lines: lines.get(attempt.nodeRunId) ?? 0 }));
}

/** A node's last status in one run. */
export interface GridCell {
  readonly path: string;
  readonly kind: NodeKind;
  readonly status: NodeRunStatus;
}

/**
 * The statuses of all nodes at or below a path in some runs. Each run comes as one value, because a row for each node
 * takes many times as long to read.
 */
export async function gridCells(
  store: Store,
  runIds: readonly number[],
  path: NodePath,
): Promise<Map<number, GridCell[]>> {
  const below =
    path.length === 0 ? sql`` : sql`AND n.node_path[1:${path.length}::integer] = ${[...path]}::text[]`;
  const { rows } = await sql<{ run_id: number; cells: string | null }>`
    SELECT wanted.run_id, (
      SELECT string_agg(array_to_string(n.node_path, '/') || ' ' || n.kind || ' ' || n.status, E'\n' ORDER BY n.node_run_id)
      FROM node_run n
      WHERE n.node_run_id >= wanted.first AND n.node_run_id < wanted.last ${below}
    ) AS cells
    FROM unnest(
      ${[...runIds]}::bigint[],
      ${runIds.map(id => nodeRunIds(id).first)}::bigint[],
      ${runIds.map(id => nodeRunIds(id).end)}::bigint[]
    ) AS wanted (run_id, first, last)
  `.execute(await store.db());
  return new Map(rows.map(row => [row.run_id, parseCells(row.cells)]));
}

function parseCells(text: string | null): GridCell[] {
  if (text === null) return [];
  return text.split('\n').map(line => {
    const [path = '', kind, status] = line.split(' ');
    // Constraints of the table allow no others.
    return { path, kind: kind as NodeKind, status: status as NodeRunStatus };
  });
}

/** The newest run of each pipeline that was run, oldest first. */
export async function newestRuns(store: Store): Promise<{ runId: number; path: NodePath }[]> {
  // Jumps from pipeline to pipeline in the index.
  const { rows } = await sql<{ run_id: number; pipeline_path: string[] }>`
    WITH RECURSIVE newest AS (
      (SELECT run_id, pipeline_path FROM run ORDER BY pipeline_path, run_id DESC LIMIT 1)
      UNION ALL
      SELECT next.run_id, next.pipeline_path FROM newest, LATERAL (
        SELECT run_id, pipeline_path FROM run WHERE pipeline_path > newest.pipeline_path
        ORDER BY pipeline_path, run_id DESC LIMIT 1
      ) next
    )
    SELECT run_id, pipeline_path FROM newest ORDER BY run_id
  `.execute(await store.db());
  return rows.map(row => ({ runId: row.run_id, path: row.pipeline_path }));
}

/** The graph of a run; `null` when it kept none or is gone. */
export async function graphOf(store: Store, runId: number): Promise<NodeGraph | null> {
  const db = await store.db();
  const row = await db.selectFrom('run').select('graph').where('run_id', '=', runId).executeTakeFirst();
  return row?.graph ?? null;
}

/** Nodes directly below a path that history knows, up to a limit: children that parallel tasks made, for example. */
export async function childrenInHistory(store: Store, path: NodePath, limit: number): Promise<NodePath[]> {
  const { rows } = await sql<{ child: string[] }>`
    WITH RECURSIVE found AS (
      (SELECT n.node_path[1:${path.length + 1}::integer] AS child, 1 AS number FROM node_run n
       WHERE n.node_path > ${[...path]}::text[] AND n.node_path[1:${path.length}::integer] = ${[...path]}::text[]
       ORDER BY n.node_path LIMIT 1)
      UNION ALL
      SELECT next.child, found.number + 1 FROM found, LATERAL (
        SELECT n.node_path[1:${path.length + 1}::integer] AS child FROM node_run n
        WHERE n.node_path > found.child || repeat('z', 500)
        ORDER BY n.node_path LIMIT 1
      ) next
      WHERE found.number < ${limit}::integer AND next.child > found.child
        AND next.child[1:${path.length}::integer] = ${[...path]}::text[]
    )
    SELECT child FROM found
  `.execute(await store.db());
  return rows.map(row => row.child);
}
