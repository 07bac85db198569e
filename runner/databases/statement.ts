/** Runs one statement by the simple protocol and hands its rows on as they arrive, as text. */
import type { Connection, FieldDef, Submittable } from 'pg';
import type { ResultRow } from './result-table.ts';

/** Takes what a statement gives. A promise makes the server wait until it is settled. */
export interface StatementHandlers {
  fields(fields: readonly FieldDef[]): void;
  row(row: ResultRow): void | Promise<void>;
  /** A result is complete. `tag` is the server's summary, for example `INSERT 0 5`. */
  complete(tag: string): void;
}

/** The part of pg's connection that its types leave out. */
interface CopyableConnection extends Connection {
  sendCopyFail(message: string): void;
}

/**
 * pg calls the `handle…` methods. Its own `Query` keeps all rows in memory or cannot make the server wait; this keeps
 * none, and pauses the socket.
 */
export class Statement implements Submittable {
  private readonly text: string;
  private readonly handlers: StatementHandlers;
  private readonly outcome = Promise.withResolvers<void>();
  private connection: Connection | undefined;
  private waiting = 0;
  /** Whoever takes the rows takes no more. */
  private failed = false;

  constructor(text: string, handlers: StatementHandlers) {
    this.text = text;
    this.handlers = handlers;
  }

  /** Settles when the server is ready for the next statement, or with its error. */
  get done(): Promise<void> {
    return this.outcome.promise;
  }

  submit = (connection: Connection): void => {
    this.connection = connection;
    connection.query(this.text);
  };

  handleRowDescription(message: { readonly fields: readonly FieldDef[] }): void {
    this.handlers.fields(message.fields);
  }

  handleDataRow(message: { readonly fields: ResultRow }): void {
    if (this.failed) return;
    const pending = this.handlers.row(message.fields);
    if (pending instanceof Promise) this.waitFor(pending);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.handlers.complete(message.text);
  }

  handleEmptyQuery(): void {
    // Nothing but comments: no result, and ready for query follows.
  }

  handlePortalSuspended(): void {
    // Only the extended protocol suspends portals.
  }

  handleCopyInResponse(connection: CopyableConnection): void {
    connection.sendCopyFail('no data is at hand for this COPY … FROM STDIN');
  }

  handleCopyData(): void {
    // COPY … TO STDOUT goes another way (postgres.ts); data of one that was not recognised is dropped.
  }

  handleError(error: Error): void {
    this.outcome.reject(error);
  }

  handleReadyForQuery(): void {
    this.outcome.resolve();
  }

  private waitFor(pending: Promise<void>): void {
    const stream = this.connection?.stream;
    if (stream === undefined) return;
    if (this.waiting++ === 0) stream.pause();
    const release = (): void => {
      if (--this.waiting === 0) stream.resume();
    };
    pending.then(release, (error: unknown) => {
      this.failed = true;
      this.outcome.reject(error instanceof Error ? error : new Error(String(error)));
      release();
    });
  }
}
