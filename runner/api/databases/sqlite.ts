/** SQLite databases of a project. */
import { resolve } from 'node:path';
import { type ClientDatabaseBase, defineDatabase } from './definition.ts';

export interface SqliteOptions {
  /** The database's file, relative to the project's root directory. */
  readonly file: string;
}

export type SqliteDatabase = ClientDatabaseBase<'sqlite', SqliteOptions>;

/**
 * A SQLite database. Needs the client `sqlite3`. The file is made when something writes to it.
 *
 * @example sqlite({ file: 'data/products.db' })
 * @throws PipelineError when an option is unknown, missing or wrong
 */
export function sqlite(options: SqliteOptions): SqliteDatabase {
  return defineDatabase<'sqlite', SqliteOptions>(
    {
      type: 'sqlite',
      factory: 'sqlite',
      rules: { file: 'text' },
      required: ['file'],
      describe: ({ file }) => `sqlite:${file}`,
    },
    options,
  );
}

/** The same database, with its file relative to a directory. */
export function sqliteIn(directory: string, { options }: SqliteDatabase): SqliteDatabase {
  return sqlite({ file: resolve(directory, options.file) });
}
