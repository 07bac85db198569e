/**
 * Writes encoded output lines over one connection with COPY, and knows which of them a crash of the server can still
 * take away: output is committed without waiting for the disk, so rows are kept until the disk has them.
 */
import type { Client } from 'pg';
import { copyFrom } from '../databases/copy-stream.ts';
import { COPY_HEADER, COPY_TRAILER, OUTPUT_COLUMNS, type OutputRows } from './output-encoder.ts';
import { CHANGES_CHANNEL, changeNotice } from './run-lock.ts';
import { BEGIN_DURABLE } from './state-writer.ts';

/** When so many bytes wait for the server's disk, the next commit waits for it. */
const UNSAFE_LIMIT = 4 * 1024 * 1024;

interface UnsafeRows {
  readonly rows: OutputRows;
  /** Position in the server's log that must be on its disk; `Infinity` while it is not known. */
  position: number;
}

interface LogPositions {
  readonly written: number;
  readonly flushed: number;
}

export class OutputWriter {
  readonly #client: Client;
  readonly #runId: number;
  #unsafe: UnsafeRows[] = [];
  #unsafeBytes = 0;

  /** The connection does not wait for the disk when it commits (`synchronous_commit = off`). */
  constructor(client: Client, runId: number) {
    this.#client = client;
    this.#runId = runId;
  }

  /** Rows that may not have reached the server's disk, in the order in which they were written. */
  get unsafe(): readonly OutputRows[] {
    return this.#unsafe.map(({ rows }) => rows);
  }

  /** Stores the rows and wakes followers. The rows are visible to everybody when this returns. */
  async write(rows: OutputRows): Promise<void> {
    await this.#write(rows, this.#unsafeBytes > UNSAFE_LIMIT ? copyRowsDurably : copyRows);
  }

  /** The same as a part of a transaction, whose end makes the rows visible. */
  async writeWithin(rows: OutputRows): Promise<void> {
    await this.#write(rows, copyRows);
  }

  async #write(
    rows: OutputRows,
    copy: (client: Client, chunks: readonly Buffer[]) => Promise<void>,
  ): Promise<void> {
    const entry: UnsafeRows = { rows, position: Infinity };
    this.#unsafe.push(entry);
    this.#unsafeBytes += rows.bytes;
    await copy(this.#client, rows.chunks);
    const { rows: answer } = await this.#client.query<LogPositions>({
      name: 'output-written',
      text: `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS written,
        pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::float8 AS flushed,
        pg_notify('${CHANGES_CHANNEL}', $1)`,
      values: [changeNotice({ run: this.#runId, changed: ['output'], nodeRuns: rows.nodeRunIds })],
    });
    const [positions] = answer;
    if (positions === undefined) throw new Error('The server did not say how far its log is written.');
    entry.position = positions.written;
    this.#unsafe = this.#unsafe.filter(({ position }) => position > positions.flushed);
    this.#unsafeBytes = this.#unsafe.reduce((sum, { rows }) => sum + rows.bytes, 0);
  }
}

/** Stores rows that are not in the table. */
export async function copyRows(
  client: Client,
  rows: readonly Buffer[],
  table = 'node_output',
): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${table} (${OUTPUT_COLUMNS}) FROM STDIN (FORMAT binary)`));
  await new Promise<void>((resolve, reject) => {
    stream.on('finish', resolve);
    stream.on('error', reject);
    stream.write(COPY_HEADER);
    for (const chunk of rows) stream.write(chunk);
    stream.end(COPY_TRAILER);
  });
}

/** Stores rows that are not in the table, and returns when they are on the server's disk. */
export async function copyRowsDurably(client: Client, rows: readonly Buffer[]): Promise<void> {
  await client.query(BEGIN_DURABLE);
  await copyRows(client, rows);
  await client.query('COMMIT');
}

/**
 * Stores rows of which some may be in the table already, durably: for what was written when the connection broke.
 */
export async function copyRowsOnce(client: Client, rows: readonly Buffer[]): Promise<void> {
  await client.query(BEGIN_DURABLE);
  await client.query('CREATE TEMP TABLE replayed_output (LIKE node_output) ON COMMIT DROP');
  await copyRows(client, rows, 'pg_temp.replayed_output');
  await client.query(
    `INSERT INTO node_output (${OUTPUT_COLUMNS}) SELECT ${OUTPUT_COLUMNS} FROM pg_temp.replayed_output ON CONFLICT DO NOTHING`,
  );
  await client.query('COMMIT');
}
