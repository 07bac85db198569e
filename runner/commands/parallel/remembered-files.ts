/** What a database remembers of loaded files, for those who want to see it or have it forgotten. */
import type { PostgresSession } from '../../databases/postgres.ts';
import type { NodePath } from '../../model.ts';
import { loadedSchema as schema } from './loaded-schema.ts';

/** What a database remembers of a node. */
export interface RememberedFiles {
  readonly nodePath: NodePath;
  /** As it is written in SQL; a number for a table that is not there any more. */
  readonly table: string;
  readonly files: number;
}

/** What a database remembers of a node and everything below it, by path. */
export async function rememberedFiles(session: PostgresSession, path: NodePath): Promise<RememberedFiles[]> {
  const { rows: found } = await session.query(`SELECT to_regclass('${schema}.file') IS NOT NULL AS there`);
  if (found[0]?.['there'] !== true) return [];
  const { rows } = await session.query(
    `SELECT node_path, relation::text, count(file_name)::integer AS files
    FROM ${schema}.target LEFT JOIN ${schema}.file USING (target_id)
    WHERE node_path[1:cardinality($1::text[])] = $1 GROUP BY node_path, relation ORDER BY node_path, 2`,
    [path],
  );
  return rows.map(row => ({
    nodePath: row['node_path'] as string[],
    table: String(row['relation']),
    files: Number(row['files']),
  }));
}

/** Forgets which files a node and everything below it have loaded; gives what was forgotten. */
export async function forgetFiles(session: PostgresSession, path: NodePath): Promise<RememberedFiles[]> {
  const remembered = await rememberedFiles(session, path);
  if (remembered.length > 0) {
    await session.query(`DELETE FROM ${schema}.target WHERE node_path[1:cardinality($1::text[])] = $1`, [
      path,
    ]);
  }
  return remembered;
}
