/** Snowflake through `snow`, the Snowflake CLI. */
import type { SnowflakeDatabase } from '../../api/databases.ts';
import { decodeJsonArray } from '../rows/json-rows.ts';
import { type Client, type ClientCall, options } from './client.ts';

export const snowflakeClient: Client<SnowflakeDatabase> = {
  programs: ['snow'],
  install: 'the Snowflake CLI: pipx install snowflake-cli; macOS: brew install snowflake-cli',
  echoes: false,
  script: (program, database, { sql, timezone }) =>
    call(program, database, 'TABLE', withTimezone(sql, timezone)),
  query: (program, database, { sql, timezone }) => {
    // The results of several statements would be an array for each.
    if (timezone !== undefined)
      throw new Error('a query of Snowflake cannot have a timezone: set it for the user');
    return {
      ...call(program, database, 'JSON', `${sql};\n`),
      decode: decodeJsonArray,
      binary: 'hex',
    };
  },
  literal: (text, type) =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'${type === undefined ? '' : `::${type}`}`,
};

function withTimezone(sql: string, timezone: string | undefined): string {
  return timezone === undefined
    ? sql
    : `ALTER SESSION SET TIMEZONE = '${timezone.replaceAll("'", "''")}';\n${sql}`;
}

function call(
  program: string,
  { options: given }: SnowflakeDatabase,
  format: 'TABLE' | 'JSON',
  input: string,
): ClientCall {
  const { connection, account, user, password, privateKeyFile, privateKeyPassphrase } = given;
  const { database, schema, warehouse, role } = given;
  return {
    program,
    args: [
      'sql',
      '--stdin',
      '--format',
      format,
      // Nothing in the SQL is a template.
      '--enable-templating',
      'NONE',
      ...(connection === undefined ? ['--temporary-connection'] : []),
      ...options({
        '--connection': connection,
        '--account': account,
        '--user': user,
        '--authenticator': privateKeyFile === undefined ? undefined : 'SNOWFLAKE_JWT',
        '--private-key-file': privateKeyFile,
        '--database': database,
        '--schema': schema,
        '--warehouse': warehouse,
        '--role': role,
      }),
    ],
    env: {
      ...(password === undefined ? {} : { SNOWFLAKE_PASSWORD: password }),
      ...(privateKeyPassphrase === undefined ? {} : { PRIVATE_KEY_PASSPHRASE: privateKeyPassphrase }),
    },
    input,
  };
}
