/** MySQL and MariaDB through `mariadb` or `mysql`. */
import type { MysqlDatabase } from '../../api/databases.ts';
import { mysqlXmlDecoder } from '../rows/mysql-xml.ts';
import { type Client, type ClientCall, longOptions } from './client.ts';

export const mysqlClient: Client<MysqlDatabase> = {
  programs: ['mariadb', 'mysql'],
  install:
    'it: Debian and Ubuntu: apt-get install mariadb-client; Fedora: dnf install mariadb; macOS: brew install mariadb',
  hasTimezone: true,
  echoes: true,
  script: (program, database, { sql, echo, timezone }) =>
    call(program, database, timezone, ['--table', '--comments', ...(echo ? ['-vv'] : [])], sql),
  query: (program, database, { sql, timezone }) => ({
    // On one line with the query, so that the lines in messages are those of the query.
    describe: call(
      program,
      database,
      timezone,
      ['--table', '--column-type-info'],
      `SELECT * FROM (${sql}\n) AS q LIMIT 0\n`,
    ),
    query: answer => {
      const columns = mysqlColumns(answer);
      return {
        ...call(program, database, timezone, ['--xml', '--quick'], `${readable(sql, columns)}\n`),
        decode: mysqlXmlDecoder(columns.map(({ kind }) => kind === 'bytes')),
        binary: 'bytes',
      };
    },
  }),
  literal: (text, type) => `${type === undefined ? '' : `${type} `}${quote(text)}`,
  // Before the error, the client repeats the statement.
  error: said => /^ERROR [^]*/m.exec(said)?.[0] ?? said,
  insert: { begin: 'START TRANSACTION', text: quote },
};

function call(
  program: string,
  { options: { host, port, socket, database, user, password, ssl, charset = 'utf8mb4' } }: MysqlDatabase,
  timezone: string | undefined,
  args: readonly string[],
  input: string,
): ClientCall {
  const encryption = program === 'mysql' ? '--ssl-mode=REQUIRED' : '--ssl';
  return {
    program,
    args: [
      ...longOptions({
        host,
        port,
        socket,
        user,
        'default-character-set': charset,
        'init-command': timezone === undefined ? undefined : `SET time_zone = ${quote(timezone)}`,
      }),
      ...(ssl === true ? [encryption] : []),
      '--batch',
      ...args,
      database,
    ],
    env: password === undefined ? {} : { MYSQL_PWD: password },
    input,
  };
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

export interface MysqlColumn {
  readonly name: string;
  readonly kind: 'text' | 'bytes' | 'bits';
}

/** Columns as `--column-type-info` lists them. */
export function mysqlColumns(answer: string): MysqlColumn[] {
  const fields = answer.matchAll(
    /^Field +\d+: +`(.*)`\n(?:.*\n)*?Type: +(\w+).*\nCollation: +.*\((\d+)\)$/gm,
  );
  return Array.from(fields, ([, name = '', type = '', collation]) => ({
    name,
    kind:
      type === 'BIT'
        ? 'bits'
        : collation === BINARY_COLLATION && /BLOB$|STRING$|^GEOMETRY$/.test(type)
          ? 'bytes'
          : 'text',
  }));
}

const BINARY_COLLATION = '63';

/** The query; with bytes as hexadecimal digits if it gives any, because the client writes a NUL as a blank. */
function readable(sql: string, columns: readonly MysqlColumn[]): string {
  if (columns.every(({ kind }) => kind === 'text')) return sql;
  const list = columns.map(({ name, kind }) => {
    const column = `\`${name.replaceAll('`', '``')}\``;
    if (kind === 'text') return column;
    return kind === 'bytes' ? `HEX(${column}) AS ${column}` : `${column} + 0 AS ${column}`;
  });
  return `SELECT ${list.join(', ')} FROM (${sql}\n) AS q`;
}
