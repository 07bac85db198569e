/** Runs one attempt of a task at a time, in a worker. */
import { inspect } from 'node:util';
import { type Command, CommandFailure } from '../api/command.ts';
import type {
  CommandContext,
  Database,
  ExpansionContext,
  IncrementalState,
  Log,
  Processes,
  ProjectSettings,
  RunInfo,
} from '../api/context.ts';
import { isParallelTask, isPipeline, isTask, type Node, parentKey } from '../api/node.ts';
import {
  type CommandClass,
  expandParallelTask,
  type ParallelTask,
  reviveCommands,
  toExpandedNodes,
} from '../api/parallel-task.ts';
import { Pipeline } from '../api/pipeline.ts';
import { Task } from '../api/task.ts';
import { formatPath, type NodePath } from '../model.ts';
import type { ConsoleTaker } from './console-capture.ts';
import type { SecretMasker } from './output.ts';
import { OutputCollector, type OutputKind } from './output-collector.ts';
import type { OutputFlow } from './output-flow.ts';
import type { AttemptResult, FromWorker, TaskAssignment } from './protocol.ts';
import type { Shells } from './shells.ts';
import { TaskProcesses } from './task-processes.ts';
import { describeError } from './user-error.ts';

/** What a worker needs of the project that it has loaded. */
export interface WorkerProject {
  /** The project's root pipeline. */
  readonly root: Pipeline;
  /** What was wrong with its files, as the user reads it. */
  readonly loadProblems: readonly string[];
  readonly settings: ProjectSettings;
  /** Classes of commands that travel, by name. */
  readonly commandClasses: Readonly<Record<string, CommandClass>>;
  /** Hides the project's secrets; `undefined` when it has none. */
  readonly masker: SecretMasker | undefined;
  /** Connects to a database by its alias, or to the default one. */
  openDatabase(
    alias: string | undefined,
    options: { readonly signal: AbortSignal; readonly processes: Processes | undefined },
  ): Promise<Database & AsyncDisposable>;
}

export interface TaskRunnerOptions {
  readonly project: WorkerProject;
  readonly shells: Shells;
  readonly flow: OutputFlow;
  readonly send: (message: FromWorker) => void;
  /** Asks the runner; see the message `state`. */
  readonly askState: (method: string, args: readonly unknown[]) => Promise<unknown>;
  /** Sends a message and ends the worker once it has gone out. */
  readonly sendLast: (message: FromWorker) => void;
}

/** Why an attempt was stopped. */
class Stopped extends Error {
  readonly status: 'cancelled' | 'failed';

  constructor(status: 'cancelled' | 'failed', message: string) {
    super(message);
    this.status = status;
  }
}

/** So many children of a parallel task travel in one message. */
const childrenPerMessage = 1000;

/** Seconds that a task which has timed out has to end by itself. */
const timeoutGrace = 5;

/** How long user code may go on after its programs were killed before the worker is given up, in milliseconds. */
const abandonDelay = 200;

const outputKinds = {
  stdout: { format: 'verbatim', isError: false },
  stderr: { format: 'verbatim', isError: true },
} as const satisfies Record<string, OutputKind>;

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

/** One attempt, from its assignment to its result. */
class Attempt {
  readonly task: TaskAssignment;
  readonly console: ConsoleTaker;
  /** User code may still be running: the worker has to end. */
  abandoned = false;
  readonly #options: TaskRunnerOptions;
  readonly #output: OutputCollector;
  readonly #controller = new AbortController();
  readonly #stopping = Promise.withResolvers<never>();
  readonly #abandoning = Promise.withResolvers<never>();
  readonly #databases = new Map<string, Promise<Database & AsyncDisposable>>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #endConsole: () => void;
  #processes: TaskProcesses | undefined;
  #stopped: Stopped | undefined;
  #rows: number | undefined;
  #commands = 0;
  #unchanged = 0;
  #reason: string | undefined;

  constructor(task: TaskAssignment, options: TaskRunnerOptions) {
    this.task = task;
    this.#options = options;
    const { flow, send, project } = options;
    this.#output = new OutputCollector({
      masker: project.masker,
      send: (chunks, bytes) => {
        // A stopped task that has filled the window would have to wait for ever: what it still says is dropped.
        if (this.#stopped !== undefined && flow.full) return;
        flow.sent(bytes);
        send({ type: 'output', ticket: task.ticket, chunks, bytes });
      },
    });
    const stdout = this.#output.stream(outputKinds.stdout);
    const stderr = this.#output.stream(outputKinds.stderr);
    this.console = {
      stdout: chunk => {
        stdout.write(chunk);
      },
      stderr: chunk => {
        stderr.write(chunk);
      },
    };
    this.#endConsole = () => {
      stdout.end();
      stderr.end();
    };
    this.#stopping.promise.catch(() => undefined);
    this.#abandoning.promise.catch(() => undefined);
    const { timeout } = task;
    if (timeout !== undefined) {
      const stop = (): void => {
        this.stop(new Stopped('failed', `timed out after ${String(timeout)} s`), timeoutGrace);
      };
      this.#timers.push(setTimeout(stop, timeout * 1000));
    }
  }

  async runCommands(node: Task): Promise<void> {
    const commands = await this.unlessStopped(node.resolveCommands());
    this.#processes = this.#startProcesses(node);
    const context = this.#context(node, this.#processes);
    for (const command of commands) {
      this.#commands++;
      let unchanged: string | undefined;
      const own: CommandContext = { ...context, unchanged: reason => (unchanged ??= reason) };
      const result: unknown = await command.run(own);
      if (this.#stopped !== undefined) throw this.#stopped;
      if (result === false) throw new Error(`${command.constructor.name} returned false.`);
      if (unchanged === undefined) continue;
      this.#unchanged++;
      this.#reason ??= unchanged;
    }
  }

  /** Ends the attempt from outside. The first reason counts; a later call can only shorten the time that is left. */
  stop(reason: Stopped, killAfter: number): void {
    this.#stopped ??= reason;
    this.#stopping.reject(this.#stopped);
    this.#processes?.stop(this.#stopped, killAfter === 0 ? 'SIGKILL' : 'SIGTERM');
    this.#controller.abort(this.#stopped);
    const kill = (): void => {
      this.#processes?.stop(reason, 'SIGKILL');
      this.#timers.push(
        setTimeout(() => {
          this.#abandon(reason);
        }, abandonDelay),
      );
    };
    if (killAfter === 0) kill();
    else this.#timers.push(setTimeout(kill, killAfter * 1000));
  }

  crash(error: unknown): void {
    this.#processes?.stop(new Error('The worker ends.'), 'SIGKILL');
    this.#controller.abort(error);
    this.#abandon(error);
  }

  async unlessStopped<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#stopping.promise]);
  }

  async unlessAbandoned<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#abandoning.promise]);
  }

  success(): AttemptResult {
    const unchanged = this.#commands > 0 && this.#unchanged === this.#commands;
    return {
      status: unchanged ? 'unchanged' : 'succeeded',
      exitCode: this.#processes?.lastEnd?.exitCode ?? null,
      error: null,
      reason: unchanged ? (this.#reason ?? null) : null,
      rowsProcessed: this.#rows ?? null,
    };
  }

  /** What an error means for the attempt; its details go to the output. */
  failure(error: unknown): AttemptResult {
    const stopped = this.#stopped;
    const exitCode = error instanceof CommandFailure ? error.exitCode : null;
    const rowsProcessed = this.#rows ?? null;
    if (stopped !== undefined) {
      const isTimeout = stopped.status === 'failed';
      const message = isTimeout ? stopped.message : null;
      return {
        status: stopped.status,
        exitCode,
        error: message,
        reason: isTimeout ? null : stopped.message,
        rowsProcessed,
      };
    }
    const { summary, details } = describeError(error);
    if (details !== undefined) this.#output.write(details, { format: 'standard', isError: true });
    const masked = this.#options.project.masker?.mask(summary) ?? summary;
    return {
      status: 'failed',
      exitCode,
      error: masked.replaceAll('\0', '\ufffd'),
      reason: null,
      rowsProcessed,
      ...(details !== undefined && { isShown: true }),
    };
  }

  /** Connections end with the work that has opened them, however that ends. */
  async closingDatabases<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      for (const opening of this.#databases.values()) {
        try {
          const database = await opening;
          await database[Symbol.asyncDispose]();
        } catch {
          // Opening failed, which the command was told; or the connection is gone already.
        }
      }
    }
  }

  /** Sends the rest of the output. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#endConsole();
    this.#output.flush();
  }

  #abandon(error: unknown): void {
    this.abandoned = true;
    this.#abandoning.reject(error);
  }

  #startProcesses(node: Node): TaskProcesses {
    const { shells, send, flow } = this.#options;
    return new TaskProcesses({
      shells,
      basePath: node.basePath,
      onGroup: (pgid, alive) => {
        send({ type: 'group', pgid, alive });
      },
      openOutput: () => {
        const stdout = this.#output.stream(outputKinds.stdout);
        const stderr = this.#output.stream(outputKinds.stderr);
        const room = (): void | Promise<void> => (this.#stopped === undefined ? this.#room(flow) : undefined);
        return {
          stdout: chunk => (stdout.write(chunk), room()),
          stderr: chunk => (stderr.write(chunk), room()),
          end: () => {
            stdout.end();
            stderr.end();
          },
        };
      },
    });
  }

  /** Waits for room in the window, or for the end of the attempt. */
  #room(flow: OutputFlow): Promise<void> | undefined {
    const room = flow.wait();
    return room === undefined
      ? undefined
      : Promise.race([room, this.#stopping.promise.catch(() => undefined)]);
  }

  /** What a parallel task gets that this attempt expands, or needs the children of. */
  expansionContext(node: ParallelTask): ExpansionContext {
    return {
      ...this.#options.project.settings,
      log: logTo(this.#output),
      signal: this.#controller.signal,
      params: this.task.params,
      basePath: node.basePath,
      run: this.#runInfo(),
      parallel: this.task.parallel ?? 1,
      state: this.#state(node.path),
      db: alias => this.#database(alias),
    };
  }

  #runInfo(): RunInfo {
    const { runId, runStartedAt, attempt, chain } = this.task;
    return {
      id: runId,
      startedAt: new Date(runStartedAt),
      attempt,
      chain: chain ?? `${String(runId)}@${runStartedAt}`,
    };
  }

  #context(node: Task, processes: TaskProcesses): CommandContext {
    const { task } = this;
    return {
      log: logTo(this.#output),
      signal: this.#controller.signal,
      node,
      params: task.params,
      basePath: node.basePath,
      run: this.#runInfo(),
      project: this.#options.project.settings,
      processes,
      state: this.#state(task.nodePath),
      db: alias => this.#database(alias),
      addRows: count => {
        if (!Number.isFinite(count)) throw new TypeError(`addRows takes a number, not ${inspect(count)}.`);
        this.#rows = (this.#rows ?? 0) + count;
      },
      unchanged: () => undefined,
    };
  }

  async #database(alias?: string): Promise<Database> {
    const key = alias ?? '';
    let opening = this.#databases.get(key);
    if (opening === undefined) {
      opening = this.#options.project.openDatabase(alias, {
        signal: this.#controller.signal,
        processes: this.#processes,
      });
      this.#databases.set(key, opening);
      opening.catch(() => this.#databases.delete(key));
    }
    return await opening;
  }

  #state(nodePath: NodePath): IncrementalState {
    const { askState } = this.#options;
    return {
      async fileDependency(dependencyType) {
        const hash = await askState('fileDependency', [nodePath, dependencyType]);
        return typeof hash === 'string' ? hash : null;
      },
      async setFileDependency(dependencyType, hash) {
        await askState('setFileDependency', [nodePath, dependencyType, hash]);
      },
      async deleteFileDependency(dependencyType) {
        await askState('deleteFileDependency', [nodePath, dependencyType]);
      },
      async copyWatermark(source) {
        const value = await askState('copyWatermark', [nodePath, source]);
        return typeof value === 'string' ? value : null;
      },
      async setCopyWatermark(source, value) {
        await askState('setCopyWatermark', [nodePath, source, value]);
      },
      async deleteCopyWatermark(source) {
        await askState('deleteCopyWatermark', [nodePath, source]);
      },
      async setProcessedFiles(node, files) {
        await askState('setProcessedFiles', [node, files]);
      },
    };
  }
}

function logTo(output: OutputCollector): Log {
  return {
    info: text => {
      output.write(text, { format: 'standard', isError: false });
    },
    command: text => {
      output.write(text, { format: 'italics', isError: false });
    },
    verbatim: text => {
      output.write(text, { format: 'verbatim', isError: false });
    },
    error: text => {
      output.write(text, { format: 'standard', isError: true });
    },
    write: (text, kind) => {
      output.write(text, kind);
    },
  };
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
