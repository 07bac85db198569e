/** Commands that only their parallel task can make. */
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { Command } from './command.ts';
import type { CommandContext } from './context.ts';

/** The `kind` of specifications that the parallel task of a child turns into commands. */
export const childCommandKind = '@child';

/** What makes commands from data: a parallel task. */
export interface ChildCommandSource {
  childCommand(data: unknown): Command;
}

/**
 * A command of a child that holds something which cannot travel to another process, such as a function, or that would
 * be long for each of many children. What travels is `data`, as JSON; where the child runs, the method `childCommand` of
 * its parallel task makes the command from it. So children run in any worker, and nobody expands the task again.
 *
 * @example
 * class PerCountry extends ParallelTask {
 *   override addParallelTasks(subPipeline: Pipeline) {
 *     for (const country of ['de', 'fr'])
 *       subPipeline.add(new Task({ id: country, commands: [new ChildCommand(this, country)] }));
 *   }
 *   override childCommand(country: string) {
 *     return new RunFunction({ fn: loadCountry, args: [country] });
 *   }
 * }
 */
export class ChildCommand extends Command {
  readonly #source: ChildCommandSource;
  readonly #data: unknown;
  #made: Command | undefined;

  constructor(source: ChildCommandSource, data: unknown) {
    super();
    this.#source = source;
    this.#data = data;
  }

  override async run(context: CommandContext): Promise<void | boolean> {
    return await this.#command().run(context);
  }

  override shellCommand(): string {
    return this.#command().shellCommand();
  }

  override docs(): DocItem[] {
    return this.#command().docs();
  }

  override spec(): CommandSpec {
    return { kind: childCommandKind, options: this.#data };
  }

  #command(): Command {
    const command = (this.#made ??= this.#source.childCommand(this.#data));
    command.parent = this.parent;
    return command;
  }
}
