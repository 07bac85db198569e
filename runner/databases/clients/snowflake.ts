/** Snowflake through `snow`, the Snowflake CLI. */
import type { SnowflakeDatabase } from '../../api/databases.ts';
import { decodeJsonArray } from '../rows/json-rows.ts';
import { type Client, type ClientCall, options } from './client.ts';

export const snowflakeClient: Client<SnowflakeDatabase> = {
  programs: ['snow'],
  install: 'the Snowflake CLI: pipx install snowflake-cli; macOS: brew install snowflake-cli',
  hasTimezone: false,
  echoes: false,
  script: (program, database, { sql }) => call(program, database, 'TABLE', sql),
  query: (program, database, { sql }) => ({
    ...call(program, database, 'JSON', `${sql};\n`),
    decode: decodeJsonArray,
    binary: 'hex',
  }),
  literal: (text, type) =>
    `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'${type === undefined ? '' : `::${type}`}`,
};

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
