/** One worker, as the runner sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { removePipeFolder } from './pipes.ts';
import { killSession, signalGroup } from './process-group.ts';
import type {
  AttemptResult,
  ExpandedNode,
  FromWorker,
  OutputChunk,
  ProjectSource,
  TaskAssignment,
  ToWorker,
  WorkerMail,
} from './protocol.ts';
import type { Reaper } from './reaper.ts';
import type { StateRequest } from './worker-pool.ts';

export interface WorkerOptions {
  readonly source: ProjectSource;
  readonly workerFile: string;
  readonly workerArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly reaper: Reaper;
  readonly onReady: () => void;
  readonly onUnusable: (message: string) => void;
  readonly onOutput: (ticket: number, chunks: readonly OutputChunk[], bytes: number) => void;
  /** `last`: the worker takes no more tasks. */
  readonly onFinished: (ticket: number, result: AttemptResult, last: boolean) => void;
  readonly onExpanded: (
    ticket: number,
    nodes: readonly ExpandedNode[],
    maxParallelTasks: number | undefined,
  ) => void;
  readonly onState: (request: StateRequest) => Promise<unknown>;
  /** The process is gone; an attempt that was running has been reported as finished before. */
  readonly onEnded: (wasReady: boolean, how: string) => void;
}

/** How long a worker may take to report the end of an attempt after the time for it is over, in milliseconds. */
const answerTime = 1000;

/** The same when everything was to be killed at once. */
const shortAnswerTime = 250;

/** Seconds that the worker itself gives a task after its timeout. */
const timeoutGrace = 5;

/** What a dying worker may say that is kept to explain its death, in characters. */
const maxLastWords = 8 * 1024;

/** Bytes of output that are taken up before the worker is told: less than what it may have on its way. */
const tellAfter = 128 * 1024;

export class PooledWorker {
  readonly #options: WorkerOptions;
  readonly #process: ChildProcess;
  readonly #groups = new Set<number>();
  readonly #ended = Promise.withResolvers<void>();
  #ready = false;
  #task: TaskAssignment | undefined;
  /** Of a parallel task that is being expanded, as far as they have come. */
  #children: ExpandedNode[] = [];
  #cancelled = false;
  #timedOut = false;
  #last = false;
  #killed = false;
  #taken = 0;
  /** What the worker knows of `#taken`. */
  #told = 0;
  #deadline: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined;
  #lastWords = '';
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
  #gone = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    // A session of its own, so that what it has started can be ended with it, known or not.
    this.#process = fork(options.workerFile, options.workerArguments, {
      detached: true,
      serialization: 'json',
      execArgv: [],
      env: { ...process.env, ...options.environment, MILLRACE_WORKER: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const { pid, stderr } = this.#process;
    if (pid !== undefined) options.reaper.addWorker(pid);
    stderr?.setEncoding('utf8');
    stderr?.on('data', (text: string) => (this.#lastWords = (this.#lastWords + text).slice(-maxLastWords)));
    this.#process.on('message', (mail: WorkerMail) => {
      for (const message of mail) this.#onMessage(message);
    });
    this.#process.on('exit', (code, signal) => {
      this.#exit = { code, signal };
      this.#killGroups();
      if (signal !== null && this.#process.pid !== undefined) removePipeFolder(this.#process.pid);
      this.#closeIfGone();
    });
    // Comes after the last message, and where this side has disconnected, before the exit.
    this.#process.on('disconnect', () => {
      this.#closeIfGone();
    });
    this.#process.on('error', error => {
      this.#lastWords += error.message;
      if (this.#process.pid === undefined) this.#onClose();
    });
    this.#send({ type: 'load', source: options.source });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Settled when the process is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Whether it has loaded the project. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether a task may be given to it. One that is being killed may still report the end of its last one. */
  get free(): boolean {
    return this.#task === undefined && !this.#last && !this.#killed && this.#exit === undefined;
  }

  assign(type: 'run' | 'expand', task: TaskAssignment): void {
    this.#task = task;
    this.#children = [];
    this.#cancelled = false;
    this.#timedOut = false;
    this.#send({ type, task });
    if (task.timeout !== undefined) {
      // The worker sees to it, unless user code keeps it busy.
      this.#killIn(task.timeout * 1000 + timeoutGrace * 1000 + answerTime, () => (this.#timedOut = true));
    }
  }

  cancel(ticket: number, killAfter: number): void {
    if (this.#task?.ticket !== ticket) return;
    this.#send({ type: 'cancel', ticket, killAfter });
    const wait = killAfter > 0 ? killAfter * 1000 + answerTime : shortAnswerTime;
    this.#killIn(wait, () => (this.#cancelled = true));
  }

  taken(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken - this.#told < tellAfter) return;
    this.#told = this.#taken;
    this.#send({ type: 'taken', bytes: this.#taken });
  }

  /** Ends an idle worker; what a busy one runs is killed. */
  close(): void {
    if (this.#task !== undefined || !this.#ready) this.kill();
    else if (this.#process.connected) this.#process.disconnect();
    // It ends itself on that, unless user code keeps it busy.
    this.#deadline ??= {
      at: 0,
      timer: setTimeout(() => {
        this.kill();
      }, answerTime),
    };
  }

  kill(): void {
    this.#killed = true;
    // Not through its group: that would be a stranger's if the worker had just ended. It is stopped first: it starts
    // nothing more, reports no death that it has not caused, and while it has not waited for the leaders of its groups,
    // their ids are nobody else's.
    if (process.platform !== 'win32') this.#process.kill('SIGSTOP');
    this.#killGroups();
    this.#process.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    if (!this.#process.connected) return;
    // A worker that is gone is noticed by its end.
    this.#process.send(message, () => undefined);
  }

  #onMessage(message: FromWorker): void {
    const { reaper, onReady, onUnusable, onOutput, onState } = this.#options;
    switch (message.type) {
      case 'ready':
        this.#ready = true;
        onReady();
        break;
      case 'unusable':
        onUnusable(message.message);
        break;
      case 'output':
        onOutput(message.ticket, message.chunks, message.bytes);
        break;
      case 'finished':
        if (!this.#endTask(message.ticket)) break;
        this.#last = message.last === true;
        this.#options.onFinished(message.ticket, message.result, this.#last);
        break;
      case 'expanding':
        if (this.#task?.ticket !== message.ticket) break;
        for (const node of message.nodes) this.#children.push(node);
        break;
      case 'expanded': {
        if (!this.#endTask(message.ticket)) break;
        const nodes = this.#children.concat(message.nodes);
        this.#children = [];
        this.#options.onExpanded(message.ticket, nodes, message.maxParallelTasks);
        break;
      }
      case 'group':
        if (message.alive) {
          this.#groups.add(message.pgid);
          // The worker has died before its last words were heard.
          if (this.#exit !== undefined) this.#killGroups();
          else reaper.addGroup(message.pgid);
        } else {
          this.#groups.delete(message.pgid);
          reaper.removeGroup(message.pgid);
        }
        break;
      case 'state': {
        const { request, method } = message;
        onState({ method, arguments: message.arguments }).then(
          result => {
            this.#send({ type: 'state', request, result: result ?? null });
          },
          (error: unknown) => {
            this.#send({
              type: 'state',
              request,
              result: null,
              error: error instanceof Error ? error.message : String(error),
            });
          },
        );
        break;
      }
    }
  }

  #endTask(ticket: number): boolean {
    if (this.#task?.ticket !== ticket) return false;
    this.#task = undefined;
    clearTimeout(this.#deadline?.timer);
    this.#deadline = undefined;
    return true;
  }

  /** Kills the worker unless the attempt ends before; a shorter time replaces a longer one. */
  #killIn(milliseconds: number, before: () => void): void {
    const at = performance.now() + milliseconds;
    if (this.#deadline !== undefined && this.#deadline.at <= at) return;
    clearTimeout(this.#deadline?.timer);
    const timer = setTimeout(() => {
      before();
      this.kill();
    }, milliseconds);
    this.#deadline = { timer, at };
  }

  #killGroups(): void {
    for (const pgid of this.#groups) {
      signalGroup(pgid, 'SIGKILL');
      this.#options.reaper.removeGroup(pgid);
    }
    this.#groups.clear();
    const { pid } = this.#process;
    if (pid === undefined || this.#exit === undefined || process.platform === 'win32') return;
    signalGroup(pid, 'SIGKILL');
    killSession(pid);
    this.#options.reaper.removeWorker(pid);
  }

  #closeIfGone(): void {
    // `close` is of no use: it waits for whoever has inherited the standard error, and is not told of all ends.
    if (this.#exit !== undefined && !this.#process.connected)
      setImmediate(() => {
        this.#onClose();
      });
  }

  #onClose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#process.stderr?.destroy();
    clearTimeout(this.#deadline?.timer);
    const task = this.#task;
    this.#task = undefined;
    const how = this.#howItEnded();
    if (task !== undefined) this.#options.onFinished(task.ticket, this.#resultOf(task, how), true);
    this.#options.onEnded(this.#ready, how);
    this.#ended.resolve();
  }

  #resultOf(task: TaskAssignment, how: string): AttemptResult {
    const result = { exitCode: null, error: null, reason: null, rowsProcessed: null };
    if (this.#cancelled) return { ...result, status: 'cancelled', reason: 'the run was cancelled' };
    if (this.#timedOut)
      return { ...result, status: 'failed', error: `timed out after ${String(task.timeout)} s` };
    return { ...result, status: 'failed', error: `${how} while the task was running` };
  }

  #howItEnded(): string {
    if (this.#exit === undefined) return `worker could not be started (${this.#lastWords.trim()})`;
    const { code, signal } = this.#exit;
    if (this.#lastWords.includes('JavaScript heap out of memory'))
      return 'worker ran out of memory (JavaScript heap)';
    return signal === null ? `worker ended with exit code ${String(code)}` : `worker was killed by ${signal}`;
  }
}
