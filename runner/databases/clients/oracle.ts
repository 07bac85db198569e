/** Oracle through `sqlplus`. */
import type { OracleDatabase } from '../../api/databases.ts';
import { csvDecoder } from '../rows/csv-rows.ts';
import { type Client, type ClientCall, standardLiteral } from './client.ts';

export const oracleClient: Client<OracleDatabase> = {
  programs: ['sqlplus', 'sqlplus64'],
  install:
    'the Instant Client with SQL*Plus (https://www.oracle.com/database/technologies/instant-client.html)',
  hasTimezone: true,
  echoes: false,
  script: (program, database, { sql, timezone }) =>
    call(program, database, timezone, ['SET PAGESIZE 50000 TAB OFF'], ended(sql)),
  query: (program, database, { sql, timezone }) => ({
    ...call(
      program,
      database,
      timezone,
      [
        'SET MARKUP CSV ON QUOTE ON',
        'SET FEEDBACK OFF VERIFY OFF TERMOUT ON',
        'SET NUMWIDTH 50',
        'SET LONG 2000000000 LONGCHUNKSIZE 1000000',
        'SET ARRAYSIZE 5000',
      ],
      `${sql}\n/`,
    ),
    // To Oracle, an empty text is NULL.
    decode: csvDecoder(''),
    binary: 'hex',
  }),
  literal: standardLiteral,
};

/** The password comes by standard input, before anything else. */
function call(
  program: string,
  { options: { host, port = 1521, service, user, password } }: OracleDatabase,
  timezone: string | undefined,
  settings: readonly string[],
  sql: string,
): ClientCall {
  return {
    program,
    args: ['-S', '-L', '/nolog'],
    env: {
      NLS_LANG: 'AMERICAN_AMERICA.AL32UTF8',
      NLS_DATE_FORMAT: 'YYYY-MM-DD HH24:MI:SS',
      NLS_TIMESTAMP_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF9',
      NLS_TIMESTAMP_TZ_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM',
      NLS_NUMERIC_CHARACTERS: '.,',
      ...(timezone === undefined ? {} : { ORA_SDTZ: timezone }),
    },
    input: [
      'WHENEVER OSERROR EXIT FAILURE ROLLBACK',
      'WHENEVER SQLERROR EXIT FAILURE ROLLBACK',
      'SET DEFINE OFF',
      'SET SQLBLANKLINES ON',
      'SET LINESIZE 32767 TRIMOUT ON',
      `CONNECT ${name(user)}/${name(password)}@//${host}:${String(port)}/${service}`,
      ...settings,
      sql,
      'EXIT SUCCESS COMMIT',
      '',
    ].join('\n'),
  };
}

/** SQL*Plus leaves a last statement alone that nothing ends; a block of PL/SQL is ended by a slash. */
function ended(sql: string): string {
  const text = sql.trimEnd();
  if (text.endsWith('/')) return text;
  if (/\bend\s*(?:"[^"]+"|\w+)?\s*;$/i.test(text)) return `${text}\n/`;
  return text.endsWith(';') ? text : `${text}\n;`;
}

function name(text: string): string {
  return `"${text}"`;
}
