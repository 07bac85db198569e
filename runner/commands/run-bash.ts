/** Runs a shell command. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, CommandFailure } from '../api/command.ts';
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, settingItems } from './docs.ts';
import { basePathOf } from './files.ts';
import { previewContext, runContext } from './parameter-context.ts';

export interface RunBashOptions {
  /**
   * The command, on one or more lines. A function is called when the command runs or is shown; it gets the parameters of
   * the run. What it puts into the text is code of the shell: hand values over by environment variables instead.
   */
  readonly command: string | ((context: ParameterContext) => string);
  /** Directory in which it runs, relative to the pipeline's base path. Default: the base path. */
  readonly cwd?: string | undefined;
  /** Environment variables besides those of the runner; `undefined` removes one. The place for secrets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

const optionKeys: ReadonlySet<string> = new Set(['command', 'cwd', 'env'] satisfies (keyof RunBashOptions)[]);

/**
 * Runs a command in bash with `pipefail`: a pipe fails when any part of it does. Parameters of the run are environment
 * variables: `$MILLRACE_PARAM_DAY`.
 *
 * @example new RunBash('curl -sSf https://example.com/data.csv.gz | gunzip > data.csv')
 * @example new RunBash('curl -sSf "https://example.com/$MILLRACE_PARAM_DAY.csv" > data.csv')
 */
export class RunBash extends Command {
  readonly #options: RunBashOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(command: RunBashOptions['command'] | RunBashOptions) {
    super();
    const options = typeof command === 'string' || typeof command === 'function' ? { command } : command;
    checkOptions('RunBash', options, optionKeys);
    checkText('RunBash', 'command', options.command);
    checkEnvironment('RunBash', options.env);
    this.#options = options;
  }

  override shellCommand(): string {
    return this.#text(() => previewContext(this.parent));
  }

  override async run(context: CommandContext): Promise<void> {
    const command = this.#text(() => runContext(context));
    context.log.command(command);
    const { env } = this.#options;
    const cwd = await workingDirectory(context, this.#options.cwd);
    const end = await context.processes.shell(command, { cwd, ...(env === undefined ? {} : { env }) });
    if (end.exitCode !== 0) throw new CommandFailure(end.exitCode, end.signal);
  }

  override docs(): DocItem[] {
    const { cwd, env } = this.#options;
    return [
      docItem('command', 'bash', () => this.shellCommand()),
      ...settingItems({ cwd, env: variableNames(env) }),
    ];
  }

  override spec(): CommandSpec | undefined {
    const { command } = this.#options;
    return typeof command === 'function' ? undefined : { kind: 'RunBash', options: this.#options };
  }

  #text(context: () => ParameterContext): string {
    const { command } = this.#options;
    if (typeof command === 'string') return command.trim();
    const made: unknown = command(context());
    if (typeof made === 'string') return made.trim();
    throw new PipelineError(
      `RunBash: the function for command must return a string, not ${describeValue(made)}.`,
    );
  }
}

/** @throws PipelineError when the directory does not exist: the shell's own message would blame the shell */
export async function workingDirectory(context: CommandContext, cwd = '.'): Promise<string> {
  const path = resolve(context.basePath, cwd);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return path;
  const { owner, meaning } = basePathOf(context.node, context.basePath);
  throw new PipelineError(
    `${owner}: there is no directory ${path} to run in ("${cwd}" is relative to ${meaning}).`,
  );
}

/** Names only: values may be secret. */
export function variableNames(
  env: Readonly<Record<string, string | undefined>> | undefined,
): string | undefined {
  return env === undefined ? undefined : Object.keys(env).join(', ');
}

/** @throws PipelineError unless the value is a text that is not blank, or a function */
export function checkText(what: string, option: string, value: unknown): void {
  if (typeof value === 'function' || (typeof value === 'string' && value.trim() !== '')) return;
  throw new PipelineError(
    `${what}: ${option} must be a string that is not empty, or a function, not ${describeValue(value)}.`,
  );
}

/** @throws PipelineError unless all values are texts or `undefined` */
export function checkEnvironment(what: string, env: unknown): void {
  if (env === undefined) return;
  if (typeof env !== 'object' || env === null) {
    throw new PipelineError(
      `${what}: env must be an object with variables by name, not ${describeValue(env)}.`,
    );
  }
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string' || value === undefined) continue;
    throw new PipelineError(`${what}: the environment variable ${name} must be a string or undefined.`);
  }
}
