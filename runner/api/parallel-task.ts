/** Parallel tasks: nodes that make their children when they are reached. */
import type { DocItem } from '../model.ts';
import type { CommandSpec, ExpandedNode } from '../pool/protocol.ts';
import { childCommandKind } from './child-command.ts';
import type { Command } from './command.ts';
import type { ExpansionContext } from './context.ts';
import { checkCount, describeValue, PipelineError } from './errors.ts';
import { upstreamIds } from './graph.ts';
import {
  isParallelTask,
  isPipeline,
  isTask,
  Node,
  nodeOptionKeys,
  type NodeOptions,
  parentKey,
} from './node.ts';
import { Pipeline } from './pipeline.ts';
import { adoptCommands, Task } from './task.ts';

export interface ParallelTaskOptions extends NodeOptions {
  /** How many of the children may run at the same time. Default: as many as the project's `maxParallelTasks` allows. */
  readonly maxParallelTasks?: number | undefined;
  /** Commands that run before the children, as a task `before`. Default: none. */
  readonly commandsBefore?: readonly Command[] | undefined;
  /** Commands that run after the children, as a task `after`. Default: none. */
  readonly commandsAfter?: readonly Command[] | undefined;
  /**
   * How often a failed child is tried again, unless it says otherwise; 0 is never.
   * Default: the project's `defaultMaxRetries`.
   */
  readonly maxRetries?: number | undefined;
}

/** The options that every parallel task takes; a subclass with further ones adds theirs. */
export const parallelTaskOptionKeys: ReadonlySet<string> = new Set([
  ...nodeOptionKeys,
  'maxParallelTasks',
  'commandsBefore',
  'commandsAfter',
  'maxRetries',
] satisfies (keyof ParallelTaskOptions)[]);

/**
 * A node whose children are not known before it is reached in a run, for example one per file that is there then.
 *
 * @example
 * class LoadFiles extends ParallelTask {
 *   override addParallelTasks(subPipeline: Pipeline) {
 *     for (const [index, file] of globSync('*.csv').entries()) {
 *       subPipeline.add(new Task({ id: `load_${index}`, commands: [new ReadFile({ file, table: 'data' })] }));
 *     }
 *   }
 * }
 */
export abstract class ParallelTask extends Node {
  /** How many of the children may run at the same time; `undefined`: no limit of its own. */
  readonly maxParallelTasks: number | undefined;
  /** How often a failed child is tried again; `undefined`: as often as the project says. */
  readonly maxRetries: number | undefined;
  readonly #commandsBefore: Command[] = [];
  readonly #commandsAfter: Command[] = [];

  /**
   * @param allowedKeys for subclasses that hand all their options on: {@link parallelTaskOptionKeys} and their own
   * @throws PipelineError when the id, a value or the name of an option is not valid
   */
  constructor(options: ParallelTaskOptions, allowedKeys: ReadonlySet<string> = parallelTaskOptionKeys) {
    super(new.target.name, options, allowedKeys);
    const { maxParallelTasks, maxRetries, commandsBefore = [], commandsAfter = [] } = options;
    const owner = (): string => `${new.target.name} "${this.id}"`;
    checkCount(owner, 'maxParallelTasks', maxParallelTasks, 1);
    checkCount(owner, 'maxRetries', maxRetries, 0);
    this.maxParallelTasks = maxParallelTasks;
    this.maxRetries = maxRetries;
    this.#commandsBefore.push(...adoptCommands(this, 'commandsBefore', commandsBefore));
    this.#commandsAfter.push(...adoptCommands(this, 'commandsAfter', commandsAfter));
  }

  override get kind(): 'parallel' {
    return 'parallel';
  }

  /** Commands that run before the children. */
  get commandsBefore(): readonly Command[] {
    return this.#commandsBefore;
  }

  /** Commands that run after the children. */
  get commandsAfter(): readonly Command[] {
    return this.#commandsAfter;
  }

  /** Adds a command that runs before the children, after the other ones that do. */
  addCommandBefore(command: Command): this {
    this.#commandsBefore.push(...adoptCommands(this, 'commandsBefore', [command]));
    return this;
  }

  /** Adds a command that runs after the children, and after the other ones that do. */
  addCommandAfter(command: Command): this {
    this.#commandsAfter.push(...adoptCommands(this, 'commandsAfter', [command]));
    return this;
  }

  /**
   * Adds the children to `subPipeline`, which takes the place of this node in the run. It runs in a worker process, and
   * may be called more than once in a run: it must then make children with the same ids.
   *
   * @param context settings such as the directory of the input files, the log of the node, and databases by alias
   */
  abstract addParallelTasks(subPipeline: Pipeline, context: ExpansionContext): void | Promise<void>;

  /**
   * The command that a `new ChildCommand(this, data)` of a child stands for. It is called where the child runs, in
   * whatever worker that is.
   */
  childCommand(data: unknown): Command {
    throw new PipelineError(
      `${this.toString()} has no method childCommand, which would make the command for ${describeValue(data)}.`,
    );
  }

  /** A child that is known without expansion, so that none is needed to run it; `undefined` for all others. */
  declaredChild?(id: string): Task | undefined;

  /** What the page of the node shows about the making of its children. */
  docs(): DocItem[] {
    return [];
  }
}

/**
 * The pipeline that takes the place of a parallel task: the same id, path and base path, the task `before` first and
 * `after` last when there are commands for them, and what {@link ParallelTask.addParallelTasks} adds.
 */
export async function expandParallelTask(task: ParallelTask, context: ExpansionContext): Promise<Pipeline> {
  const pipeline = standIn(task);
  if (task.commandsBefore.length > 0) {
    pipeline.addInitial(commandTask('before', 'Runs the commands before', task.commandsBefore));
  }
  if (task.commandsAfter.length > 0) {
    pipeline.addFinal(commandTask('after', 'Runs the commands after', task.commandsAfter));
  }
  await task.addParallelTasks(pipeline, context);
  if (task.maxRetries !== undefined) inheritRetries(pipeline, task.maxRetries);
  return pipeline;
}

/** The child `before` or `after`, for tasks whose {@link ParallelTask.addParallelTasks} leaves these as they are. */
export function beforeOrAfter(task: ParallelTask, id: string): Task | undefined {
  const commands = id === 'before' ? task.commandsBefore : id === 'after' ? task.commandsAfter : [];
  if (commands.length === 0) return undefined;
  const child = commandTask(id, '', commands);
  standIn(task).add(child);
  return child;
}

/** An empty pipeline at the place of a parallel task: not a child of its parent, where the parallel task stays. */
function standIn(task: ParallelTask): Pipeline {
  const pipeline = new Pipeline({
    id: task.id,
    description: task.description,
    labels: task.labels,
    maxParallelTasks: task.maxParallelTasks,
  });
  pipeline[parentKey] = task.parent;
  return pipeline;
}

/** Children of a generated pipeline in the form that travels to the runner, in declaration order. */
export function toExpandedNodes(pipeline: Pipeline): ExpandedNode[] {
  const upstreams = upstreamIds(pipeline);
  return [...pipeline.nodes.values()].map(node => ({
    id: node.id,
    kind: node.kind,
    description: node.description,
    labels: node.labels,
    upstreams: upstreams.get(node) ?? [],
    ...ownProperties(node),
  }));
}

/** A class whose commands can travel: it is made from the `options` of a {@link CommandSpec}. */
export type CommandClass = new (options: never) => Command;

/**
 * The commands that specs stand for.
 *
 * @param registry command classes by their name
 * @param origin the parallel task that made them
 * @throws PipelineError when a class is not in the registry, or does not take the options
 */
export function reviveCommands(
  specs: readonly CommandSpec[],
  registry: Readonly<Record<string, CommandClass>>,
  origin?: ParallelTask,
): Command[] {
  return specs.map(({ kind, options }) => {
    if (kind === childCommandKind && origin !== undefined) return origin.childCommand(options);
    const commandClass = Object.hasOwn(registry, kind) ? registry[kind] : undefined;
    if (commandClass === undefined) {
      throw new PipelineError(
        `There is no command "${kind}" that could be made from its options. Its method spec() must return undefined.`,
      );
    }
    // The options are what spec() of the same class returned, which no type can say across processes.
    return new commandClass(options as never);
  });
}

function commandTask(id: string, description: string, commands: readonly Command[]): Task {
  // They belonged to the parallel task, or to the task that an earlier expansion made.
  for (const command of commands) command.parent = undefined;
  return new Task({ id, description, commands });
}

function inheritRetries(pipeline: Pipeline, maxRetries: number): void {
  for (const node of pipeline.nodes.values()) {
    if (isPipeline(node)) inheritRetries(node, maxRetries);
    // Read-only for users: it is decided when a node is made, which here ends with the expansion.
    else if ((isTask(node) || isParallelTask(node)) && node.maxRetries === undefined) {
      Object.assign(node, { maxRetries });
    }
  }
}

function ownProperties(node: Node): Partial<ExpandedNode> {
  if (isPipeline(node)) {
    return {
      onFailure: node.onFailure,
      ...defined('maxParallelTasks', node.maxParallelTasks),
      nodes: toExpandedNodes(node),
    };
  }
  if (isTask(node)) {
    return {
      ...defined('maxRetries', node.maxRetries),
      ...defined('retryDelay', node.retryDelay),
      ...defined('timeout', node.timeout),
      ...defined('commands', toSpecs(node.commands)),
    };
  }
  if (isParallelTask(node)) {
    return {
      ...defined('maxRetries', node.maxRetries),
      ...defined('maxParallelTasks', node.maxParallelTasks),
    };
  }
  return {};
}

function toSpecs(commands: readonly Command[] | null): readonly CommandSpec[] | undefined {
  if (commands === null) return undefined;
  const specs: CommandSpec[] = [];
  for (const command of commands) {
    const spec = command.spec();
    if (spec === undefined) return undefined;
    specs.push(spec);
  }
  return specs;
}

function defined<Key extends keyof ExpandedNode>(
  key: Key,
  value: ExpandedNode[Key] | undefined,
): Partial<ExpandedNode> {
  return value === undefined ? {} : { [key]: value };
}
