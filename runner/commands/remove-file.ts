/** Removes a file below the project's `dataDir`. */
import { rm } from 'node:fs/promises';
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { checkDataFile, unwritable, writablePath } from './data-files.ts';
import { docItem, fileItems } from './docs.ts';
import { dataDirectory } from './files.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';

export interface RemoveFileOptions {
  /** The file, relative to the project's `dataDir`. */
  readonly file: string;
}

const optionKeys: ReadonlySet<string> = new Set(['file'] satisfies (keyof RemoveFileOptions)[]);

/**
 * Removes a file below the project's `dataDir`; when there is none, that is said and no failure. Directories are not
 * removed.
 *
 * @example new RemoveFile({ file: 'export/latest.csv' })
 */
export class RemoveFile extends Command {
  readonly #options: RemoveFileOptions;

  /** @throws PipelineError when an option is unknown or not valid, or the file is not below the directory */
  constructor(options: RemoveFileOptions) {
    super();
    checkOptions('RemoveFile', options, optionKeys);
    checkDataFile('RemoveFile', 'file', options.file);
    this.#options = options;
  }

  override shellCommand(): string {
    return shellWords(['rm', '-f', `${previewSettings().dataDir}/${this.#options.file}`]);
  }

  override async run(context: CommandContext): Promise<void> {
    const { file } = this.#options;
    context.log.command(file);
    const base = dataDirectory(context.node, context.project.dataDir);
    const path = await writablePath(base, file);
    try {
      await rm(path);
      context.log.info('removed');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (error.code === 'ERR_FS_EISDIR') {
        throw unwritable(path, base.owner, Object.assign(new Error(error.message), { code: 'EISDIR' }));
      }
      if (error.code !== 'ENOENT') throw unwritable(path, base.owner, error);
      context.log.info('there is no such file');
    }
  }

  override docs(): DocItem[] {
    return [
      ...fileItems('file', [this.#options.file]),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec {
    return { kind: 'RemoveFile', options: this.#options };
  }
}
