/** How long nodes take, on average over the runs in the store (retention deletes what is too old to tell). */
import type { Client } from 'pg';
import { formatPath, type NodePath } from '../model.ts';
import type { Store } from './store.ts';

/**
 * Average seconds of the succeeded attempts of each task and parallel task at or below a path, by path (`a/b`).
 * A node that never succeeded is missing. Nodes that no longer exist are in it as well; nobody asks for them.
 *
 * @param from a connection saves making one.
 */
export async function averageDurations(from: Store | Client, path: NodePath): Promise<Map<string, number>> {
  return await query(
    from,
    `SELECT node_path, avg(extract(epoch FROM ended_at - started_at))::float8 AS seconds FROM node_run
    WHERE status = 'succeeded' AND kind <> 'pipeline' AND ${belowSql('$1', '$2')}
    GROUP BY node_path`,
    path,
  );
}

/**
 * Average seconds from start to end of each pipeline at or below a path, over the runs that ran all of it: not of
 * those with a selection in it, and not of resumed ones.
 */
export async function averagePipelineDurations(
  from: Store | Client,
  path: NodePath,
): Promise<Map<string, number>> {
  return await query(
    from,
    `SELECT n.node_path, avg(extract(epoch FROM n.ended_at - n.started_at))::float8 AS seconds
    FROM node_run n JOIN run r USING (run_id)
    WHERE n.status = 'succeeded' AND n.kind = 'pipeline' AND ${belowSql('$1', '$2', 'n.node_path')}
      AND r.resumed_from IS NULL
      AND (
        r.node_paths = '{}' OR EXISTS (
          SELECT FROM unnest(r.node_paths) AS selected(path)
          WHERE starts_with(array_to_string(n.node_path, '/') || '/', selected.path || '/')
        )
      )
    GROUP BY n.node_path`,
    path,
  );
}

async function query(from: Store | Client, sql: string, path: NodePath): Promise<Map<string, number>> {
  const client = 'connect' in from && 'databaseName' in from ? await from.connect() : from;
  try {
    const { rows } = await client.query<{ node_path: string[]; seconds: number | null }>(sql, [
      path,
      pathEnd(path),
    ]);
    return new Map(
      rows.flatMap(row => (row.seconds === null ? [] : [[formatPath(row.node_path), row.seconds]])),
    );
  } finally {
    if (client !== from) await client.end();
  }
}

/**
 * A path that sorts after everything below `path`, or `null` when nothing does. It only narrows the part of the index
 * that is read, because what sorts in between depends on the database's collation: {@link belowSql} compares as well.
 */
export function pathEnd(path: NodePath): NodePath | null {
  const last = path.at(-1);
  return last === undefined ? null : [...path.slice(0, -1), `${last}\u0001`];
}

/** Whether a path is at or below another one; `end` is its {@link pathEnd}. */
export function belowSql(path: string, end: string, column = 'node_path'): string {
  return `${column} >= ${path}::text[] AND (${end}::text[] IS NULL OR ${column} < ${end}::text[])
    AND ${column}[1:cardinality(${path}::text[])] = ${path}::text[]`;
}
