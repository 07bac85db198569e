/** SQLite through `sqlite3`. */
import type { SqliteDatabase } from '../../api/databases.ts';
import { decodeSqliteQuote } from '../rows/sqlite-quote.ts';
import { type Client, standardLiteral } from './client.ts';

/** The user's `~/.sqliterc` is not read, and the first error is the last. */
const common = ['-batch', '-bail', '-init', '/dev/null'];

export const sqliteClient: Client<SqliteDatabase> = {
  programs: ['sqlite3'],
  install: 'it: Debian and Ubuntu: apt-get install sqlite3; Fedora: dnf install sqlite; macOS has it',
  hasTimezone: false,
  echoes: true,
  script: (program, { options: { file } }, { sql, echo }) => ({
    program,
    args: [...common, ...(echo ? ['-echo'] : []), '-header', '-column', file],
    env: {},
    input: sql,
  }),
  query: (program, { options: { file } }, { sql }) => ({
    program,
    // A file that is not there is an error, instead of a new one.
    args: [...common, '-cmd', '.mode quote', '-cmd', '.headers on', '-readonly', file],
    env: {},
    input: `${sql}\n;\n`,
    decode: decodeSqliteQuote,
    binary: 'bytes',
  }),
  literal: text => quote(text),
  insert: { begin: 'BEGIN', text: quote },
};

/** A NUL would end the statement. */
function quote(text: string): string {
  return text.includes('\0')
    ? `CAST(X'${Buffer.from(text).toString('hex')}' AS TEXT)`
    : standardLiteral(text, undefined);
}
