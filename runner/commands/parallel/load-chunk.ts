/** Loads the files of one chunk. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from '../../api/command.ts';
import type { CommandContext, ProcessedFile } from '../../api/context.ts';
import type { NodePath } from '../../model.ts';
import { dataDirectory, unreadable } from '../files.ts';
import { checkNewest, type ChunkKey, claimFile, pendingFiles } from './chunk-files.ts';
import type { ReadMode } from './loaded-files.ts';
import { inTransaction, loadingSession } from './loading-session.ts';

/** Files that are noted in the store at once. */
const NOTED = 500;

export interface ChunkLoad {
  readonly what: string;
  readonly nodePath: NodePath;
  /** As it is written in SQL. */
  readonly table: string;
  readonly mode: ReadMode;
  readonly db: string | undefined;
  /** The command that reads one file, with the connection of the task. */
  readonly read: (file: string) => Command;
}

/** Loads one file after the other, each in a transaction of its own that also says that it is loaded. */
export class LoadChunk extends Command {
  readonly #load: ChunkLoad;
  readonly #key: ChunkKey;

  constructor(load: ChunkLoad, key: ChunkKey) {
    super();
    this.#load = load;
    this.#key = key;
  }

  override shellCommand(): string {
    const command = this.#load.read('…');
    command.parent = this.parent;
    return command.shellCommand();
  }

  override async run(context: CommandContext): Promise<void> {
    const { what, db } = this.#load;
    const session = await loadingSession(context, what, db);
    const noted = new StoreNotes(context, this.#load);
    try {
      for await (const pending of pendingFiles(session, this.#key)) {
        context.signal.throwIfAborted();
        // Before it is read: what is written to it meanwhile makes it a changed file.
        const lastModified = await modificationTime(context, pending.file);
        const isLoaded = await inTransaction(session, async () => {
          const { table, mode } = this.#load;
          const { chain = '' } = context.run;
          const claim = { table, mode, chain, lastModified };
          if (!(await claimFile(session, this.#key, pending, claim))) return false;
          await this.#read(pending.file, context);
          return true;
        });
        if (isLoaded) await noted.add({ file: pending.file, lastModifiedAt: lastModified.toISOString() });
        else context.log.info(`${pending.file} is loaded already`);
      }
      await checkNewest(session, this.#key);
    } finally {
      await noted.flush();
    }
  }

  async #read(file: string, context: CommandContext): Promise<void> {
    const command = this.#load.read(file);
    command.parent = context.node;
    if ((await command.run(context)) === false) throw new Error(`${file} could not be loaded.`);
  }
}

/** Tells the store, for whoever looks there. What counts is in the database of the rows. */
class StoreNotes {
  readonly #context: CommandContext;
  readonly #load: ChunkLoad;
  #files: ProcessedFile[] = [];

  constructor(context: CommandContext, load: ChunkLoad) {
    this.#context = context;
    this.#load = load;
  }

  async add(file: ProcessedFile): Promise<void> {
    this.#files.push(file);
    if (this.#files.length >= NOTED) await this.flush();
  }

  async flush(): Promise<void> {
    const { nodePath, mode } = this.#load;
    const { state, log, signal } = this.#context;
    const files = this.#files;
    this.#files = [];
    // The other modes do not go by what was loaded before.
    if (files.length === 0 || mode === 'all' || mode === 'onlyLatest' || signal.aborted) return;
    try {
      await state.setProcessedFiles?.(nodePath, files);
    } catch (error) {
      log.error(
        `That files are loaded could not be noted in the store: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

/** To the millisecond. */
async function modificationTime(context: CommandContext, file: string): Promise<Date> {
  const base = dataDirectory(context.node, context.project.dataDir);
  try {
    return new Date(Math.floor((await stat(resolve(base.directory, file))).mtimeMs));
  } catch (error) {
    throw unreadable(base, file, error);
  }
}
