/** What parallel tasks with one child for each parameter have in common. */
import { isDeepStrictEqual } from 'node:util';
import { ChildCommand } from '../../api/child-command.ts';
import type { Command } from '../../api/command.ts';
import type { ExpansionContext } from '../../api/context.ts';
import { describeValue, PipelineError } from '../../api/errors.ts';
import {
  beforeOrAfter,
  ParallelTask,
  type ParallelTaskOptions,
  parallelTaskOptionKeys,
} from '../../api/parallel-task.ts';
import type { Pipeline } from '../../api/pipeline.ts';
import { Task } from '../../api/task.ts';
import type { DocItem } from '../../model.ts';
import { docItem } from '../docs.ts';
import { ChildIds } from './child-ids.ts';

/** Gives the parameters: all at once, one after the other, or after waiting. */
export type ParameterSource<T> = (
  context: ExpansionContext,
) => Iterable<T> | AsyncIterable<T> | Promise<Iterable<T> | AsyncIterable<T>>;

export interface ParallelByParametersOptions<T> extends ParallelTaskOptions {
  /**
   * One child is made for each of these values, which must be plain data: what JSON can hold. It is called when the task
   * is reached, in a worker, and may ask a database or list files.
   */
  readonly parameters: ParameterSource<T>;
}

export const parallelByParametersOptionKeys = ['parameters'] as const;

/**
 * Makes one child for each parameter. What a child is given is its parameter; everything else it finds in this task, in
 * whatever worker it runs, so that a hundred thousand children are no burden.
 */
export abstract class ParallelByParameters<T> extends ParallelTask {
  readonly #parameters: ParameterSource<T>;

  /** @param ownKeys options besides those of every parallel task and `parameters` */
  constructor(options: ParallelByParametersOptions<T>, ownKeys: readonly string[]) {
    super(options, new Set([...parallelTaskOptionKeys, ...parallelByParametersOptionKeys, ...ownKeys]));
    const given: { readonly parameters?: unknown } = options;
    if (typeof given.parameters !== 'function') {
      throw new PipelineError(
        `${this.toString()}: parameters must be a function that returns the values, such as () => ["de", "fr"], ` +
          `not ${describeValue(given.parameters)}.`,
      );
    }
    this.#parameters = options.parameters;
  }

  override async addParallelTasks(subPipeline: Pipeline, context: ExpansionContext): Promise<void> {
    const source: unknown = await this.#parameters(context);
    if (!isSource(source)) {
      throw new PipelineError(
        `${this.toString()}: parameters must return an array or another list of values, not ${describeValue(source)}.`,
      );
    }
    const ids = new ChildIds();
    let index = 0;
    for await (const parameter of source) {
      const json = this.#json(parameter, index);
      this.checkParameter?.(parameter as T, index);
      subPipeline.add(
        new Task({
          id: ids.next(parameter, json),
          description: json.length > 100 ? `${json.slice(0, 99)}…` : json,
          commands: [new ChildCommand(this, parameter)],
        }),
      );
      index++;
    }
    if (index === 0) context.log.info('No parameters');
  }

  override childCommand(data: unknown): Command {
    // Only what JSON does not change is let through, so this is what `parameters` gave.
    return this.commandFor(data as T);
  }

  override declaredChild(id: string): Task | undefined {
    return beforeOrAfter(this, id);
  }

  override docs(): DocItem[] {
    return [docItem('parameters', 'typescript', () => this.#parameters.toString())];
  }

  /** The command of the child that works on a parameter. */
  protected abstract commandFor(parameter: T): Command;

  /** @throws PipelineError when there can be no child for the parameter */
  protected checkParameter?(parameter: T, index: number): void;

  #json(parameter: unknown, index: number): string {
    let json: unknown;
    try {
      json = JSON.stringify(parameter);
      if (typeof json === 'string' && isDeepStrictEqual(JSON.parse(json), parameter)) return json;
    } catch {
      // bigint, or a circle
    }
    throw new PipelineError(
      `${this.toString()}: parameter ${String(index + 1)} is ${describeValue(parameter)}, which JSON cannot hold as it is. ` +
        'Use texts, numbers, true, false, null, and arrays and plain objects of these.',
    );
  }
}

function isSource(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}
