/** SQL Server databases of a project. */
import { PipelineError } from '../errors.ts';
import { type ClientDatabaseBase, defineDatabase, describeServer } from './definition.ts';

export interface SqlServerOptions {
  readonly host: string;
  /** Default: 1433. */
  readonly port?: number | undefined;
  /** A named instance, instead of a port. */
  readonly instance?: string | undefined;
  readonly database: string;
  /** Default: the account that Millrace runs under (integrated security). */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** `tcp`, named pipes (`np`) or shared memory (`lpc`). Default: what the client tries. */
  readonly protocol?: 'tcp' | 'np' | 'lpc' | undefined;
  /** Whether names may stand in double quotes. Default: true. */
  readonly quotedIdentifier?: boolean | undefined;
  /** Trusts the server's certificate without checking it. Default: false. */
  readonly trustServerCertificate?: boolean | undefined;
}

export type SqlServerDatabase = ClientDatabaseBase<'sqlserver', SqlServerOptions>;

/**
 * A SQL Server database, 2016 or later. Needs the client `sqlcmd`.
 *
 * @example sqlserver({ host: 'erp.example.com', database: 'erp', user: 'etl', password: process.env.ERP_PASSWORD })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function sqlserver(options: SqlServerOptions): SqlServerDatabase {
  const definition = defineDatabase<'sqlserver', SqlServerOptions>(
    {
      type: 'sqlserver',
      factory: 'sqlserver',
      rules: {
        host: 'text',
        port: 'port',
        instance: 'text',
        database: 'text',
        user: 'text',
        password: 'secret',
        protocol: ['tcp', 'np', 'lpc'],
        quotedIdentifier: 'flag',
        trustServerCertificate: 'flag',
      },
      required: ['host', 'database'],
      describe: ({ user, host, instance, port, database }) =>
        describeServer('sqlserver', {
          user,
          host: instance === undefined ? host : `${host}\\${instance}`,
          port,
          name: database,
        }),
    },
    options,
  );
  const { instance, port, protocol } = options;
  if (instance !== undefined && port !== undefined) {
    throw new PipelineError('sqlserver(): give either instance or port, not both.');
  }
  if (port !== undefined && protocol !== undefined && protocol !== 'tcp') {
    throw new PipelineError(`sqlserver(): the protocol ${protocol} has no port.`);
  }
  if (instance !== undefined && protocol === 'tcp') {
    throw new PipelineError('sqlserver(): with the protocol tcp, give the port of the instance.');
  }
  return definition;
}
