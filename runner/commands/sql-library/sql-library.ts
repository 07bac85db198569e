/** The SQL library: functions and tables that pipelines of a warehouse keep needing. */
import { checkCount, checkOptions, describeValue, PipelineError } from '../../api/errors.ts';
import { Pipeline } from '../../api/pipeline.ts';
import { Task } from '../../api/task.ts';
import { checkName, ExecuteSQL } from '../execute-sql.ts';
import { indexFunctions } from './index-functions.ts';
import { partitionFunctions } from './partition-functions.ts';
import { cancelQueries, replaceSchemaFunction } from './schema-functions.ts';
import { timeDimensions } from './time-dimensions.ts';

export interface SqlLibraryOptions {
  /** Id of the pipeline. Default: `sql_library`. */
  readonly id?: string | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Schema of the functions. Default: `util`. */
  readonly schema?: string | undefined;
  /** How many chunks `util.compute_chunk(value)` tells apart. Default: 8. */
  readonly chunks?: number | undefined;
  /** Schema of the tables `day`, `duration` and `hour_of_day`; `false`: none are made. Default: `time`. */
  readonly timeSchema?: string | false | undefined;
  /** The first and the last day of the table `day`, as `YYYY-MM-DD`. Default: 2015-01-01, and the end of next year. */
  readonly days?: { readonly from?: string | undefined; readonly to?: string | undefined } | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'id',
  'db',
  'schema',
  'chunks',
  'timeSchema',
  'days',
] satisfies (keyof SqlLibraryOptions)[]);

const dayKeys: ReadonlySet<string> = new Set(['from', 'to']);

/** How many chunks there are unless something else is said. */
export const DEFAULT_CHUNKS = 8;

/** Functions are replaced one after the other, which two runs must not do at the same time. */
const inOneGo = (sql: string): string =>
  `BEGIN;\nSELECT FROM pg_advisory_xact_lock(hashtextextended('millrace sql_library', 0));\n${sql}\nCOMMIT;\n`;

/**
 * A pipeline that makes the functions of the SQL library, in schema `util`, and time dimensions, in schema `time`. Add it
 * before the pipelines that use them; running it again changes nothing.
 *
 * @example pipeline.add(sqlLibrary())
 * @throws PipelineError when an option is unknown or not valid
 */
export function sqlLibrary(options: SqlLibraryOptions = {}): Pipeline {
  checkOptions('sqlLibrary()', options, optionKeys);
  const {
    id = 'sql_library',
    db,
    schema = 'util',
    chunks = DEFAULT_CHUNKS,
    timeSchema = 'time',
    days = {},
  } = options;
  checkName('sqlLibrary()', 'schema', schema);
  checkCount(() => 'sqlLibrary()', 'chunks', chunks, 1);
  if (timeSchema !== false) checkName('sqlLibrary()', 'timeSchema', timeSchema);
  checkOptions('sqlLibrary() days', days, dayKeys);
  for (const key of ['from', 'to'] as const) checkDay(key, days[key]);
  const util = quoteName(schema);
  const pipeline = new Pipeline({ id, description: 'Functions for warehouses, and time dimensions' });
  pipeline.add(
    new Task({
      id: 'functions',
      description: `Makes the functions in schema ${schema}`,
      commands: [
        new ExecuteSQL({
          db,
          sql: inOneGo(
            [
              `CREATE SCHEMA IF NOT EXISTS @util@;`,
              partitionFunctions,
              indexFunctions,
              cancelQueries,
              replaceSchemaFunction,
            ].join('\n'),
          ),
          replace: {
            '@util@': util,
            '@chunks@': chunks,
            '@cancel_queries_on_schema@': `${util}.cancel_queries_on_schema`,
            '@replace_schema@': `${util}.replace_schema`,
          },
          echoQueries: false,
        }),
      ],
    }),
  );
  if (timeSchema === false) return pipeline;
  const time = quoteName(timeSchema);
  const from = days.from ?? '2015-01-01';
  const to =
    days.to === undefined ? `date_trunc('year', now() + interval '2 years')::date - 1` : `'${days.to}'`;
  return pipeline.add(
    new Task({
      id: 'time_dimensions',
      description: `Makes and fills the tables in schema ${timeSchema}`,
      commands: [
        new ExecuteSQL({
          db,
          sql: inOneGo(`${timeDimensions}\nSELECT @time@.populate_time_dimensions('${from}', ${to});`),
          replace: { '@time@': time },
          echoQueries: false,
        }),
      ],
    }),
  );
}

/** A name as it is written in SQL. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && name !== 'time' ? name : `"${name.replaceAll('"', '""')}"`;
}

function checkDay(key: string, day: unknown): void {
  if (day === undefined || (typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day))) return;
  throw new PipelineError(
    `sqlLibrary(): days.${key} must be a day like "2026-01-31", not ${describeValue(day)}.`,
  );
}
