/** Why the store cannot be used, each with what the user can do about it. */

export type StoreErrorCode =
  /** Nobody listens at the address. */
  | 'refused'
  | 'unknown-host'
  /** The server does not answer, or not in time. */
  | 'unreachable'
  | 'wrong-password'
  | 'no-database'
  | 'no-permission'
  | 'too-many-connections'
  | 'invalid-url'
  /** A connection pooler stands in between, or something else that is not a whole Postgres. */
  | 'unsupported-server'
  | 'server-too-old'
  | 'schema-newer'
  | 'schema-older'
  | 'schema-foreign'
  /** Opened for reading, and nothing has been recorded yet. */
  | 'empty'
  | 'other-major-version'
  | 'disk-full'
  | 'cannot-switch-account'
  | 'no-account'
  | 'no-postgres'
  | 'state-folder'
  | 'server-failed';

/**
 * The store cannot be reached or used. `message` says what, where and the remedy, and never holds a password.
 * The command line prints it and ends with `exitCode`.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly exitCode = 3;
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What is known about a connection that failed. */
export interface ConnectionTarget {
  /** `host:port`, or the socket's directory. */
  readonly address: string;
  readonly user: string;
  readonly database: string;
  /** How the user can correct the address: `MILLRACE_STORE_URL`, … */
  readonly configuredBy: string;
}

/** The `code` of an error of Node or Postgres; `undefined` when it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return error.errors.map(errorMessage).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Turns the failure of a connection to an external store into a {@link StoreError}. */
export function connectionError(error: unknown, target: ConnectionTarget): StoreError {
  if (error instanceof StoreError) return error;
  const { address, user, database, configuredBy } = target;
  const code = errorCode(error);
  const options = { cause: error };
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new StoreError(
        'refused',
        `Cannot reach the store: nobody listens on ${address}. Start the Postgres server there, or correct ${configuredBy}.`,
        options,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StoreError(
        'unknown-host',
        `Cannot reach the store: the host of ${address} is unknown. Check the network, or correct ${configuredBy}.`,
        options,
      );
    case '28P01':
    case '28000':
      return new StoreError(
        'wrong-password',
        `The store on ${address} refuses user "${user}" for database "${database}": ${errorMessage(error)}. ` +
          `Correct the user or the password in ${configuredBy}.`,
        options,
      );
    case '3D000':
      return new StoreError(
        'no-database',
        `The database "${database}" does not exist on ${address}. Create it (CREATE DATABASE "${database}"), ` +
          `or correct ${configuredBy}. Millrace makes its tables in it by itself.`,
        options,
      );
    case '42501':
      return new StoreError(
        'no-permission',
        `User "${user}" may not use the store in database "${database}" on ${address}: ${errorMessage(error)}. ` +
          `Grant it with: GRANT CREATE, CONNECT ON DATABASE "${database}" TO "${user}".`,
        options,
      );
    case '53300':
      return new StoreError(
        'too-many-connections',
        `The store on ${address} has no connection left: ${errorMessage(error)}. ` +
          'End other clients, or raise max_connections of that server.',
        options,
      );
    case '08P01':
      return new StoreError(
        'unsupported-server',
        `The store on ${address} refuses the settings of a session: ${errorMessage(error)}. ` +
          `Let ${configuredBy} name the Postgres server itself, not a connection pooler.`,
        options,
      );
    default:
      // The driver says it in words of the protocol, and without a code.
      if (errorMessage(error).includes('client password must be a')) {
        const missing = Object.assign(new Error('it asks for a password, and none is given'), {
          code: '28P01',
        });
        return connectionError(missing, target);
      }
      return new StoreError(
        'unreachable',
        `Cannot reach the store on ${address}: ${errorMessage(error)}. Check that server, or correct ${configuredBy}.`,
        options,
      );
  }
}
