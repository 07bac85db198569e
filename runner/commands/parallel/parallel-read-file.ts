/** Loads many files into a table. */
import type { Command } from '../../api/command.ts';
import { ReadFile, readFileKeys, type ReadFileOptions } from '../read-file.ts';
import { ParallelRead, type ParallelReadOptions } from './parallel-read.ts';

export interface ParallelReadFileOptions extends ParallelReadOptions, Omit<ReadFileOptions, 'file'> {}

const readKeys = readFileKeys.filter(key => key !== 'file');

/**
 * Loads files below `dataDir` into a table, in several tasks at the same time: those that {@link ParallelReadOptions.readMode}
 * chooses. The other options are those of {@link ReadFile}. See {@link ParallelRead} for what happens when a run
 * is interrupted.
 *
 * @example
 * new ParallelReadFile({ id: 'load_events', filePattern: 'events/*.csv.gz', readMode: 'onlyNew', table: 'raw.events',
 *   dateRegex: /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/, partitionByDay: true, format: csv({ header: true }) })
 */
export class ParallelReadFile extends ParallelRead {
  readonly #options: ParallelReadFileOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ParallelReadFileOptions) {
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
    const { table, format, compression, mapper, makeUnique, db, timezone } = this.#options;
    return new ReadFile({ file, table, format, compression, mapper, makeUnique, db, timezone });
  }
}
