/** Calls a function once for each parameter. */
import type { Command } from '../../api/command.ts';
import type { CommandContext } from '../../api/context.ts';
import type { DocItem } from '../../model.ts';
import { docItem, fileItems } from '../docs.ts';
import { RunFunction } from '../run-function.ts';
import { ParallelByParameters, type ParallelByParametersOptions } from './parallel-by-parameters.ts';

export interface ParallelRunFunctionOptions<T> extends ParallelByParametersOptions<T> {
  /** Gets the parameter after the context. A throw or `false` is a failure, everything else success. */
  readonly fn: (context: CommandContext, parameter: T) => void | boolean | Promise<void | boolean>;
  /** Files, relative to the base path; while they stay as they are, a child that succeeded does not run again. */
  readonly fileDependencies?: readonly string[] | undefined;
}

/**
 * Calls a function once for each parameter, as tasks of their own that run in any worker.
 *
 * @example
 * new ParallelRunFunction({ id: 'load', parameters: () => ['de', 'fr'],
 *   fn: async ({ log }, country) => { log.info(`loading ${country}`) } })
 */
export class ParallelRunFunction<const T> extends ParallelByParameters<T> {
  readonly #options: ParallelRunFunctionOptions<T>;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: ParallelRunFunctionOptions<T>) {
    super(options, ['fn', 'fileDependencies']);
    this.#options = options;
    new RunFunction({ fn: options.fn, args: [undefined as T], fileDependencies: options.fileDependencies });
  }

  override docs(): DocItem[] {
    const { fn, fileDependencies } = this.#options;
    return [
      ...super.docs(),
      docItem('function', 'typescript', () => fn.toString()),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  protected override commandFor(parameter: T): Command {
    const { fn, fileDependencies } = this.#options;
    return new RunFunction({ fn, args: [parameter], fileDependencies });
  }
}
