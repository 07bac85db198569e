/** Where a project's store is. */
import { projectDatabaseName } from './embedded/databases.ts';
import { stateHome } from './embedded/paths.ts';
import { StoreError } from './errors.ts';

export type StoreLocation =
  | {
      readonly kind: 'external';
      readonly url: string;
      /** How the user can correct it. */
      readonly configuredBy: string;
    }
  | { readonly kind: 'embedded'; readonly home: string; readonly databaseName: string };

export interface LocationOptions {
  readonly projectDirectory: string;
  /** From the project's configuration or the editor's setting. */
  readonly url?: string;
  /** How the user can correct that URL. Default: the setting "store" of the project. */
  readonly urlFrom?: string;
  /** The state folder of the embedded server; default: by the environment. */
  readonly home?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * `MILLRACE_STORE_URL`, else the configured URL, else a database of the embedded server.
 *
 * @throws {StoreError} when a URL is none of Postgres.
 */
export function resolveStoreLocation(options: LocationOptions): StoreLocation {
  const { projectDirectory, url, home, env = process.env } = options;
  const { urlFrom = 'the setting "store" of the project' } = options;
  const fromEnvironment = env['MILLRACE_STORE_URL'];
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    return external(fromEnvironment, 'MILLRACE_STORE_URL');
  if (url !== undefined && url !== '') return external(url, urlFrom);
  return { kind: 'embedded', home: home ?? stateHome(), databaseName: projectDatabaseName(projectDirectory) };
}

function external(url: string, configuredBy: string): StoreLocation {
  const parsed = parseUrl(url);
  // The URL itself is not repeated: it may hold a password.
  if (
    parsed === null ||
    !['postgres:', 'postgresql:'].includes(parsed.protocol) ||
    parsed.pathname.length < 2
  ) {
    throw new StoreError(
      'invalid-url',
      `The store's URL is not one of a Postgres database. Give ${configuredBy} the form ` +
        'postgres://user:password@host:5432/database.',
    );
  }
  return { kind: 'external', url, configuredBy };
}

/** Understands what libpq does: without a host the socket's directory is in the parameter `host`. */
export function parseUrl(url: string): URL | null {
  return URL.parse(url.replace(/^(postgres(?:ql)?:\/\/)([^/?#]*@)?\//, '$1$2localhost/'));
}

/** A URL's parts for messages, without the password. */
export function describeUrl(url: string): {
  address: string;
  user: string;
  database: string;
  description: string;
} {
  const parsed = parseUrl(url);
  if (parsed === null) throw new TypeError('not a URL');
  const host = parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname);
  const port = parsed.port === '' ? (parsed.searchParams.get('port') ?? '5432') : parsed.port;
  const address = `${host === '' ? 'localhost' : host}:${port}`;
  const user = decodeURIComponent(parsed.username);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  return { address, user, database, description: `Postgres database ${database} on ${address}` };
}
