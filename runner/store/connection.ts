/** Connections to the store's server with the settings that all of the store's queries rely on. */
import { Client, TypeOverrides, types, type ClientConfig } from 'pg';
import { errorCode, errorMessage } from './errors.ts';

/** Seconds are plenty for a server that is there; a firewall that swallows packets must not hang a command. */
const CONNECT_TIMEOUT = 10_000;

/** Ids and counts fit into a number: `node_run_id` stays below 2^53 for the first two thousand million runs. */
function storeTypes(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, Number);
  overrides.setTypeParser(types.builtins.NUMERIC, Number);
  return overrides;
}

export interface StoreSession {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** The session refuses to write. */
  readonly readOnly: boolean;
}

/**
 * The settings of a session, made by the startup packet, so that they cost no round trip. What a URL sets in its own
 * `options` is kept.
 */
export function storeConfig(config: ClientConfig, { applicationName, readOnly }: StoreSession): ClientConfig {
  const settings = [
    'search_path=millrace',
    'TimeZone=UTC',
    // Every query here is short: compiling one would take longer than running it.
    'jit=off',
    ...(readOnly ? ['default_transaction_read_only=on'] : []),
  ];
  const own = settings.map(setting => `-c ${setting}`).join(' ');
  return {
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    ...config,
    application_name: applicationName,
    types: storeTypes(),
    options: config.options === undefined ? own : `${config.options} ${own}`,
  };
}

/** Connects; on failure nothing is left behind. The caller ends the client. */
export async function connectClient(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  // Without a listener, a connection that is lost while idle would end the process. Queries on it are rejected anyway.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined); // it never was connected
    throw error;
  }
}

/** Whether a query failed because its connection is gone, or goes. */
export function isConnectionLost(error: unknown): boolean {
  const code = errorCode(error);
  // Without a code, pg's own words: the connection ended in the middle of a query, or before it.
  if (code === undefined) return /connection terminated|connection error|closed/i.test(errorMessage(error));
  return ['ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03'].includes(code) || code.startsWith('08');
}

/** Ends a connection that may be lost already. */
export async function endQuietly(client: Client): Promise<void> {
  await client.end().catch(() => undefined);
}
