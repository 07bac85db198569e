/** Loads the rows of many SQLite files into a table. */
import type { Command } from '../../api/command.ts';
import { ReadSQLite, readSQLiteOptionKeys, type ReadSQLiteOptions } from '../read-sqlite.ts';
import { ParallelRead, type ParallelReadOptions } from './parallel-read.ts';

type WithoutFile<T> = T extends unknown ? Omit<T, 'file'> : never;

export type ParallelReadSQLiteOptions = ParallelReadOptions & WithoutFile<ReadSQLiteOptions>;

const readKeys = readSQLiteOptionKeys.filter(key => key !== 'file');

/**
 * Adds the rows of a query of many SQLite files below `dataDir` to a table, in several tasks at the same time. The
 * choice of files and the record of what is loaded are those of {@link ParallelReadFile}, the other options those of
 * {@link ReadSQLite}.
 *
 * @example
 * new ParallelReadSQLite({ id: 'load_products', filePattern: 'shops/*.db', readMode: 'onlyChanged',
 *   table: 'raw.product', sqlFile: 'products.sql' })
 */
export class ParallelReadSQLite extends ParallelRead {
  readonly #options: ParallelReadSQLiteOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ParallelReadSQLiteOptions) {
    super(options, readKeys);
    this.#options = options;
    this.readCommand(options.filePattern); // Mistakes are told now, not in each child.
  }

  protected override get table(): string {
    return this.#options.table;
  }

  protected override get db(): string | undefined {
    return this.#options.db;
  }

  protected override readCommand(file: string): Command {
    const given: Partial<Record<(typeof readKeys)[number], unknown>> = this.#options;
    const options = Object.fromEntries(readKeys.map(key => [key, given[key]]));
    // That sql or sqlFile is given is what the type of the options says.
    return new ReadSQLite({ ...options, file } as unknown as ReadSQLiteOptions);
  }
}
