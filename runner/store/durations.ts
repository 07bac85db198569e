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
  return await query(
    from,
    `SELECT node_path, avg(extract(epoch FROM ended_at - started_at))::float8 AS seconds FROM node_run
    WHERE status = 'succeeded' AND kind <> 'pipeline' AND ${below.condition}
    GROUP BY node_path`,
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
    `SELECT n.node_path, avg(extract(epoch FROM n.ended_at - n.started_at))::float8 AS seconds
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
