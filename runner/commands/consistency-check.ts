/** Checks of data that fail a task, with everything that is needed to see why. */
import { Command } from '../api/command.ts';
import type { CommandContext, Database } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import {
  compareValues,
  distance,
  isSameValue,
  relativeDistance,
  showValue,
  type CheckedValue,
} from './checked-value.ts';
import { docItem, settingItems } from './docs.ts';
import {
  type AlmostEqualOptions,
  checkComparison,
  checkKeys,
  type CheckName,
  type CheckOptions,
  type CheckSettings,
  checkTolerance,
  type ComparisonOptions,
} from './check-options.ts';
import { checkName } from './execute-sql.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';
import { sqlDocs, SqlText } from './sql-text.ts';

export type { CheckedValue } from './checked-value.ts';
export type { AlmostEqualOptions, CheckOptions, ComparedWith, ComparisonOptions } from './check-options.ts';

/** The value of a query is the expected one. Numbers are compared as numbers, NULL is equal to NULL only. */
export function assertEqual(options: ComparisonOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertEqual', ...options });
}

/** The value of a query is another one. */
export function assertNotEqual(options: ComparisonOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertNotEqual', ...options });
}

/** The value of a query is at most the expected one: numbers, or times and texts by their characters. */
export function assertSmallerThanOrEqual(options: ComparisonOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertSmallerThanOrEqual', ...options });
}

/** The value of a query is at least the expected one. */
export function assertBiggerThanOrEqual(options: ComparisonOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertBiggerThanOrEqual', ...options });
}

/** The value of a query differs from the expected number by no more than a tolerance. */
export function assertAlmostEqual(options: AlmostEqualOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertAlmostEqual', ...options });
}

/** A query finds no rows; a failure shows the first ones that it finds. */
export function assertNotFound(options: CheckOptions): ConsistencyCheck {
  return new ConsistencyCheck({ check: 'assertNotFound', ...options });
}

type ComparisonName = Exclude<CheckName, 'assertNotFound'>;

interface Comparison {
  /** Between the two values, in a message. */
  readonly should: string;
  holds(value: CheckedValue, other: CheckedValue, options: CheckSettings): boolean;
}

const comparisons = {
  assertEqual: { should: 'should be equal to', holds: isSameValue },
  assertNotEqual: { should: 'should not be equal to', holds: (a, b) => !isSameValue(a, b) },
  assertSmallerThanOrEqual: {
    should: 'should be at most',
    holds: (a, b) => a !== null && b !== null && compareValues(a, b) <= 0,
  },
  assertBiggerThanOrEqual: {
    should: 'should be at least',
    holds: (a, b) => a !== null && b !== null && compareValues(a, b) >= 0,
  },
  assertAlmostEqual: {
    should: 'should almost be equal to',
    holds: (a, b, { tolerance, relativeTolerance = 0 }) =>
      tolerance === undefined ? relativeDistance(a, b) <= relativeTolerance : distance(a, b) <= tolerance,
  },
} as const satisfies Record<ComparisonName, Comparison>;

/** Rows that a failure of `assertNotFound` shows. */
const SHOWN_ROWS = 10;

/** A check did not hold; the message tells the description, the values and the queries. */
export class ConsistencyError extends Error {
  override readonly name = 'ConsistencyError';
}

/**
 * A check of data; made by {@link assertEqual} and its siblings.
 *
 * @example assertEqual({ description: 'All orders arrive', sql: 'select count(*) from raw.orders', expected: 42 })
 * @example assertNotFound({ description: 'Every order has a customer', sqlFile: 'orphaned_orders.sql' })
 */
export class ConsistencyCheck extends Command {
  readonly #settings: CheckSettings;
  readonly #sql: SqlText;
  readonly #otherSql: SqlText | undefined;

  /** @throws PipelineError when an option is unknown, missing or not valid */
  constructor(settings: CheckSettings) {
    super();
    const { check, ...options } = settings;
    // Made from a specification, it can be anything.
    if (!Object.hasOwn(checkKeys, check))
      throw new PipelineError(`There is no check ${describeValue(check)}.`);
    checkOptions(check, options, new Set(checkKeys[check]));
    const description: unknown = options.description;
    if (typeof description !== 'string' || description.trim() === '') {
      throw new PipelineError(
        `${check}: description must be a string that is not empty, not ${describeValue(description)}.`,
      );
    }
    this.#sql = new SqlText(check, settings);
    checkName(check, 'db', settings.db);
    this.#otherSql = check === 'assertNotFound' ? undefined : checkComparison(check, settings);
    if (check === 'assertAlmostEqual') checkTolerance(check, settings);
    this.#settings = settings;
  }

  override shellCommand(): string {
    const { check, db, otherDb = db, ...settings } = this.#settings;
    const { defaultDatabase } = previewSettings();
    const query = (sql: SqlText, alias = defaultDatabase): string =>
      shellWords(['millrace', 'sql', alias, '-c', sql.preview(this.parent)]);
    const other =
      this.#otherSql === undefined
        ? `# expected: ${showValue(settings.expected ?? null)}`
        : query(this.#otherSql, otherDb);
    return [
      `# ${check}: ${settings.description}`,
      query(this.#sql, db),
      ...(check === 'assertNotFound' ? [] : [other]),
    ].join('\n');
  }

  override async run(context: CommandContext): Promise<void> {
    const { check, description } = this.#settings;
    context.log.command(`${check}: ${description}`);
    if (check === 'assertNotFound') await this.#findNothing(context);
    else await this.#compare(context, check);
  }

  override docs(): DocItem[] {
    const { check, description, db, otherDb, expected, tolerance, relativeTolerance } = this.#settings;
    const isComparison = check !== 'assertNotFound';
    return [
      ...settingItems({
        check,
        description,
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        tolerance,
        relativeTolerance,
      }),
      ...sqlDocs(this.#sql, this.parent),
      ...(isComparison && expected !== undefined ? settingItems({ expected: showValue(expected) }) : []),
      ...(this.#otherSql === undefined
        ? []
        : [...settingItems({ 'other db': otherDb }), ...sqlDocs(this.#otherSql, this.parent, 'other sql')]),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    if (!this.#sql.isPlain || this.#otherSql?.isPlain === false) return undefined;
    const { expected, ...settings } = this.#settings;
    // JSON has no numbers that are this exact.
    const value = typeof expected === 'bigint' ? String(expected) : expected;
    return {
      kind: 'ConsistencyCheck',
      options: { ...settings, ...(value !== undefined && { expected: value }) },
    };
  }

  async #compare(context: CommandContext, check: ComparisonName): Promise<void> {
    const { description, db, otherDb = db, expected = null } = this.#settings;
    const { should, holds }: Comparison = comparisons[check];
    const first = await valueOf(context, this.#sql, db);
    const second: { readonly value: CheckedValue; readonly text?: string } =
      this.#otherSql === undefined ? { value: expected } : await valueOf(context, this.#otherSql, otherDb);
    const [value, other] = [showValue(first.value), showValue(second.value)];
    if (holds(first.value, second.value, this.#settings)) {
      context.log.info(
        check === 'assertNotEqual' ? `${value}, not ${other}` : `${value} (expected: ${other})`,
      );
      return;
    }
    const queries = [`  ${value} ← ${indented(first.text)}`];
    if (second.text !== undefined) queries.push(`  ${other} ← ${indented(second.text)}`);
    throw new ConsistencyError(
      [`${description}: ${value} ${should} ${other}${this.#toleranceText()}.`, ...queries].join('\n'),
    );
  }

  async #findNothing(context: CommandContext): Promise<void> {
    const { description, db } = this.#settings;
    const { findRows } = await import('./check-query.ts');
    const { script } = await this.#sql.load(context);
    const { table, rows } = await findRows(await context.db(db), script, SHOWN_ROWS);
    if (rows === 0) {
      context.log.info('nothing found');
      return;
    }
    context.log.write(table, { format: 'verbatim', isError: true });
    const found = `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`;
    const indentedTable = table.split('\n').map(line => `  ${line}`);
    throw new ConsistencyError(
      [
        `${description}: ${found} found, there should be none.`,
        ...indentedTable,
        `  ← ${indented(script)}`,
      ].join('\n'),
    );
  }

  #toleranceText(): string {
    const { check, tolerance, relativeTolerance } = this.#settings;
    if (check !== 'assertAlmostEqual') return '';
    return tolerance === undefined
      ? ` (to ${String((relativeTolerance ?? 0) * 100)} %)`
      : ` (to ${String(tolerance)})`;
  }
}

async function valueOf(
  context: CommandContext,
  sql: SqlText,
  db: string | undefined,
): Promise<{ readonly value: CheckedValue; readonly text: string }> {
  const { queryValue } = await import('./check-query.ts');
  const { script } = await sql.load(context);
  const database: Database = await context.db(db);
  return { value: await queryValue(database, script), text: script };
}

/** Further lines stand below the first one. */
function indented(sql: string): string {
  return sql.trim().replaceAll('\n', '\n    ');
}
