/** Runs one attempt of a task at a time, in a worker. */
import type { Command } from '../api/command.ts';
import { isParallelTask, isPipeline, isTask, type Node, parentKey } from '../api/node.ts';
import {
  expandParallelTask,
  type ParallelTask,
  reviveCommands,
  toExpandedNodes,
} from '../api/parallel-task.ts';
import { Pipeline } from '../api/pipeline.ts';
import { Task } from '../api/task.ts';
import { formatPath, type NodePath } from '../model.ts';
import { Attempt, type AttemptOptions, Stopped } from './attempt.ts';
import type { ConsoleTaker } from './console-capture.ts';
import type { AttemptResult, FromWorker, TaskAssignment } from './protocol.ts';

export interface TaskRunnerOptions extends AttemptOptions {
  /** Sends a message and ends the worker once it has gone out. */
  readonly sendLast: (message: FromWorker) => void;
}

/** So many children of a parallel task travel in one message. */
const childrenPerMessage = 1000;

export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  #attempt: Attempt | undefined;
  /** What parallel tasks have made in the current run. */
  #expansions = new Map<ParallelTask, Promise<Pipeline>>();
  #runKey = '';

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
  }

  /** Takes what user functions print; `undefined` while no task runs. */
  get console(): ConsoleTaker | undefined {
    return this.#attempt?.console;
  }

  /** Runs the commands of a task. Never throws. */
  async run(task: TaskAssignment): Promise<void> {
    await this.#attemptOf(task, async attempt => {
      const node = await this.#taskOf(task, attempt);
      await attempt.runCommands(node);
      return attempt.success();
    });
  }

  /** Makes the children of a parallel task. Never throws. */
  async expand(task: TaskAssignment): Promise<void> {
    await this.#attemptOf(task, async attempt => {
      const node = await this.#locate(task.nodePath, attempt);
      if (!isParallelTask(node)) throw this.#missing(task.nodePath, 'parallel task');
      const pipeline = await attempt.unlessStopped(this.#expansionOf(node, attempt));
      const nodes = toExpandedNodes(pipeline);
      const { maxParallelTasks } = node;
      // In pieces, so that the runner can do other things while it reads them.
      while (nodes.length > childrenPerMessage)
        this.#options.send({
          type: 'expanding',
          ticket: task.ticket,
          nodes: nodes.splice(0, childrenPerMessage),
        });
      return { nodes, ...(maxParallelTasks !== undefined && { maxParallelTasks }) };
    });
  }

  /** Stops an attempt; nothing happens when it has ended already. */
  cancel(ticket: number, killAfter: number): void {
    if (this.#attempt?.task.ticket === ticket)
      this.#attempt.stop(new Stopped('cancelled', 'the run was cancelled'), killAfter);
  }

  /**
   * An exception that no command could catch: it fails the attempt, and the worker is not to be trusted any more.
   * Whether there was an attempt to fail.
   */
  crashed(error: unknown): boolean {
    this.#attempt?.crash(error);
    return this.#attempt !== undefined;
  }

  async #attemptOf(
    task: TaskAssignment,
    work: (
      attempt: Attempt,
    ) => Promise<AttemptResult | Pick<FromWorker & { type: 'expanded' }, 'nodes' | 'maxParallelTasks'>>,
  ): Promise<void> {
    const { send, sendLast } = this.#options;
    const key = `${String(task.runId)} ${task.runStartedAt}`;
    if (key !== this.#runKey) {
      this.#runKey = key;
      this.#expansions = new Map();
    }
    const attempt = new Attempt(task, this.#options);
    this.#attempt = attempt;
    let message: FromWorker;
    try {
      const result = await attempt.unlessAbandoned(attempt.closingDatabases(work(attempt)));
      attempt.close();
      message =
        'nodes' in result
          ? { type: 'expanded', ticket: task.ticket, ...result }
          : { type: 'finished', ticket: task.ticket, result };
    } catch (error) {
      const result = attempt.failure(error);
      attempt.close();
      message = { type: 'finished', ticket: task.ticket, result, ...(attempt.abandoned && { last: true }) };
    }
    // Only now: whatever follows belongs to the next task.
    this.#attempt = undefined;
    if (attempt.abandoned) sendLast(message);
    else send(message);
  }

  async #taskOf(task: TaskAssignment, attempt: Attempt): Promise<Task> {
    const specs = task.expandedFrom?.commands;
    if (task.expandedFrom !== undefined && specs !== undefined) {
      const origin = await this.#locate(task.expandedFrom.path, attempt);
      if (!isParallelTask(origin)) throw this.#missing(task.expandedFrom.path, 'parallel task');
      const commands = reviveCommands(specs, this.#options.project.commandClasses, origin);
      return revivedTask(origin, task.nodePath, commands);
    }
    const node = await this.#locate(task.nodePath, attempt);
    if (!isTask(node)) throw this.#missing(task.nodePath, 'task');
    return node;
  }

  /** Finds a node, also below parallel tasks, which are expanded again for it, once in a worker and run. */
  async #locate(path: NodePath, attempt: Attempt): Promise<Node> {
    let node: Node = this.#options.project.root;
    for (const [index, id] of path.entries()) {
      const origin = node;
      let child: Node | undefined;
      if (isParallelTask(origin)) {
        child = origin.declaredChild?.(id) ?? (await this.#expansionOf(origin, attempt)).nodes.get(id);
      } else if (isPipeline(origin)) child = origin.nodes.get(id);
      if (child === undefined) {
        const where = path.slice(0, index + 1);
        if (!isParallelTask(origin)) throw this.#missing(where, 'node');
        throw new Error(
          `Parallel task "${formatPath(path.slice(0, index))}" did not make its child "${id}" again: ` +
            'addParallelTasks must make children with the same ids whenever it is called in a run.',
        );
      }
      node = child;
    }
    return node;
  }

  #missing(path: NodePath, what: string): Error {
    const { loadProblems } = this.#options.project;
    if (loadProblems.length > 0) return new Error(loadProblems.join('\n'));
    return new Error(
      `There is no ${what} "${formatPath(path)}" in the worker's copy of the pipelines: ` +
        'what a pipeline file makes must not depend on when or by which process it is loaded.',
    );
  }

  #expansionOf(node: ParallelTask, attempt: Attempt): Promise<Pipeline> {
    let expansion = this.#expansions.get(node);
    if (expansion === undefined) {
      expansion = expandParallelTask(node, attempt.expansionContext(node));
      this.#expansions.set(node, expansion);
      // A failure is not kept: the next attempt tries again.
      expansion.catch(() => this.#expansions.delete(node));
    }
    return expansion;
  }
}

/** A child of a parallel task at its place in the tree, made of nothing but its commands. */
function revivedTask(origin: ParallelTask, path: NodePath, commands: readonly Command[]): Task {
  const below = path.slice(origin.path.length);
  let parent = new Pipeline({ id: origin.id });
  parent[parentKey] = origin.parent;
  for (const id of below.slice(0, -1)) {
    const pipeline = new Pipeline({ id });
    parent.add(pipeline);
    parent = pipeline;
  }
  const task = new Task({ id: below.at(-1) ?? '', commands });
  parent.add(task);
  return task;
}
