/** Runs a script once for each parameter. */
import type { Command } from '../../api/command.ts';
import type { DocItem } from '../../model.ts';
import { fileItems, settingItems } from '../docs.ts';
import { variableNames } from '../run-bash.ts';
import { RunScript } from '../run-script.ts';
import { ParallelByParameters, type ParallelByParametersOptions } from './parallel-by-parameters.ts';

export interface ParallelRunScriptOptions<T> extends ParallelByParametersOptions<T> {
  /** The script, relative to the base path. The ending of its name says what runs it. */
  readonly file: string;
  /** Environment variables besides those of the runner; `undefined` removes one. The place for secrets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Files, relative to the base path; while they stay as they are, a child that succeeded does not run again. */
  readonly fileDependencies?: readonly string[] | undefined;
}

/**
 * Runs a script once for each parameter, as tasks of their own. An array gives the script one argument for each of its
 * values, anything else is one argument; what is no text or number is written as JSON.
 *
 * @example new ParallelRunScript({ id: 'download', file: 'download.py', parameters: () => [['de', 2026], ['fr', 2025]] })
 */
export class ParallelRunScript<const T> extends ParallelByParameters<T> {
  readonly #options: ParallelRunScriptOptions<T>;

  /** @throws PipelineError when an option is unknown or not valid, or nothing is known to run the script */
  constructor(options: ParallelRunScriptOptions<T>) {
    super(options, ['file', 'env', 'fileDependencies']);
    this.#options = options;
    this.#command([]);
  }

  override docs(): DocItem[] {
    const { file, env, fileDependencies } = this.#options;
    return [
      ...super.docs(),
      ...fileItems('script', [file]),
      ...settingItems({ env: variableNames(env) }),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  protected override commandFor(parameter: T): Command {
    const values: readonly unknown[] = Array.isArray(parameter) ? parameter : [parameter];
    return this.#command(values.map(value => (typeof value === 'string' ? value : JSON.stringify(value))));
  }

  #command(args: readonly string[]): RunScript {
    const { file, env, fileDependencies } = this.#options;
    return new RunScript({ file, args, env, fileDependencies });
  }
}
