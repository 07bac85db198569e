/** BigQuery through `bq`. */
import type { BigQueryDatabase } from '../../api/databases.ts';
import { CSV_NULL } from '../rows/csv-text.ts';
import { decodeJsonArray } from '../rows/json-rows.ts';
import { type Client, type ClientCall, longOptions } from './client.ts';

/** Rows of one result that `bq` fetches: all of them. */
const ALL_ROWS = 2_147_483_647;

export const bigQueryClient: Client<BigQueryDatabase> = {
  programs: ['bq'],
  install: 'the Google Cloud CLI (https://cloud.google.com/sdk/docs/install)',
  hasTimezone: false,
  echoes: false,
  script: (program, database, { sql }) =>
    call(program, database, ['--format=pretty'], ['query', dialect(database), '--max_rows=1000'], sql),
  // JSON tells NULL from an empty text.
  query: (program, database, { sql }) => ({
    ...call(
      program,
      database,
      ['--format=json'],
      ['query', dialect(database), `--max_rows=${String(ALL_ROWS)}`],
      sql,
    ),
    decode: decodeJsonArray,
    binary: 'base64',
  }),
  literal: (text, type) => {
    const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
    if (type !== undefined) return `CAST(${quoted} AS ${type})`;
    // A text is never taken for a number.
    return /^-?\d+(?:\.\d+)?$/.test(text) ? text : quoted;
  },
};

/** Loads a file of CSV, of this machine or of Cloud Storage. */
export function bigQueryLoad(
  program: string,
  database: BigQueryDatabase,
  table: string,
  file: string,
): ClientCall {
  return call(
    program,
    database,
    [],
    [
      'load',
      '--source_format=CSV',
      `--null_marker=${CSV_NULL}`,
      '--allow_quoted_newlines',
      '--encoding=UTF-8',
      table,
      file,
    ],
    '',
  );
}

/** Copies standard input to Cloud Storage, or removes a file there. */
export function cloudStorage(
  database: BigQueryDatabase,
  args: readonly string[],
  input: ClientCall['input'],
): ClientCall {
  return {
    program: 'gcloud',
    args: ['--quiet', `--project=${database.options.project}`, 'storage', ...args],
    env: credentials(database),
    input,
  };
}

function call(
  program: string,
  database: BigQueryDatabase,
  global: readonly string[],
  command: readonly string[],
  input: string,
): ClientCall {
  const { project, dataset, location } = database.options;
  return {
    program,
    args: [
      '--headless',
      '--quiet',
      ...longOptions({ project_id: project, dataset_id: dataset, location }),
      ...global,
      ...command,
    ],
    env: credentials(database),
    input,
  };
}

function dialect({ options: { legacySql = false } }: BigQueryDatabase): string {
  return `--use_legacy_sql=${String(legacySql)}`;
}

function credentials({ options: { credentialsFile } }: BigQueryDatabase): ClientCall['env'] {
  return credentialsFile === undefined ? {} : { CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: credentialsFile };
}
