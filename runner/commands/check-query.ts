/** What checks ask of a database. */
import type { Database } from '../api/context.ts';
import { PostgresSession } from '../databases/postgres.ts';
import { type ResultColumn, type ResultRow, ResultTable } from '../databases/result-table.ts';
import { queryError, SqlError } from '../databases/sql-error.ts';
import { splitSql, SqlScriptError } from '../databases/sql-script.ts';
import type { CheckedValue } from './checked-value.ts';

interface Found {
  readonly columns: readonly ResultColumn[];
  /** The first rows. */
  readonly rows: readonly ResultRow[];
  /** The number of all rows. */
  readonly count: number;
}

/**
 * The single value that a query gives.
 *
 * @throws SqlError when the query fails or gives anything else than one row with one column
 */
export async function queryValue(database: Database, sql: string): Promise<CheckedValue> {
  const { columns, rows, count } = await find(database, sql, 1);
  const [row] = rows;
  if (count !== 1 || columns.length !== 1 || row === undefined) {
    throw new SqlError(
      `${database.alias}: a query of a check must give one value, not ${String(count)} row${count === 1 ? '' : 's'} with ${String(columns.length)} column${columns.length === 1 ? '' : 's'}:\n  ${sql.trim()}`,
    );
  }
  return row[0] ?? null;
}

/** The number of rows that a query gives, and the first of them as a table. */
export async function findRows(
  database: Database,
  sql: string,
  shown: number,
): Promise<{ readonly rows: number; readonly table: string }> {
  const { columns, rows, count } = await find(database, sql, shown);
  const lines: string[] = [];
  const table = new ResultTable(columns, shown, text => lines.push(text));
  for (const row of rows) table.add(row);
  table.end();
  // The table's own footer counts what it has got.
  const body = lines.slice(0, -1);
  if (count > rows.length) body.push(`… ${(count - rows.length).toLocaleString('en-US')} more`);
  return { rows: count, table: body.join('\n') };
}

/** Counts all rows and keeps the first ones, as text. */
async function find(database: Database, given: string, kept: number): Promise<Found> {
  const sql = single(database.alias, given);
  let columns: readonly ResultColumn[] = [];
  const rows: ResultRow[] = [];
  if (!(database instanceof PostgresSession)) {
    const result = await database.query(sql);
    for (const row of result.rows.slice(0, kept)) rows.push(Object.values(row).map(textOf));
    const names = Object.keys(result.rows[0] ?? {});
    columns = names.map(name => ({ name, rightAligned: false }));
    return { columns, rows, count: result.rows.length };
  }
  let count = 0;
  try {
    await database.execute(sql, {
      columns: found => {
        columns = found;
      },
      row: row => {
        if (count++ < kept) rows.push(row);
      },
    });
  } catch (error) {
    throw database.cancelled ? error : queryError(error, database.alias, sql);
  }
  return { columns, rows, count };
}

/** Without the semicolon. */
function single(alias: string, script: string): string {
  try {
    const { statements } = splitSql(script);
    const [statement] = statements;
    if (statements.length === 1 && statement !== undefined) return statement.text;
    throw new SqlError(
      `${alias}: a check takes one query, not ${String(statements.length)} statements:\n  ${script.trim()}`,
    );
  } catch (error) {
    // Another database may have a syntax of its own: it says itself what is wrong.
    if (error instanceof SqlScriptError) return script;
    throw error;
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- objects are excluded
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
