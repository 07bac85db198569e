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
import type { Database } from '../../api/context.ts';
import { formatPath, type NodePath } from '../../model.ts';
import type { PostgresSession } from '../../databases/postgres.ts';

/** Which files of a list are loaded. */
export type ReadMode = 'all' | 'onlyLatest' | 'onlyNew' | 'onlyChanged' | 'onlyNewExceptLatest';

export const readModes: readonly string[] = [
  'all',
  'onlyLatest',
  'onlyNew',
  'onlyChanged',
  'onlyNewExceptLatest',
] satisfies ReadMode[];

/** A file that is there. */
export interface ListedFile {
  /** Relative to the data directory, with `/`. */
  readonly file: string;
  /** Milliseconds since the epoch; `undefined` where it does not matter. */
  readonly lastModified: number | undefined;
  /** `YYYY-MM-DD`; `undefined` without dateRegex. */
  readonly day: string | undefined;
}

/** What is to be listed, and for what. */
export interface ListRequest {
  readonly nodePath: NodePath;
  /** As it is written in SQL. */
  readonly table: string;
  readonly mode: ReadMode;
  /** Hash of the file dependencies; empty without any. */
  readonly dependencies: string;
  /** Names the run and those that it resumes. */
  readonly chain: string;
  /** Whether days are loaded as a whole, because their partitions are emptied before. */
  readonly wholeDays: boolean;
  /** How many chunks there are at most. */
  readonly chunks: number;
  readonly files: AsyncIterable<ListedFile>;
}

/** Files for one child. */
export interface Chunk {
  readonly chunk: number;
  readonly files: number;
  readonly first: string;
  readonly last: string;
  /** Names all of them, in the version that they have. */
  readonly hash: string;
}

/** Files that are to be loaded. */
export interface FileList {
  readonly target: string;
  /** Names this list. */
  readonly list: string;
  readonly listed: number;
  /** Whether there was something to forget before: the table was made anew, or file dependencies have changed. */
  readonly startedAnew: 'table' | 'dependencies' | undefined;
  readonly chunks: readonly Chunk[];
  /** Days of the files, as `YYYY-MM-DD`. */
  readonly days: readonly string[];
}

/** A chunk of a list. */
export interface ChunkKey {
  readonly target: string;
  readonly list: string;
  readonly chunk: number;
}

/** One file of a chunk. */
export interface PendingFile {
  readonly position: number;
  readonly file: string;
}

const schema = 'millrace_loaded';

const createStatements = [
  `CREATE SCHEMA IF NOT EXISTS ${schema}`,
  `CREATE TABLE IF NOT EXISTS ${schema}.target (
    target_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_path text[] NOT NULL,
    relation regclass NOT NULL,
    dependencies text NOT NULL,
    list uuid,
    UNIQUE (node_path, relation)
  )`,
  `CREATE TABLE IF NOT EXISTS ${schema}.file (
    target_id bigint NOT NULL REFERENCES ${schema}.target ON DELETE CASCADE,
    file_name text COLLATE "C" NOT NULL,
    last_modified_at timestamptz NOT NULL,
    day date,
    chain text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target_id, file_name)
  )`,
  `CREATE INDEX IF NOT EXISTS file_day ON ${schema}.file (target_id, day) WHERE day IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS ${schema}.pending (
    target_id bigint NOT NULL REFERENCES ${schema}.target ON DELETE CASCADE,
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

/** Files that a chunk asks for at once. */
const BATCH = 500;

/** Lines of the listing that are sent at once. */
const LINES = 500;

/** The connection for a node's files. */
export async function loadingSession(
  context: { db(alias?: string): Promise<Database> },
  what: string,
  db: string | undefined,
): Promise<PostgresSession> {
  const { PostgresSession } = await import('../../databases/postgres.ts');
  const session = await context.db(db);
  if (session instanceof PostgresSession) return session;
  throw new PipelineError(
    `${what} cannot use database "${session.alias}": which files are loaded is written down in the transaction that ` +
      'loads them, which needs a Postgres database.',
  );
}

/** Lets `work` use a transaction of its own. */
export async function inTransaction<T>(session: PostgresSession, work: () => Promise<T>): Promise<T> {
  await session.execute('begin');
  try {
    const result = await work();
    if (session.transaction !== 'open')
      throw new Error('the transaction of the load was ended by what it loads');
    await session.execute('commit');
    return result;
  } catch (error) {
    if (!session.cancelled && session.transaction !== 'none')
      await session.execute('rollback').catch(() => undefined);
    throw error;
  }
}

/** Makes the tables that are not there yet. */
async function prepare(session: PostgresSession): Promise<void> {
  const { rows } = await session.query(
    `SELECT coalesce(to_regclass('${schema}.pending') IS NOT NULL AND to_regclass('${schema}.file_day') IS NOT NULL, false) AS there`,
  );
  if (rows[0]?.['there'] === true) return;
  try {
    await inTransaction(session, async () => {
      await session.query(`SELECT pg_advisory_xact_lock(${String(creationLock)})`);
      for (const statement of createStatements) await session.execute(statement);
    });
  } catch (error) {
    if (session.cancelled || !(error instanceof Error) || stateOf(error) !== '42501') throw error;
    const { rows: roles } = await session.query('SELECT quote_ident(current_user) AS role');
    throw new PipelineError(
      `The schema ${schema} in database "${session.alias}", which keeps which files are loaded, cannot be made: ` +
        `${error.message}. Let someone who may run: CREATE SCHEMA ${schema} AUTHORIZATION ${String(roles[0]?.['role'])}`,
      { cause: error },
    );
  }
}

/**
 * Takes up the files that are there and decides which of them are to be loaded, newest first, in chunks of about the same
 * number. All in the database: a million files take no memory here.
 */
export async function listFiles(session: PostgresSession, request: ListRequest): Promise<FileList> {
  await prepare(session);
  return await inTransaction(session, async () => {
    await session.execute(
      `CREATE TEMPORARY TABLE millrace_listing (
        file_name text COLLATE "C" NOT NULL, last_modified_at timestamptz, day date
      ) ON COMMIT DROP`,
    );
    const listed = await session.copyFrom(
      'COPY pg_temp.millrace_listing FROM STDIN',
      copyLines(request.files),
    );
    const { target, startedAnew } = await currentTarget(session, request);
    const { rows } = await session.query(
      `UPDATE ${schema}.target SET list = gen_random_uuid() WHERE target_id = $1 RETURNING list`,
      [target],
    );
    const list = String(rows[0]?.['list']);
    await session.query(`DELETE FROM ${schema}.pending WHERE target_id = $1`, [target]);
    await session.query(pendingStatement(request), [
      target,
      list,
      request.chunks,
      ...(comparesChain(request.mode) ? [request.chain] : []),
    ]);
    const { rows: chunks } = await session.query(
      `SELECT chunk, count(*)::integer AS files, (array_agg(file_name ORDER BY position))[1] AS first,
        (array_agg(file_name ORDER BY position DESC))[1] AS last,
        encode(sha256(convert_to(string_agg(concat_ws(' ', extract(epoch FROM last_modified_at), file_name), E'\\n'
          ORDER BY position), 'UTF8')), 'hex') AS hash
      FROM ${schema}.pending WHERE target_id = $1 AND list = $2 GROUP BY chunk ORDER BY chunk`,
      [target, list],
    );
    const { rows: days } = await session.query(
      `SELECT DISTINCT day::text FROM ${schema}.pending WHERE target_id = $1 AND list = $2 AND day IS NOT NULL
      ORDER BY day DESC`,
      [target, list],
    );
    return {
      target,
      list,
      listed,
      startedAnew,
      chunks: chunks.map(row => ({
        chunk: Number(row['chunk']),
        files: Number(row['files']),
        first: String(row['first']),
        last: String(row['last']),
        hash: String(row['hash']),
      })),
      days: days.map(row => String(row['day'])),
    };
  });
}

/** The row for the node and the table as it is now, with what is loaded under the current file dependencies. */
async function currentTarget(
  session: PostgresSession,
  { nodePath, table, dependencies }: ListRequest,
): Promise<Pick<FileList, 'target' | 'startedAnew'>> {
  const { rows: relations } = await session.query('SELECT to_regclass($1)::oid AS relation', [table]);
  const relation = relations[0]?.['relation'];
  if (relation === null || relation === undefined) {
    throw new PipelineError(
      `There is no table ${table} in database "${session.alias}". Create it before, for example with ExecuteSQL.`,
    );
  }
  const { rowCount: dropped } = await session.query(
    `DELETE FROM ${schema}.target WHERE node_path = $1 AND NOT EXISTS (SELECT FROM pg_class WHERE oid = relation)`,
    [nodePath],
  );
  const { rowCount: outdated } = await session.query(
    `DELETE FROM ${schema}.target WHERE node_path = $1 AND relation = $2::oid AND dependencies <> $3`,
    [nodePath, relation, dependencies],
  );
  // Also locks the row, so that lists are made one after the other.
  const { rows } = await session.query(
    `INSERT INTO ${schema}.target (node_path, relation, dependencies) VALUES ($1, $2::oid, $3)
    ON CONFLICT (node_path, relation) DO UPDATE SET dependencies = excluded.dependencies RETURNING target_id`,
    [nodePath, relation, dependencies],
  );
  return {
    target: String(rows[0]?.['target_id']),
    startedAnew: (outdated ?? 0) > 0 ? 'dependencies' : (dropped ?? 0) > 0 ? 'table' : undefined,
  };
}

/** $1: target, $2: list, $3: chunks, $4: chain. */
function pendingStatement({ mode, wholeDays }: ListRequest): string {
  return `WITH ordered AS (
      SELECT *, row_number() OVER (ORDER BY day DESC NULLS LAST, file_name DESC) AS number FROM pg_temp.millrace_listing
    ), eligible AS (
      SELECT * FROM ordered WHERE ${{ all: 'true', onlyNew: 'true', onlyChanged: 'true', onlyLatest: 'number = 1', onlyNewExceptLatest: 'number > 1' }[mode]}
    ), wanted AS (
      SELECT listed.* FROM eligible AS listed
      LEFT JOIN ${schema}.file AS loaded ON loaded.target_id = $1 AND loaded.file_name = listed.file_name
      WHERE loaded.file_name IS NULL ${wantedAgain(mode)}
    ), chosen AS (
      SELECT * FROM ${wholeDays ? 'eligible WHERE day IN (SELECT day FROM wanted)' : 'wanted'}
    ), numbered AS (
      SELECT *, (row_number() OVER (ORDER BY number) - 1)::integer AS position, count(*) OVER () AS total FROM chosen
    )
    INSERT INTO ${schema}.pending (target_id, list, chunk, position, file_name, last_modified_at, day)
    SELECT $1, $2::uuid, position / ceil(total / $3::numeric)::integer, position, file_name, last_modified_at, day
    FROM numbered`;
}

/** Files that were loaded before and are loaded again. */
function wantedAgain(mode: ReadMode): string {
  switch (mode) {
    case 'all':
    case 'onlyLatest':
      // By each run, but not twice by one, nor by the run that goes on with it.
      return 'OR loaded.chain <> $4';
    case 'onlyChanged':
      return 'OR loaded.last_modified_at <> listed.last_modified_at';
    case 'onlyNew':
    case 'onlyNewExceptLatest':
      return '';
  }
}

function comparesChain(mode: ReadMode): boolean {
  return mode === 'all' || mode === 'onlyLatest';
}

/** The files of a chunk that are still to be loaded, newest first; while they are used, others may go. */
export async function* pendingFiles(
  session: PostgresSession,
  { target, list, chunk }: ChunkKey,
): AsyncGenerator<PendingFile> {
  for (let after = -1; ;) {
    const { rows } = await session.query(
      `SELECT position, file_name FROM ${schema}.pending
      WHERE target_id = $1 AND list = $2 AND chunk = $3 AND position > $4 ORDER BY position LIMIT ${String(BATCH)}`,
      [target, list, chunk, after],
    );
    for (const row of rows) {
      after = Number(row['position']);
      yield { position: after, file: String(row['file_name']) };
    }
    if (rows.length < BATCH) return;
  }
}

/**
 * Says in the open transaction that a file is loaded, before it is. Gives `false` when it is loaded already, in this
 * version or by this run; waits for another transaction that is loading it.
 *
 * @throws PipelineError when the list is not the newest any more
 */
export async function claimFile(
  session: PostgresSession,
  key: ChunkKey,
  { position, file }: PendingFile,
  {
    mode,
    chain,
    lastModified,
  }: { readonly mode: ReadMode; readonly chain: string; readonly lastModified: Date },
): Promise<boolean> {
  const again = {
    all: 'f.chain <> excluded.chain',
    onlyLatest: 'f.chain <> excluded.chain',
    onlyChanged: 'f.last_modified_at <> excluded.last_modified_at',
    onlyNew: 'false',
    onlyNewExceptLatest: 'false',
  }[mode];
  let rows: readonly Readonly<Record<string, unknown>>[];
  try {
    ({ rows } = await session.query(
      `WITH listed AS (
        DELETE FROM ${schema}.pending WHERE target_id = $1 AND list = $2 AND chunk = $3 AND position = $4 RETURNING day
      ), claimed AS (
        INSERT INTO ${schema}.file AS f (target_id, file_name, last_modified_at, day, chain)
        SELECT $1, $5, $6, day, $7 FROM listed
        ON CONFLICT (target_id, file_name) DO UPDATE SET last_modified_at = excluded.last_modified_at, day = excluded.day,
          chain = excluded.chain, loaded_at = clock_timestamp() WHERE ${again}
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM listed)::integer AS listed, (SELECT count(*) FROM claimed)::integer AS claimed`,
      [key.target, key.list, key.chunk, position, file, lastModified, chain],
    ));
  } catch (error) {
    if (isForgotten(error)) throw superseded(error);
    throw error;
  }
  if (rows[0]?.['listed'] !== 1) throw superseded();
  return rows[0]['claimed'] === 1;
}

/** @throws PipelineError when the list is not the newest any more, so that what was left of it is another run's work */
export async function checkNewest(
  session: PostgresSession,
  { target, list }: Pick<ChunkKey, 'target' | 'list'>,
): Promise<void> {
  const { rows } = await session.query(`SELECT FROM ${schema}.target WHERE target_id = $1 AND list = $2`, [
    target,
    list,
  ]);
  if (rows.length === 0) throw superseded();
}

/** Forgets the files of days, in the open transaction: their partitions have been emptied. */
export async function forgetDays(
  session: PostgresSession,
  target: string,
  days: readonly string[],
): Promise<void> {
  await session.query(`DELETE FROM ${schema}.file WHERE target_id = $1 AND day = ANY ($2::date[])`, [
    target,
    days,
  ]);
}

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

/** `foreign_key_violation`: the row of the target is gone. */
function isForgotten(error: unknown): boolean {
  return stateOf(error) === '23503';
}

/** The SQLSTATE of the server's error, if it is one. */
function stateOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function superseded(cause?: unknown): PipelineError {
  return new PipelineError(
    'The list of files that this task works on is not the newest any more: another run has listed them again, or what was ' +
      'remembered was reset. What is loaded is on record. Run the parallel task again.',
    { cause },
  );
}

async function* copyLines(files: AsyncIterable<ListedFile>): AsyncGenerator<string> {
  let lines: string[] = [];
  for await (const { file, lastModified, day } of files) {
    const at = lastModified === undefined ? '\\N' : new Date(lastModified).toISOString();
    lines.push(`${escapeCopy(file)}\t${at}\t${day ?? '\\N'}\n`);
    if (lines.length === LINES) {
      yield lines.join('');
      lines = [];
    }
  }
  yield lines.join('');
}

function escapeCopy(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
}

/** For messages about a node. */
export function nodeName(path: NodePath): string {
  return `parallel task "${formatPath(path)}"`;
}
