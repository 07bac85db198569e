/** Writes the result of a query to a file. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { checkDataFile } from './data-files.ts';
import { docItem, fileItems, settingItems } from './docs.ts';
import { checkName } from './execute-sql.ts';
import { dataDirectory } from './files.ts';
import { checkTextFormat, csv, formatByName, formatText, type TextFormat } from './formats.ts';
import { checkCompression } from './input.ts';
import { clientErrors } from './loading.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';
import { sqlDocs, SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';
import { writeStatement } from './write-statement.ts';

export type WriteFileOptions = SqlTextOptions & {
  /** The file to write, relative to the project's `dataDir`; its directory is made as well. */
  readonly file: string;
  /** How the records are written. Default: `jsonl()` for names that end in `.jsonl` or `.ndjson`, else `csv()`. */
  readonly format?: TextFormat | undefined;
  /** Default: `gzip` for names that end in `.gz`, else `none`. */
  readonly compression?: 'none' | 'gzip' | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Time zone of the session, in which times are written. Default: the server's. */
  readonly timezone?: string | undefined;
};

const optionKeys: ReadonlySet<string> = new Set([
  ...sqlTextKeys,
  'file',
  'format',
  'compression',
  'db',
  'timezone',
] satisfies (keyof WriteFileOptions)[]);

/**
 * Writes the rows of a query to a file, which streams. Whoever reads the file sees the old content or all of the new
 * one; when the query fails, nothing changes. With several statements, the rows of the last one are written.
 *
 * @example new WriteFile({ file: 'export/orders.csv.gz', sqlFile: 'orders.sql', format: csv({ header: true }) })
 */
export class WriteFile extends Command {
  readonly #options: WriteFileOptions;
  readonly #sql: SqlText;
  readonly #format: TextFormat;
  readonly #compression: 'none' | 'gzip';

  /** @throws PipelineError when an option is unknown or not valid, or both or neither of sql and sqlFile are given */
  constructor(options: WriteFileOptions) {
    super();
    checkOptions('WriteFile', options, optionKeys);
    checkDataFile('WriteFile', 'file', options.file);
    this.#sql = new SqlText('WriteFile', options);
    checkCompression('WriteFile', options.compression, ['none', 'gzip']);
    const { file, compression = file.endsWith('.gz') ? 'gzip' : 'none' } = options;
    const byName = formatByName(file);
    const format = options.format ?? (byName.kind === 'parquet' ? csv() : byName);
    checkTextFormat('WriteFile', format);
    if (format.kind === 'csv' && (format.header === 'match' || format.footer)) {
      throw new PipelineError(
        'WriteFile: header must be true or false and footer false: they are for reading.',
      );
    }
    for (const option of ['db', 'timezone'] as const) checkName('WriteFile', option, options[option]);
    this.#options = options;
    this.#format = format;
    this.#compression = compression;
  }

  override shellCommand(): string {
    const { file, db = previewSettings().defaultDatabase } = this.#options;
    const statement = writeStatement(this.#sql.preview(this.parent).trim().replace(/;$/, ''), this.#format);
    const query = shellWords(['millrace', 'sql', db, '-c', statement.text]);
    const target = shellWords([`${previewSettings().dataDir}/${file}`]);
    return `${query}${this.#compression === 'gzip' ? ' | gzip' : ''} > ${target}`;
  }

  override async run(context: CommandContext): Promise<void> {
    const { file, db, timezone } = this.#options;
    context.log.command(`${this.#sql.file ?? 'sql'} → ${file}`);
    const source = await this.#sql.load(context);
    const [{ openDatabase, withTimezone }, { writeClientQuery, writeQuery }, { ClientDatabase }] =
      await Promise.all([
        import('./sql-session.ts'),
        import('./query-output.ts'),
        import('../databases/client-database.ts'),
      ]);
    const output = {
      source,
      base: dataDirectory(context.node, context.project.dataDir),
      file,
      format: this.#format,
      compression: this.#compression,
      onStatement: (text: string) => {
        context.log.command(text);
      },
    };
    const database = await openDatabase(context, 'WriteFile', db);
    const rows =
      database instanceof ClientDatabase
        ? await writeClientQuery(database, { ...output, timezone, onError: clientErrors(context) })
        : await withTimezone(database, timezone, () => writeQuery(database, output));
    if (rows === undefined) return;
    context.log.verbatim(`COPY ${String(rows)}`);
    context.addRows(rows);
  }

  override docs(): DocItem[] {
    const { file, db, timezone } = this.#options;
    return [
      ...fileItems('file', [file]),
      ...settingItems({
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        format: formatText(this.#format),
        compression: this.#compression,
        timezone,
      }),
      ...sqlDocs(this.#sql, this.parent),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    return this.#sql.isPlain ? { kind: 'WriteFile', options: this.#options } : undefined;
  }
}
