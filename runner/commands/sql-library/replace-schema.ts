/** Puts one schema into the place of another one. */
import { Command } from '../../api/command.ts';
import type { CommandContext } from '../../api/context.ts';
import { checkOptions, checkSeconds, PipelineError } from '../../api/errors.ts';
import type { PostgresSession } from '../../databases/postgres.ts';
import type { DocItem } from '../../model.ts';
import type { CommandSpec } from '../../pool/protocol.ts';
import { docItem, settingItems } from '../docs.ts';
import { checkName } from '../execute-sql.ts';
import { checkFlag } from '../loading.ts';
import { previewSettings } from '../preview-settings.ts';
import { shellWords } from '../shell-quote.ts';
import { cancelQueries, replaceSchemaFunction } from './schema-functions.ts';

export interface ReplaceSchemaOptions {
  /** The schema that others read. */
  readonly schema: string;
  /** The schema that takes its place. Default: `<schema>_next`. */
  readonly by?: string | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Seconds to wait for those who read the schema. Default: 10. */
  readonly patience?: number | undefined;
  /**
   * Whether their queries are stopped after that. Otherwise they read on in the old schema, which is called
   * `<schema>_outgoing` until the next replacement. Default: true.
   */
  readonly cancelQueries?: boolean | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'schema',
  'by',
  'db',
  'patience',
  'cancelQueries',
] satisfies (keyof ReplaceSchemaOptions)[]);

/** SQLSTATE of `RAISE EXCEPTION`. */
const RAISED = 'P0001';

/** See {@link replaceSchema}. */
export class ReplaceSchema extends Command {
  readonly #options: ReplaceSchemaOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ReplaceSchemaOptions) {
    super();
    checkOptions('replaceSchema()', options, optionKeys);
    const { schema, by, db, patience, cancelQueries } = options;
    if (typeof schema !== 'string') throw new PipelineError('replaceSchema(): schema is missing.');
    for (const [option, value] of Object.entries({ schema, by, db }))
      checkName('replaceSchema()', option, value);
    checkSeconds(() => 'replaceSchema()', 'patience', patience, true);
    checkFlag('replaceSchema()', 'cancelQueries', cancelQueries);
    this.#options = options;
  }

  override shellCommand(): string {
    const { db = previewSettings().defaultDatabase } = this.#options;
    return shellWords([
      'millrace',
      'sql',
      db,
      '-c',
      `SELECT util.replace_schema(${this.#arguments().map(literal).join(', ')})`,
    ]);
  }

  override async run(context: CommandContext): Promise<void> {
    const { db } = this.#options;
    const [schema, by] = this.#arguments();
    context.log.command(`${by} → ${schema}`);
    const { withSession } = await import('../sql-session.ts');
    await withSession(context, { what: 'replaceSchema()', db, timezone: undefined }, session =>
      runReplacement(session, this.#arguments(), text => {
        context.log.error(text);
      }),
    );
  }

  override docs(): DocItem[] {
    const { db } = this.#options;
    const [schema, by, patience, cancels] = this.#arguments();
    return [
      ...settingItems({
        schema,
        by,
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        patience,
        'cancel queries': cancels,
      }),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec {
    return { kind: 'ReplaceSchema', options: this.#options };
  }

  #arguments(): ReplacementArguments {
    const { schema, by = `${schema}_next`, patience = 10, cancelQueries: cancels = true } = this.#options;
    return [schema, by, `${String(patience)} s`, String(cancels)];
  }
}

/** Schema, replacement, patience as an interval, and whether queries are cancelled. */
export type ReplacementArguments = readonly [schema: string, by: string, patience: string, cancels: string];

/** Replaces a schema without the SQL library: the functions are there for this session only. */
export async function runReplacement(
  session: PostgresSession,
  values: ReplacementArguments,
  warn: (text: string) => void,
): Promise<void> {
  session.onNotice(({ message = '' }) => {
    warn(message);
  });
  const names = {
    '@cancel_queries_on_schema@': 'pg_temp.millrace_cancel_queries',
    '@replace_schema@': 'pg_temp.millrace_replace_schema',
  };
  for (const text of [cancelQueries, replaceSchemaFunction]) {
    const sql = Object.entries(names).reduce((made, [name, value]) => made.replaceAll(name, value), text);
    await session.execute(sql);
  }
  try {
    await session.query('SELECT pg_temp.millrace_replace_schema($1, $2, $3::interval, $4::boolean)', values);
  } catch (error) {
    // What the function says itself needs no place in it.
    const cause = error instanceof Error ? error.cause : undefined;
    if (!(cause instanceof Error && 'code' in cause && cause.code === RAISED)) throw error;
    throw new PipelineError(`replaceSchema(): ${cause.message}.`, { cause: error });
  }
}

/**
 * A command that puts one schema into the place of another one, which is dropped with everything in it: the last step of
 * a pipeline that builds its tables in `<schema>_next`. Who reads meanwhile sees whole tables, and in one query tables of
 * one of the schemas only. It waits for readers; after {@link ReplaceSchemaOptions.patience} it stops their queries. What
 * roles may do with the old schema and its tables they may do with the new one and its tables of the same names.
 *
 * @example pipeline.addFinal(new Task({ id: 'publish', commands: [replaceSchema({ schema: 'shop' })] }))
 * @throws PipelineError when an option is unknown or not valid
 */
export function replaceSchema(options: ReplaceSchemaOptions): ReplaceSchema {
  return new ReplaceSchema(options);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
