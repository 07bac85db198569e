/** Runs SQL in a database. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileItems, settingItems } from './docs.ts';
import { basePathOf, displayPath } from './files.ts';
import { checkFileDependencies, unlessUnchanged } from './file-dependencies.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';
import { sqlDocs, SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';

export type ExecuteSQLOptions = SqlTextOptions & {
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Files, relative to the base path; while they stay as they are, the SQL does not run again. */
  readonly fileDependencies?: readonly string[] | undefined;
  /** Whether statements are shown in the log before they run. Default: true. */
  readonly echoQueries?: boolean | undefined;
  /** Time zone of the session, for example `Europe/Berlin`. Default: the server's. */
  readonly timezone?: string | undefined;
};

const optionKeys: ReadonlySet<string> = new Set([
  ...sqlTextKeys,
  'db',
  'fileDependencies',
  'echoQueries',
  'timezone',
] satisfies (keyof ExecuteSQLOptions)[]);

/** Rows of a result that the log shows. */
const MAX_ROWS = 1000;

/**
 * Runs a script of SQL, statement by statement and each in its own transaction unless the script begins one; stops at
 * the first error. Databases that are not Postgres get the script through their command line client.
 *
 * @example new ExecuteSQL({ sqlFile: 'create_tables.sql' })
 * @example new ExecuteSQL({ sql: 'truncate raw.events_@day@', replace: { '@day@': () => today() }, db: 'dwh' })
 * @example new ExecuteSQL({ sqlFile: 'load_day.sql', replace: { '@day@': ({ params }) => params.day } })
 */
export class ExecuteSQL extends Command {
  readonly #options: ExecuteSQLOptions;
  readonly #sql: SqlText;

  /** @throws PipelineError when an option is unknown or not valid, or both or neither of sql and sqlFile are given */
  constructor(options: ExecuteSQLOptions) {
    super();
    checkOptions('ExecuteSQL', options, optionKeys);
    this.#sql = new SqlText('ExecuteSQL', options);
    checkName('ExecuteSQL', 'db', options.db);
    checkName('ExecuteSQL', 'timezone', options.timezone);
    checkFileDependencies('ExecuteSQL', options.fileDependencies);
    const echo: unknown = options.echoQueries;
    if (echo !== undefined && typeof echo !== 'boolean') {
      throw new PipelineError(`ExecuteSQL: echoQueries must be true or false, not ${describeValue(echo)}.`);
    }
    this.#options = options;
  }

  override shellCommand(): string {
    const alias = this.#options.db ?? previewSettings().defaultDatabase;
    const { file } = this.#sql;
    // A file in which text is replaced cannot be run as it is.
    if (file !== undefined && !this.#sql.hasReplacements)
      return shellWords([
        ...['millrace', 'sql', alias],
        ...['-f', displayPath(resolve(basePathOf(this.parent).directory, file))],
      ]);
    return shellWords(['millrace', 'sql', alias, '-c', this.#sql.preview(this.parent)]);
  }

  override async run(context: CommandContext): Promise<void | boolean> {
    const { log } = context;
    const { file } = this.#sql;
    if (file !== undefined) log.command(file);
    return await unlessUnchanged(
      context,
      this.#dependencyType(context),
      this.#options.fileDependencies,
      async noticed => {
        const { db, echoQueries = true, timezone } = this.#options;
        const source = await this.#sql.load(noticed);
        // Loaded when needed: most processes that load pipelines never speak to a database.
        const { openDatabase, withTimezone } = await import('./sql-session.ts');
        const database = await openDatabase(context, 'ExecuteSQL', db);
        if ('runScript' in database) {
          const { clientLog } = await import('./client-log.ts');
          using output = clientLog(log);
          await database.runScript({ sql: source.script, echo: echoQueries, timezone }, output);
          return;
        }
        const { runScript } = await import('../databases/script-runner.ts');
        const rows = await withTimezone(database, timezone, () =>
          runScript(
            database,
            source,
            {
              ...(echoQueries
                ? {
                    statement: text => {
                      log.command(text);
                    },
                  }
                : {}),
              result: text => {
                log.verbatim(text);
              },
              notice: (text, isError) => {
                log.write(text, { format: 'verbatim', isError });
              },
            },
            { maxRows: MAX_ROWS },
          ),
        );
        context.addRows(rows);
      },
    );
  }

  override docs(): DocItem[] {
    const { db, echoQueries, timezone, fileDependencies } = this.#options;
    return [
      ...settingItems({ db: db ?? `${previewSettings().defaultDatabase} (default)`, timezone, echoQueries }),
      ...sqlDocs(this.#sql, this.parent),
      docItem('command', 'bash', () => this.shellCommand()),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  override spec(): CommandSpec | undefined {
    return this.#sql.isPlain ? { kind: 'ExecuteSQL', options: this.#options } : undefined;
  }

  /** A statement is long: its hash tells it apart as well. */
  #dependencyType(context: CommandContext): string {
    const { file } = this.#sql;
    if (file !== undefined || this.#options.fileDependencies === undefined) return `ExecuteSQL ${file ?? ''}`;
    return `ExecuteSQL ${createHash('sha256').update(this.#sql.identity(context.node)).digest('hex')}`;
  }
}

/** @throws PipelineError unless the value is `undefined` or a text that is not empty */
export function checkName(what: string, option: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return;
  throw new PipelineError(
    `${what}: ${option} must be a string that is not empty, not ${describeValue(value)}.`,
  );
}
