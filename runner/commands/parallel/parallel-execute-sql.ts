/** Runs SQL once for each parameter. */
import type { Command } from '../../api/command.ts';
import { describeValue, PipelineError } from '../../api/errors.ts';
import type { DocItem } from '../../model.ts';
import { ExecuteSQL, type ExecuteSQLOptions } from '../execute-sql.ts';
import { ParallelByParameters, type ParallelByParametersOptions } from './parallel-by-parameters.ts';

/** A value that stands for a placeholder. */
export type SqlParameter = string | number;

/** A row of values, one for each placeholder; one value; or values by the placeholder that they stand for. */
export type SqlParameters = readonly SqlParameter[] | SqlParameter | Readonly<Record<string, SqlParameter>>;

export type ParallelExecuteSQLOptions<T extends SqlParameters = SqlParameters> =
  ParallelByParametersOptions<T> &
    ExecuteSQLOptions & {
      /** Texts in the SQL that the values of a parameter replace, in this order. Default: the keys of the parameters. */
      readonly placeholders?: readonly string[] | undefined;
    };

const sqlKeys = ['sql', 'sqlFile', 'replace', 'db', 'fileDependencies', 'echoQueries', 'timezone'] as const;

/**
 * Runs SQL once for each parameter, as tasks of their own: in each, the placeholders are replaced by the values of one
 * parameter, literally and together with `replace`. The other options are those of {@link ExecuteSQL}.
 *
 * @example
 * new ParallelExecuteSQL({ id: 'load', sqlFile: 'load.sql', parameters: () => [['de', 2026], ['fr', 2025]],
 *   placeholders: ['@country@', '@year@'] })
 * @example
 * new ParallelExecuteSQL({ id: 'facts', sqlFile: 'facts.sql', parameters: chunks(7), placeholders: ['@chunk@'] })
 */
export class ParallelExecuteSQL<
  const T extends SqlParameters = SqlParameters,
> extends ParallelByParameters<T> {
  readonly #options: ParallelExecuteSQLOptions<T>;
  readonly #placeholders: readonly string[] | undefined;

  /** @throws PipelineError when an option is unknown or not valid, or both or neither of sql and sqlFile are given */
  constructor(options: ParallelExecuteSQLOptions<T>) {
    super(options, ['placeholders', ...sqlKeys]);
    const placeholders: unknown = options.placeholders;
    if (placeholders !== undefined) {
      if (
        !Array.isArray(placeholders) ||
        !placeholders.every(text => typeof text === 'string' && text !== '')
      ) {
        throw new PipelineError(
          `${this.toString()}: placeholders must be an array of texts that are not empty, not ${describeValue(placeholders)}.`,
        );
      }
      const twice: unknown =
        placeholders.find((text, index) => placeholders.indexOf(text) !== index) ??
        placeholders.find(text => options.replace !== undefined && text in options.replace);
      if (twice !== undefined) {
        throw new PipelineError(
          `${this.toString()}: ${JSON.stringify(twice)} is replaced by two different things.`,
        );
      }
    }
    this.#options = options;
    this.#placeholders = options.placeholders;
    this.#command({}); // Mistakes are told now, not in each child.
  }

  override docs(): DocItem[] {
    const command = this.#command({});
    command.parent = this;
    return [
      ...super.docs(),
      {
        label: 'placeholders',
        value: (this.#placeholders ?? ['keys of the parameters']).join(', '),
        language: 'text',
      },
      // With placeholders in it, no SQL can be run in a shell.
      ...command.docs().filter(({ label }) => label !== 'command'),
    ];
  }

  protected override commandFor(parameter: T): Command {
    return this.#command(this.#replacements(parameter));
  }

  protected override checkParameter(parameter: T, index: number): void {
    const given: unknown = parameter;
    const place = `${this.toString()}: parameter ${String(index + 1)}`;
    const values: readonly unknown[] =
      typeof given === 'object' && given !== null ? Object.values(given) : [given];
    const wrong = values.find(value => typeof value !== 'string' && typeof value !== 'number');
    if (wrong !== undefined || values.includes(null)) {
      throw new PipelineError(
        `${place} has the value ${describeValue(wrong)}. Only strings and numbers replace placeholders.`,
      );
    }
    const isNamed = typeof given === 'object' && given !== null && !Array.isArray(given);
    if (this.#placeholders === undefined) {
      if (!isNamed)
        throw new PipelineError(
          `${place} is ${describeValue(given)}, and there are no placeholders for it. Give them.`,
        );
      if ('' in given) throw new PipelineError(`${place}: a text to replace must not be empty.`);
    } else if (isNamed || values.length !== this.#placeholders.length) {
      const expected = `${String(this.#placeholders.length)} (${this.#placeholders.join(', ')})`;
      const got = isNamed ? 'an object with names of its own' : `${String(values.length)} values`;
      throw new PipelineError(`${place} is ${got}, but the number of placeholders is ${expected}.`);
    }
  }

  #replacements(parameter: T): Readonly<Record<string, SqlParameter>> {
    if (typeof parameter === 'object' && !Array.isArray(parameter))
      return parameter as Readonly<Record<string, SqlParameter>>;
    const values: readonly unknown[] = Array.isArray(parameter) ? parameter : [parameter];
    // That they are texts and numbers was checked when the child was made.
    return Object.fromEntries(
      (this.#placeholders ?? []).map((text, index) => [text, values[index] as SqlParameter]),
    );
  }

  #command(replacements: Readonly<Record<string, SqlParameter>>): ExecuteSQL {
    const options: Partial<Record<(typeof sqlKeys)[number], unknown>> = this.#options;
    const own = Object.fromEntries(sqlKeys.flatMap(key => (key in options ? [[key, options[key]]] : [])));
    return new ExecuteSQL({
      ...own,
      replace: { ...this.#options.replace, ...replacements },
    } as unknown as ExecuteSQLOptions);
  }
}
