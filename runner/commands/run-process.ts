/** Runs a program without a shell. */
import { Command, CommandFailure } from '../api/command.ts';
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, settingItems } from './docs.ts';
import { previewContext, runContext } from './parameter-context.ts';
import { checkEnvironment, variableNames, workingDirectory } from './run-bash.ts';
import { shellWords } from './shell-quote.ts';

/** Arguments of a program, or a function that makes them. */
export type ProgramArguments = readonly string[] | ((context: ParameterContext) => readonly string[]);

export interface RunProcessOptions {
  /** The program: a name that is looked up in PATH, or a path. */
  readonly command: string;
  /**
   * Its arguments, handed over as they are. A function is called when the command runs or is shown; it gets the
   * parameters of the run. Default: none.
   */
  readonly args?: ProgramArguments | undefined;
  /** Directory in which it runs, relative to the pipeline's base path. Default: the base path. */
  readonly cwd?: string | undefined;
  /** Environment variables besides those of the runner; `undefined` removes one. The place for secrets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Text for its standard input. Default: empty. */
  readonly input?: string | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'command',
  'args',
  'cwd',
  'env',
  'input',
] satisfies (keyof RunProcessOptions)[]);

/**
 * Runs a program without a shell: nothing in its arguments has a special meaning, and it works on every system.
 *
 * @example new RunProcess({ command: 'git', args: ['log', '--oneline'] })
 */
export class RunProcess extends Command {
  readonly #options: RunProcessOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: RunProcessOptions) {
    super();
    checkOptions('RunProcess', options, optionKeys);
    const { command, args, env, input } = options;
    if (typeof command !== 'string' || command.trim() === '') {
      throw new PipelineError(
        `RunProcess: command must be the name of a program, not ${describeValue(command)}.`,
      );
    }
    if (typeof args !== 'function') checkArguments('RunProcess', args);
    checkEnvironment('RunProcess', env);
    if (input !== undefined && typeof input !== 'string') {
      throw new PipelineError(`RunProcess: input must be a string, not ${describeValue(input)}.`);
    }
    this.#options = options;
  }

  override shellCommand(): string {
    const { command, args } = this.#options;
    return shellWords([command, ...resolveArguments('RunProcess', args, () => previewContext(this.parent))]);
  }

  override async run(context: CommandContext): Promise<void> {
    const { command, env, input } = this.#options;
    const args = resolveArguments('RunProcess', this.#options.args, () => runContext(context));
    context.log.command(shellWords([command, ...args]));
    const end = await context.processes.run(command, args, {
      cwd: await workingDirectory(context, this.#options.cwd),
      ...(env === undefined ? {} : { env }),
      ...(input === undefined ? {} : { input }),
    });
    if (end.exitCode !== 0) throw new CommandFailure(end.exitCode, end.signal, command);
  }

  override docs(): DocItem[] {
    const { cwd, env, input } = this.#options;
    return [
      docItem('command', 'bash', () => this.shellCommand()),
      ...settingItems({ cwd, env: variableNames(env) }),
      ...(input === undefined ? [] : [docItem('input', 'text', () => input)]),
    ];
  }

  override spec(): CommandSpec | undefined {
    return typeof this.#options.args === 'function'
      ? undefined
      : { kind: 'RunProcess', options: this.#options };
  }
}

/** Arguments of a program, with those that a function makes. */
export function resolveArguments(
  what: string,
  args: ProgramArguments | undefined,
  context: () => ParameterContext,
): readonly string[] {
  if (typeof args !== 'function') return args ?? [];
  const made = args(context());
  checkArguments(what, made);
  return made;
}

/** @throws PipelineError unless the value is `undefined` or a list of strings */
export function checkArguments(what: string, args: unknown): void {
  if (args === undefined) return;
  if (Array.isArray(args) && args.every(arg => typeof arg === 'string' && !arg.includes('\0'))) return;
  throw new PipelineError(
    `${what}: args must be an array of strings, not ${Array.isArray(args) ? 'one with other values' : describeValue(args)}.`,
  );
}
