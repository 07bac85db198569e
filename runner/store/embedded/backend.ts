/** A store in the embedded server, which is started and kept running by whoever has a store open. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientConfig } from 'pg';
import type { StoreBackend } from '../backend.ts';
import { connectClient, endQuietly, storeConfig, type StoreSession } from '../connection.ts';
import { StoreError, errorMessage } from '../errors.ts';
import { createStoreDatabase, isMissingDatabase, storeDatabaseConfig } from './databases.ts';
import { spawnKeeper, type KeeperProgram } from './keeper.ts';
import { acquireLease, isObstacle, type Lease } from './lease.ts';
import { statePaths, type StatePaths } from './paths.ts';
import { setupError, type ServerOptions } from './server.ts';

/** A server that is stopped and started in between costs an attempt, as does making the database. */
const MAX_ATTEMPTS = 10;

export interface EmbeddedOptions extends ServerOptions {
  readonly databaseName: string;
  readonly keeper?: KeeperProgram;
  readonly session: StoreSession;
}

type Attempt<T> = { readonly client: Client; readonly answer: T } | { readonly error: unknown };

export class EmbeddedBackend implements StoreBackend {
  readonly kind = 'embedded';
  readonly description: string;
  readonly databaseName: string;
  readonly #options: EmbeddedOptions;
  readonly #paths: StatePaths;
  #lease: Promise<Lease> | undefined;
  #current: Lease | undefined;

  constructor(options: EmbeddedOptions) {
    this.description = `embedded Postgres in ${options.home}`;
    this.databaseName = options.databaseName;
    this.#options = options;
    this.#paths = statePaths(options.home);
  }

  async connect<T>(first: (client: Client) => Promise<T>): Promise<{ client: Client; answer: T }> {
    const { readOnly } = this.#options.session;
    if (readOnly && this.#config() === null) throw this.#empty();
    for (let number = 1; ; number++) {
      const isNew = this.#current === undefined || this.#current.isLost();
      // Both at once: usually the server runs, and nobody is about to stop it.
      const [lease, attempt] = await Promise.all([settle(this.#ensureLease()), this.#attempt(first)]);
      if ('error' in lease) {
        if ('client' in attempt) await endQuietly(attempt.client);
        throw lease.error;
      }
      if ('client' in attempt) {
        if (!isNew || lease.value.immediate) return attempt;
        // This may be a session of a server that is being stopped.
        await endQuietly(attempt.client);
      } else if (number === MAX_ATTEMPTS) {
        throw this.#failure(attempt.error);
      } else if (isMissingDatabase(attempt.error)) {
        if (readOnly) throw this.#empty();
        await createStoreDatabase(lease.value.client, this.#paths, this.databaseName);
      } else if (isObstacle(attempt.error)) {
        if (number > 1) await sleep(20 * number);
      } else {
        throw this.#failure(attempt.error);
      }
    }
  }

  async config(): Promise<ClientConfig> {
    await this.#ensureLease();
    const config = this.#config();
    if (config === null) throw new Error(`the state folder ${this.#options.home} has vanished`);
    return config;
  }

  async close(): Promise<void> {
    const lease = await this.#lease?.catch(() => undefined);
    this.#lease = this.#current = undefined;
    await lease?.release();
  }

  #config(): ClientConfig | null {
    const config = storeDatabaseConfig(this.#paths, this.databaseName);
    return config === null ? null : storeConfig(config, this.#options.session);
  }

  async #attempt<T>(first: (client: Client) => Promise<T>): Promise<Attempt<T>> {
    let client: Client | undefined;
    try {
      const config = this.#config();
      if (config === null) return { error: Object.assign(new Error('not set up yet'), { code: 'ENOENT' }) };
      client = await connectClient(config);
      return { client, answer: await first(client) };
    } catch (error) {
      if (client !== undefined) await endQuietly(client);
      return { error };
    }
  }

  #ensureLease(): Promise<Lease> {
    if (this.#lease !== undefined && this.#current?.isLost() !== true) return this.#lease;
    this.#current = undefined;
    this.#lease = acquireLease(this.#options).then(
      lease => {
        this.#current = lease;
        const { keeper } = this.#options;
        if (keeper !== undefined && !lease.kept) spawnKeeper(keeper, this.#options);
        return lease;
      },
      (error: unknown) => {
        this.#lease = undefined;
        throw error;
      },
    );
    return this.#lease;
  }

  #empty(): StoreError {
    return new StoreError(
      'empty',
      `Nothing has been recorded for this project yet (${this.description}). Run one of its pipelines first.`,
    );
  }

  #failure(error: unknown): unknown {
    const known = setupError(error, this.#options.home);
    if (known instanceof StoreError) return known;
    return new StoreError(
      'server-failed',
      `Cannot open database "${this.databaseName}" of the embedded Postgres in ${this.#options.home}: ` +
        `${errorMessage(error)}. ${this.#paths.log} may say more.`,
      { cause: error },
    );
  }
}

async function settle<T>(promise: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}
