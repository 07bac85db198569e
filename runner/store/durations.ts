/** How long nodes take, on average over the runs in the store (retention deletes what is too old to tell). */
import type { Client } from 'pg';
import { formatPath, type NodePath } from '../model.ts';
import { atOrBelow } from './path-range.ts';
import type { Store } from './store.ts';

/**
 * Average seconds of the succeeded attempts of each task and parallel task at or below a path, by path (`a/b`).
 * A node that never succeeded is missing. Nodes that no longer exist are in it as well; nobody asks for them.
 *
 * @param from a connection saves making one.
 */
export async function averageDurations(from: Store | Client, path: NodePath): Promise<Map<string, number>> {
  const below = atOrBelow(path);
  const succeeded = `status = 'succeeded' AND kind <> 'pipeline'`;
  // Jumps from path to path in the index and averages one at a time: comparing every row's path with the one before,
  // as GROUP BY does, takes four times as long.
  return await query(
    from,
    `WITH RECURSIVE path AS (
      (SELECT node_path FROM node_run WHERE ${succeeded} AND ${below.condition} ORDER BY node_path LIMIT 1)
      UNION ALL
      SELECT next.node_path FROM path, LATERAL (
        SELECT node_path FROM node_run
        WHERE ${succeeded} AND ${below.condition} AND node_path > path.node_path ORDER BY node_path LIMIT 1
      ) next
    )
    SELECT path.node_path, average.seconds FROM path, LATERAL (
      SELECT date_part('epoch', sum(ended_at - started_at)) / count(*) AS seconds FROM node_run
      WHERE ${succeeded} AND node_path = path.node_path
      OFFSET 0
    ) average`,
    below.values,
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
  const below = atOrBelow(path, 'n.node_path');
  return await query(
    from,
    `SELECT n.node_path, avg(date_part('epoch', n.ended_at - n.started_at)) AS seconds
    FROM node_run n JOIN run r USING (run_id)
    WHERE n.status = 'succeeded' AND n.kind = 'pipeline' AND ${below.condition}
      AND r.resumed_from IS NULL
      AND (
        r.node_paths = '{}' OR EXISTS (
          SELECT FROM unnest(r.node_paths) AS selected(path)
          WHERE starts_with(array_to_string(n.node_path, '/') || '/', selected.path || '/')
        )
      )
    GROUP BY n.node_path`,
    below.values,
  );
}

async function query(
  from: Store | Client,
  text: string,
  values: readonly NodePath[],
): Promise<Map<string, number>> {
  const client = 'databaseName' in from ? await from.connect() : from;
  try {
    const { rows } = await client.query<{ node_path: string[]; seconds: number | null }>({
      text,
      values: [...values],
    });
    return new Map(
      rows.flatMap(row => (row.seconds === null ? [] : [[formatPath(row.node_path), row.seconds]])),
    );
  } finally {
    if (client !== from) await client.end();
  }
}
