/**
 * Where the lines of a run's output are and when they were written, without their text: what an index of millions of
 * lines is made of. And single lines by their place.
 */
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { NodePath, OutputFormat } from '../model.ts';
import { nodeRunIds, storable } from './rows.ts';

/** An attempt that may have output. */
export interface OutputAttempt {
  readonly nodeRunId: number;
  readonly nodePath: NodePath;
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface OutputScope {
  readonly runId: number;
  /** This node and those below it; default: all. */
  readonly path?: NodePath;
  /** One attempt only. */
  readonly nodeRunId?: number;
}

/** Attempts of a scope whose ids are higher than one, oldest first. */
export async function attemptsInScope(
  client: Client,
  scope: OutputScope,
  after: number = nodeRunIds(scope.runId).first,
): Promise<OutputAttempt[]> {
  const { runId, path = [], nodeRunId = null } = scope;
  const { rows } = await client.query<{ id: number; path: string[]; attempt: number; started_at: Date }>(
    `SELECT node_run_id AS id, node_path AS path, attempt, started_at FROM node_run
    WHERE node_run_id > $1 AND node_run_id < $2 AND node_path[1:cardinality($3::text[])] = $3::text[]
      AND ($4::bigint IS NULL OR node_run_id = $4) AND started_at IS NOT NULL
    ORDER BY started_at, node_run_id`,
    [after, nodeRunIds(runId).end, path, nodeRunId],
  );
  return rows.map(row => ({
    nodeRunId: row.id,
    nodePath: row.path,
    attempt: row.attempt,
    startedAt: row.started_at.getTime(),
  }));
}

/** Lines of one attempt in order. */
export interface LineTimes {
  readonly length: number;
  readonly seq: Uint32Array;
  /** Microseconds since 2000. */
  readonly at: Float64Array;
  readonly isError: Uint8Array;
}

export interface LinesAfter {
  readonly nodeRunId: number;
  /** Lines up to this one are left out. */
  readonly seq: number;
}

/** Has lines read in the order of the primary key, whatever the planner takes an attempt's size for. */
export const READ_LINES_IN_ORDER = 'SET enable_bitmapscan = off; SET enable_seqscan = off';

/**
 * The next lines of some attempts, of each no more than `limit`; attempts without any are missing. The binary form of
 * COPY is read, because a value for each row costs ten times as much.
 */
export async function readLineTimes(
  client: Client,
  wanted: readonly LinesAfter[],
  options: { readonly limit: number; readonly errorsOnly: boolean },
): Promise<Map<number, LineTimes>> {
  if (wanted.length === 0) return new Map();
  // COPY takes no parameters; all of these are numbers.
  const list = (values: readonly number[]): string => `ARRAY[${values.map(Number).join(',')}]`;
  const source = client.query(
    copyTo(`COPY (
      SELECT wanted.id, l.seq, l.at, l.is_error
      FROM unnest(${list(wanted.map(({ nodeRunId }) => nodeRunId))}::bigint[],
                  ${list(wanted.map(({ seq }) => seq))}::integer[]) AS wanted (id, seq)
      CROSS JOIN LATERAL (
        SELECT o.seq, o.at, o.is_error FROM node_output o
        WHERE o.node_run_id = wanted.id AND o.seq > wanted.seq ${options.errorsOnly ? 'AND o.is_error' : ''}
        ORDER BY o.seq LIMIT ${options.limit}
      ) l
    ) TO STDOUT (FORMAT binary)`),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return parseLineTimes(Buffer.concat(chunks));
}

/** Signature, flags and the length of an extension, which nobody uses. */
const HEADER = 19;
/** Count of fields, then length and value of each. */
const ROW = 2 + 4 + 8 + 4 + 4 + 4 + 8 + 4 + 1;

function parseLineTimes(bytes: Buffer): Map<number, LineTimes> {
  const found = new Map<number, LineTimes>();
  const end = bytes.length - 2;
  const idAt = (position: number): number =>
    bytes.readUInt32BE(position + 6) * 0x1_0000_0000 + bytes.readUInt32BE(position + 10);
  for (let start = HEADER; start < end;) {
    const id = idAt(start);
    let stop = start + ROW;
    while (stop < end && idAt(stop) === id) stop += ROW;
    const length = (stop - start) / ROW;
    const seq = new Uint32Array(length);
    const at = new Float64Array(length);
    const isError = new Uint8Array(length);
    for (let index = 0, position = start; index < length; index++, position += ROW) {
      seq[index] = bytes.readUInt32BE(position + 18);
      at[index] = bytes.readInt32BE(position + 26) * 0x1_0000_0000 + bytes.readUInt32BE(position + 30);
      isError[index] = bytes[position + 38] ?? 0;
    }
    found.set(id, { length, seq, at, isError });
    start = stop;
  }
  return found;
}

/** Microseconds since 2000, as {@link LineTimes} has them. */
export function postgresMicros(milliseconds: number): number {
  return (milliseconds - Date.UTC(2000, 0, 1)) * 1000;
}

/** Which of the attempts have lines after the given ones. */
export async function withMoreLines(client: Client, attempts: readonly LinesAfter[]): Promise<LinesAfter[]> {
  if (attempts.length === 0) return [];
  const { rows } = await client.query<{ number: number }>(
    `SELECT wanted.number::integer FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS wanted (id, seq, number)
    WHERE EXISTS (SELECT FROM node_output o WHERE o.node_run_id = wanted.id AND o.seq > wanted.seq)
    ORDER BY wanted.number`,
    [attempts.map(({ nodeRunId }) => nodeRunId), attempts.map(({ seq }) => seq)],
  );
  return rows.flatMap(({ number }) => attempts[number - 1] ?? []);
}

/** Consecutive lines of one attempt. */
export interface Stretch {
  readonly nodeRunId: number;
  readonly first: number;
  readonly count: number;
}

export interface StoredLine {
  readonly nodeRunId: number;
  readonly seq: number;
  readonly at: Date;
  readonly format: OutputFormat;
  readonly isError: boolean;
  readonly message: string;
}

/** The lines of stretches, in their order. */
export async function readStretches(client: Client, stretches: readonly Stretch[]): Promise<StoredLine[]> {
  const { rows } = await client.query<StoredLine>({
    name: 'read-stretches',
    text: `SELECT wanted.id AS "nodeRunId", l.seq, l.at, l.format, l.is_error AS "isError", l.message
      ${FROM_STRETCHES}
      ORDER BY wanted.number, l.seq`,
    values: columnsOf(stretches),
  });
  return rows;
}

/** Offsets among the lines of stretches of those that contain a text, whatever its case; in order. */
export async function searchStretches(
  client: Client,
  stretches: readonly Stretch[],
  text: string,
): Promise<number[]> {
  const { rows } = await client.query<{ number: number; seq: number }>({
    name: 'search-stretches',
    text: `SELECT wanted.number::integer AS number, l.seq ${FROM_STRETCHES}
      WHERE position(lower($4::text) IN lower(l.message)) > 0 ORDER BY 1, 2`,
    values: [...columnsOf(stretches), storable(text)],
  });
  const offsets: number[] = [];
  let sum = 0;
  for (const { count } of stretches) {
    offsets.push(sum);
    sum += count;
  }
  return rows.map(
    ({ number, seq }) => (offsets[number - 1] ?? 0) + seq - (stretches[number - 1]?.first ?? 0),
  );
}

/** `OFFSET 0` keeps each stretch a walk through the index of its own. */
const FROM_STRETCHES = `FROM unnest($1::bigint[], $2::integer[], $3::integer[])
    WITH ORDINALITY AS wanted (id, first, last, number)
  CROSS JOIN LATERAL (
    SELECT o.seq, o.at, o.format, o.is_error, o.message FROM node_output o
    WHERE o.node_run_id = wanted.id AND o.seq >= wanted.first AND o.seq <= wanted.last
    OFFSET 0
  ) l`;

function columnsOf(stretches: readonly Stretch[]): unknown[] {
  return [
    stretches.map(({ nodeRunId }) => nodeRunId),
    stretches.map(({ first }) => first),
    stretches.map(({ first, count }) => first + count - 1),
  ];
}
