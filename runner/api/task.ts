/** Tasks: the leaves of the tree, which do the work. */
import { type Command, isCommand } from './command.ts';
import type { ParameterContext } from './context.ts';
import { checkCount, checkSeconds, describeValue, PipelineError } from './errors.ts';
import { inSentence, Node, nodeOptionKeys, type NodeOptions } from './node.ts';

/** Commands that a function makes: at once, one after the other, or after waiting. */
export type CommandSource = Iterable<Command> | AsyncIterable<Command>;

type CommandFunction = (context: ParameterContext) => CommandSource | Promise<CommandSource>;

export interface TaskOptions extends NodeOptions {
  /**
   * What the task does, in this order; the first command that fails ends it. A function makes the task dynamic: it is
   * called when the task runs, and only then, so that it may look at files, databases and the parameters of the run.
   * Default: nothing.
   */
  readonly commands?: readonly Command[] | CommandFunction | undefined;
  /** How often a failed task is tried again; 0 is never. Default: the project's `defaultMaxRetries`. */
  readonly maxRetries?: number | undefined;
  /**
   * Seconds before the first retry, fractions allowed; the time doubles with every further one. Default: 8, so that
   * the waits are 8, 16, 32 … seconds.
   */
  readonly retryDelay?: number | undefined;
  /** Seconds, fractions allowed, after which an attempt is stopped and fails. Default: no limit. */
  readonly timeout?: number | undefined;
}

export const taskOptionKeys: ReadonlySet<string> = new Set([
  ...nodeOptionKeys,
  'commands',
  'maxRetries',
  'retryDelay',
  'timeout',
] satisfies (keyof TaskOptions)[]);

const noCommands: readonly Command[] = [];

/**
 * A list of commands that run one after the other.
 *
 * @example new Task({ id: 'ping', description: 'Pings a host', commands: [new RunBash('ping -c 3 localhost')] })
 */
export class Task extends Node {
  /** How often a failed task is tried again; `undefined`: as often as the project says. */
  readonly maxRetries: number | undefined;
  /** Seconds before the first retry; `undefined`: the default. */
  readonly retryDelay: number | undefined;
  /** Seconds after which an attempt fails; `undefined`: no limit. */
  readonly timeout: number | undefined;
  #commands: Command[] | CommandFunction | undefined;

  /** @throws PipelineError when the id, a value or the name of an option is not valid */
  constructor(options: TaskOptions) {
    super('Task', options, taskOptionKeys);
    const { commands, maxRetries, retryDelay, timeout } = options;
    const owner = (): string => `Task "${this.id}"`;
    checkCount(owner, 'maxRetries', maxRetries, 0);
    checkSeconds(owner, 'retryDelay', retryDelay, true);
    checkSeconds(owner, 'timeout', timeout, false);
    this.maxRetries = maxRetries;
    this.retryDelay = retryDelay;
    this.timeout = timeout;
    if (typeof commands === 'function') this.#commands = commands;
    else if (commands !== undefined) this.addCommands(commands);
  }

  override get kind(): 'task' {
    return 'task';
  }

  /** The commands in the order in which they run; `null` when they are computed at run time. */
  get commands(): readonly Command[] | null {
    if (typeof this.#commands === 'function') return null;
    return this.#commands ?? noCommands;
  }

  /**
   * Adds a command after the others, or with `prepend` before them.
   *
   * @throws PipelineError when the task is dynamic, or the command is part of another task
   */
  addCommand(command: Command, options: { readonly prepend?: boolean | undefined } = {}): this {
    const commands = this.#staticCommands();
    adoptCommand(this, command);
    if (options.prepend === true) commands.unshift(command);
    else commands.push(command);
    return this;
  }

  /**
   * Adds commands after the others.
   *
   * @throws PipelineError when the task is dynamic, or a command is part of another task
   */
  addCommands(commands: Iterable<Command>): this {
    const all = this.#staticCommands();
    all.push(...adoptCommands(this, 'commands', commands));
    return this;
  }

  /**
   * The commands to run now. Those of a dynamic task are computed anew by every call.
   *
   * @throws PipelineError when the function gives something else than commands; and whatever the function throws
   */
  async resolveCommands({ params }: ParameterContext = { params: {} }): Promise<readonly Command[]> {
    if (typeof this.#commands !== 'function') return this.#commands ?? noCommands;
    const source: unknown = await this.#commands({ params });
    if (!isSource(source)) {
      throw new PipelineError(
        `${this.toString()}: the function for commands must return an array of commands, not ${describeValue(source)}.`,
      );
    }
    const commands: unknown[] = [];
    for await (const command of source) commands.push(command);
    return adoptCommands(this, 'commands', commands);
  }

  #staticCommands(): Command[] {
    if (typeof this.#commands === 'function') {
      throw new PipelineError(
        `${this.toString()} computes its commands at run time, so none can be added. ` +
          `Return all of them from the function given as commands.`,
      );
    }
    const commands = this.#commands ?? [];
    this.#commands = commands;
    return commands;
  }
}

/**
 * Makes commands part of a node. None is taken when one of them cannot be.
 *
 * @param option where the commands were given, for messages
 */
export function adoptCommands(owner: Node, option: string, commands: unknown): Command[] {
  if (typeof commands !== 'object' || commands === null || !(Symbol.iterator in commands)) {
    throw new PipelineError(
      `${owner.toString()}: ${option} must be an array of commands, not ${describeValue(commands)}.`,
    );
  }
  const given = [...(commands as Iterable<unknown>)];
  const checked = given.filter(command => checkCommand(owner, command));
  for (const command of checked) command.parent = owner;
  return checked;
}

/** Makes one command part of a node. */
export function adoptCommand(owner: Node, command: Command): void {
  checkCommand(owner, command);
  command.parent = owner;
}

function checkCommand(owner: Node, command: unknown): command is Command {
  if (!isCommand(command)) {
    throw new PipelineError(`${owner.toString()}: ${describeValue(command)} is not a command.`);
  }
  if (command.parent !== undefined && command.parent !== owner) {
    throw new PipelineError(
      `${owner.toString()}: this ${command.constructor.name} command is part of ` +
        `${inSentence(command.parent)} already. Make a command of its own for each task.`,
    );
  }
  return true;
}

function isSource(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}
