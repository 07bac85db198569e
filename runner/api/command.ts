import type { DocItem, SourceLocation } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import type { CommandContext } from './context.ts';
import type { Node } from './node.ts';
import { callerLocation } from './location.ts';

/** Marks commands of any copy of Millrace. */
const commandBrand: unique symbol = Symbol.for('millrace.command');

/**
 * A unit of work inside a task. Subclasses implement {@link shellCommand}, or override {@link run} when the work is
 * not a shell command. Constructors must not do the work: a command is made whenever its file is loaded.
 */
export abstract class Command {
  readonly [commandBrand] = true;
  /** The task that the command was added to. */
  parent: Node | undefined = undefined;
  /** Where it was made; known only while a graph with locations is loaded. */
  readonly location: SourceLocation | undefined = callerLocation(this);

  /**
   * Does the work. A throw or `false` is a failure; `undefined` and `true` are success.
   * By default it runs {@link shellCommand} and fails when that exits with another code than 0.
   */
  async run(context: CommandContext): Promise<void | boolean> {
    const command = this.shellCommand();
    context.log.command(command);
    const end = await context.processes.shell(command);
    if (end.exitCode !== 0) throw new CommandFailure(end.exitCode, end.signal);
  }

  /** What would run, safe to show: pure, and without secrets. */
  abstract shellCommand(): string;

  /** What the task's page shows of the command. */
  docs(): DocItem[] {
    return [{ label: 'command', value: this.shellCommand(), language: 'bash' }];
  }

  /**
   * The command in a form that another process can bring back to life; `undefined` when it holds functions or is a
   * class of the project (then the child task's parallel task is expanded again where the child runs).
   */
  spec(): CommandSpec | undefined {
    return undefined;
  }
}

/** Whether a value is a command, also one of another copy of Millrace (`instanceof` would not know that). */
export function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && commandBrand in value;
}

/** A program ended with another exit code than 0, or by a signal. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;

  constructor(exitCode: number | null, signal: NodeJS.Signals | null, what = '') {
    const prefix = what === '' ? '' : `${what}: `;
    super(signal === null ? `${prefix}exit code ${String(exitCode)}` : `${prefix}killed by ${signal}`);
    this.exitCode = exitCode;
    this.signal = signal;
  }
}
