/** Connections for tests of parallel tasks, which can be cut at any point. */
import { postgres } from '../../runner/api/databases.ts';
import type { Database } from '../../runner/api/context.ts';
import { openDatabase } from '../../runner/databases/connect.ts';
import { PostgresSession } from '../../runner/databases/postgres.ts';
import type { TestServer } from './postgres.ts';

export interface Attempt extends AsyncDisposable {
  db(alias?: string): Promise<Database>;
}

/** Stands for the death of the process that has the connection. */
export class Killed extends Error {
  override readonly name = 'Killed';
  constructor() {
    super('Killed');
  }
}

/** When connections are cut. */
export interface Fate {
  /** Statements that are still sent; then everything fails. */
  left: number;
  /** Whether the last one is done by the server: its answer does not arrive. */
  readonly after: boolean;
}

export async function testSession(server: TestServer): Promise<PostgresSession> {
  const session = await openDatabase('dwh', postgres({ url: server.url }), {
    resolveEmbedded: () => Promise.reject(new Error('there is no embedded server in this test')),
  });
  if (session instanceof PostgresSession) return session;
  throw new Error('not the bundled client');
}

/** One connection for each alias, closed at the end of the attempt. */
export function attempts(server: TestServer): () => Attempt {
  return () => {
    const opened = new AsyncDisposableStack();
    const sessions = new Map<string | undefined, Promise<PostgresSession>>();
    return {
      async db(alias) {
        let session = sessions.get(alias);
        if (session === undefined) {
          session = testSession(server).then(open => opened.use(open));
          sessions.set(alias, session);
        }
        return await session;
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  };
}

/** One connection for all attempts until it is cut, because to connect takes longer than what the tests do. */
export class DoomedConnection implements AsyncDisposable {
  fate: Fate | null = null;
  readonly #server: TestServer;
  #session: PostgresSession | undefined;

  constructor(server: TestServer) {
    this.#server = server;
  }

  /** Whether it was cut in this run. */
  get isCut(): boolean {
    return this.fate !== null && this.fate.left <= 0;
  }

  readonly attempt = (): Attempt => ({
    db: async () => {
      if (this.isCut) throw new Killed();
      if (this.#session === undefined) {
        this.#session = await testSession(this.#server);
        this.#doom(this.#session);
      }
      return this.#session;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.[Symbol.asyncDispose]();
    this.#session = undefined;
  }

  #doom(session: PostgresSession): void {
    for (const method of ['query', 'execute', 'copyFrom'] as const) {
      const original = session[method].bind(session) as (...args: unknown[]) => Promise<unknown>;
      const replaced = async (...args: unknown[]): Promise<unknown> => {
        const { fate } = this;
        if (fate === null) return await original(...args);
        if (fate.left <= 0) throw new Killed();
        fate.left--;
        if (fate.left > 0) return await original(...args);
        if (fate.after) await original(...args);
        // What is not committed is rolled back, as when the process is gone.
        await this[Symbol.asyncDispose]();
        throw new Killed();
      };
      Object.defineProperty(session, method, { value: replaced });
    }
  }
}
