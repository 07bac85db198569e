/** Loads rows into Redshift by way of S3. */
import type { RedshiftDatabase } from '../../api/databases.ts';
import { CSV_NULL } from '../rows/csv-text.ts';
import { type ClientCall, standardLiteral } from './client.ts';

/** Copies standard input to S3, or removes a file there. */
export function s3(
  { options: { awsAccessKeyId, awsSecretAccessKey, awsRegion } }: RedshiftDatabase,
  args: readonly string[],
  input: ClientCall['input'],
): ClientCall {
  return {
    program: 'aws',
    args: ['s3', ...args, '--only-show-errors'],
    env: {
      ...(awsAccessKeyId === undefined ? {} : { AWS_ACCESS_KEY_ID: awsAccessKeyId }),
      ...(awsSecretAccessKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: awsSecretAccessKey }),
      ...(awsRegion === undefined ? {} : { AWS_REGION: awsRegion }),
    },
    input,
  };
}

/** The statement that loads a file; it holds the access key, so it goes by standard input. */
export function redshiftCopy({ options }: RedshiftDatabase, table: string, file: string): string {
  const { iamRole, awsAccessKeyId, awsSecretAccessKey, awsRegion } = options;
  const text = (value: string): string => standardLiteral(value, undefined);
  const access =
    iamRole !== undefined
      ? `IAM_ROLE ${text(iamRole)}`
      : awsAccessKeyId !== undefined && awsSecretAccessKey !== undefined
        ? `ACCESS_KEY_ID ${text(awsAccessKeyId)} SECRET_ACCESS_KEY ${text(awsSecretAccessKey)}`
        : 'IAM_ROLE default';
  const region = awsRegion === undefined ? '' : ` REGION ${text(awsRegion)}`;
  return `COPY ${table} FROM ${text(file)} ${access}${region} FORMAT CSV NULL AS ${text(CSV_NULL.replace('\\', '\\\\'))};\n`;
}
