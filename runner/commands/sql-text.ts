/** SQL that a command is given, as text or as the name of a file, with what is replaced in it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import type { Node } from '../api/node.ts';
import type { SqlSource } from '../databases/sql-error.ts';
import type { DocItem } from '../model.ts';
import { docItem, fileItems } from './docs.ts';
import { basePathOf, displayPath, readText, unreadable } from './files.ts';
import { previewContext, runContext } from './parameter-context.ts';
import { previewSettings } from './preview-settings.ts';
import { checkReplacements, isPlain, type Replacements, replaceText } from './replace.ts';

/** Either `sql` or `sqlFile`. */
export type SqlTextOptions = {
  /**
   * Texts that are replaced in the SQL, literally. A function is called when the command runs or is shown; it gets the
   * parameters of the run.
   */
  readonly replace?: Replacements | undefined;
} & (
  | {
      /** The SQL. A function is called when the command runs or is shown; it gets the parameters of the run. */
      readonly sql: string | ((context: ParameterContext) => string);
      readonly sqlFile?: undefined;
    }
  | {
      /** A file with the SQL, relative to the base path. */
      readonly sqlFile: string;
      readonly sql?: undefined;
    }
);

export const sqlTextKeys = ['sql', 'sqlFile', 'replace'] as const satisfies (keyof SqlTextOptions)[];

/** What a page shows of the SQL of a command: where it comes from, and what it is before and after replacement. */
export function sqlDocs(sql: SqlText, node: Node | undefined, label = 'sql'): DocItem[] {
  return [
    ...(sql.file === undefined ? [] : fileItems(`${label} file`, [sql.file])),
    docItem(label, 'sql', () => sql.previewOriginal(node)),
    ...(sql.hasReplacements ? [docItem(`${label} after replacement`, 'sql', () => sql.preview(node))] : []),
  ];
}

export class SqlText {
  readonly #what: string;
  readonly #options: SqlTextOptions;

  /**
   * @param what the command, for messages
   * @throws PipelineError unless exactly one of `sql` and `sqlFile` is given, or when something is not valid
   */
  constructor(what: string, options: SqlTextOptions) {
    const { sql, sqlFile }: { readonly sql?: unknown; readonly sqlFile?: unknown } = options;
    if (sql !== undefined && sqlFile !== undefined) {
      throw new PipelineError(
        `${what} has both sql and sqlFile (${describeValue(sqlFile)}). Give one of them.`,
      );
    }
    if (sql === undefined && sqlFile === undefined) {
      throw new PipelineError(`${what} has neither sql nor sqlFile. Give one of them.`);
    }
    if (sql !== undefined && typeof sql !== 'string' && typeof sql !== 'function') {
      throw new PipelineError(`${what}: sql must be a string or a function, not ${describeValue(sql)}.`);
    }
    if (sqlFile !== undefined && (typeof sqlFile !== 'string' || sqlFile === '')) {
      throw new PipelineError(`${what}: sqlFile must be the name of a file, not ${describeValue(sqlFile)}.`);
    }
    checkReplacements(what, options.replace);
    this.#what = what;
    this.#options = options;
  }

  /** The file's name as it was given; `undefined` when the SQL is given as text. */
  get file(): string | undefined {
    return this.#options.sqlFile;
  }

  get hasReplacements(): boolean {
    return Object.keys(this.#options.replace ?? {}).length > 0;
  }

  /** Whether nothing of it is a function, so that it can travel to another process. */
  get isPlain(): boolean {
    return typeof this.#options.sql !== 'function' && isPlain(this.#options.replace);
  }

  /** The SQL that runs now. */
  async load(context: CommandContext): Promise<SqlSource> {
    const { node, basePath } = context;
    const { sqlFile } = this.#options;
    const given = runContext(context);
    if (sqlFile === undefined)
      return this.#source(
        'sql',
        this.#given(() => given),
        given,
      );
    const base = basePathOf(node, basePath);
    return this.#source(displayPath(resolve(basePath, sqlFile)), await readText(base, sqlFile), given);
  }

  /**
   * What tells this text from others of the same node, whatever the parameters of the run: with these in it, a state
   * would be kept for each value, although they all write the same table.
   */
  identity(node: Node | undefined): string {
    try {
      return this.previewOriginal(node);
    } catch {
      // It cannot be made without the parameters of a run.
      return String(this.#options.sql);
    }
  }

  /** The SQL before replacement, for a page: reads the file as it is now. */
  previewOriginal(node: Node | undefined): string {
    const { sqlFile } = this.#options;
    if (sqlFile === undefined) return this.#given(() => previewContext(node));
    const base = basePathOf(node);
    try {
      const path = resolve(base.directory, sqlFile);
      return previewSettings().readFile?.(path) ?? readFileSync(path, 'utf8');
    } catch (error) {
      throw unreadable(base, sqlFile, error);
    }
  }

  /** The SQL as it would run now. */
  preview(node: Node | undefined): string {
    const original = this.previewOriginal(node);
    return this.hasReplacements
      ? replaceText(original, this.#options.replace, previewContext(node)).text
      : original;
  }

  #given(context: () => ParameterContext): string {
    const { sql } = this.#options;
    const text: unknown = typeof sql === 'function' ? sql(context()) : sql;
    if (typeof text === 'string') return text;
    throw new PipelineError(
      `${this.#what}: the function for sql must return a string, not ${describeValue(text)}.`,
    );
  }

  #source(name: string, original: string, context: ParameterContext): SqlSource {
    if (!this.hasReplacements) return { name, script: original };
    const replaced = replaceText(original, this.#options.replace, context);
    return {
      name,
      script: replaced.text,
      original: { script: original, offset: offset => replaced.offset(offset) },
    };
  }
}
