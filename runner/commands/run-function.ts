/** Calls a function of the project. */
import { Command } from '../api/command.ts';
import type { CommandContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import { docItem, fileItems } from './docs.ts';
import { checkFileDependencies, unlessUnchanged } from './file-dependencies.ts';

/** A throw or `false` is a failure, everything else success. */
export type TaskFunction<Args extends readonly unknown[] = readonly []> = (
  context: CommandContext,
  ...args: Args
) => void | boolean | Promise<void | boolean>;

/** A function, with what it gets after the context. */
export type RunFunctionOptions<Args extends readonly unknown[] = readonly []> = {
  /** Files, relative to the base path; while they stay as they are, the function is not called again. */
  readonly fileDependencies?: readonly string[] | undefined;
} & (
  | { readonly fn: TaskFunction<Args>; readonly args: Args }
  | { readonly fn: TaskFunction; readonly args?: undefined }
);

const optionKeys: ReadonlySet<string> = new Set([
  'fn',
  'args',
  'fileDependencies',
] satisfies (keyof RunFunctionOptions)[]);

/**
 * Calls a function, in a process of the pool: what it prints is kept, and when it crashes only its task fails.
 *
 * @example new RunFunction(async ({ log, db }) => { log.info(`${(await (await db()).query('select 1')).rowCount} row`) })
 * @example new RunFunction({ fn: (context, country: string) => load(country), args: ['de'] })
 */
export class RunFunction<const Args extends readonly unknown[] = readonly []> extends Command {
  readonly #fn: (context: CommandContext, ...args: readonly unknown[]) => unknown;
  readonly #args: readonly unknown[];
  readonly #fileDependencies: readonly string[] | undefined;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(fn: TaskFunction | RunFunctionOptions<Args>) {
    super();
    const options: RunFunctionOptions<Args> = typeof fn === 'function' ? { fn } : fn;
    checkOptions('RunFunction', options, optionKeys);
    const given: { readonly fn?: unknown; readonly args?: unknown } = options;
    if (typeof given.fn !== 'function') {
      throw new PipelineError(`RunFunction: fn must be a function, not ${describeValue(given.fn)}.`);
    }
    if (given.args !== undefined && !Array.isArray(given.args)) {
      throw new PipelineError(`RunFunction: args must be an array, not ${describeValue(given.args)}.`);
    }
    checkFileDependencies('RunFunction', options.fileDependencies);
    // That the arguments fit the function is what the type of the options says.
    this.#fn = options.fn as (context: CommandContext, ...args: readonly unknown[]) => unknown;
    this.#args = options.args ?? [];
    this.#fileDependencies = options.fileDependencies;
  }

  override shellCommand(): string {
    const args = this.#args.map(showArgument);
    return `${this.#name()}(${args.join(', ')})`;
  }

  override async run(context: CommandContext): Promise<void | boolean> {
    context.log.command(this.shellCommand());
    return await unlessUnchanged(
      context,
      `RunFunction ${this.#name()}`,
      this.#fileDependencies,
      async noticed => {
        // Called as a plain function: what `this` is here is no business of the project's.
        const fn = this.#fn;
        // Other values than `false` say nothing, whatever a caller without types returns.
        if ((await fn(noticed, ...this.#args)) === false) {
          context.log.error(`${this.#name()} returned false`);
          return false;
        }
        return undefined;
      },
    );
  }

  override docs(): DocItem[] {
    return [
      docItem('call', 'typescript', () => this.shellCommand()),
      docItem('function', 'typescript', () => this.#fn.toString()),
      ...fileItems('file dependency', this.#fileDependencies),
    ];
  }

  #name(): string {
    return this.#fn.name === '' ? 'anonymous' : this.#fn.name;
  }
}

/** As it would be written in code, as far as JSON can say it. */
function showArgument(value: unknown): string {
  if (typeof value === 'bigint') return `${String(value)}n`;
  let json: unknown;
  try {
    json = JSON.stringify(value);
  } catch {
    json = undefined; // a circle
  }
  return typeof json === 'string' ? json : describeValue(value);
}
