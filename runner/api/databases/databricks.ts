/** SQL warehouses of Databricks as databases of a project. */
import { type ClientDatabaseBase, defineDatabase } from './definition.ts';

export interface DatabricksOptions {
  /** The workspace's host name, without `https://`. */
  readonly host: string;
  /** HTTP path of the SQL warehouse: `/sql/1.0/warehouses/…`. */
  readonly httpPath: string;
  readonly accessToken: string;
}

export type DatabricksDatabase = ClientDatabaseBase<'databricks', DatabricksOptions>;

/**
 * A SQL warehouse of Databricks. Needs the client `dbsqlcli`.
 *
 * @example databricks({ host: 'acme.cloud.databricks.com', httpPath: '/sql/1.0/warehouses/1', accessToken })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function databricks(options: DatabricksOptions): DatabricksDatabase {
  return defineDatabase<'databricks', DatabricksOptions>(
    {
      type: 'databricks',
      factory: 'databricks',
      rules: { host: 'text', httpPath: 'text', accessToken: 'secret' },
      required: ['host', 'httpPath', 'accessToken'],
      describe: ({ host, httpPath }) => `databricks://${host}${httpPath}`,
    },
    options,
  );
}
