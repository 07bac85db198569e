/**
 * Copies the rows of a table that have changed since the last time.
 *
 * Two databases are written to, the target and the store with the watermark, and a run may end at any point. So:
 *
 * - Everything in the target happens in one transaction, which first locks the table against other writers: a run whose
 *   process was killed, but whose transaction the server has not given up yet, is waited for.
 * - The watermark is read from the source before any row, and stored after the commit. When the run ends in between, the
 *   next one copies the same rows again, which changes nothing where there are keys.
 * - A copy of everything forgets the watermark before it begins: when the run ends in between, the next one begins anew.
 * - Without keys, the same rows must not come twice. Before the commit, the store gets the transaction's number and the
 *   new watermark; the next run asks the server whether that transaction was committed.
 */
import type { IncrementalState } from '../api/context.ts';
import { PipelineError } from '../api/errors.ts';
import { ClientDatabase } from './client-database.ts';
import { standardLiteral } from './clients/client.ts';
import type { OpenDatabase } from './connect.ts';
import { copyRows } from './copy.ts';
import type { CopyFormat } from './copy-ends.ts';
import { targetColumns } from './copy-targets.ts';
import type { PostgresSession } from './postgres.ts';
import { isServerError, queryError, type SqlSource } from './sql-error.ts';

export interface IncrementalCopy {
  readonly source: OpenDatabase;
  readonly target: PostgresSession;
  readonly state: Pick<IncrementalState, 'copyWatermark' | 'setCopyWatermark' | 'deleteCopyWatermark'>;
  /** Names the watermark: `<alias>.<table>`. */
  readonly stateKey: string;
  readonly sourceTable: string;
  /** An expression of the source table. */
  readonly comparison: string;
  readonly comparisonType: string | undefined;
  /** The text in the query that the condition takes the place of. */
  readonly placeholder: string;
  readonly query: SqlSource;
  readonly table: string;
  /** Empty: rows are only added. */
  readonly primaryKeys: readonly string[];
  readonly explicitUpsert: boolean;
  readonly format: CopyFormat;
  readonly timezone: string | undefined;
  readonly onInfo: (text: string) => void;
  readonly onStatement: (text: string) => void;
  readonly onError: (text: string) => void;
}

/** The table that holds what has changed, for as long as the transaction lasts. */
const CHANGES = 'millrace_upsert';

/** Copies; gives the number of rows that came from the source. */
export async function copyIncrementally(copy: IncrementalCopy): Promise<number> {
  const { target, state, stateKey, onInfo } = copy;
  const newest = await newestValue(copy);
  if (newest === null) {
    onInfo(`There are no rows in ${copy.sourceTable}: nothing to copy.`);
    return 0;
  }
  await run(target, 'begin');
  try {
    await run(target, `lock table ${copy.table} in share row exclusive mode`);
    const watermark = await settledWatermark(copy);
    const isEmpty = await tableIsEmpty(copy);
    const work =
      isEmpty || watermark === null ? everything(copy, newest, isEmpty) : changes(copy, newest, watermark);
    const rows = await work;
    if (copy.primaryKeys.length === 0) await announce(copy, newest);
    await run(target, 'commit');
    await state.setCopyWatermark(stateKey, newest);
    if (copy.primaryKeys.length === 0) await state.deleteCopyWatermark(pendingKey(stateKey));
    return rows;
  } catch (error) {
    if (!target.cancelled) await target.execute('rollback').catch(() => undefined);
    throw error;
  }
}

async function everything(copy: IncrementalCopy, newest: string, isEmpty: boolean): Promise<number> {
  const { target, state, stateKey, table, primaryKeys, comparison, onInfo } = copy;
  // From here on, a run that breaks off has the next one copy everything.
  if ((await state.copyWatermark(stateKey)) !== null) await state.deleteCopyWatermark(stateKey);
  if (!isEmpty) await run(target, `truncate ${table}`);
  // Rows that come later than the newest value are left for the next run: with keys it does not matter.
  const condition =
    primaryKeys.length > 0 ? '(1=1)' : `(${comparison} <= ${literal(copy, newest)} or ${comparison} is null)`;
  const rows = await copyRows({ ...request(copy, condition), to: target, table });
  onInfo(`Copied everything: ${String(rows)} rows.`);
  return rows;
}

async function changes(copy: IncrementalCopy, newest: string, watermark: string): Promise<number> {
  const { target, table, primaryKeys, comparison, onInfo } = copy;
  const since = literal(copy, watermark);
  if (primaryKeys.length === 0) {
    const condition = `(${comparison} > ${since} and ${comparison} <= ${literal(copy, newest)})`;
    const rows = await copyRows({ ...request(copy, condition), to: target, table });
    onInfo(`Added ${String(rows)} rows after ${watermark}.`);
    return rows;
  }
  const names = (await targetColumns(target, table)).map(({ name }) => quoteName(name));
  const list = names.join(', ');
  await run(
    target,
    `create temporary table ${CHANGES} on commit drop as select ${list} from ${table} with no data`,
  );
  const condition = `(${comparison} >= ${since})`;
  const rows = await copyRows({ ...request(copy, condition), to: target, table: `pg_temp.${CHANGES}` });
  await merge(copy, names);
  onInfo(`Copied ${String(rows)} rows from ${watermark} on.`);
  return rows;
}

async function merge(
  { target, table, primaryKeys, explicitUpsert }: IncrementalCopy,
  names: readonly string[],
): Promise<void> {
  const list = names.join(', ');
  const keys = primaryKeys.map(quoteName);
  const others = names.filter(name => !keys.includes(name));
  const from = `pg_temp.${CHANGES}`;
  if (!explicitUpsert) {
    const action =
      others.length === 0
        ? 'do nothing'
        : `do update set ${others.map(name => `${name} = excluded.${name}`).join(', ')}`;
    await run(
      target,
      `insert into ${table} (${list}) overriding system value select ${list} from ${from} on conflict (${keys.join(', ')}) ${action}`,
    );
    return;
  }
  const same = keys.map(key => `t.${key} = u.${key}`).join(' and ');
  if (others.length > 0) {
    const values = others.map(name => `${name} = u.${name}`).join(', ');
    await run(target, `update ${table} as t set ${values} from ${from} as u where ${same}`);
  }
  await run(
    target,
    `insert into ${table} (${list}) overriding system value select ${list} from ${from} as u where not exists (select from ${table} as t where ${same})`,
  );
}

function request(copy: IncrementalCopy, condition: string) {
  const { source, query, placeholder, format, timezone, onStatement, onError } = copy;
  return {
    what: 'CopyIncrementally',
    from: source,
    query: withCondition(query, placeholder, condition),
    format,
    timezone,
    onStatement,
    onError,
  };
}

/** The query with the condition; places of errors are those of the text that runs. */
function withCondition({ name, script }: SqlSource, placeholder: string, condition: string): SqlSource {
  return { name, script: script.replaceAll(placeholder, () => condition) };
}

/** The greatest value of the expression in the source, as text; `null` when there is none. */
async function newestValue({
  source,
  comparison,
  sourceTable,
  timezone,
  onStatement,
}: IncrementalCopy): Promise<string | null> {
  const maximum = `max(${comparison})`;
  if (!(source instanceof ClientDatabase)) {
    const sql = `select (${maximum})::text as newest from ${sourceTable}`;
    onStatement(sql);
    const { rows } = await source.query(sql);
    const value = rows[0]?.['newest'];
    return typeof value === 'string' ? value : null;
  }
  const sql = `select ${maximum} as newest from ${sourceTable}`;
  onStatement(sql);
  const { batches } = await source.rows(sql, { timezone });
  let newest: string | null = null;
  for await (const { rows } of batches) {
    const cell = rows[0]?.[0];
    if (typeof cell === 'string' && cell !== '') newest = cell;
  }
  return newest;
}

async function tableIsEmpty({ target, table }: IncrementalCopy): Promise<boolean> {
  const { rows } = await target.query(`select not exists (select from ${table}) as is_empty`);
  return rows[0]?.['is_empty'] === true;
}

function pendingKey(stateKey: string): string {
  return `${stateKey} (uncommitted)`;
}

/** Before the commit: which transaction will have brought the table to which watermark. */
async function announce({ target, state, stateKey }: IncrementalCopy, newest: string): Promise<void> {
  const { rows } = await target.query('select pg_current_xact_id()::text as transaction');
  await state.setCopyWatermark(
    pendingKey(stateKey),
    JSON.stringify({ transaction: String(rows[0]?.['transaction']), watermark: newest }),
  );
}

/** The watermark, after finding out about a run that has ended around its commit. */
async function settledWatermark({
  target,
  state,
  stateKey,
  table,
  primaryKeys,
}: IncrementalCopy): Promise<string | null> {
  const watermark = await state.copyWatermark(stateKey);
  if (primaryKeys.length > 0) return watermark;
  const pending = await state.copyWatermark(pendingKey(stateKey));
  if (pending === null) return watermark;
  const announced = JSON.parse(pending) as { readonly transaction: string; readonly watermark: string };
  const { rows } = await target.query('select pg_xact_status($1::xid8) as status', [announced.transaction]);
  const status = rows[0]?.['status'];
  if (status !== 'committed' && status !== 'aborted') {
    throw new PipelineError(
      `It is not known any more whether the last copy into ${table} was committed. Check the table, then run "millrace reset" for this task: it copies everything again.`,
    );
  }
  const settled = status === 'committed' ? announced.watermark : watermark;
  if (settled !== null && settled !== watermark) await state.setCopyWatermark(stateKey, settled);
  await state.deleteCopyWatermark(pendingKey(stateKey));
  return settled;
}

function literal({ source, comparisonType }: IncrementalCopy, value: string): string {
  return source instanceof ClientDatabase
    ? source.client.literal(value, comparisonType)
    : standardLiteral(value, comparisonType);
}

async function run(session: PostgresSession, statement: string): Promise<void> {
  try {
    await session.execute(statement);
  } catch (error) {
    throw isServerError(error) && !session.cancelled ? queryError(error, session.alias, statement) : error;
  }
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
