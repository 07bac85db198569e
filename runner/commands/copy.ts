/** Copies the rows of a query into a table of another database. */
import { createHash } from 'node:crypto';
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileItems, settingItems } from './docs.ts';
import { checkName } from './execute-sql.ts';
import { checkFileDependencies, unlessUnchanged } from './file-dependencies.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';
import { sqlDocs, SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';

/** How rows travel from one Postgres to another; all other pairs choose a way that keeps every value. */
export interface CopyFormatOptions {
  /** Whether rows travel as CSV instead of Postgres's text format. Default: false. */
  readonly csvFormat?: boolean | undefined;
  /** The character between two values. Default: a tab, or a comma with `csvFormat`. */
  readonly delimiter?: string | undefined;
}

export type CopyOptions = SqlTextOptions &
  CopyFormatOptions & {
    /** Alias of the database with the rows. */
    readonly from: string;
    /** Alias of the database that gets them. Default: the project's `defaultDatabase`. */
    readonly to?: string | undefined;
    /** The table that gets the rows, as it is written in SQL. The query gives a value for each of its columns. */
    readonly table: string;
    /** Time zone of both sessions, for example `Europe/Berlin`. Default: the servers'. */
    readonly timezone?: string | undefined;
    /** Files, relative to the base path; while they stay as they are, nothing is copied again. */
    readonly fileDependencies?: readonly string[] | undefined;
  };

const optionKeys: ReadonlySet<string> = new Set([
  ...sqlTextKeys,
  'from',
  'to',
  'table',
  'timezone',
  'csvFormat',
  'delimiter',
  'fileDependencies',
] satisfies (keyof CopyOptions)[]);

/**
 * Adds the rows of a query to a table of another database: all of them or, when one does not fit, none. Rows stream,
 * however many they are.
 *
 * @example new Copy({ from: 'shop', table: 'raw.orders', sql: 'select * from orders' })
 */
export class Copy extends Command {
  readonly #options: CopyOptions;
  readonly #sql: SqlText;

  /** @throws PipelineError when an option is unknown, missing or not valid */
  constructor(options: CopyOptions) {
    super();
    checkOptions('Copy', options, optionKeys);
    this.#sql = new SqlText('Copy', options);
    checkGiven('Copy', options, ['from', 'table']);
    checkName('Copy', 'to', options.to);
    checkName('Copy', 'timezone', options.timezone);
    checkCopyFormat('Copy', options);
    checkFileDependencies('Copy', options.fileDependencies);
    this.#options = options;
  }

  override shellCommand(): string {
    const { from, to = previewSettings().defaultDatabase, table } = this.#options;
    return copyPreview(this.#sql.preview(this.parent), { from, to, table });
  }

  override async run(context: CommandContext): Promise<void | boolean> {
    const { from, table, fileDependencies } = this.#options;
    context.log.command(`${this.#sql.file ?? from} → ${table}`);
    return await unlessUnchanged(context, this.#dependencyType(context), fileDependencies, noticed =>
      this.#copy(noticed),
    );
  }

  override docs(): DocItem[] {
    const { from, to, table, timezone, csvFormat, delimiter, fileDependencies } = this.#options;
    return [
      ...settingItems({
        from,
        to: to ?? `${previewSettings().defaultDatabase} (default)`,
        table,
        timezone,
        csvFormat,
        delimiter,
      }),
      ...sqlDocs(this.#sql, this.parent),
      docItem('command', 'bash', () => this.shellCommand()),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  override spec(): CommandSpec | undefined {
    return this.#sql.isPlain ? { kind: 'Copy', options: this.#options } : undefined;
  }

  async #copy(context: CommandContext): Promise<void> {
    const { from, to, table, timezone } = this.#options;
    const query = await this.#sql.load(context);
    const [{ openDatabase, withTimezone }, { copyRows }] = await Promise.all([
      import('./sql-session.ts'),
      import('../databases/copy.ts'),
    ]);
    const source = await openDatabase(context, 'Copy', from);
    const target = await openDatabase(context, 'Copy', to);
    const rows = await withTimezone(source, timezone, () =>
      withTimezone(target, timezone, () =>
        copyRows({
          what: 'Copy',
          from: source,
          query,
          to: target,
          table,
          format: copyFormat(this.#options),
          timezone,
          ...copyLog(context),
        }),
      ),
    );
    context.log.verbatim(`COPY ${String(rows)}`);
    context.addRows(rows);
  }

  #dependencyType({ node }: CommandContext): string {
    const { from, table, fileDependencies } = this.#options;
    const { file } = this.#sql;
    const what = `Copy ${from} ${table}`;
    if (file !== undefined || fileDependencies === undefined) return `${what} ${file ?? ''}`;
    return `${what} ${createHash('sha256').update(this.#sql.identity(node)).digest('hex')}`;
  }
}

/** What `copyRows` tells the log. */
export function copyLog({ log }: CommandContext): {
  readonly onStatement: (text: string) => void;
  readonly onError: (text: string) => void;
} {
  return {
    onStatement: text => {
      log.command(text);
    },
    onError: text => {
      log.write(text, { format: 'verbatim', isError: true });
    },
  };
}

/** The format for `copyRows`. */
export function copyFormat({ csvFormat = false, delimiter }: CopyFormatOptions): {
  readonly csv: boolean;
  readonly delimiter: string | undefined;
} {
  return { csv: csvFormat, delimiter };
}

/** What would run, as a pipe of a shell. */
export function copyPreview(
  query: string,
  { from, to, table }: { readonly from: string; readonly to: string; readonly table: string },
): string {
  const read = shellWords(['millrace', 'sql', from, '-c', query.trim()]);
  return `${read} | ${shellWords(['millrace', 'sql', to, '-c', `COPY ${table} FROM STDIN`])}`;
}

/** @throws PipelineError when one of the options is missing, or no text */
export function checkGiven(what: string, options: object, names: readonly string[]): void {
  const given: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(options));
  for (const name of names) {
    if (given[name] === undefined) throw new PipelineError(`${what}: ${name} is missing.`);
    checkName(what, name, given[name]);
  }
}

/** @throws PipelineError when an option is not valid */
export function checkCopyFormat(what: string, { csvFormat, delimiter }: CopyFormatOptions): void {
  const csv: unknown = csvFormat;
  if (csv !== undefined && typeof csv !== 'boolean') {
    throw new PipelineError(`${what}: csvFormat must be true or false, not ${describeValue(csv)}.`);
  }
  const character: unknown = delimiter;
  if (character === undefined) return;
  // Postgres takes one byte, and no letter or digit in its text format.
  if (typeof character === 'string' && /^[^\r\n\0\\.a-z0-9"\u0080-\uffff]$/.test(character)) return;
  throw new PipelineError(
    `${what}: delimiter must be one ASCII character that is no small letter, digit, quote, dot or backslash, not ${describeValue(character)}.`,
  );
}
