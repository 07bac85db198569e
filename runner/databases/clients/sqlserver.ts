/** SQL Server through `sqlcmd`. */
import type { SqlServerDatabase } from '../../api/databases.ts';
import { decodeJsonLines } from '../rows/json-rows.ts';
import { type Client, type ClientCall, options } from './client.ts';

export const sqlServerClient: Client<SqlServerDatabase> = {
  programs: ['sqlcmd'],
  install:
    'the package mssql-tools18 or go-sqlcmd (https://learn.microsoft.com/sql/tools/sqlcmd/sqlcmd-utility)',
  hasTimezone: false,
  echoes: true,
  script: (program, database, { sql, echo }) => call(program, database, echo ? ['-e'] : [], `${sql}\nGO\n`),
  // Every row comes as an object on a line of its own: sqlcmd's other output loses NULL, line breaks and long values.
  query: (program, database, { sql }) => ({
    ...call(
      program,
      database,
      ['-y', '0'],
      'SET NOCOUNT ON;\nGO\n' +
        'SELECT (SELECT q.* FOR JSON PATH, INCLUDE_NULL_VALUES, WITHOUT_ARRAY_WRAPPER) FROM (\n' +
        `${sql}\n) AS q\nGO\n`,
    ),
    decode: decodeJsonLines,
    binary: 'base64',
  }),
  literal: (text, type) => {
    const quoted = `N'${text.replaceAll("'", "''")}'`;
    return type === undefined ? quoted : `CAST(${quoted} AS ${type})`;
  },
};

function call(
  program: string,
  { options: given }: SqlServerDatabase,
  args: readonly string[],
  input: string,
): ClientCall {
  const { database, user, password, quotedIdentifier = true, trustServerCertificate = false } = given;
  return {
    program,
    args: [
      '-b', // ends at the first error
      '-r1', // errors to standard error
      '-x', // $(…) in the SQL stays what it is
      ...options({ '-S': server(given), '-d': database, '-U': user }),
      ...(user === undefined ? ['-E'] : []),
      ...(trustServerCertificate ? ['-C'] : []),
      ...(quotedIdentifier ? ['-I'] : []),
      ...args,
      '-i',
      '/dev/stdin',
    ],
    env: password === undefined ? {} : { SQLCMDPASSWORD: password },
    input,
  };
}

function server({ host, port, instance, protocol }: SqlServerDatabase['options']): string {
  switch (protocol) {
    case 'tcp':
      return `tcp:${host},${String(port ?? 1433)}`;
    case 'np':
      return `np:\\\\${host}\\pipe\\${instance === undefined ? '' : `MSSQL$${instance}\\`}sql\\query`;
    case 'lpc':
    case undefined: {
      const prefix = protocol === undefined ? '' : 'lpc:';
      if (instance !== undefined) return `${prefix}${host}\\${instance}`;
      return port === undefined ? `${prefix}${host}` : `${prefix}${host},${String(port)}`;
    }
  }
}
