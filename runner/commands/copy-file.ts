/** Copies a file within the project's `dataDir`. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { checkDataFile, isFileSystemError, newFile, unwritable, writablePath } from './data-files.ts';
import { docItem, fileItems } from './docs.ts';
import { checkFile, dataDirectory, unreadable } from './files.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';

export interface CopyFileOptions {
  /** The file to copy, relative to the project's `dataDir`. */
  readonly from: string;
  /** The file to make, relative to the project's `dataDir`; its directory is made as well. */
  readonly to: string;
}

const optionKeys: ReadonlySet<string> = new Set(['from', 'to'] satisfies (keyof CopyFileOptions)[]);

/**
 * Copies a file below the project's `dataDir`. Whoever reads the new file sees the old content or all of the new one.
 *
 * @example new CopyFile({ from: 'export/latest.csv', to: 'archive/2026-01-31.csv' })
 */
export class CopyFile extends Command {
  readonly #options: CopyFileOptions;

  /** @throws PipelineError when an option is unknown or not valid, or a file is not below the directory */
  constructor(options: CopyFileOptions) {
    super();
    checkOptions('CopyFile', options, optionKeys);
    checkDataFile('CopyFile', 'from', options.from);
    checkDataFile('CopyFile', 'to', options.to);
    this.#options = options;
  }

  override shellCommand(): string {
    const { dataDir } = previewSettings();
    return shellWords(['cp', `${dataDir}/${this.#options.from}`, `${dataDir}/${this.#options.to}`]);
  }

  override async run(context: CommandContext): Promise<void> {
    const { from, to } = this.#options;
    const { log, signal } = context;
    log.command(`${from} → ${to}`);
    const base = dataDirectory(context.node, context.project.dataDir);
    const [source, target] = await Promise.all([checkFile(base, from), writablePath(base, to)]);
    const { size } = await stat(source);
    const content = createReadStream(source, { highWaterMark: 1 << 18 });
    let unread: unknown;
    content.on('error', error => (unread = error));
    try {
      await using file = await newFile(target);
      await pipeline(content, file.stream, { signal });
      await file.commit();
    } catch (error) {
      signal.throwIfAborted();
      if (unread !== undefined) throw unreadable(base, from, unread);
      throw isFileSystemError(error) ? unwritable(target, base.owner, error) : error;
    }
    log.info(`${size.toLocaleString('en-US')} bytes`);
  }

  override docs(): DocItem[] {
    const { from, to } = this.#options;
    return [
      ...fileItems('from', [from]),
      ...fileItems('to', [to]),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec {
    return { kind: 'CopyFile', options: this.#options };
  }
}
