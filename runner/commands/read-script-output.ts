/** Loads what a script prints into a table. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileContent, settingItems } from './docs.ts';
import { basePathOf } from './files.ts';
import { checkTextFormat, copyOptions, csv, formatText, type TextFormat } from './formats.ts';
import type { LoadResult } from './load-records.ts';
import { checkLoadOptions, clientErrors, loadedText } from './loading.ts';
import { previewContext, runContext } from './parameter-context.ts';
import { previewSettings } from './preview-settings.ts';
import { checkEnvironment, variableNames } from './run-bash.ts';
import { checkArguments, type ProgramArguments, resolveArguments } from './run-process.ts';
import { checkScript, type Script, scriptOutput } from './script-output.ts';
import { shellWords } from './shell-quote.ts';

export interface ReadScriptOutputOptions {
  /** The script, relative to the base path. The ending of its name says what runs it. */
  readonly file: string;
  /** Its arguments. A function is called when the command runs or is shown; it gets the parameters. Default: none. */
  readonly args?: ProgramArguments | undefined;
  /** Environment variables besides those of the runner; `undefined` removes one. The place for secrets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The table that gets the rows, as it is written in SQL: `raw.events`. */
  readonly table: string;
  /** How the records are written. Default: `csv()`. */
  readonly format?: TextFormat | undefined;
  /** Whether of records that are the same in all columns one is loaded. Default: false. */
  readonly makeUnique?: boolean | undefined;
  /** Alias of the database. Default: the project's `defaultDatabase`. */
  readonly db?: string | undefined;
  /** Time zone of the session, in which times without a zone are read. Default: the server's. */
  readonly timezone?: string | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'file',
  'args',
  'env',
  'table',
  'format',
  'makeUnique',
  'db',
  'timezone',
] satisfies (keyof ReadScriptOutputOptions)[]);

/**
 * Runs a script and adds the records that it writes to standard output to a table, while it runs: all of them or, when
 * one is wrong or the script fails, none. Standard error goes to the log.
 *
 * @example new ReadScriptOutput({ file: 'fetch_rates.py', args: ['EUR'], table: 'raw.rates', format: jsonl() })
 */
export class ReadScriptOutput extends Command {
  readonly #options: ReadScriptOutputOptions;
  readonly #format: TextFormat;
  readonly #script: Script;

  /** @throws PipelineError when an option is unknown or not valid, or nothing is known to run the script */
  constructor(options: ReadScriptOutputOptions) {
    super();
    checkOptions('ReadScriptOutput', options, optionKeys);
    checkLoadOptions('ReadScriptOutput', options, ['file']);
    const { file, args, env, format = csv() } = options;
    this.#script = checkScript('ReadScriptOutput', 'file', file);
    if (typeof args !== 'function') checkArguments('ReadScriptOutput', args);
    checkEnvironment('ReadScriptOutput', env);
    checkTextFormat('ReadScriptOutput', format);
    this.#options = options;
    this.#format = format;
  }

  override shellCommand(): string {
    const { args, table, db = previewSettings().defaultDatabase } = this.#options;
    const options = this.#format.kind === 'csv' ? ` WITH (${copyOptions(this.#format)})` : '';
    const load = shellWords(['millrace', 'sql', db, '-c', `COPY ${table} FROM STDIN${options}`]);
    const shown = resolveArguments('ReadScriptOutput', args, () => previewContext(this.parent));
    return `${this.#scriptCommand(shown)} | ${load}`;
  }

  override async run(context: CommandContext): Promise<void> {
    const { file, env, table, db, timezone, makeUnique = false } = this.#options;
    const args = resolveArguments('ReadScriptOutput', this.#options.args, () => runContext(context));
    context.log.command(`${this.#scriptCommand(args)} → ${table}`);
    const [{ openDatabase, withTimezone }, { loadRecords, textSource }, { ClientDatabase }] =
      await Promise.all([
        import('./sql-session.ts'),
        import('./load-records.ts'),
        import('../databases/client-database.ts'),
      ]);
    const script = this.#script;
    const format = this.#format;
    const input = async function* () {
      yield await Promise.resolve({ name: file, chunks: () => scriptOutput(context, script, { args, env }) });
    };
    const database = await openDatabase(context, 'ReadScriptOutput', db);
    let result: LoadResult;
    if (database instanceof ClientDatabase) {
      const { loadByClient } = await import('./client-load.ts');
      const onError = clientErrors(context);
      const load = { what: 'ReadScriptOutput', table, input, format, makeUnique, timezone, onError };
      result = await loadByClient(database, load);
    } else {
      const load = { name: file, table, makeUnique, source: textSource(input, format, table) };
      result = await withTimezone(database, timezone, () => loadRecords(database, load));
    }
    context.log.verbatim(loadedText(result));
    context.addRows(result.loaded);
  }

  override docs(): DocItem[] {
    const { file, env, table, db, timezone, makeUnique } = this.#options;
    return [
      ...fileContent('script', file, () => basePathOf(this.parent)),
      ...settingItems({
        table,
        db: db ?? `${previewSettings().defaultDatabase} (default)`,
        format: formatText(this.#format),
        makeUnique,
        timezone,
        env: variableNames(env),
      }),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    return typeof this.#options.args === 'function'
      ? undefined
      : { kind: 'ReadScriptOutput', options: this.#options };
  }

  #scriptCommand(args: readonly string[]): string {
    return shellWords([this.#script.interpreter.name, this.#script.file, ...args]);
  }
}
