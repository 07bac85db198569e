/** What the parallel tasks that load many files have in common. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildCommand } from '../../api/child-command.ts';
import type { Command } from '../../api/command.ts';
import type { ExpansionContext } from '../../api/context.ts';
import { describeValue, PipelineError } from '../../api/errors.ts';
import {
  beforeOrAfter,
  ParallelTask,
  type ParallelTaskOptions,
  parallelTaskOptionKeys,
} from '../../api/parallel-task.ts';
import type { Pipeline } from '../../api/pipeline.ts';
import { Task } from '../../api/task.ts';
import type { DocItem } from '../../model.ts';
import { settingItems, fileItems } from '../docs.ts';
import { checkFileDependencies, dependencyHash } from '../file-dependencies.ts';
import { basePathOf } from '../files.ts';
import { checkFlag } from '../loading.ts';
import { hashedId } from './child-ids.ts';
import { AnalyzeDayPartitions, CreateDayPartitions } from './day-partitions.ts';
import { FileDay } from './file-day.ts';
import { FilePattern } from './list-files.ts';
import { LoadChunk } from './load-chunk.ts';
import { type FileList, type ListedFile, listFiles, type ReadMode, readModes } from './loaded-files.ts';
import { loadingSession } from './loading-session.ts';

export interface ParallelReadOptions extends ParallelTaskOptions {
  /** Files below `dataDir`: `*` and `?` within a name, `**` for any directories, `[0-9]`, `{csv,json}`. */
  readonly filePattern: string;
  /**
   * Which of them are loaded.
   *
   * - `all`: every file, in every run.
   * - `onlyLatest`: the newest file, in every run.
   * - `onlyNew`: files that are not loaded yet.
   * - `onlyChanged`: files that are not loaded yet, or not in the version of now (by their time of modification).
   * - `onlyNewExceptLatest`: files that are not loaded yet, but not the newest one, which may still be written to.
   *
   * The newest file is the one with the latest day, or without dateRegex the last one by name.
   */
  readonly readMode: ReadMode;
  /**
   * Finds the day in a file's name, relative to `dataDir`: with groups named `year`, `month` and `day`, or else the first
   * three. A file that does not match fails the node; one outside of the project's `firstDate` to `lastDate` is left out.
   * Default: files have no day.
   */
  readonly dateRegex?: RegExp | string | undefined;
  /**
   * Whether the table is partitioned by list of a day (`20260131`): partitions `<table>_<day>` that are missing are made
   * before, and those that got rows are analysed afterwards. Needs dateRegex. Default: false.
   */
  readonly partitionByDay?: boolean | undefined;
  /**
   * Whether partitions are emptied before files of their day are loaded. Then all files of such a day are loaded, also
   * those that were loaded before. Needs partitionByDay. Default: false.
   */
  readonly truncatePartitions?: boolean | undefined;
  /**
   * Files, relative to the base path; when one of them changes, or the project's firstDate or lastDate, all files count as
   * not loaded. Meant for the script that makes the table, which then makes it anew. Default: none.
   */
  readonly fileDependencies?: readonly string[] | undefined;
}

export const parallelReadKeys = [
  'filePattern',
  'readMode',
  'dateRegex',
  'partitionByDay',
  'truncatePartitions',
  'fileDependencies',
] as const satisfies (keyof ParallelReadOptions)[];

/** What a child is told. */
type ChildWork =
  | { readonly kind: 'load'; readonly target: string; readonly list: string; readonly chunk: number }
  | {
      readonly kind: 'partitions';
      readonly target: string;
      readonly list: string;
      readonly days: readonly string[];
    }
  | { readonly kind: 'analyze'; readonly days: readonly string[] };

/** So many files are looked at at once. */
const STATS = 64;

/** Chunks for each task that can run at the same time, so that one long file does not keep all others waiting. */
const CHUNKS_PER_SLOT = 2;

/**
 * Loads many files, in chunks that run at the same time. Each file is loaded in one transaction, together with the
 * record that it is loaded, in the schema `millrace_loaded` of the same database: so a run that fails, is cancelled or
 * killed has loaded some files wholly and the others not at all, and the next one goes on from there. The record
 * belongs to the table as it is: when it is dropped and made anew, nothing counts as loaded; when only its rows are deleted,
 * `millrace reset` makes the files count as not loaded.
 */
export abstract class ParallelRead extends ParallelTask {
  readonly #options: ParallelReadOptions;
  readonly #pattern: FilePattern;
  readonly #day: FileDay | undefined;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ParallelReadOptions, readKeys: readonly string[]) {
    super(options, new Set([...parallelTaskOptionKeys, ...parallelReadKeys, ...readKeys]));
    const what = this.toString();
    const {
      readMode,
      dateRegex,
      partitionByDay = false,
      truncatePartitions = false,
      fileDependencies,
    } = options;
    this.#pattern = new FilePattern(what, options.filePattern);
    if (!readModes.includes(readMode)) {
      const allowed = readModes.map(mode => `"${mode}"`).join(', ');
      throw new PipelineError(`${what}: readMode must be one of ${allowed}, not ${describeValue(readMode)}.`);
    }
    this.#day = dateRegex === undefined ? undefined : new FileDay(() => this.toString(), dateRegex);
    checkFlag(what, 'partitionByDay', partitionByDay);
    checkFlag(what, 'truncatePartitions', truncatePartitions);
    checkFileDependencies(what, fileDependencies);
    if (partitionByDay && dateRegex === undefined)
      throw new PipelineError(`${what}: partitionByDay needs dateRegex, which tells the day of a file.`);
    if (truncatePartitions && !partitionByDay)
      throw new PipelineError(`${what}: truncatePartitions needs partitionByDay.`);
    this.#options = options;
  }

  override async addParallelTasks(subPipeline: Pipeline, context: ExpansionContext): Promise<void> {
    const {
      filePattern,
      readMode,
      fileDependencies = [],
      partitionByDay = false,
      truncatePartitions = false,
    } = this.#options;
    const what = this.toString();
    await checkDataDirectory(what, context.dataDir);
    const session = await loadingSession(context, what, this.db);
    const dependencies =
      fileDependencies.length === 0 ? '' : await dependencyHash(context, basePathOf(this), fileDependencies);
    const list = await listFiles(session, {
      nodePath: this.path,
      table: this.table,
      mode: readMode,
      dependencies,
      chain: context.run.chain ?? '',
      wholeDays: truncatePartitions,
      chunks: CHUNKS_PER_SLOT * Math.min(context.parallel, this.maxParallelTasks ?? context.parallel),
      files: this.#files(context),
    });
    if (list.startedAnew === 'dependencies')
      context.log.info('File dependencies have changed: all files count as not loaded');
    if (list.startedAnew === 'table')
      context.log.info('A table is gone: the files that were loaded into it do not count');
    const wanted = list.chunks.reduce((sum, { files }) => sum + files, 0);
    if (list.listed === 0) context.log.info(`No files match ${filePattern}`);
    else if (wanted === 0) context.log.info(`No newer files (of ${String(list.listed)})`);
    else context.log.info(`${String(wanted)} of ${String(list.listed)} files are to be loaded`);
    if (wanted === 0) return;
    this.#addChildren(subPipeline, list, { partitionByDay, truncatePartitions, parallel: context.parallel });
  }

  override childCommand(data: unknown): Command {
    const { readMode, truncatePartitions = false } = this.#options;
    const { table, db } = this;
    const what = this.toString();
    // Made by this class, and nothing else has the kind of its specification.
    const work = data as ChildWork;
    switch (work.kind) {
      case 'load':
        return new LoadChunk(
          { what, nodePath: this.path, table, mode: readMode, db, read: file => this.readCommand(file) },
          work,
        );
      case 'partitions':
        return new CreateDayPartitions({ what, table, db }, work, truncatePartitions);
      case 'analyze':
        return new AnalyzeDayPartitions({ what, table, db }, work.days);
    }
  }

  override declaredChild(id: string): Task | undefined {
    return beforeOrAfter(this, id);
  }

  override docs(): DocItem[] {
    const { filePattern, readMode, dateRegex, partitionByDay, truncatePartitions, fileDependencies } =
      this.#options;
    const command = this.readCommand(filePattern);
    command.parent = this;
    return [
      ...settingItems({
        'file pattern': filePattern,
        'read mode': readMode,
        'date regex': dateRegex === undefined ? undefined : String(dateRegex),
        'partition by day': partitionByDay,
        'truncate partitions': truncatePartitions,
      }),
      ...command.docs().filter(({ label }) => label !== 'file'),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  /** As it is written in SQL. */
  protected abstract get table(): string;
  protected abstract get db(): string | undefined;

  /** The command that reads one file, relative to the data directory. */
  protected abstract readCommand(file: string): Command;

  #addChildren(
    subPipeline: Pipeline,
    { target, list, chunks, days }: FileList,
    {
      partitionByDay,
      truncatePartitions,
      parallel,
    }: { partitionByDay: boolean; truncatePartitions: boolean; parallel: number },
  ): void {
    // What a child is called says what it does, so that a run that is gone on with leaves out just what was done. Where
    // partitions are emptied, nothing that was done before is left.
    const scope = truncatePartitions ? list : target;
    const upstreams: Task[] = [];
    if (partitionByDay) {
      const task = new Task({
        id: hashedId('partitions', `${scope} ${days.join(' ')}`),
        description: `${truncatePartitions ? 'Makes or empties' : 'Makes'} the partitions of ${range(days.length, 'day', days[0], days.at(-1))}`,
        commands: [new ChildCommand(this, { kind: 'partitions', target, list, days } satisfies ChildWork)],
      });
      subPipeline.add(task);
      upstreams.push(task);
    }
    const loads = chunks.map(({ chunk, files, first, last, hash }) => {
      const task = new Task({
        id: hashedId(first.slice(first.lastIndexOf('/') + 1), `${scope} ${hash}`),
        description: `Loads ${range(files, 'file', first, last)}`,
        commands: [new ChildCommand(this, { kind: 'load', target, list, chunk } satisfies ChildWork)],
      });
      subPipeline.add(task, upstreams);
      return task;
    });
    if (!partitionByDay) return;
    const share = Math.ceil(days.length / parallel);
    for (let start = 0; start < days.length; start += share) {
      const some = days.slice(start, start + share);
      const task = new Task({
        // Of this list only: there are new rows.
        id: hashedId('analyze', `${list} ${some.join(' ')}`),
        description: `Analyses the partitions of ${range(some.length, 'day', some[0], some.at(-1))}`,
        commands: [new ChildCommand(this, { kind: 'analyze', days: some } satisfies ChildWork)],
      });
      subPipeline.add(task, loads);
    }
  }

  async *#files({ dataDir, firstDate, lastDate, signal }: ExpansionContext): AsyncGenerator<ListedFile> {
    const needsTime = this.#options.readMode === 'onlyChanged';
    let batch: ListedFile[] = [];
    for await (const file of this.#pattern.files(dataDir, signal)) {
      const day = this.#day?.of(file);
      if (day !== undefined && (day < firstDate || day > lastDate)) continue;
      batch.push({ file, lastModified: undefined, day });
      if (batch.length < STATS) continue;
      yield* needsTime ? await withTimes(dataDir, batch) : batch;
      batch = [];
    }
    yield* needsTime ? await withTimes(dataDir, batch) : batch;
  }
}

async function withTimes(directory: string, files: readonly ListedFile[]): Promise<ListedFile[]> {
  const timed = files.map(async file => {
    const { mtimeMs } = await stat(join(directory, file.file));
    return { ...file, lastModified: Math.floor(mtimeMs) };
  });
  return await Promise.all(timed);
}

/** A name with a slip of the pen must not look like a day without data. */
async function checkDataDirectory(what: string, directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new PipelineError(`${what}: there is no directory ${directory} (the dataDir of millrace.config.ts).`);
}

function range(count: number, noun: string, first = '', last = ''): string {
  return count === 1 ? `1 ${noun}, ${first}` : `${String(count)} ${noun}s, ${first} to ${last}`;
}
