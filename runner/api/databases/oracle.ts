/** Oracle databases of a project. */
import { PipelineError } from '../errors.ts';
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
  const definition = defineDatabase<'oracle', OracleOptions>(
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
  for (const key of ['user', 'password'] as const) {
    // SQL*Plus reads them in double quotes; Oracle allows neither character in them.
    if (/["\r\n]/.test(options[key])) {
      throw new PipelineError(`oracle(): ${key} must not hold double quotes or line breaks.`);
    }
  }
  if (/[\s"/@]/.test(`${options.host}${options.service}`)) {
    throw new PipelineError('oracle(): host and service must not hold blanks, double quotes, slashes or @.');
  }
  return definition;
}
