/** Stored output: pages of it, a search in it, and all of it in the order of time. */
import { sql, type RawBuilder } from 'kysely';
import type { Client } from 'pg';
import type { NodePath, OutputFormat } from '../model.ts';
import { nodeRunIds, storable } from './rows.ts';
import type { Store } from './store.ts';

export interface OutputLine {
  readonly nodeRunId: number;
  readonly nodePath: NodePath;
  readonly attempt: number;
  /** Counted from 1 within the attempt. */
  readonly seq: number;
  readonly at: Date;
  readonly format: OutputFormat;
  readonly isError: boolean;
  readonly message: string;
}

/** A place between two lines of a run: after line `seq` of an attempt. */
export interface OutputPosition {
  readonly nodeRunId: number;
  readonly seq: number;
}

export interface OutputFilter {
  /** Output of this node and of those below it; default: all of the run's. */
  readonly path?: NodePath;
  readonly errorsOnly?: boolean;
}

export interface OutputPageQuery extends OutputFilter {
  /** Where the page before ended; default: from the start. */
  readonly after?: OutputPosition;
  /** Default 1,000. */
  readonly limit?: number;
}

export interface OutputPage {
  readonly lines: readonly OutputLine[];
  /** Pass it as `after` to go on; `null` when there was no more. */
  readonly next: OutputPosition | null;
}

/**
 * Has lines read in the order of the primary key. Without it the planner, who knows only how many lines an attempt has
 * on average, may decide to fetch all of an attempt's lines and sort them, for each page of an attempt with millions.
 */
export const READ_IN_ORDER = 'SET enable_bitmapscan = off';

/** A search looks at so many lines in one go, so that every answer comes soon. */
const SEARCH_SLICE = 20_000;

/** A page of a run's output, attempt by attempt in the order in which they were begun. */
export async function getOutput(
  store: Store,
  runId: number,
  query: OutputPageQuery = {},
): Promise<OutputPage> {
  const { limit = 1_000 } = query;
  const rows = await readInOrder(store, selectLines(runId, query, limit));
  return { lines: rows.map(toOutputLine), next: rows.length < limit ? null : positionOf(rows.at(-1)) };
}

/**
 * Looks for a text, whatever its case, in the lines that follow a position. It looks at a bounded number of lines:
 * `next` says where to go on, also when nothing was found.
 */
export async function searchOutput(
  store: Store,
  runId: number,
  text: string,
  query: Omit<OutputPageQuery, 'limit'> = {},
): Promise<OutputPage> {
  // The last line of a slice is returned whether it matches or not, because the search goes on behind it.
  const search = sql<OutputRow & { readonly is_match: boolean; readonly is_last: boolean }>`
    WITH slice AS MATERIALIZED (${selectLines(runId, query, SEARCH_SLICE)}),
    boundary AS (
      SELECT node_run_id, seq, true AS is_last FROM slice ORDER BY node_run_id, seq OFFSET ${SEARCH_SLICE - 1}
    ),
    compared AS (SELECT *, position(lower(${storable(text)}::text) IN lower(message)) > 0 AS is_match FROM slice)
    SELECT c.*, b.is_last IS NOT NULL AS is_last
    FROM compared c LEFT JOIN boundary b ON (b.node_run_id, b.seq) = (c.node_run_id, c.seq)
    WHERE c.is_match OR b.is_last
    ORDER BY c.node_run_id, c.seq
  `;
  const rows = await readInOrder(store, search);
  return {
    lines: rows.filter(row => row.is_match).map(toOutputLine),
    next: positionOf(rows.find(row => row.is_last)),
  };
}

/**
 * All lines of a run in the order of time. Reads page by page from each attempt that was at work, so that memory stays
 * flat whatever the run wrote.
 */
export async function* outputInOrder(
  store: Store,
  runId: number,
  filter: OutputFilter = {},
): AsyncGenerator<OutputLine, void> {
  const client = await store.connect();
  try {
    await client.query(READ_IN_ORDER);
    yield* mergeAttempts(client, await readAttempts(client, runId, filter), filter);
  } finally {
    await client.end();
  }
}

interface StartedAttempt extends Attempt {
  readonly started_at: Date;
}

/** Newest first. */
async function readAttempts(
  client: Client,
  runId: number,
  { path = [] }: OutputFilter,
): Promise<StartedAttempt[]> {
  const { first, end } = nodeRunIds(runId);
  const { rows } = await client.query<StartedAttempt>(
    `SELECT node_run_id, node_path, attempt, started_at FROM node_run
    WHERE node_run_id >= $1 AND node_run_id < $2 AND node_path[1:cardinality($3::text[])] = $3::text[]
      AND started_at IS NOT NULL
    ORDER BY started_at DESC, node_run_id DESC`,
    [first, end, path],
  );
  return rows;
}

/** @param attempts newest first; emptied. */
async function* mergeAttempts(
  client: Client,
  attempts: StartedAttempt[],
  { errorsOnly }: OutputFilter,
): AsyncGenerator<OutputLine, void> {
  const readPage = async (attempt: Attempt, after: number): Promise<OutputLine[]> => {
    const { rows } = await client.query<Omit<OutputRow, keyof Attempt>>(
      `SELECT seq, at, format, is_error, message FROM node_output
      WHERE node_run_id = $1 AND seq > $2 ${errorsOnly === true ? 'AND is_error' : ''}
      ORDER BY seq LIMIT ${ATTEMPT_PAGE}`,
      [attempt.node_run_id, after],
    );
    return rows.map(row => toOutputLine({ ...attempt, ...row }));
  };

  /** Attempts that have lines left, with the page that is being read. */
  let open: { readonly attempt: Attempt; page: OutputLine[]; at: number }[] = [];
  for (;;) {
    const first = open.reduce<(typeof open)[number] | undefined>(
      (best, source) => (best === undefined || timeOf(source) < timeOf(best) ? source : best),
      undefined,
    );
    const upcoming = attempts.at(-1);
    if (upcoming !== undefined && (first === undefined || upcoming.started_at.getTime() <= timeOf(first))) {
      attempts.pop();
      const page = await readPage(upcoming, 0);
      if (page.length > 0) open.push({ attempt: upcoming, page, at: 0 });
      continue;
    }
    const line = first?.page[first.at];
    if (first === undefined || line === undefined) return;
    yield line;
    first.at++;
    if (first.at < first.page.length) continue;
    first.page = first.page.length < ATTEMPT_PAGE ? [] : await readPage(first.attempt, line.seq);
    first.at = 0;
    if (first.page.length === 0) open = open.filter(source => source !== first);
  }
}

async function readInOrder<Row>(store: Store, query: RawBuilder<Row>): Promise<Row[]> {
  const db = await store.db();
  return await db.transaction().execute(async transaction => {
    await sql.raw(READ_IN_ORDER.replace('SET', 'SET LOCAL')).execute(transaction);
    return (await query.execute(transaction)).rows;
  });
}

/** Lines that {@link outputInOrder} reads of one attempt at a time. */
const ATTEMPT_PAGE = 1_000;

function timeOf(source: { readonly page: readonly OutputLine[]; readonly at: number }): number {
  return source.page[source.at]?.at.getTime() ?? Infinity;
}

interface Attempt {
  readonly node_run_id: number;
  readonly node_path: string[];
  readonly attempt: number;
}

interface OutputRow extends Attempt {
  readonly seq: number;
  readonly at: Date;
  readonly format: OutputFormat;
  readonly is_error: boolean;
  readonly message: string;
}

/** Lines after a position, in the order of the primary key; no more of any attempt is read than is returned. */
function selectLines(runId: number, query: OutputPageQuery, limit: number): RawBuilder<OutputRow> {
  const { after } = query;
  const from = after === undefined ? sql`` : sql`AND n.node_run_id >= ${after.nodeRunId}`;
  // An expression of the attempt rather than two conditions, so that the index is entered right behind the position.
  const behind =
    after === undefined
      ? sql``
      : sql`AND o.seq > CASE n.node_run_id WHEN ${after.nodeRunId} THEN ${after.seq}::integer ELSE 0 END`;
  return sql<OutputRow>`
    SELECT n.node_run_id, n.node_path, n.attempt, l.seq, l.at, l.format, l.is_error, l.message
    FROM node_run n CROSS JOIN LATERAL (
      SELECT o.seq, o.at, o.format, o.is_error, o.message FROM node_output o
      WHERE o.node_run_id = n.node_run_id ${behind} ${onlyErrors(query)}
      ORDER BY o.seq LIMIT ${limit}
    ) l
    WHERE ${attemptsOf(runId, query)} ${from}
    ORDER BY n.node_run_id, l.seq LIMIT ${limit}`;
}

/** By the range of ids, because then the primary key gives them in order. */
function attemptsOf(runId: number, { path }: OutputFilter): RawBuilder<unknown> {
  const { first, end } = nodeRunIds(runId);
  const range = sql`n.node_run_id >= ${first} AND n.node_run_id < ${end}`;
  if (path === undefined) return range;
  return sql`${range} AND n.node_path[1:${path.length}::integer] = ${[...path]}::text[]`;
}

function onlyErrors({ errorsOnly }: OutputFilter): RawBuilder<unknown> {
  return errorsOnly === true ? sql`AND is_error` : sql``;
}

function positionOf(row: OutputRow | undefined): OutputPosition | null {
  return row === undefined ? null : { nodeRunId: row.node_run_id, seq: row.seq };
}

function toOutputLine(row: OutputRow): OutputLine {
  return {
    nodeRunId: row.node_run_id,
    nodePath: row.node_path,
    attempt: row.attempt,
    seq: row.seq,
    at: row.at,
    format: row.format,
    isError: row.is_error,
    message: row.message,
  };
}
