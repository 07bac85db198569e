/** Snowflake databases of a project. */
import { PipelineError } from '../errors.ts';
import { type ClientDatabaseBase, defineDatabase, describeServer } from './definition.ts';

export interface SnowflakeOptions {
  /** A connection of the client's own configuration, instead of an account. */
  readonly connection?: string | undefined;
  readonly account?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** File with the private key to log in with, instead of a password. */
  readonly privateKeyFile?: string | undefined;
  readonly privateKeyPassphrase?: string | undefined;
  readonly database?: string | undefined;
  readonly schema?: string | undefined;
  readonly warehouse?: string | undefined;
  readonly role?: string | undefined;
}

export type SnowflakeDatabase = ClientDatabaseBase<'snowflake', SnowflakeOptions>;

/**
 * A Snowflake database. Needs the client `snow`, version 3.9 or later.
 *
 * @example snowflake({ account: 'acme-eu1', user: 'etl', password: process.env.SNOWFLAKE_PASSWORD, warehouse: 'etl' })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function snowflake(options: SnowflakeOptions): SnowflakeDatabase {
  const definition = defineDatabase<'snowflake', SnowflakeOptions>(
    {
      type: 'snowflake',
      factory: 'snowflake',
      rules: {
        connection: 'text',
        account: 'text',
        user: 'text',
        password: 'secret',
        privateKeyFile: 'text',
        privateKeyPassphrase: 'secret',
        database: 'text',
        schema: 'text',
        warehouse: 'text',
        role: 'text',
      },
      required: [],
      describe: ({ connection, account, user, database }) =>
        connection === undefined
          ? describeServer('snowflake', { user, host: account, name: database })
          : `snowflake:${connection}`,
    },
    options,
  );
  const { connection, account, user, password, privateKeyFile } = options;
  if ((connection === undefined) === (account === undefined)) {
    throw new PipelineError('snowflake(): give either connection, or account with user.');
  }
  if (account !== undefined && user === undefined) {
    throw new PipelineError('snowflake(): give a user for the account.');
  }
  if (password !== undefined && privateKeyFile !== undefined) {
    throw new PipelineError('snowflake(): give either password or privateKeyFile, not both.');
  }
  return definition;
}
