/** MySQL and MariaDB databases of a project. */
import { PipelineError } from '../errors.ts';
import { type ClientDatabaseBase, defineDatabase, describeServer } from './definition.ts';

export interface MysqlOptions {
  /** Name or address of the server. Default: what the client's own option files say, else `localhost`. */
  readonly host?: string | undefined;
  /** Default: 3306. */
  readonly port?: number | undefined;
  /** File of the server's Unix socket, instead of host and port. */
  readonly socket?: string | undefined;
  readonly database: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Whether the connection must be encrypted. Default: as the client and the server agree. */
  readonly ssl?: boolean | undefined;
  /** Character set of the connection. Default: `utf8mb4`. */
  readonly charset?: string | undefined;
}

export type MysqlDatabase = ClientDatabaseBase<'mysql', MysqlOptions>;

/**
 * A MySQL or MariaDB database. Needs the client `mariadb` or `mysql`.
 *
 * @example mysql({ host: 'shop.example.com', database: 'shop', user: 'etl', password: process.env.SHOP_PASSWORD })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function mysql(options: MysqlOptions): MysqlDatabase {
  const definition = defineDatabase<'mysql', MysqlOptions>(
    {
      type: 'mysql',
      factory: 'mysql',
      rules: {
        host: 'text',
        port: 'port',
        socket: 'text',
        database: 'text',
        user: 'text',
        password: 'secret',
        ssl: 'flag',
        charset: 'text',
      },
      required: ['database'],
      describe: ({ user, host, port, socket, database }) =>
        describeServer('mysql', { user, host: socket ?? host, port, name: database }),
    },
    options,
  );
  if (options.socket !== undefined && (options.host !== undefined || options.port !== undefined)) {
    throw new PipelineError('mysql(): give either socket, or host and port.');
  }
  return definition;
}
