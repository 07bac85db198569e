/** One attempt of a task in a worker, from its assignment to its result. */
import { inspect } from 'node:util';
import { CommandFailure } from '../api/command.ts';
import type { CommandContext, Database, ExpansionContext, RunInfo } from '../api/context.ts';
import type { Node } from '../api/node.ts';
import type { ParallelTask } from '../api/parallel-task.ts';
import type { Task } from '../api/task.ts';
import { applicationNameOf } from '../databases/application-name.ts';
import type { ConsoleTaker } from './console-capture.ts';
import { ErrorLines } from './error-lines.ts';
import { OutputCollector, type OutputKind } from './output-collector.ts';
import type { OutputFlow } from './output-flow.ts';
import type { AttemptResult, FromWorker, TaskAssignment } from './protocol.ts';
import type { Shells } from './shells.ts';
import { logTo } from './task-log.ts';
import { TaskProcesses } from './task-processes.ts';
import { withParameters } from './parameter-variables.ts';
import { type AskState, stateOf } from './task-state.ts';
import { describeError } from './user-error.ts';
import type { WorkerProject } from './worker-project.ts';

export interface AttemptOptions {
  readonly project: WorkerProject;
  readonly shells: Shells;
  readonly flow: OutputFlow;
  readonly send: (message: FromWorker) => void;
  readonly askState: AskState;
}

/** Why an attempt was stopped. */
export class Stopped extends Error {
  readonly status: 'cancelled' | 'failed';

  constructor(status: 'cancelled' | 'failed', message: string) {
    super(message);
    this.status = status;
  }
}

/** Seconds that a task which has timed out has to end by itself. */
const timeoutGrace = 5;

/** How long user code may go on after its programs were killed before the worker is given up, in milliseconds. */
const abandonDelay = 200;

const outputKinds = {
  stdout: { format: 'verbatim', isError: false },
  stderr: { format: 'verbatim', isError: true },
} as const satisfies Record<string, OutputKind>;

export class Attempt {
  readonly task: TaskAssignment;
  readonly console: ConsoleTaker;
  /** User code may still be running: the worker has to end. */
  abandoned = false;
  readonly #options: AttemptOptions;
  readonly #output: OutputCollector;
  readonly #controller = new AbortController();
  readonly #stopping = Promise.withResolvers<never>();
  readonly #abandoning = Promise.withResolvers<never>();
  readonly #databases = new Map<string, Promise<Database & AsyncDisposable>>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #endConsole: () => void;
  #processes: TaskProcesses | undefined;
  /** Of the program that began last. */
  #errorLines: ErrorLines | undefined;
  #stopped: Stopped | undefined;
  #rows: number | undefined;
  #commands = 0;
  #unchanged = 0;
  #reason: string | undefined;

  constructor(task: TaskAssignment, options: AttemptOptions) {
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
    const commands = await this.unlessStopped(node.resolveCommands({ params: this.task.params }));
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
    // The number alone says nothing to who comes in the morning. The output holds the line already.
    const why = exitCode === null ? undefined : this.#errorLines?.reason;
    const shown = why === undefined ? details : (details ?? summary);
    if (shown !== undefined) this.#output.write(shown, { format: 'standard', isError: true });
    const [first = '', ...place] = summary.split('\n');
    const text = [why === undefined ? first : `${first}: ${why}`, ...place].join('\n');
    const masked = this.#options.project.masker?.mask(text) ?? text;
    return {
      status: 'failed',
      exitCode,
      error: masked.replaceAll('\0', '\ufffd'),
      reason: null,
      rowsProcessed,
      ...(shown !== undefined && { isShown: true }),
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
        const errorLines = new ErrorLines();
        this.#errorLines = errorLines;
        const stderr = this.#output.stream(outputKinds.stderr, lines => {
          errorLines.add(lines);
        });
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
      state: stateOf(node.path, this.#options.askState),
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
      // Clients of databases are started without.
      processes: withParameters(processes, task.params),
      state: stateOf(task.nodePath, this.#options.askState),
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
        applicationName: applicationNameOf(this.task.runId, this.task.nodePath),
      });
      this.#databases.set(key, opening);
      opening.catch(() => this.#databases.delete(key));
    }
    return await opening;
  }
}
