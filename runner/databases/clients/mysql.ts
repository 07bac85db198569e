/** MySQL and MariaDB through `mariadb` or `mysql`. */
import type { MysqlDatabase } from '../../api/databases.ts';
import { decodeMysqlXml } from '../rows/mysql-xml.ts';
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
    ...call(program, database, timezone, ['--xml', '--quick'], `${sql}\n`),
    decode: decodeMysqlXml,
    binary: 'bytes',
  }),
  literal: (text, type) => `${type === undefined ? '' : `${type} `}${quote(text)}`,
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
