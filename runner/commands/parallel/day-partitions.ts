/** Partitions of a table, one for each day. */
import { Command } from '../../api/command.ts';
import type { CommandContext } from '../../api/context.ts';
import { PipelineError } from '../../api/errors.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import { checkNewest, forgetDays } from './chunk-files.ts';
import { inTransaction, loadingSession } from './loading-session.ts';

export interface DayPartitionsWork {
  readonly target: string;
  readonly list: string;
  /** As `YYYY-MM-DD`. */
  readonly days: readonly string[];
}

interface Place {
  readonly what: string;
  readonly table: string;
  readonly db: string | undefined;
}

/** Names in Postgres are cut after so many bytes. */
const LONGEST_NAME = 63;

/** Makes the partitions that are missing, and empties all of them if that is asked for. */
export class CreateDayPartitions extends Command {
  readonly #place: Place;
  readonly #work: DayPartitionsWork;
  readonly #truncate: boolean;

  constructor(place: Place, work: DayPartitionsWork, truncate: boolean) {
    super();
    this.#place = place;
    this.#work = work;
    this.#truncate = truncate;
  }

  override shellCommand(): string {
    const { table } = this.#place;
    const day = dayId(this.#work.days[0] ?? '');
    const truncate = this.#truncate ? `\nTRUNCATE ${table}_${day}; -- …` : '';
    return `CREATE TABLE ${table}_${day} PARTITION OF ${table} FOR VALUES IN ('${day}'); -- …${truncate}`;
  }

  override async run(context: CommandContext): Promise<void> {
    const { what, table, db } = this.#place;
    const { target, days } = this.#work;
    const session = await loadingSession(context, what, db);
    await inTransaction(session, async () => {
      await checkNewest(session, this.#work);
      const found = await dayPartitions(session, what, table);
      const missing = days.filter(day => !found.partitions.has(dayId(day)));
      for (const day of missing) {
        const name = `${found.name}_${dayId(day)}`;
        if (Buffer.byteLength(name) > LONGEST_NAME) {
          throw new PipelineError(
            `${what}: the name of the partition ${name} would be longer than Postgres allows.`,
          );
        }
        const statement = `CREATE TABLE ${found.schema}.${quote(name)} PARTITION OF ${found.relation} FOR VALUES IN ('${dayId(day)}')`;
        context.log.command(statement);
        await session.execute(statement);
      }
      if (this.#truncate) {
        const filled = days.flatMap(day => found.partitions.get(dayId(day)) ?? []);
        if (filled.length > 0) {
          const statement = `TRUNCATE ${filled.join(', ')}`;
          context.log.command(statement);
          await session.execute(statement);
        }
        await forgetDays(session, target, days);
      }
      context.log.info(
        `${String(missing.length)} of ${String(days.length)} partitions were missing${this.#truncate ? '; the others are empty now' : ''}`,
      );
    });
  }
}

/** Tells the planner about the rows that partitions have now. */
export class AnalyzeDayPartitions extends Command {
  readonly #place: Place;
  readonly #days: readonly string[];

  constructor(place: Place, days: readonly string[]) {
    super();
    this.#place = place;
    this.#days = days;
  }

  override shellCommand(): string {
    return this.#days.map(day => `ANALYZE ${this.#place.table}_${dayId(day)};`).join('\n');
  }

  override async run(context: CommandContext): Promise<void> {
    const { what, table, db } = this.#place;
    const session = await loadingSession(context, what, db);
    const { partitions } = await dayPartitions(session, what, table);
    for (const day of this.#days) {
      const partition = partitions.get(dayId(day));
      if (partition === undefined) continue;
      context.log.command(`ANALYZE ${partition}`);
      await session.execute(`ANALYZE ${partition}`);
    }
  }
}

interface DayPartitions {
  readonly relation: string;
  readonly schema: string;
  /** Of the table, as it is. */
  readonly name: string;
  /** As they are written in SQL, by day as `YYYYMMDD`. */
  readonly partitions: ReadonlyMap<string, string>;
}

/** @throws PipelineError when the table is not partitioned by a list of days */
async function dayPartitions(session: PostgresSession, what: string, table: string): Promise<DayPartitions> {
  const { rows } = await session.query(
    `SELECT c.oid, c.oid::regclass::text AS relation, quote_ident(n.nspname) AS schema, c.relname AS name,
      pg_get_partkeydef(c.oid) AS key
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`,
    [table],
  );
  const [found] = rows;
  const key = found?.['key'];
  if (found === undefined || typeof key !== 'string' || !/^LIST \((?:"(?:[^"]|"")+"|[\w$]+)\)$/.test(key)) {
    throw new PipelineError(
      `${what}: partitionByDay needs a table that is partitioned by the day, which ${table} is not. ` +
        'Create it with: PARTITION BY LIST (day_id)',
    );
  }
  const { rows: children } = await session.query(
    `SELECT c.oid::regclass::text AS partition, pg_get_expr(c.relpartbound, c.oid) AS bound
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = $1`,
    [found['oid']],
  );
  const partitions = new Map<string, string>();
  for (const { partition, bound } of children) {
    const day = /^FOR VALUES IN \('?(\d{4})-?(\d\d)-?(\d\d)'?\)$/.exec(String(bound));
    if (day !== null) partitions.set(day.slice(1).join(''), String(partition));
  }
  return {
    relation: String(found['relation']),
    schema: String(found['schema']),
    name: String(found['name']),
    partitions,
  };
}

/** `2026-01-31` as `20260131`. */
function dayId(day: string): string {
  return day.replaceAll('-', '');
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
