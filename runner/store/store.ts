/** An open store: what the recorder, the history and the pages build on. `openStore` (open.ts) makes one. */
import type { Kysely } from 'kysely';
import type { Client } from 'pg';
import type { StoreSchema } from './schema.ts';

export interface Store extends AsyncDisposable {
  /** `embedded`: the server that Millrace starts itself; `external`: one that the user named by a URL. */
  readonly kind: 'embedded' | 'external';
  /** Where it is, in words for a user, never with a password: `embedded Postgres in /home/ann/.local/state/millrace`. */
  readonly description: string;
  readonly databaseName: string;
  /**
   * A new connection to the store that the caller owns and ends (the first call takes the one made at opening, so it
   * costs nothing). `search_path` is `millrace`, the time zone UTC, `bigint` and `numeric` are numbers. A lost
   * connection never crashes the process: a listener for `error` is attached, queries on it are rejected.
   *
   * @throws {StoreError} when the server cannot be reached. The embedded server is started again when it was stopped.
   */
  connect(): Promise<Client>;
  /**
   * Queries over a small pool, for whatever is not hot. Loads kysely and connects on first use: the path from the
   * command to the first task's start must not need it (nor import kysely as a value).
   */
  db(): Promise<Kysely<StoreSchema>>;
  /** Now by the store's clock, in milliseconds since the epoch; the offset was measured at opening. */
  clock(): number;
  /** Ends the connections that were not taken by `connect()`. Calling it again does nothing. */
  close(): Promise<void>;
}
