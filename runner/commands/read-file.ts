/** Loads a file into a table. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileContent, fileItems, settingItems } from './docs.ts';
import { basePathOf, dataDirectory } from './files.ts';
import { checkFormat, copyOptions, type FileFormat, formatByName, formatText } from './formats.ts';
import { checkCompression, type Compression, compressionByName, fileInput } from './input.ts';
import type { LoadResult } from './load-records.ts';
import { checkLoadOptions, clientErrors, loadedText } from './loading.ts';
import { previewSettings } from './preview-settings.ts';
import { checkScript, type Script, scriptFilter } from './script-output.ts';
import { shellWords } from './shell-quote.ts';

export interface ReadFileOptions {
  /** The file, relative to the project's `dataDir`. Of an archive every file is read. */
  readonly file: string;
  /** The table that gets the rows, as it is written in SQL: `raw.events`. */
  readonly table: string;
  /** How the records are written. Default: what the ending of the name tells (`.jsonl`, `.parquet`), else `csv()`. */
  readonly format?: FileFormat | undefined;
  /** Default: what the ending of the name tells (`.gz`, `.zip`, `.tar.gz`, `.tgz`), else `none`. */
  readonly compression?: Compression | undefined;
  /**
   * A script, relative to the base path, that gets the unpacked file as its standard input and writes the records to its
   * standard output; of an archive it is run for each file. The ending of its name says what runs it. Default: none.
   */
  readonly mapper?: string | undefined;
  /** Whether of records that are the same in all columns one is loaded. Default: false. */
  readonly makeUnique?: boolean | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Time zone of the session, in which times without a zone are read. Default: the server's. */
  readonly timezone?: string | undefined;
}

/** The options there are. */
export const readFileKeys = [
  'file',
  'table',
  'format',
  'compression',
  'mapper',
  'makeUnique',
  'db',
  'timezone',
] as const satisfies (keyof ReadFileOptions)[];

const optionKeys: ReadonlySet<string> = new Set(readFileKeys);

/**
 * Adds the records of a file to a table: all of them or, when one is wrong, none. The file streams, whatever its size.
 *
 * @example new ReadFile({ file: 'events.csv.gz', table: 'raw.events', format: csv({ header: true }) })
 * @example new ReadFile({ file: 'log.zip', table: 'raw.log', mapper: 'parse_log.py', makeUnique: true })
 */
export class ReadFile extends Command {
  readonly #options: ReadFileOptions;
  readonly #format: FileFormat;
  readonly #compression: Compression;
  readonly #mapper: Script | undefined;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ReadFileOptions) {
    super();
    checkOptions('ReadFile', options, optionKeys);
    const { file, mapper } = options;
    checkLoadOptions('ReadFile', options, ['file']);
    checkCompression('ReadFile', options.compression);
    const { compression = compressionByName(file) } = options;
    const format = options.format ?? formatByName(file);
    checkFormat('ReadFile', format);
    if (format.kind === 'parquet') {
      if (compression !== 'none') {
        throw new PipelineError(
          `ReadFile: a Parquet file cannot be read from a ${compression} file: it is packed inside. Set compression to "none".`,
        );
      }
      if (mapper !== undefined) {
        throw new PipelineError('ReadFile: a mapper reads text, so it cannot be used with parquet().');
      }
    }
    this.#options = options;
    this.#format = format;
    this.#compression = compression;
    this.#mapper = mapper === undefined ? undefined : checkScript('ReadFile', 'mapper', mapper);
  }

  override shellCommand(): string {
    const { file, table, db = previewSettings().defaultDatabase, makeUnique = false } = this.#options;
    const format = this.#format;
    const steps = [shellWords([...unpackers[this.#compression], `${previewSettings().dataDir}/${file}`])];
    if (this.#mapper !== undefined)
      steps.push(shellWords([this.#mapper.interpreter.name, this.#mapper.file]));
    if (format.kind === 'csv' && format.footer) steps.push("sed '$d'");
    const notes = [
      ...(format.kind === 'csv'
        ? []
        : [`columns by the ${format.kind === 'jsonl' ? 'keys of the lines' : 'names in the file'}`]),
      ...(makeUnique ? ['then each record once'] : []),
    ];
    const options = format.kind === 'csv' ? ` WITH (${copyOptions(format)})` : '';
    const comment = notes.length === 0 ? '' : ` /* ${notes.join(', ')} */`;
    steps.push(shellWords(['millrace', 'sql', db, '-c', `COPY ${table} FROM STDIN${options}${comment}`]));
    return steps.join(' | ');
  }

  override async run(context: CommandContext): Promise<void> {
    const { file, table, db, timezone, makeUnique = false } = this.#options;
    const mapper = this.#mapper;
    context.log.command(mapper === undefined ? `${file} → ${table}` : `${file} → ${mapper.file} → ${table}`);
    const [{ openDatabase, withTimezone }, { loadFile }, { ClientDatabase }] = await Promise.all([
      import('./sql-session.ts'),
      import('./load-file.ts'),
      import('../databases/client-database.ts'),
    ]);
    const load = {
      base: dataDirectory(context.node, context.project.dataDir),
      file,
      table,
      format: this.#format,
      compression: this.#compression,
      makeUnique,
      filter: mapper === undefined ? undefined : scriptFilter(context, mapper),
    };
    const database = await openDatabase(context, 'ReadFile', db);
    let result: LoadResult;
    if (database instanceof ClientDatabase) {
      const { loadByClient } = await import('./client-load.ts');
      const input = fileInput(load);
      result = await loadByClient(database, {
        ...load,
        what: 'ReadFile',
        input: load.filter?.(input) ?? input,
        timezone,
        onError: clientErrors(context),
      });
    } else {
      result = await withTimezone(database, timezone, () => loadFile(database, load));
    }
    context.log.verbatim(loadedText(result));
    context.addRows(result.loaded);
  }

  override docs(): DocItem[] {
    const { file, table, db, timezone, makeUnique, mapper } = this.#options;
    return [
      ...fileItems('file', [file]),
      ...settingItems({
        table,
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        format: formatText(this.#format),
        compression: this.#compression,
        makeUnique,
        timezone,
      }),
      ...(mapper === undefined ? [] : fileContent('mapper', mapper, () => basePathOf(this.parent))),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec {
    return { kind: 'ReadFile', options: this.#options };
  }
}

/** What does on a command line what the options say. */
const unpackers: Readonly<Record<Compression, readonly string[]>> = {
  none: ['cat'],
  gzip: ['gunzip', '--stdout'],
  zip: ['unzip', '-p'],
  'tar.gz': ['tar', '--extract', '--gzip', '--to-stdout', '--file'],
};
