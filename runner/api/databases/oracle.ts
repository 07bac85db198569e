/** Oracle databases of a project. */
import { type ClientDatabaseBase, defineDatabase, describeServer } from './definition.ts';

export interface OracleOptions {
  readonly host: string;
  /** Default: 1521. */
  readonly port?: number | undefined;
  /** The service's name. */
  readonly service: string;
  readonly user: string;
  readonly password: string;
}

export type OracleDatabase = ClientDatabaseBase<'oracle', OracleOptions>;

/**
 * An Oracle database, 12.2 or later. Needs the client `sqlplus`.
 *
 * @example oracle({ host: 'erp.example.com', service: 'ERP', user: 'etl', password: process.env.ERP_PASSWORD ?? '' })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function oracle(options: OracleOptions): OracleDatabase {
  return defineDatabase<'oracle', OracleOptions>(
    {
      type: 'oracle',
      factory: 'oracle',
      rules: { host: 'text', port: 'port', service: 'text', user: 'text', password: 'secret' },
      required: ['host', 'service', 'user', 'password'],
      describe: ({ user, host, port = 1521, service }) =>
        describeServer('oracle', { user, host, port, name: service }),
    },
    options,
  );
}
