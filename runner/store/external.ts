/** A store on a server that the user named by a URL. */
import { userInfo } from 'node:os';
import type { Client, ClientConfig } from 'pg';
import type { StoreBackend } from './backend.ts';
import { connectClient, endQuietly, storeConfig, type StoreSession } from './connection.ts';
import { connectionError, type ConnectionTarget } from './errors.ts';
import { describeUrl, parseUrl } from './location.ts';

export class ExternalBackend implements StoreBackend {
  readonly kind = 'external';
  readonly description: string;
  readonly databaseName: string;
  readonly #config: ClientConfig;
  readonly #target: ConnectionTarget;

  constructor(url: string, configuredBy: string, session: StoreSession) {
    const { address, user, database, description } = describeUrl(url);
    this.description = description;
    this.databaseName = database;
    this.#config = storeConfig(urlConfig(url), session);
    this.#target = { address, user: user === '' ? userInfo().username : user, database, configuredBy };
  }

  async connect<T>(first: (client: Client) => Promise<T>): Promise<{ client: Client; answer: T }> {
    let client: Client | undefined;
    try {
      client = await connectClient(this.#config);
      return { client, answer: await first(client) };
    } catch (error) {
      if (client !== undefined) await endQuietly(client);
      throw connectionError(error, this.#target);
    }
  }

  config(): Promise<ClientConfig> {
    return Promise.resolve(this.#config);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What pg takes from a URL wins over what it is given beside it; so what we set ourselves is taken out of the URL. */
function urlConfig(url: string): ClientConfig {
  const rest = parseUrl(url);
  if (rest === null) return { connectionString: url };
  const options = rest.searchParams.get('options');
  rest.searchParams.delete('options');
  rest.searchParams.delete('application_name');
  return { connectionString: rest.href, ...(options === null ? {} : { options }) };
}
