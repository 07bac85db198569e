/** Postgres databases of a project. */
import { checkOptions, describeValue, PipelineError } from '../errors.ts';
import { type DatabaseBase, distinctSecrets, oneOf } from './definition.ts';

/** How far the server's certificate is trusted, as in libpq. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** Where a Postgres database is, by its parts. */
export interface PostgresParameters {
  /** Name or address of the server, or the directory of its Unix socket. Default: `localhost`. */
  readonly host?: string | undefined;
  /** Default: 5432. */
  readonly port?: number | undefined;
  readonly database: string;
  /** Default: the environment variable `PGUSER`, else the name of the operating system's user. */
  readonly user?: string | undefined;
  /** Default: none; then `~/.pgpass` is read. Never shown anywhere. */
  readonly password?: string | undefined;
  /** Default: `disable`. */
  readonly sslMode?: SslMode | undefined;
  /** File with the certificates of trusted authorities, for `verify-ca` and `verify-full`. */
  readonly sslRootCert?: string | undefined;
  /** File with the client's certificate. */
  readonly sslCert?: string | undefined;
  /** File with the client's private key. */
  readonly sslKey?: string | undefined;
}

interface SharedOptions {
  /** Schema that unqualified names are looked up and made in (`search_path`). Default: the server's. */
  readonly schema?: string | undefined;
  /**
   * What speaks to the server: the client that Millrace brings along, or the program `psql`, for its meta-commands and
   * for ways to log in that only libpq knows. Default: `bundled`.
   */
  readonly client?: PostgresClient | undefined;
}

export type PostgresClient = 'bundled' | 'psql';

/** `postgres://user:password@host:5432/database`, with libpq's parameters after a `?`. */
export interface PostgresUrlOptions extends SharedOptions {
  readonly url: string;
}

export interface PostgresPartsOptions extends PostgresParameters, SharedOptions {}

/** By URL or by parts, not both. */
export type PostgresOptions =
  | (PostgresUrlOptions & { readonly [Key in keyof PostgresParameters]?: never })
  | (PostgresPartsOptions & { readonly url?: never });

/** How to get to a Postgres database. */
export type PostgresConnection =
  | { readonly kind: 'url'; readonly url: string }
  | ({ readonly kind: 'parameters' } & PostgresParameters)
  /** The project's own database in the server that Millrace runs. */
  | { readonly kind: 'embedded' };

/** A Postgres database of the project; made by {@link postgres} and {@link embeddedPostgres}. */
export interface PostgresDatabase extends DatabaseBase<'postgresql'> {
  /** May hold a password: not enumerable, so that it does not end up in a log by accident. */
  readonly connection: PostgresConnection;
  readonly schema: string | undefined;
  readonly client: PostgresClient;
}

const urlKeys: readonly string[] = ['url', 'schema', 'client'] satisfies (keyof PostgresUrlOptions)[];
const partKeys: readonly string[] = [
  'host',
  'port',
  'database',
  'user',
  'password',
  'sslMode',
  'sslRootCert',
  'sslCert',
  'sslKey',
  'schema',
  'client',
] satisfies (keyof PostgresPartsOptions)[];
const allKeys: ReadonlySet<string> = new Set([...urlKeys, ...partKeys]);
export const sslModes: readonly string[] = [
  'disable',
  'require',
  'verify-ca',
  'verify-full',
] satisfies SslMode[];
const clients: readonly string[] = ['bundled', 'psql'] satisfies PostgresClient[];
/** Parameters of a URL that hold secrets. */
const secretParameters = ['password', 'sslpassword'];

/**
 * A PostgreSQL database. No client needs to be installed, unless `client` is `psql`.
 *
 * @example postgres({ url: 'postgres://etl@localhost/dwh' })
 * @example postgres({ host: 'db.example.com', database: 'dwh', user: 'etl', password, sslMode: 'verify-full' })
 * @throws PipelineError when the URL is missing or none, when it is given together with parts, or an option is wrong
 */
export function postgres(options: PostgresOptions): PostgresDatabase {
  checkOptions('postgres()', options, allKeys);
  const { schema, client = 'bundled' } = options;
  checkString('schema', schema);
  oneOf('postgres()', 'client', client, clients);
  if ('url' in options) {
    const parts = Object.keys(options).filter(key => !urlKeys.includes(key));
    if (parts.length > 0) {
      throw new PipelineError(`postgres(): give either url or its parts, not both: ${parts.join(', ')}.`);
    }
    const url = checkUrl(options.url);
    if (client === 'psql' && new URL(url).searchParams.has('sslpassword')) {
      throw new PipelineError(
        'postgres(): psql takes an sslpassword only on its command line, where others could read it. Use the bundled client, or a key without a password.',
      );
    }
    return definePostgres({ kind: 'url', url }, schema, client);
  }
  checkParts(options);
  const { host, port, database, user, password, sslMode, sslRootCert, sslCert, sslKey } = options;
  const parameters = { host, port, database, user, password, sslMode, sslRootCert, sslCert, sslKey };
  return definePostgres({ kind: 'parameters', ...parameters }, schema, client);
}

/**
 * The project's own database in the Postgres server that Millrace runs, beside the one that keeps the history; with a
 * role that cannot read that history. It is what the alias `dwh` stands for in a project without `databases`.
 */
export function embeddedPostgres(options: { readonly schema?: string | undefined } = {}): PostgresDatabase {
  checkOptions('embeddedPostgres()', options, new Set(['schema']));
  checkString('schema', options.schema);
  return definePostgres({ kind: 'embedded' }, options.schema, 'bundled');
}

function definePostgres(
  connection: PostgresConnection,
  schema: string | undefined,
  client: PostgresClient,
): PostgresDatabase {
  const definition: PostgresDatabase = {
    type: 'postgresql',
    connection,
    schema,
    client,
    describe: () => describeConnection(connection),
    secrets: () => secretsOf(connection),
    toJSON: () => ({
      type: 'postgresql',
      connection: describeConnection(connection),
      ...(schema === undefined ? {} : { schema }),
      ...(client === 'bundled' ? {} : { client }),
    }),
  };
  return Object.freeze(Object.defineProperty(definition, 'connection', { enumerable: false }));
}

function describeConnection(connection: PostgresConnection): string {
  switch (connection.kind) {
    case 'embedded':
      return 'the embedded Postgres';
    case 'parameters': {
      const { host = 'localhost', port = 5432, database, user } = connection;
      return `postgres://${user === undefined ? '' : `${user}@`}${host}:${String(port)}/${database}`;
    }
    case 'url': {
      const url = new URL(connection.url);
      url.password = '';
      for (const name of secretParameters) url.searchParams.delete(name);
      return url.href;
    }
  }
}

function secretsOf(connection: PostgresConnection): readonly string[] {
  switch (connection.kind) {
    case 'embedded':
      return [];
    case 'parameters':
      return distinctSecrets([connection.password]);
    case 'url': {
      const url = new URL(connection.url);
      const values = secretParameters.map(name => url.searchParams.get(name) ?? undefined);
      return distinctSecrets([decode(url.password), ...values], url.password);
    }
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % is legal in a URL; it then stands for itself.
  }
}

function checkUrl(url: unknown): string {
  if (typeof url !== 'string' || url === '') {
    throw new PipelineError(
      `postgres(): url must be a text like "postgres://user@host:5432/database", not ${describeValue(url)}. ` +
        'If it comes from an environment variable, set that, for example in the file .env of the project.',
    );
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    // The text itself is not shown: it may hold a password.
    throw new PipelineError(
      'postgres(): url is not of the form "postgres://user:password@host:5432/database". ' +
        'Characters like @, : and / in a password are written as %40, %3A and %2F.',
    );
  }
  return url;
}

function checkParts(options: PostgresPartsOptions): void {
  const { port, sslMode } = options;
  if (typeof options.database !== 'string' || options.database === '') {
    throw new PipelineError('postgres(): give url, or at least database.');
  }
  for (const key of ['host', 'user', 'sslRootCert', 'sslCert', 'sslKey'] as const)
    checkString(key, options[key]);
  if (options.password !== undefined && typeof options.password !== 'string') {
    throw new PipelineError('postgres(): password must be a string.');
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new PipelineError(
      `postgres(): port must be a whole number from 1 to 65535, not ${describeValue(port)}.`,
    );
  }
  oneOf('postgres()', 'sslMode', sslMode, sslModes);
}

function checkString(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') {
    throw new PipelineError(`postgres(): ${option} must be a string, not ${describeValue(value)}.`);
  }
}
