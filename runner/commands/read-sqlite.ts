/** Loads the rows of a query of a SQLite file into a table. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { sqlite } from '../api/databases.ts';
import { checkOptions } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { checkGiven, copyLog } from './copy.ts';
import { docItem, fileItems, settingItems } from './docs.ts';
import { checkName } from './execute-sql.ts';
import { checkFile, dataDirectory } from './files.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';
import { sqlDocs, SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';

export type ReadSQLiteOptions = SqlTextOptions & {
  /** The SQLite file, relative to the project's `dataDir`. */
  readonly file: string;
  /** The table that gets the rows, as it is written in SQL. The query gives a value for each of its columns. */
  readonly table: string;
  /** Alias of the database that gets them. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Time zone of the session, in which times without a zone are read. Default: the server's. */
  readonly timezone?: string | undefined;
};

export const readSQLiteOptionKeys = [
  ...sqlTextKeys,
  'file',
  'table',
  'db',
  'timezone',
] as const satisfies (keyof ReadSQLiteOptions)[];

const optionKeys: ReadonlySet<string> = new Set(readSQLiteOptionKeys);

/**
 * Adds the rows of a query of a SQLite file to a table: all of them or none. Needs the client `sqlite3`.
 *
 * @example new ReadSQLite({ file: 'products.db', table: 'raw.products', sql: 'select id, name from products' })
 */
export class ReadSQLite extends Command {
  readonly #options: ReadSQLiteOptions;
  readonly #sql: SqlText;

  /** @throws PipelineError when an option is unknown, missing or not valid */
  constructor(options: ReadSQLiteOptions) {
    super();
    checkOptions('ReadSQLite', options, optionKeys);
    this.#sql = new SqlText('ReadSQLite', options);
    checkGiven('ReadSQLite', options, ['file', 'table']);
    for (const option of ['db', 'timezone'] as const) checkName('ReadSQLite', option, options[option]);
    this.#options = options;
  }

  override shellCommand(): string {
    const { file, table, db = previewSettings().defaultDatabase } = this.#options;
    const path = `${previewSettings().dataDir}/${file}`;
    const read = shellWords(['sqlite3', '-readonly', path, this.#sql.preview(this.parent).trim()]);
    return `${read} | ${shellWords(['millrace', 'sql', db, '-c', `COPY ${table} FROM STDIN`])}`;
  }

  override async run(context: CommandContext): Promise<void> {
    const { file, table, db, timezone } = this.#options;
    context.log.command(`${file} → ${table}`);
    const query = await this.#sql.load(context);
    const path = await checkFile(dataDirectory(context.node, context.project.dataDir), file);
    const [{ openDatabase, withTimezone }, { copyRows }, { ClientDatabase }] = await Promise.all([
      import('./sql-session.ts'),
      import('../databases/copy.ts'),
      import('../databases/client-database.ts'),
    ]);
    const target = await openDatabase(context, 'ReadSQLite', db);
    const { processes } = context;
    const source = new ClientDatabase({ alias: file, definition: sqlite({ file: path }), processes });
    const rows = await withTimezone(target, timezone, () =>
      copyRows({ what: 'ReadSQLite', from: source, query, to: target, table, timezone, ...copyLog(context) }),
    );
    context.log.verbatim(`COPY ${String(rows)}`);
    context.addRows(rows);
  }

  override docs(): DocItem[] {
    const { file, table, db, timezone } = this.#options;
    return [
      ...fileItems('file', [file]),
      ...settingItems({ table, db: db ?? `${previewSettings().defaultDatabase} (default)`, timezone }),
      ...sqlDocs(this.#sql, this.parent),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    return this.#sql.isPlain ? { kind: 'ReadSQLite', options: this.#options } : undefined;
  }
}
