/** What incremental processing remembers of nodes from run to run. Retention never touches it. */
import { sql } from 'kysely';
import { formatPath, type NodePath } from '../model.ts';
import { atOrBelow } from './path-range.ts';
import { storable } from './rows.ts';
import type { Store } from './store.ts';

/** What {@link resetState} forgot of one node. */
export interface ForgottenState {
  readonly nodePath: NodePath;
  readonly fileDependencies: number;
  readonly processedFiles: number;
  readonly copyStatuses: number;
}

/** The stored hash of the files that a node depends on; `null` when there is none. */
export async function fileDependency(
  store: Store,
  path: NodePath,
  dependencyType: string,
): Promise<string | null> {
  const db = await store.db();
  const row = await db
    .selectFrom('file_dependency')
    .select('hash')
    .where(eb => eb('node_path', '=', eb.val([...path])))
    .where('dependency_type', '=', storable(dependencyType))
    .executeTakeFirst();
  return row?.hash ?? null;
}

export async function setFileDependency(
  store: Store,
  path: NodePath,
  dependencyType: string,
  hash: string,
): Promise<void> {
  const db = await store.db();
  await db
    .insertInto('file_dependency')
    .values({ node_path: [...path], dependency_type: storable(dependencyType), hash })
    .onConflict(conflict =>
      conflict
        .columns(['node_path', 'dependency_type'])
        .doUpdateSet({ hash, at: db.fn<Date>('clock_timestamp') }),
    )
    .execute();
}

export async function deleteFileDependency(
  store: Store,
  path: NodePath,
  dependencyType: string,
): Promise<void> {
  const db = await store.db();
  await db
    .deleteFrom('file_dependency')
    .where(eb => eb('node_path', '=', eb.val([...path])))
    .where('dependency_type', '=', storable(dependencyType))
    .execute();
}

/** The files that a node has loaded, with the time of the version that it loaded. */
export async function processedFiles(store: Store, path: NodePath): Promise<Map<string, Date>> {
  const db = await store.db();
  const rows = await db
    .selectFrom('processed_file')
    .select(['file_name', 'last_modified_at'])
    .where(eb => eb('node_path', '=', eb.val([...path])))
    .execute();
  return new Map(rows.map(row => [row.file_name, row.last_modified_at]));
}

export async function setProcessedFile(
  store: Store,
  path: NodePath,
  fileName: string,
  lastModifiedAt: Date,
): Promise<void> {
  const db = await store.db();
  await db
    .insertInto('processed_file')
    .values({ node_path: [...path], file_name: storable(fileName), last_modified_at: lastModifiedAt })
    .onConflict(conflict =>
      conflict.columns(['node_path', 'file_name']).doUpdateSet({ last_modified_at: lastModifiedAt }),
    )
    .execute();
}

/** The same for many files, in one statement. */
export async function setProcessedFiles(
  store: Store,
  path: NodePath,
  files: readonly { readonly file: string; readonly lastModifiedAt: string }[],
): Promise<void> {
  const names = files.map(({ file }) => storable(file));
  const times = files.map(({ lastModifiedAt }) => lastModifiedAt);
  await sql`
    INSERT INTO processed_file (node_path, file_name, last_modified_at)
    SELECT ${[...path]}, file, max(at) FROM unnest(${names}::text[], ${times}::timestamptz[]) AS given (file, at)
    GROUP BY file
    ON CONFLICT (node_path, file_name) DO UPDATE SET last_modified_at = excluded.last_modified_at
  `.execute(await store.db());
}

/** How far a node has copied a source table (`<alias>.<table>`); `null` when it has not. */
export async function incrementalCopyStatus(
  store: Store,
  path: NodePath,
  sourceTable: string,
): Promise<string | null> {
  const db = await store.db();
  const row = await db
    .selectFrom('incremental_copy_status')
    .select('last_comparison_value')
    .where(eb => eb('node_path', '=', eb.val([...path])))
    .where('source_table', '=', storable(sourceTable))
    .executeTakeFirst();
  return row?.last_comparison_value ?? null;
}

export async function setIncrementalCopyStatus(
  store: Store,
  path: NodePath,
  sourceTable: string,
  lastComparisonValue: string,
): Promise<void> {
  const db = await store.db();
  await db
    .insertInto('incremental_copy_status')
    .values({
      node_path: [...path],
      source_table: storable(sourceTable),
      last_comparison_value: storable(lastComparisonValue),
    })
    .onConflict(conflict =>
      conflict
        .columns(['node_path', 'source_table'])
        .doUpdateSet({ last_comparison_value: storable(lastComparisonValue) }),
    )
    .execute();
}

export async function deleteIncrementalCopyStatus(
  store: Store,
  path: NodePath,
  sourceTable: string,
): Promise<void> {
  const db = await store.db();
  await db
    .deleteFrom('incremental_copy_status')
    .where(eb => eb('node_path', '=', eb.val([...path])))
    .where('source_table', '=', storable(sourceTable))
    .execute();
}

/** What {@link resetState} would forget, by path. */
export function stateBelow(store: Store, path: NodePath): Promise<ForgottenState[]> {
  return perNode(store, path, (table, condition) => `SELECT node_path FROM ${table} WHERE ${condition}`);
}

/** Forgets the incremental state of a node and of everything below it; all of it or nothing. */
export function resetState(store: Store, path: NodePath): Promise<ForgottenState[]> {
  return perNode(
    store,
    path,
    (table, condition) => `DELETE FROM ${table} WHERE ${condition} RETURNING node_path`,
  );
}

async function perNode(
  store: Store,
  path: NodePath,
  rowsOf: (table: string, condition: string) => string,
): Promise<ForgottenState[]> {
  const { condition, values } = atOrBelow(path);
  const client = await store.connect();
  try {
    const { rows } = await client.query<{
      node_path: string[];
      files: number;
      processed: number;
      copies: number;
    }>(
      `WITH f AS (${rowsOf('file_dependency', condition)}), p AS (${rowsOf('processed_file', condition)}),
        c AS (${rowsOf('incremental_copy_status', condition)})
      SELECT node_path, count(*) FILTER (WHERE kind = 'f') AS files, count(*) FILTER (WHERE kind = 'p') AS processed,
        count(*) FILTER (WHERE kind = 'c') AS copies
      FROM (
        SELECT node_path, 'f' AS kind FROM f
        UNION ALL SELECT node_path, 'p' FROM p
        UNION ALL SELECT node_path, 'c' FROM c
      ) AS all_rows
      GROUP BY node_path`,
      [...values],
    );
    return rows
      .map(row => ({
        nodePath: row.node_path,
        fileDependencies: row.files,
        processedFiles: row.processed,
        copyStatuses: row.copies,
      }))
      .sort((a, b) => (formatPath(a.nodePath) < formatPath(b.nodePath) ? -1 : 1));
  } finally {
    await client.end();
  }
}
