/**
 * Which files a parallel task has loaded. It is written down in the database that gets the rows, in the transaction that
 * loads them, so that the record and the rows cannot disagree, whatever is killed when.
 *
 * Schema `millrace_loaded`:
 * - `target`: one row for each node and table. The table is a `regclass`: it follows when the table is renamed or restored
 *   from a backup, and does not stand for a table of the same name that was made anew. A row whose file dependencies
 *   are not the current ones is deleted, with everything below it.
 * - `file`: the files whose rows are in the table, with the version that was loaded and the run that did it.
 * - `pending`: the files of the newest list that are still to be loaded, in chunks.
 */
import { PipelineError } from '../../api/errors.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import { inTransaction } from './loading-session.ts';

export const loadedSchema = 'millrace_loaded';

const createStatements = [
  `CREATE TABLE IF NOT EXISTS ${loadedSchema}.target (
    target_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_path text[] NOT NULL,
    relation regclass NOT NULL,
    dependencies text NOT NULL,
    list uuid,
    UNIQUE (node_path, relation)
  )`,
  `CREATE TABLE IF NOT EXISTS ${loadedSchema}.file (
    target_id bigint NOT NULL REFERENCES ${loadedSchema}.target ON DELETE CASCADE,
    file_name text COLLATE "C" NOT NULL,
    last_modified_at timestamptz NOT NULL,
    day date,
    chain text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target_id, file_name)
  )`,
  `CREATE INDEX IF NOT EXISTS file_day ON ${loadedSchema}.file (target_id, day) WHERE day IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${loadedSchema}.pending (
    target_id bigint NOT NULL REFERENCES ${loadedSchema}.target ON DELETE CASCADE,
    list uuid NOT NULL,
    chunk integer NOT NULL,
    position integer NOT NULL,
    file_name text COLLATE "C" NOT NULL,
    last_modified_at timestamptz,
    day date,
    PRIMARY KEY (target_id, list, chunk, position)
  )`,
];

/** Any number will do, if nobody else uses it. */
const creationLock = 4_187_620_553;

/**
 * Makes the tables that are not there yet.
 *
 * @throws PipelineError when the role may not make the schema
 */
export async function prepareLoadedSchema(session: PostgresSession): Promise<void> {
  const { rows } = await session.query(
    `SELECT coalesce(to_regclass('${loadedSchema}.pending') IS NOT NULL AND to_regclass('${loadedSchema}.file_day') IS NOT NULL, false) AS there`,
  );
  if (rows[0]?.['there'] === true) return;
  try {
    await inTransaction(session, async () => {
      await session.query(`SELECT pg_advisory_xact_lock(${String(creationLock)})`);
      // Not IF NOT EXISTS, which needs the right to make it even if it is there.
      const { rows: found } = await session.query('SELECT to_regnamespace($1) IS NULL AS missing', [
        loadedSchema,
      ]);
      if (found[0]?.['missing'] === true) await session.execute(`CREATE SCHEMA ${loadedSchema}`);
      for (const statement of createStatements) await session.execute(statement);
    });
  } catch (error) {
    if (session.cancelled || !(error instanceof Error) || stateOf(error) !== '42501') throw error;
    const { rows: roles } = await session.query('SELECT quote_ident(current_user) AS role');
    throw new PipelineError(
      `The schema ${loadedSchema} in database "${session.alias}", which keeps which files are loaded, cannot be made: ` +
        `${error.message}. Let someone who may run: CREATE SCHEMA ${loadedSchema} AUTHORIZATION ${String(roles[0]?.['role'])}`,
      { cause: error },
    );
  }
}

/** The SQLSTATE of the server's error, if it is one. */
export function stateOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
