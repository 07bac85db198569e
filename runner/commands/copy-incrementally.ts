/** Copies what has changed in a table since the last time. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import {
  checkCopyFormat,
  checkGiven,
  copyFormat,
  type CopyFormatOptions,
  copyLog,
  copyPreview,
} from './copy.ts';
import { docItem, settingItems } from './docs.ts';
import { checkName } from './execute-sql.ts';
import { previewSettings } from './preview-settings.ts';
import { sqlDocs, SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';

export type CopyIncrementallyOptions = SqlTextOptions &
  CopyFormatOptions & {
    /** Alias of the database with the rows. */
    readonly from: string;
    /** The table that is asked how far it goes, as it is written in the source's SQL. */
    readonly sourceTable: string;
    /** An expression of the source table that grows with every change: `modified_at`, `id`. */
    readonly modificationComparison: string;
    /** The text in the SQL that is replaced by a condition on the expression: `where @comparison@`. */
    readonly comparisonValuePlaceholder: string;
    /** Type of the expression, for databases that do not take a text for it: `timestamp`. */
    readonly modificationComparisonType?: string | undefined;
    /** Alias of the Postgres database that gets the rows. Default: the project's `defaultDatabase`. */
    readonly to?: string | undefined;
    /** The table that gets the rows, as it is written in SQL. */
    readonly table: string;
    /**
     * Columns that name a row: a changed row takes the place of the old one. An empty list: rows are only added, and
     * the expression must give every new row a greater value than all that were there before.
     */
    readonly primaryKeys: readonly string[];
    /**
     * Updates and inserts in two statements, for tables without a unique index over the keys, such as partitioned ones.
     * Default: false.
     */
    readonly useExplicitUpsert?: boolean | undefined;
    /** Time zone of both sessions. Default: the servers'. */
    readonly timezone?: string | undefined;
  };

const optionKeys: ReadonlySet<string> = new Set([
  ...sqlTextKeys,
  'from',
  'sourceTable',
  'modificationComparison',
  'comparisonValuePlaceholder',
  'modificationComparisonType',
  'to',
  'table',
  'primaryKeys',
  'useExplicitUpsert',
  'timezone',
  'csvFormat',
  'delimiter',
] satisfies (keyof CopyIncrementallyOptions)[]);

const WHAT = 'CopyIncrementally';

/**
 * Copies all rows the first time and then those that have changed since. Rows that were deleted in the source stay.
 * A run that is broken off at any point leaves the table as it was or as it should be, and the next run goes on from there.
 *
 * @example
 * new CopyIncrementally({
 *   from: 'shop', sourceTable: 'orders', modificationComparison: 'modified_at', comparisonValuePlaceholder: '@changed@',
 *   sql: 'select * from orders where @changed@', table: 'raw.orders', primaryKeys: ['order_id'],
 * })
 */
export class CopyIncrementally extends Command {
  readonly #options: CopyIncrementallyOptions;
  readonly #sql: SqlText;

  /** @throws PipelineError when an option is unknown, missing or not valid */
  constructor(options: CopyIncrementallyOptions) {
    super();
    checkOptions(WHAT, options, optionKeys);
    this.#sql = new SqlText(WHAT, options);
    checkGiven(WHAT, options, [
      'from',
      'sourceTable',
      'modificationComparison',
      'comparisonValuePlaceholder',
      'table',
    ]);
    for (const option of ['to', 'timezone', 'modificationComparisonType'] as const)
      checkName(WHAT, option, options[option]);
    checkKeys(options.primaryKeys);
    checkCopyFormat(WHAT, options);
    const explicit: unknown = options.useExplicitUpsert;
    if (explicit !== undefined && typeof explicit !== 'boolean') {
      throw new PipelineError(
        `${WHAT}: useExplicitUpsert must be true or false, not ${describeValue(explicit)}.`,
      );
    }
    if (Object.hasOwn(options.replace ?? {}, options.comparisonValuePlaceholder)) {
      throw new PipelineError(
        `${WHAT}: replace must not hold the comparisonValuePlaceholder "${options.comparisonValuePlaceholder}".`,
      );
    }
    this.#options = options;
  }

  override shellCommand(): string {
    const { from, to = previewSettings().defaultDatabase, table } = this.#options;
    return copyPreview(this.#preview(), { from, to, table });
  }

  override async run(context: CommandContext): Promise<void> {
    const options = this.#options;
    const { from, to, sourceTable, table, timezone, comparisonValuePlaceholder } = options;
    context.log.command(`${from}: ${sourceTable} → ${table}`);
    const query = await this.#sql.load(context);
    checkPlaceholder(query.script, query.name, comparisonValuePlaceholder);
    const [{ openDatabase, withSession, withTimezone }, { copyIncrementally }] = await Promise.all([
      import('./sql-session.ts'),
      import('../databases/incremental-copy.ts'),
    ]);
    const source = await openDatabase(context, WHAT, from);
    const rows = await withTimezone(source, timezone, () =>
      withSession(context, { what: WHAT, db: to, timezone }, target =>
        copyIncrementally({
          source,
          target,
          state: context.state,
          stateKey: `${from}.${sourceTable}`,
          sourceTable,
          comparison: options.modificationComparison,
          comparisonType: options.modificationComparisonType,
          placeholder: comparisonValuePlaceholder,
          query,
          table,
          primaryKeys: options.primaryKeys,
          explicitUpsert: options.useExplicitUpsert ?? false,
          format: copyFormat(options),
          timezone,
          onInfo: text => {
            context.log.info(text);
          },
          ...copyLog(context),
        }),
      ),
    );
    context.addRows(rows);
  }

  override docs(): DocItem[] {
    const options = this.#options;
    return [
      ...settingItems({
        from: options.from,
        'source table': options.sourceTable,
        to: options.to ?? `${previewSettings().defaultDatabase} (default)`,
        table: options.table,
        'primary keys':
          options.primaryKeys.length === 0 ? 'none: rows are only added' : options.primaryKeys.join(', '),
        'modification comparison': options.modificationComparison,
        'comparison type': options.modificationComparisonType,
        placeholder: options.comparisonValuePlaceholder,
        useExplicitUpsert: options.useExplicitUpsert,
        timezone: options.timezone,
        csvFormat: options.csvFormat,
        delimiter: options.delimiter,
      }),
      ...sqlDocs(this.#sql, this.parent),
      docItem('first copy', 'sql', () => this.#preview()),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    return this.#sql.isPlain ? { kind: WHAT, options: this.#options } : undefined;
  }

  /** The SQL of a copy of everything. */
  #preview(): string {
    return this.#sql.preview(this.parent).replaceAll(this.#options.comparisonValuePlaceholder, '(1=1)');
  }
}

function checkKeys(value: unknown): void {
  const keys = Array.isArray(value) ? (value as readonly unknown[]) : undefined;
  if (
    keys?.every(key => typeof key === 'string' && key !== '') === true &&
    new Set(keys).size === keys.length
  )
    return;
  throw new PipelineError(
    `${WHAT}: primaryKeys must be an array of different names of columns, not ${describeValue(value)}. An empty one only adds rows.`,
  );
}

function checkPlaceholder(sql: string, name: string, placeholder: string): void {
  if (sql.includes(placeholder)) return;
  throw new PipelineError(
    `${WHAT}: the placeholder "${placeholder}" does not stand in ${name}, so everything would be copied each time. Write for example: where ${placeholder}`,
  );
}
