/** Copies a schema from one Postgres database to another one. */
import { PassThrough } from 'node:stream';
import { ChildCommand } from '../../api/child-command.ts';
import { Command } from '../../api/command.ts';
import type { CommandContext, ExpansionContext } from '../../api/context.ts';
import { checkOptions, PipelineError } from '../../api/errors.ts';
import {
  beforeOrAfter,
  ParallelTask,
  type ParallelTaskOptions,
  parallelTaskOptionKeys,
} from '../../api/parallel-task.ts';
import type { Pipeline } from '../../api/pipeline.ts';
import { Task } from '../../api/task.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import type { DocItem } from '../../model.ts';
import { settingItems } from '../docs.ts';
import { checkName } from '../execute-sql.ts';
import { hashedId } from '../parallel/child-ids.ts';
import { inTransaction, loadingSession } from '../parallel/loading-session.ts';
import { previewSettings } from '../preview-settings.ts';
import { runReplacement } from './replace-schema.ts';
import { readSchema, runInAnyOrder, type SchemaTable } from './schema-ddl.ts';

export interface CopySchemaOptions extends Omit<ParallelTaskOptions, 'id'> {
  /** Default: `copy_<schema>`. */
  readonly id?: string | undefined;
  readonly schema: string;
  /** Alias of the database that has the schema. */
  readonly from: string;
  /** Alias of the database that gets it. Default: the project's `defaultDatabase`. */
  readonly to?: string | undefined;
  /** What it is called there. Default: the same. */
  readonly targetSchema?: string | undefined;
}

const ownKeys = ['schema', 'from', 'to', 'targetSchema'] as const satisfies (keyof CopySchemaOptions)[];

type CopyWork =
  | { readonly kind: 'create' }
  | { readonly kind: 'copy'; readonly tables: readonly string[] }
  | { readonly kind: 'publish' };

/** See {@link copySchema}. */
export class CopySchema extends ParallelTask {
  readonly schema: string;
  readonly from: string;
  readonly to: string | undefined;
  readonly targetSchema: string;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: CopySchemaOptions) {
    checkOptions('copySchema()', options, new Set([...parallelTaskOptionKeys, ...ownKeys]));
    const { schema, from, to, targetSchema = schema } = options;
    for (const [option, value] of Object.entries({ schema, from })) {
      if (typeof value !== 'string' || value === '')
        throw new PipelineError(`copySchema(): ${option} is missing.`);
    }
    checkName('copySchema()', 'to', to);
    if (from === to) throw new PipelineError(`copySchema(): from and to are the same database, "${from}".`);
    checkName('copySchema()', 'targetSchema', targetSchema);
    super(
      { ...options, id: options.id ?? `copy_${schema.toLowerCase().replace(/[^a-z0-9]+/g, '_')}` },
      new Set([...parallelTaskOptionKeys, ...ownKeys]),
    );
    this.schema = schema;
    this.from = from;
    this.to = to;
    this.targetSchema = targetSchema;
  }

  /** The schema that is filled before it takes the place of the target. */
  get nextSchema(): string {
    return `${this.targetSchema}_next`;
  }

  override async addParallelTasks(subPipeline: Pipeline, context: ExpansionContext): Promise<void> {
    const source = await sourceSession(this, context);
    const { tables } = await readSchema(source, this.schema);
    const create = new Task({
      id: 'create',
      description: 'Makes types, functions and tables',
      commands: [new ChildCommand(this, { kind: 'create' } satisfies CopyWork)],
    });
    subPipeline.add(create);
    const chunks = balancedChunks(
      tables,
      Math.min(context.parallel, this.maxParallelTasks ?? context.parallel),
    );
    const copies = chunks.map(chunk => {
      const names = chunk.map(({ name }) => name);
      const task = new Task({
        id: hashedId(names[0] ?? '', names.join('\n')),
        description: `Copies ${names.length === 1 ? (names[0] ?? '') : `${String(names.length)} tables`} (${megabytes(chunk)})`,
        commands: [new ChildCommand(this, { kind: 'copy', tables: names } satisfies CopyWork)],
      });
      subPipeline.add(task, [create]);
      return task;
    });
    subPipeline.add(
      new Task({
        id: 'publish',
        description: 'Makes foreign keys and views, and puts the copy in its place',
        commands: [new ChildCommand(this, { kind: 'publish' } satisfies CopyWork)],
      }),
      copies.length === 0 ? [create] : copies,
    );
  }

  override childCommand(data: unknown): Command {
    // Made by this class, and nothing else has the kind of its specification.
    const work = data as CopyWork;
    switch (work.kind) {
      case 'create':
        return new CopyStep(this, `CREATE SCHEMA ${this.nextSchema}`, createObjects);
      case 'copy':
        return new CopyStep(this, `COPY ${work.tables.join(', ')}`, (task, context) =>
          copyTables(task, context, work.tables),
        );
      case 'publish':
        return new CopyStep(this, `ALTER SCHEMA ${this.nextSchema} RENAME TO ${this.targetSchema}`, publish);
    }
  }

  override declaredChild(id: string): Task | undefined {
    return beforeOrAfter(this, id);
  }

  override docs(): DocItem[] {
    return settingItems({
      schema: this.schema,
      from: this.from,
      to: this.to ?? `${previewSettings().defaultDatabase} (default)`,
      'target schema': this.targetSchema === this.schema ? undefined : this.targetSchema,
    });
  }
}

/**
 * A parallel task that copies a Postgres schema from one database to another one: types, sequences, functions, tables with
 * their rows, keys and indexes, views. Tables are divided into chunks of about the same size, which are copied at the same
 * time. All of it is made in `<schema>_next`, which takes the place of the schema in the end, as {@link replaceSchema} does
 * it. Not copied: triggers, rules, aggregates, comments and permissions. What refers to other schemas needs them in the target.
 *
 * @example pipeline.add(copySchema({ schema: 'shop', from: 'dwh', to: 'frontend' }))
 * @throws PipelineError when an option is unknown or not valid
 */
export function copySchema(options: CopySchemaOptions): CopySchema {
  return new CopySchema(options);
}

/** Largest first, each into the chunk that is the smallest so far. */
export function balancedChunks<T extends { readonly size: number }>(
  items: readonly T[],
  count: number,
): T[][] {
  const chunks = Array.from({ length: Math.min(count, items.length) }, () => ({ size: 0, items: [] as T[] }));
  for (const item of items.toSorted((a, b) => b.size - a.size)) {
    const smallest = chunks.reduce((least, chunk) => (chunk.size < least.size ? chunk : least));
    smallest.items.push(item);
    // Empty tables take a moment, too.
    smallest.size += Math.max(item.size, 1);
  }
  return chunks.map(chunk => chunk.items);
}

/** One child's work. */
class CopyStep extends Command {
  readonly #task: CopySchema;
  readonly #text: string;
  readonly #work: (task: CopySchema, context: CommandContext) => Promise<void>;

  constructor(
    task: CopySchema,
    text: string,
    work: (task: CopySchema, context: CommandContext) => Promise<void>,
  ) {
    super();
    this.#task = task;
    this.#text = text;
    this.#work = work;
  }

  override shellCommand(): string {
    return this.#text;
  }

  override async run(context: CommandContext): Promise<void> {
    await this.#work(this.#task, context);
  }
}

async function sourceSession(
  task: CopySchema,
  context: Pick<CommandContext, 'db'>,
): Promise<PostgresSession> {
  const session = await loadingSession(context, task.toString(), task.from);
  const { rows } = await session.query('SELECT to_regnamespace(quote_ident($1)) IS NOT NULL AS there', [
    task.schema,
  ]);
  if (rows[0]?.['there'] === true) return session;
  throw new PipelineError(
    `${task.toString()}: there is no schema ${task.schema} in database "${session.alias}".`,
  );
}

/** With the search path of the copy. */
async function withTarget(
  task: CopySchema,
  context: CommandContext,
  work: (session: PostgresSession) => Promise<void>,
): Promise<void> {
  const session = await loadingSession(context, task.toString(), task.to);
  await inTransaction(session, async () => {
    await session.query(
      `SELECT set_config('search_path', quote_ident($1), true), set_config('check_function_bodies', 'off', true)`,
      [task.nextSchema],
    );
    await work(session);
  });
}

async function createObjects(task: CopySchema, context: CommandContext): Promise<void> {
  const { objects, tables } = await readSchema(await sourceSession(task, context), task.schema);
  context.log.info(`${String(objects.length)} types, sequences, functions and tables`);
  await withTarget(task, context, async session => {
    const next = quote(task.nextSchema);
    await session.execute(`DROP SCHEMA IF EXISTS ${next} CASCADE`);
    await session.execute(`CREATE SCHEMA ${next}`);
    await runInAnyOrder(session, objects);
  });
  if (tables.length === 0) context.log.info('no tables');
}

async function copyTables(
  task: CopySchema,
  context: CommandContext,
  names: readonly string[],
): Promise<void> {
  const source = await sourceSession(task, context);
  const { tables } = await readSchema(source, task.schema);
  // All tables of the chunk or none.
  await withTarget(task, context, async target => {
    for (const name of names) {
      const table = tables.find(candidate => candidate.name === name);
      if (table === undefined)
        throw new PipelineError(`${task.toString()}: table ${name} is not there any more.`);
      if (await isFilled(target, name)) {
        // The attempt before this one did it, and died before it could say so.
        context.log.info(`${name} is copied already`);
        continue;
      }
      const rows = await copyRows(task, table, source, target);
      context.log.info(`${name}: ${String(rows)} rows`);
      context.addRows(rows);
      await runInAnyOrder(target, table.indexes);
      await target.execute(`ANALYZE ${quote(name)}`);
    }
  });
}

async function isFilled(target: PostgresSession, name: string): Promise<boolean> {
  const { rows } = await target.query(
    `SELECT EXISTS (SELECT FROM ${quote(name)}) OR EXISTS (SELECT FROM pg_index WHERE indrelid = $1::regclass) AS filled`,
    [quote(name)],
  );
  return rows[0]?.['filled'] === true;
}

async function copyRows(
  task: CopySchema,
  { name, columns }: SchemaTable,
  source: PostgresSession,
  target: PostgresSession,
): Promise<number> {
  const quoted = quote(name);
  const schema = quote(task.schema);
  if (columns.length === 0) return 0;
  const list = columns.join(', ');
  const pipe = new PassThrough({ highWaterMark: 1 << 20 });
  const sent = source.copyTo(`COPY ${schema}.${quoted} (${list}) TO STDOUT`, pipe).then(
    () => pipe.end(),
    (error: unknown) => {
      pipe.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    },
  );
  try {
    const rows = await target.copyFrom(`COPY ${quoted} (${list}) FROM STDIN`, pipe);
    await sent;
    return rows;
  } catch (error) {
    pipe.destroy();
    // Why the source has ended says more.
    await sent.catch((reason: unknown) => {
      if (!isAborted(reason)) throw reason;
    });
    throw error;
  }
}

/** Whether a stream only says that the other end is gone. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_STREAM');
}

async function publish(task: CopySchema, context: CommandContext): Promise<void> {
  const { last } = await readSchema(await sourceSession(task, context), task.schema);
  context.log.command(`${task.nextSchema} → ${task.targetSchema}`);
  await withTarget(task, context, async target => {
    await runInAnyOrder(target, last);
    await runReplacement(target, [task.targetSchema, task.nextSchema, '10 s', 'true'], text => {
      context.log.error(text);
    });
  });
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function megabytes(tables: readonly SchemaTable[]): string {
  const bytes = tables.reduce((sum, { size }) => sum + size, 0);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
