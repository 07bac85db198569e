/** Loads a file into a table. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileItems, settingItems } from './docs.ts';
import { checkName } from './execute-sql.ts';
import { dataDirectory } from './files.ts';
import { checkFormat, copyOptions, csv, type FileFormat } from './formats.ts';
import { previewSettings } from './preview-settings.ts';
import { shellWords } from './shell-quote.ts';

export type Compression = 'none' | 'gzip';

export interface ReadFileOptions {
  /** The file, relative to the project's `dataDir`. */
  readonly file: string;
  /** The table that gets the rows, as it is written in SQL: `raw.events`. */
  readonly table: string;
  /** How the records are written. Default: `jsonl()` for names that end in `.jsonl` or `.ndjson`, else `csv()`. */
  readonly format?: FileFormat | undefined;
  /** Default: `gzip` for names that end in `.gz`, else `none`. */
  readonly compression?: Compression | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Time zone of the session, in which times without a zone are read. Default: the server's. */
  readonly timezone?: string | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'file',
  'table',
  'format',
  'compression',
  'db',
  'timezone',
] satisfies (keyof ReadFileOptions)[]);

/** Without one, the ending of the file's name tells. */
const compressions: ReadonlySet<unknown> = new Set([undefined, 'none', 'gzip'] satisfies (
  Compression | undefined
)[]);

/**
 * Adds the records of a file to a table: all of them or, when one is wrong, none. The file streams, whatever its size.
 *
 * @example new ReadFile({ file: 'events.csv.gz', table: 'raw.events', format: csv({ header: true }) })
 */
export class ReadFile extends Command {
  readonly #options: ReadFileOptions;
  readonly #format: FileFormat;
  readonly #compression: Compression;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ReadFileOptions) {
    super();
    checkOptions('ReadFile', options, optionKeys);
    const given: Readonly<Record<string, unknown>> = { ...options };
    for (const option of ['file', 'table'] as const) {
      if (given[option] === undefined) throw new PipelineError(`ReadFile: ${option} is missing.`);
    }
    for (const option of ['file', 'table', 'db', 'timezone'] as const) {
      checkName('ReadFile', option, options[option]);
    }
    if (!compressions.has(given['compression'])) {
      throw new PipelineError(
        `ReadFile: compression must be "none" or "gzip", not ${describeValue(given['compression'])}.`,
      );
    }
    const { file, compression = file.endsWith('.gz') ? 'gzip' : 'none' } = options;
    const format = options.format ?? defaultFormat(file);
    checkFormat('ReadFile', format);
    this.#options = options;
    this.#format = format;
    this.#compression = compression;
  }

  override shellCommand(): string {
    const { file, table, db = previewSettings().defaultDatabase } = this.#options;
    const path = `${previewSettings().dataDir}/${file}`;
    const read = shellWords(this.#compression === 'gzip' ? ['gunzip', '--stdout', path] : ['cat', path]);
    const copy =
      this.#format.kind === 'csv'
        ? `COPY ${table} FROM STDIN WITH (${copyOptions(this.#format)})`
        : `COPY ${table} FROM STDIN /* columns by the keys of the lines */`;
    return `${read} | ${shellWords(['millrace', 'sql', db, '-c', copy])}`;
  }

  override async run(context: CommandContext): Promise<void> {
    const { file, table, db, timezone } = this.#options;
    context.log.command(`${file} → ${table}`);
    const [{ withSession }, { loadFile }] = await Promise.all([
      import('./sql-session.ts'),
      import('./load-file.ts'),
    ]);
    const rows = await withSession(context, { what: 'ReadFile', db, timezone }, session =>
      loadFile(session, {
        base: dataDirectory(context.node, context.project.dataDir),
        file,
        table,
        format: this.#format,
        compression: this.#compression,
      }),
    );
    context.log.verbatim(`COPY ${String(rows)}`);
    context.addRows(rows);
  }

  override docs(): DocItem[] {
    const { file, table, db, timezone } = this.#options;
    const { kind, ...details } = this.#format;
    return [
      ...fileItems('file', [file]),
      ...settingItems({
        table,
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        format: `${kind}(${Object.keys(details).length === 0 ? '' : JSON.stringify(details)})`,
        compression: this.#compression,
        timezone,
      }),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec {
    return { kind: 'ReadFile', options: this.#options };
  }
}

function defaultFormat(file: string): FileFormat {
  return /\.(?:jsonl|ndjson)(?:\.gz)?$/.test(file) ? { kind: 'jsonl' } : csv();
}
