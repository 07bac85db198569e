/** BigQuery projects as databases of a project. */
import { type ClientDatabaseBase, defineDatabase } from './definition.ts';

export interface BigQueryOptions {
  readonly project: string;
  /** Dataset of tables whose name holds none. */
  readonly dataset?: string | undefined;
  readonly location?: string | undefined;
  /** File with the key of a service account. Default: who is logged in (`gcloud auth login`). */
  readonly credentialsFile?: string | undefined;
  /** Whether queries are in the old SQL dialect. Default: false. */
  readonly legacySql?: boolean | undefined;
  /** Bucket of Cloud Storage through which rows are loaded. Default: a temporary file on this machine. */
  readonly gcsBucket?: string | undefined;
}

export type BigQueryDatabase = ClientDatabaseBase<'bigquery', BigQueryOptions>;

/**
 * A BigQuery project. Needs the client `bq`, and `gcloud` for loading through a bucket.
 *
 * @example bigquery({ project: 'acme-dwh', dataset: 'raw', credentialsFile: '/run/secrets/bigquery.json' })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function bigquery(options: BigQueryOptions): BigQueryDatabase {
  return defineDatabase<'bigquery', BigQueryOptions>(
    {
      type: 'bigquery',
      factory: 'bigquery',
      rules: {
        project: 'text',
        dataset: 'text',
        location: 'text',
        credentialsFile: 'text',
        legacySql: 'flag',
        gcsBucket: 'text',
      },
      required: ['project'],
      describe: ({ project, dataset }) => `bigquery:${project}${dataset === undefined ? '' : `.${dataset}`}`,
    },
    options,
  );
}
