/** A connection to a Postgres database. */
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Database, QueryResult } from '../api/context.ts';
import { APPLICATION_NAME } from './application-name.ts';
import { sendCancelRequest, type BackendKey } from './cancel-request.ts';
import { connectionError, connectionTarget, type ConnectionTarget } from './connection-error.ts';
import { copyFrom } from './copy-stream.ts';
import type { ResultColumn, ResultRow } from './result-table.ts';
import { queryError, type ServerMessage } from './sql-error.ts';
import { Statement } from './statement.ts';

export interface SessionOptions {
  /** What messages call the database. */
  readonly alias: string;
  readonly config: pg.ClientConfig;
  /** Aborting stops the statement that runs, on the server too, and refuses further ones. */
  readonly signal?: AbortSignal | undefined;
  /** Time zone of the session; default: the server's. */
  readonly timezone?: string | undefined;
  /** Schema in which unqualified names are looked up and made; default: the server's search path. */
  readonly schema?: string | undefined;
  /** What the server's list of sessions calls the connection, unless a URL says it; default `millrace`. */
  readonly applicationName?: string | undefined;
  /** Least severity of messages that the server sends; default `warning`. */
  readonly clientMinMessages?: string | undefined;
}

/** Takes what a statement gives. A promise makes the server wait until it is settled. */
export interface ResultHandlers {
  columns?(columns: readonly ResultColumn[]): void;
  row?(row: ResultRow): void | Promise<void>;
}

/** How a statement ended. */
export interface StatementResult {
  /** The server's summary, for example `INSERT 0 5`; empty when there was nothing to run. */
  readonly tag: string;
  /** Whether it gave rows, as a query does. */
  readonly hasRows: boolean;
}

/** How long the server may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT = 15_000;
/** A cancel request that meets no running statement is lost, so it is repeated; in milliseconds. */
const CANCEL_INTERVAL = 500;
/** After so many requests the connection is cut. */
const CANCEL_ATTEMPTS = 10;
/** How long a goodbye may take, in milliseconds. */
const GOODBYE = 2000;

/** Types that psql aligns to the right, by their OID. */
const NUMBER_TYPES: ReadonlySet<number> = new Set([20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069]);

/** pg's types leave these out. */
interface ClientInternals {
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/**
 * Connects, and sets the session up.
 *
 * @throws ConnectionError when the server cannot be reached or refuses; the signal's reason when it is aborted meanwhile
 */
export async function connectPostgres(options: SessionOptions): Promise<PostgresSession> {
  const { alias, signal } = options;
  signal?.throwIfAborted();
  const config: pg.ClientConfig = {
    application_name: options.applicationName ?? APPLICATION_NAME,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    ...options.config,
  };
  const client = new pg.Client(config);
  const target = connectionTarget(alias, effectiveConfig(client, config));
  // Without a listener an error of the idle connection would end the process; the next statement reports it.
  client.on('error', () => undefined);
  const abort = (): void => {
    client.connection.stream.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await client.connect();
    await client.query(sessionSetup(options));
  } catch (error) {
    client.connection.stream.destroy();
    signal?.throwIfAborted();
    throw connectionError(error, target);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return new PostgresSession(client, target, signal);
}

/** What the client made of URL, environment and defaults. */
function effectiveConfig(client: pg.Client, config: pg.ClientConfig): pg.ClientConfig {
  return {
    ...config,
    host: client.host,
    port: client.port,
    ...(client.user === undefined ? {} : { user: client.user }),
    ...(client.database === undefined ? {} : { database: client.database }),
  };
}

/**
 * One statement, so that it costs one round trip. A server on Linux notices within seconds that its client died in the
 * middle of a statement; elsewhere, and before Postgres 14, that setting does not exist.
 */
function sessionSetup({ timezone, schema, clientMinMessages = 'warning' }: SessionOptions): string {
  const settings: (readonly [name: string, value: string])[] = [['client_min_messages', clientMinMessages]];
  if (timezone !== undefined) settings.push(['TimeZone', timezone]);
  if (schema !== undefined) settings.push(['search_path', pg.escapeIdentifier(schema)]);
  const calls = settings.map(([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, false)`);
  calls.push(
    `case when version() like '%linux%' and current_setting('client_connection_check_interval', true) is not null
       then set_config('client_connection_check_interval', '2s', false) end`,
  );
  return `select ${calls.join(', ')}`;
}

/** An open connection. Whoever opened it closes it: `await using database = await connectPostgres(…)`. */
export class PostgresSession implements Database, AsyncDisposable {
  readonly alias: string;
  readonly target: ConnectionTarget;
  private readonly client: pg.Client;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort: () => void;
  /** Settles when the statements that were asked for before have ended: one at a time. */
  private queue: Promise<unknown> = Promise.resolve();
  private readonly stop = new AbortController();
  private running = false;
  private closed: Promise<void> | undefined;
  private noticeHandler: ((notice: ServerMessage) => void) | undefined;

  /** Use {@link connectPostgres}. */
  constructor(client: pg.Client, target: ConnectionTarget, signal: AbortSignal | undefined) {
    this.alias = target.alias;
    this.target = target;
    this.client = client;
    this.signal = signal;
    this.onAbort = () => void this.cancel();
    signal?.addEventListener('abort', this.onAbort, { once: true });
    client.on('notice', notice => this.noticeHandler?.(notice));
  }

  /** Who takes notices and warnings of the server from now on. */
  onNotice(handler: (notice: ServerMessage) => void): void {
    this.noticeHandler = handler;
  }

  /** Whether the signal was aborted: then errors of statements come from that. */
  get cancelled(): boolean {
    return this.signal?.aborted ?? false;
  }

  /** Whether a transaction is open; `failed`: it can only be rolled back. */
  get transaction(): 'none' | 'open' | 'failed' {
    switch (this.client.getTransactionStatus()) {
      case 'T':
        return 'open';
      case 'E':
        return 'failed';
      default:
        return 'none';
    }
  }

  /** Runs one statement and keeps its rows as objects. `values` stand for `$1`, `$2`, … */
  async query(statement: string, values?: readonly unknown[]): Promise<QueryResult> {
    try {
      return await this.exclusively(async () => {
        const { rows, rowCount } = await this.client.query<Record<string, unknown>>(statement, [
          ...(values ?? []),
        ]);
        return { rows, rowCount };
      });
    } catch (error) {
      this.signal?.throwIfAborted();
      throw queryError(error, this.alias, statement);
    }
  }

  /** Runs one statement by the simple protocol: in a transaction of its own unless one is open. Keeps no rows. */
  async execute(statement: string, handlers: ResultHandlers = {}): Promise<StatementResult> {
    return await this.exclusively(async () => {
      let tag = '';
      let hasRows = false;
      const running = this.client.query(
        new Statement(statement, {
          fields(fields) {
            hasRows = true;
            handlers.columns?.(
              fields.map(({ name, dataTypeID }) => ({ name, rightAligned: NUMBER_TYPES.has(dataTypeID) })),
            );
          },
          row: row => handlers.row?.(row),
          complete(text) {
            tag = text;
          },
        }),
      );
      await running.done;
      return { tag, hasRows };
    });
  }

  /** Runs a `COPY … FROM STDIN` with the data of `source`; gives the number of rows. */
  async copyFrom(statement: string, source: AsyncIterable<Buffer | string>): Promise<number> {
    return await this.exclusively(async () => {
      const copy = this.client.query(copyFrom(statement));
      // The server does not heed a cancel request while it waits for data: the stream has to tell it.
      const { signal } = this.stop;
      const copied = pipeline(source, copy, { signal });
      // A source that never answers again would keep an aborted pipeline waiting.
      await unlessAborted(copied, signal);
      return copy.rowCount;
    });
  }

  /** Runs a `COPY … TO STDOUT` and writes its data to `sink`, which stays open; gives the number of rows. */
  async copyTo(statement: string, sink: Writable): Promise<number> {
    return await this.exclusively(async () => {
      const copy = this.client.query(copyTo(statement));
      await pipeline(copy, sink, { end: false });
      return copy.rowCount;
    });
  }

  /** Closes the connection; a statement that still runs is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.closed ??= this.close();
    await this.closed;
  }

  private async close(): Promise<void> {
    this.signal?.removeEventListener('abort', this.onAbort);
    if (this.running) await this.cancel();
    const timeout = new AbortController();
    const cut = wait(GOODBYE, undefined, { signal: timeout.signal, ref: false }).then(
      () => this.client.connection.stream.destroy(),
      () => undefined,
    );
    await this.client.end();
    timeout.abort();
    await cut;
  }

  /** Lets one piece of work use the connection at a time, in the order of the calls. */
  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const before = this.queue;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.queue = promise;
    try {
      await before;
      this.signal?.throwIfAborted();
      this.running = true;
      return await work();
    } catch (error) {
      this.signal?.throwIfAborted();
      throw error;
    } finally {
      this.running = false;
      resolve(undefined);
    }
  }

  /** Stops what runs now, on the server: closing the connection alone would let it go on there. */
  private async cancel(): Promise<void> {
    this.stop.abort();
    const { processID, secretKey } = this.client as unknown as ClientInternals;
    const key: BackendKey | undefined =
      processID === null || secretKey === null ? undefined : { processId: processID, secretKey };
    const { host, port } = this.target;
    for (let attempt = 0; this.running && attempt < CANCEL_ATTEMPTS && key !== undefined; attempt++) {
      // A request that cannot be sent is tried again; in the end the connection is cut.
      await sendCancelRequest({ host, port, ssl: this.client.ssl }, key).catch(() => undefined);
      const idle = new AbortController();
      await Promise.race([
        this.queue.then(() => {
          idle.abort();
        }),
        wait(CANCEL_INTERVAL, undefined, { signal: idle.signal }).catch(() => undefined),
      ]);
    }
    if (this.running) this.client.connection.stream.destroy();
  }
}

/** Settles with `work`, or rejects as soon as the signal is aborted. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => {
    reject(new Error('the copy was stopped', { cause: signal.reason }));
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
