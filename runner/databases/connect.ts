/** From an alias of the project to an open connection. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import type { Processes } from '../api/context.ts';
import {
  type DatabaseDefinition,
  type PostgresDatabase,
  type PostgresParameters,
  sqliteIn,
} from '../api/databases.ts';
import { PipelineError, suggestion } from '../api/errors.ts';
import { ClientDatabase } from './client-database.ts';
import { isDriven } from './clients/clients.ts';
import { ownProcesses } from './own-processes.ts';
import { connectPostgres, type PostgresSession } from './postgres.ts';

/** The databases of a project, by alias. */
export interface ProjectDatabases {
  readonly databases: Readonly<Record<string, DatabaseDefinition>>;
  /** The alias that is meant where none is given. */
  readonly defaultDatabase: string;
}

/** A database and what the project calls it. */
export interface NamedDatabase {
  readonly alias: string;
  readonly definition: DatabaseDefinition;
}

export interface OpenOptions {
  /** Starts the embedded server if need be and says how to connect to the project's database in it. */
  readonly resolveEmbedded: () => Promise<ClientConfig>;
  /** Aborting stops what runs, on the server too. */
  readonly signal?: AbortSignal | undefined;
  /** Time zone of the session; default: the server's. */
  readonly timezone?: string | undefined;
  /** What the server's list of sessions calls the connection; default `millrace`. */
  readonly applicationName?: string | undefined;
  /** Runs command line clients. Default: programs of this process, which end with the signal. */
  readonly processes?: Processes | undefined;
  /** What files of databases are relative to. Default: the current directory. */
  readonly directory?: string | undefined;
}

/**
 * The database of an alias, or the default one.
 *
 * @throws PipelineError when the project has no database of that name
 */
export function findDatabase(project: ProjectDatabases, alias = project.defaultDatabase): NamedDatabase {
  const definition = Object.hasOwn(project.databases, alias) ? project.databases[alias] : undefined;
  if (definition !== undefined) return { alias, definition };
  const help = suggestion(alias, Object.keys(project.databases), 'The project has');
  throw new PipelineError(
    `There is no database "${alias}". ${help} Databases are named in millrace.config.ts.`,
  );
}

/** An open database. One that is reached through a client connects anew for each call. */
export type OpenDatabase = PostgresSession | ClientDatabase;

/**
 * Opens a database of the project. Whoever opens it closes it.
 *
 * @throws ConnectionError when it cannot be reached or refuses
 */
export async function openDatabase(
  alias: string,
  definition: DatabaseDefinition,
  options: OpenOptions,
): Promise<OpenDatabase> {
  if (!isDriven(definition)) return await openPostgres(alias, definition, options);
  const { processes = ownProcesses(options.signal), directory = process.cwd() } = options;
  const located = definition.type === 'sqlite' ? sqliteIn(directory, definition) : definition;
  return new ClientDatabase({ alias, definition: located, processes });
}

/**
 * Connects to a Postgres database with the bundled client. Whoever opens it closes it.
 *
 * @throws ConnectionError when it cannot be reached or refuses
 */
export async function openPostgres(
  alias: string,
  definition: PostgresDatabase,
  {
    resolveEmbedded,
    signal,
    timezone,
    applicationName,
  }: Pick<OpenOptions, 'resolveEmbedded' | 'signal' | 'timezone' | 'applicationName'>,
): Promise<PostgresSession> {
  const { connection, schema } = definition;
  const config = await clientConfig();
  return await connectPostgres({ alias, config, schema, signal, timezone, applicationName });

  async function clientConfig(): Promise<ClientConfig> {
    switch (connection.kind) {
      case 'embedded':
        return await resolveEmbedded();
      case 'url':
        return { connectionString: withLibpqRules(connection.url) };
      case 'parameters':
        return await fromParameters(alias, connection);
    }
  }
}

/** Makes `sslmode` mean what it means to psql, instead of what pg makes of it by default. */
function withLibpqRules(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has('sslmode') || url.searchParams.has('uselibpqcompat')) return text;
  url.searchParams.set('uselibpqcompat', 'true');
  return url.href;
}

async function fromParameters(alias: string, parameters: PostgresParameters): Promise<ClientConfig> {
  const { host, port, database, user, password } = parameters;
  return {
    database,
    ssl: await sslOptions(alias, parameters),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

async function sslOptions(
  alias: string,
  { sslMode = 'disable', sslRootCert, sslCert, sslKey }: PostgresParameters,
): Promise<false | ConnectionOptions> {
  if (sslMode === 'disable') return false;
  const read = async (option: string, file: string | undefined): Promise<string | undefined> => {
    if (file === undefined) return undefined;
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw new PipelineError(`Database "${alias}": the file of ${option} cannot be read: ${file}.`, {
        cause: error,
      });
    }
  };
  const [ca, cert, key] = await Promise.all([
    read('sslRootCert', sslRootCert),
    read('sslCert', sslCert),
    read('sslKey', sslKey),
  ]);
  return {
    rejectUnauthorized: sslMode !== 'require',
    ...(sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
