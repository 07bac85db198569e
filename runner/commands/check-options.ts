/** The options of checks of data. */
import type { ParameterContext } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import type { CheckedValue } from './checked-value.ts';
import { checkName } from './execute-sql.ts';
import { SqlText, sqlTextKeys, type SqlTextOptions } from './sql-text.ts';

/** What every check takes. */
export type CheckOptions = SqlTextOptions & {
  /** What should hold, in words: it begins the message of a failure. */
  readonly description: string;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
};

/** What the value of `sql` is compared with: either a value or what another query gives. */
export type ComparedWith =
  | { readonly expected: CheckedValue; readonly otherSql?: undefined; readonly otherDb?: undefined }
  | {
      /** A query that gives one value. A function is called as that for `sql` is. */
      readonly otherSql: string | ((context: ParameterContext) => string);
      /** Alias of its database. Default: that of the first query. */
      readonly otherDb?: string | undefined;
      readonly expected?: undefined;
    };

export type ComparisonOptions = CheckOptions & ComparedWith;

export type AlmostEqualOptions = ComparisonOptions &
  (
    | {
        /** How much the two numbers may differ. */
        readonly tolerance: number;
        readonly relativeTolerance?: undefined;
      }
    | {
        /** The same as a part of the greater one: 0.01 is one percent. */
        readonly relativeTolerance: number;
        readonly tolerance?: undefined;
      }
  );

export type CheckName =
  | 'assertEqual'
  | 'assertNotEqual'
  | 'assertSmallerThanOrEqual'
  | 'assertBiggerThanOrEqual'
  | 'assertAlmostEqual'
  | 'assertNotFound';

/** The options of all checks, and which one it is. */
export type CheckSettings = CheckOptions & {
  readonly check: CheckName;
  readonly expected?: CheckedValue | undefined;
  readonly otherSql?: string | ((context: ParameterContext) => string) | undefined;
  readonly otherDb?: string | undefined;
  readonly tolerance?: number | undefined;
  readonly relativeTolerance?: number | undefined;
};

const sharedKeys = [...sqlTextKeys, 'description', 'db'] as const satisfies (keyof CheckSettings)[];

const comparedKeys = [
  ...sharedKeys,
  'expected',
  'otherSql',
  'otherDb',
] as const satisfies (keyof CheckSettings)[];

/** The options of each check. */
export const checkKeys: Readonly<Record<CheckSettings['check'], readonly string[]>> = {
  assertEqual: comparedKeys,
  assertNotEqual: comparedKeys,
  assertSmallerThanOrEqual: comparedKeys,
  assertBiggerThanOrEqual: comparedKeys,
  assertAlmostEqual: [...comparedKeys, 'tolerance', 'relativeTolerance'],
  assertNotFound: sharedKeys,
};

/**
 * The other query, if there is one.
 *
 * @throws PipelineError when what is compared with is missing, given twice or not valid
 */
export function checkComparison(
  check: string,
  { expected, otherSql, otherDb, replace }: CheckSettings,
): SqlText | undefined {
  if ((expected === undefined) === (otherSql === undefined)) {
    throw new PipelineError(
      `${check} has ${expected === undefined ? 'neither expected nor otherSql' : 'both expected and otherSql'}. Give one of them.`,
    );
  }
  checkName(check, 'otherDb', otherDb);
  if (otherSql !== undefined) return new SqlText(check, { sql: otherSql, replace });
  if (otherDb !== undefined) throw new PipelineError(`${check}: otherDb needs otherSql.`);
  const value: unknown = expected;
  if (value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value)) return undefined;
  throw new PipelineError(
    `${check}: expected must be a string, a number, a boolean or null, not ${describeValue(value)}.`,
  );
}

/** @throws PipelineError unless one of the tolerances is given, and is a number of at least 0 */
export function checkTolerance(check: string, { tolerance, relativeTolerance }: CheckSettings): void {
  if ((tolerance === undefined) === (relativeTolerance === undefined)) {
    throw new PipelineError(`${check}: give either tolerance or relativeTolerance.`);
  }
  const value: unknown = tolerance ?? relativeTolerance;
  if (typeof value === 'number' && value >= 0) return;
  throw new PipelineError(
    `${check}: ${tolerance === undefined ? 'relativeTolerance' : 'tolerance'} must be a number of at least 0, not ${describeValue(value)}.`,
  );
}
