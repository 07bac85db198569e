/** Redshift databases of a project. */
import { PipelineError } from '../errors.ts';
import { type ClientDatabaseBase, defineDatabase, describeServer } from './definition.ts';
import { type SslMode, sslModes } from './postgres.ts';

export interface RedshiftOptions {
  readonly host: string;
  /** Default: 5439. */
  readonly port?: number | undefined;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  /** Default: `require`. */
  readonly sslMode?: SslMode | undefined;
  /** Bucket through which rows are loaded, for Redshift takes them from nowhere else. */
  readonly s3Bucket?: string | undefined;
  /** Role of the cluster that may read the bucket. Default: the access key below. */
  readonly iamRole?: string | undefined;
  readonly awsAccessKeyId?: string | undefined;
  readonly awsSecretAccessKey?: string | undefined;
  readonly awsRegion?: string | undefined;
}

export type RedshiftDatabase = ClientDatabaseBase<'redshift', RedshiftOptions>;

/**
 * An Amazon Redshift database. Needs the client `psql`, and `aws` for loading rows.
 *
 * @example redshift({ host: '….redshift.amazonaws.com', database: 'dwh', user: 'etl', s3Bucket: 'loads' })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function redshift(options: RedshiftOptions): RedshiftDatabase {
  const definition = defineDatabase<'redshift', RedshiftOptions>(
    {
      type: 'redshift',
      factory: 'redshift',
      rules: {
        host: 'text',
        port: 'port',
        database: 'text',
        user: 'text',
        password: 'secret',
        sslMode: sslModes,
        s3Bucket: 'text',
        iamRole: 'text',
        awsAccessKeyId: 'text',
        awsSecretAccessKey: 'secret',
        awsRegion: 'text',
      },
      required: ['host', 'database', 'user'],
      describe: ({ user, host, port = 5439, database }) =>
        describeServer('redshift', { user, host, port, name: database }),
    },
    options,
  );
  if ((options.awsAccessKeyId === undefined) !== (options.awsSecretAccessKey === undefined)) {
    throw new PipelineError('redshift(): give both awsAccessKeyId and awsSecretAccessKey, or neither.');
  }
  return definition;
}
