/** Which files are to be loaded. See loaded-schema.ts for where that is written down. */
import { PipelineError } from '../../api/errors.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import type { NodePath } from '../../model.ts';
import { loadedSchema as schema, prepareLoadedSchema } from './loaded-schema.ts';
import { inTransaction } from './loading-session.ts';

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

/** Lines of the listing that are sent at once. */
const LINES = 500;

/**
 * Takes up the files that are there and decides which of them are to be loaded, newest first, in chunks of about the same
 * number. All in the database: a million files take no memory here.
 */
export async function listFiles(session: PostgresSession, request: ListRequest): Promise<FileList> {
  await prepareLoadedSchema(session);
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
    // Without it the server would expect a handful.
    await session.execute('ANALYZE pg_temp.millrace_listing');
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
  { nodePath, table, dependencies, chain }: ListRequest,
): Promise<Pick<FileList, 'target' | 'startedAnew'>> {
  const { rows: relations } = await session.query('SELECT to_regclass($1)::oid AS relation', [table]);
  const relation = relations[0]?.['relation'];
  if (relation === null || relation === undefined) {
    throw new PipelineError(
      `There is no table ${table} in database "${session.alias}". Create it in a task before this one, for example with ExecuteSQL.`,
    );
  }
  const { rowCount: dropped } = await session.query(
    `DELETE FROM ${schema}.target WHERE node_path = $1 AND NOT EXISTS (SELECT FROM pg_class WHERE oid = relation)`,
    [nodePath],
  );
  // A run that is gone on with does not do again what made the table: what it has loaded is there, and stays loaded, also
  // when a file was edited in between. The next run sees that.
  const { rowCount: outdated } = await session.query(
    `DELETE FROM ${schema}.target WHERE node_path = $1 AND relation = $2::oid AND dependencies <> $3
      AND NOT EXISTS (SELECT FROM ${schema}.file WHERE file.target_id = target.target_id AND file.chain = $4)`,
    [nodePath, relation, dependencies, chain],
  );
  // Also locks the row, so that lists are made one after the other.
  const { rows } = await session.query(
    `INSERT INTO ${schema}.target (node_path, relation, dependencies) VALUES ($1, $2::oid, $3)
    ON CONFLICT (node_path, relation) DO UPDATE SET dependencies = target.dependencies RETURNING target_id`,
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
