/** Opens the store of a project. */
import type { Kysely } from 'kysely';
import { Pool, type Client, type ClientConfig } from 'pg';
import type { StoreBackend } from './backend.ts';
import { endQuietly } from './connection.ts';
import { EmbeddedBackend } from './embedded/backend.ts';
import type { KeeperProgram } from './embedded/keeper.ts';
import { StoreError } from './errors.ts';
import { ExternalBackend } from './external.ts';
import { resolveStoreLocation, type LocationOptions } from './location.ts';
import { checkServer, isUpToDate, migrateToLatest, readStoreState, type StoreState } from './migrate.ts';
import type { StoreSchema } from './schema.ts';
import type { Store } from './store.ts';

const MAX_POOL = 4;

export interface OpenOptions extends LocationOptions {
  /** Shown in `pg_stat_activity`: which part of Millrace this is. */
  readonly applicationName: string;
  /** The program that stops the embedded server when nobody uses it any more; without it the server runs on. */
  readonly keeper?: KeeperProgram;
  /** Sessions that cannot write; nothing is made or migrated. Default: false. */
  readonly readOnly?: boolean;
  /** Directory of the running bundle, where the archive of Postgres's programs lies. Default: this file's. */
  readonly resources?: string;
}

/**
 * Opens the store of a project: finds it, starts the embedded server if need be, and brings the schema up to date.
 * With `readOnly` a store without tables is an error with the code `empty`: nothing has been recorded yet.
 *
 * @throws {StoreError} when that is not possible, with the remedy.
 */
export async function openStore(options: OpenOptions): Promise<Store> {
  const readOnly = options.readOnly ?? false;
  const backend = chooseBackend(options, readOnly);
  try {
    const { client, answer: state } = await backend.connect(readStoreState);
    try {
      await checkSchema(backend, client, state, readOnly);
      return new OpenStore(backend, client, backend.kind === 'embedded' ? 0 : state.clockOffset);
    } catch (error) {
      await endQuietly(client);
      throw error;
    }
  } catch (error) {
    await backend.close();
    throw error;
  }
}

function chooseBackend(options: OpenOptions, readOnly: boolean): StoreBackend {
  const location = resolveStoreLocation(options);
  const session = { applicationName: options.applicationName, readOnly };
  if (location.kind === 'external') return new ExternalBackend(location.url, location.configuredBy, session);
  return new EmbeddedBackend({
    home: location.home,
    databaseName: location.databaseName,
    resources: options.resources ?? import.meta.dirname,
    session,
    ...(options.keeper === undefined ? {} : { keeper: options.keeper }),
  });
}

async function checkSchema(
  backend: StoreBackend,
  client: Client,
  state: StoreState,
  readOnly: boolean,
): Promise<void> {
  const where = backend.description;
  checkServer(state, where);
  if (isUpToDate(state, where)) return;
  if (!readOnly) return migrateToLatest(client, await backend.config(), where);
  if (state.schema === null) {
    throw new StoreError(
      'empty',
      `Nothing has been recorded for this project yet (${where}). Run one of its pipelines first.`,
    );
  }
  throw new StoreError(
    'schema-older',
    `The store (${where}) was made by an older Millrace: its schema is ${state.schema}. ` +
      'Bring it up to date with: millrace store migrate.',
  );
}

class OpenStore implements Store {
  readonly kind: Store['kind'];
  readonly description: string;
  readonly databaseName: string;
  readonly #backend: StoreBackend;
  readonly #clockOffset: number;
  /** The connection made at opening, until somebody takes it. */
  #spare: Client | undefined;
  #db: Promise<Kysely<StoreSchema>> | undefined;

  /** @param clockOffset 0 for the embedded server, whose clock is ours: measuring could only make it worse. */
  constructor(backend: StoreBackend, client: Client, clockOffset: number) {
    this.kind = backend.kind;
    this.description = backend.description;
    this.databaseName = backend.databaseName;
    this.#backend = backend;
    this.#clockOffset = clockOffset;
    this.#spare = client;
    client.once('end', () => (this.#spare = undefined));
  }

  async connect(): Promise<Client> {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    const { client } = await this.#backend.connect(() => Promise.resolve());
    return client;
  }

  async db(): Promise<Kysely<StoreSchema>> {
    const config = await this.#backend.config();
    this.#db ??= openPool(config);
    return this.#db;
  }

  clock(): number {
    return Date.now() + this.#clockOffset;
  }

  async close(): Promise<void> {
    const [spare, db] = [this.#spare, this.#db];
    this.#spare = this.#db = undefined;
    if (spare !== undefined) await endQuietly(spare);
    if (db !== undefined) await (await db).destroy();
    await this.#backend.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Loads kysely only now: it takes longer than everything else that opening does. */
async function openPool(config: ClientConfig): Promise<Kysely<StoreSchema>> {
  const { Kysely, PostgresDialect } = await import('kysely');
  const pool = new Pool({ ...config, max: MAX_POOL, allowExitOnIdle: true });
  pool.on('error', () => undefined); // a connection lost while idle; the next query gets another one
  return new Kysely<StoreSchema>({ dialect: new PostgresDialect({ pool }) });
}
