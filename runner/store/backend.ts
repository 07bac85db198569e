/** How an open store gets at its server: embedded/backend.ts or external.ts. */
import type { Client, ClientConfig } from 'pg';

export interface StoreBackend {
  readonly kind: 'embedded' | 'external';
  readonly description: string;
  readonly databaseName: string;
  /**
   * Connects, starting the server and making the database if that is ours to do, and asks the first question, so that
   * it travels as early as possible.
   *
   * @throws {StoreError}
   */
  connect<T>(first: (client: Client) => Promise<T>): Promise<{ readonly client: Client; readonly answer: T }>;
  /** Makes sure that the server runs, and says how to connect to it. */
  config(): Promise<ClientConfig>;
  close(): Promise<void>;
}
