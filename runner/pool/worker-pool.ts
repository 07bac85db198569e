/**
 * The runner's workers: started ahead of need, reused, and replaced when they die. A worker runs one attempt at a
 * time, so whatever happens to it happens to that attempt only.
 */
import { availableParallelism } from 'node:os';
import type { AttemptResult, ExpandedNode, OutputChunk, ProjectSource, TaskAssignment } from './protocol.ts';
import { PooledWorker, type WorkerOptions } from './pooled-worker.ts';
import { Reaper } from './reaper.ts';

/** A question of a task about what the runner keeps for it. */
export interface StateRequest {
  /** A method of `IncrementalState`. */
  readonly method: string;
  /** The path of the node, and then the arguments of the method. */
  readonly arguments: readonly unknown[];
}

export interface PoolHandlers {
  /** Lines of an attempt; to be answered by {@link WorkerPool.taken} when they have been taken up. */
  onOutput(ticket: number, chunks: readonly OutputChunk[], bytes: number): void;
  /** Comes once for each attempt, after all of its output, unless `onExpanded` does. */
  onFinished(ticket: number, result: AttemptResult): void;
  /** A parallel task has made its children. */
  onExpanded(ticket: number, nodes: readonly ExpandedNode[], maxParallelTasks: number | undefined): void;
  onState(request: StateRequest): Promise<unknown>;
  /** No worker can be had; everything in the pool has failed, or will. Comes once. */
  onUnusable(message: string): void;
}

export interface WorkerPoolOptions {
  /** How many workers there are at most; at least 1. */
  readonly size: number;
  readonly source: ProjectSource;
  /** The module that workers run. */
  readonly workerFile: string;
  readonly workerArguments?: readonly string[];
  /** Added to the environment of the runner. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly handlers: PoolHandlers;
}

interface Assignment {
  readonly type: 'run' | 'expand';
  readonly task: TaskAssignment;
  /** When it came, by `performance.now()`. */
  readonly since: number;
}

/** Milliseconds that an assignment waits for the workers that are there before another one is started. */
const patience = 20;

/** Workers that die before they are ready, one after the other, until the pool gives up. */
const maxFailedStarts = 3;

const processors = availableParallelism();

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #reaper = new Reaper();
  readonly #workers = new Set<PooledWorker>();
  /** Ready and without a task; the one that was used last comes first, because it is warm. */
  readonly #idle: PooledWorker[] = [];
  readonly #queue: Assignment[] = [];
  /** Who ran an attempt, as long as its output is not taken up entirely. */
  readonly #byTicket = new Map<number, { readonly worker: PooledWorker; untaken: number; ended: boolean }>();
  #size: number;
  #failedStarts = 0;
  #lastReady = 0;
  #impatience: NodeJS.Timeout | undefined;
  #unusable: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#size = checkedSize(options.size);
  }

  /** How many workers there are at most. With a smaller number the ones too many end when they are idle. */
  get size(): number {
    return this.#size;
  }

  set size(size: number) {
    this.#size = checkedSize(size);
    while (this.#workers.size > this.#size) {
      const worker = this.#idle.pop();
      if (worker === undefined) break;
      this.#dismiss(worker);
    }
    this.#startNeeded();
  }

  /** Process ids of the workers that there are. */
  get pids(): readonly number[] {
    return [...this.#workers].flatMap(worker => (worker.pid === undefined ? [] : [worker.pid]));
  }

  /** Sees to it that so many workers are there, or on their way, but no more than the size of the pool. */
  start(count: number): void {
    if (this.#closing !== undefined || this.#unusable !== undefined) return;
    while (this.#workers.size < Math.min(count, this.#size)) this.#startWorker();
  }

  /** Runs an attempt of a task as soon as a worker is free. */
  run(task: TaskAssignment): void {
    this.#assign({ type: 'run', task, since: performance.now() });
  }

  /** Expands a parallel task as soon as a worker is free. */
  expand(task: TaskAssignment): void {
    this.#assign({ type: 'expand', task, since: performance.now() });
  }

  /**
   * Stops an attempt: SIGTERM and abort at once, SIGKILL after some seconds, shortly after which the worker itself is
   * killed if it does not answer. With 0 seconds everything is killed at once. Repeating it can only hasten the end.
   */
  cancel(ticket: number, killAfterSeconds: number): void {
    const queued = this.#queue.findIndex(({ task }) => task.ticket === ticket);
    if (queued >= 0) {
      this.#queue.splice(queued, 1);
      // Not before the caller is done with what it is doing.
      setImmediate(() => {
        this.#options.handlers.onFinished(ticket, {
          ...nothing,
          status: 'cancelled',
          reason: 'the run was cancelled',
        });
      });
      return;
    }
    const entry = this.#byTicket.get(ticket);
    if (entry?.ended === false) entry.worker.cancel(ticket, killAfterSeconds);
  }

  /** Output has been taken up: the worker may go on. */
  taken(ticket: number, bytes: number): void {
    const entry = this.#byTicket.get(ticket);
    if (entry === undefined) return;
    entry.untaken -= bytes;
    entry.worker.taken(bytes);
    if (entry.ended && entry.untaken <= 0) this.#byTicket.delete(ticket);
  }

  /** Kills all workers and everything that they run. What ran has failed. */
  killNow(): void {
    for (const worker of this.#workers) worker.kill();
  }

  /** Ends the workers; what still runs is killed. Settled when no process is left. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#queue.length = 0;
    clearTimeout(this.#impatience);
    const workers = [...this.#workers];
    for (const worker of workers) this.#dismiss(worker);
    await Promise.all(workers.map(worker => worker.ended));
    this.#reaper[Symbol.dispose]();
  }

  #assign(assignment: Assignment): void {
    if (this.#closing !== undefined) throw new Error('the pool is closed');
    this.#queue.push(assignment);
    if (this.#unusable !== undefined)
      setImmediate(() => {
        this.#failQueue();
      });
    else this.#startNeeded();
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop();
      if (worker === undefined) return;
      const assignment = this.#queue.shift();
      if (assignment === undefined) return;
      this.#byTicket.set(assignment.task.ticket, { worker, untaken: 0, ended: false });
      worker.assign(assignment.type, assignment.task);
    }
  }

  /**
   * Starting a worker costs a tenth of a second of a processor, so no more are on their way at once than there are
   * processors, and none is added while those that are there keep up: many tiny tasks are done sooner by few workers.
   */
  #startNeeded(): void {
    if (this.#queue.length === 0 || this.#workers.size >= this.#size) return;
    if (this.#workers.size === 0) this.start(Math.min(this.#queue.length, processors));
    this.#impatience ??= setTimeout(() => {
      this.#impatience = undefined;
      this.#addWorkers();
    }, patience);
  }

  #addWorkers(): void {
    if (this.#closing !== undefined || this.#unusable !== undefined) return;
    const [oldest] = this.#queue;
    if (oldest === undefined) return;
    const waited = performance.now() - Math.max(oldest.since, this.#lastReady);
    const starting = [...this.#workers].filter(worker => !worker.ready).length;
    if (waited >= patience * 0.9) {
      this.start(this.#workers.size + Math.min(this.#queue.length, Math.max(0, processors - starting)));
    }
    this.#startNeeded();
  }

  #startWorker(): void {
    const { source, workerFile, workerArguments = [], environment = {}, handlers } = this.#options;
    const options: WorkerOptions = {
      source,
      workerFile,
      workerArguments,
      environment,
      reaper: this.#reaper,
      onReady: () => {
        this.#failedStarts = 0;
        this.#lastReady = performance.now();
        this.#release(worker);
      },
      onUnusable: message => {
        this.#giveUp(message);
      },
      onOutput: (ticket, chunks, bytes) => {
        const entry = this.#byTicket.get(ticket);
        if (entry !== undefined) entry.untaken += bytes;
        handlers.onOutput(ticket, chunks, bytes);
      },
      onFinished: (ticket, result, last) => {
        this.#endTicket(ticket);
        if (last) this.#workers.delete(worker);
        else this.#release(worker);
        handlers.onFinished(ticket, result);
        if (last) this.#startNeeded();
      },
      onExpanded: (ticket, nodes, maxParallelTasks) => {
        this.#endTicket(ticket);
        this.#release(worker);
        handlers.onExpanded(ticket, nodes, maxParallelTasks);
      },
      onState: request => handlers.onState(request),
      onEnded: (wasReady, how) => {
        this.#onEnded(worker, wasReady, how);
      },
    };
    const worker = new PooledWorker(options);
    this.#workers.add(worker);
  }

  #release(worker: PooledWorker): void {
    // One that is being killed is replaced when it has ended.
    if (!this.#workers.has(worker) || !worker.free) return;
    if (this.#workers.size > this.#size) {
      this.#dismiss(worker);
      return;
    }
    this.#idle.push(worker);
    this.#dispatch();
  }

  #dismiss(worker: PooledWorker): void {
    this.#forget(worker);
    worker.close();
  }

  #forget(worker: PooledWorker): void {
    this.#workers.delete(worker);
    const index = this.#idle.indexOf(worker);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  #endTicket(ticket: number): void {
    const entry = this.#byTicket.get(ticket);
    if (entry === undefined) return;
    entry.ended = true;
    if (entry.untaken <= 0) this.#byTicket.delete(ticket);
  }

  #onEnded(worker: PooledWorker, wasReady: boolean, how: string): void {
    this.#forget(worker);
    for (const [ticket, entry] of this.#byTicket)
      if (entry.worker === worker && entry.ended) this.#byTicket.delete(ticket);
    if (this.#closing !== undefined || this.#unusable !== undefined) return;
    if (!wasReady && ++this.#failedStarts >= maxFailedStarts) {
      this.#giveUp(
        `No worker could be started: ${how} before it was ready, ${String(maxFailedStarts)} times in a row.`,
      );
      return;
    }
    this.#startNeeded();
  }

  #giveUp(message: string): void {
    if (this.#unusable !== undefined || this.#closing !== undefined) return;
    this.#unusable = message;
    this.#options.handlers.onUnusable(message);
    this.#failQueue();
  }

  #failQueue(): void {
    for (const { task } of this.#queue.splice(0)) {
      this.#options.handlers.onFinished(task.ticket, {
        ...nothing,
        status: 'failed',
        error: this.#unusable ?? null,
      });
    }
  }
}

const nothing = { exitCode: null, error: null, reason: null, rowsProcessed: null } as const;

function checkedSize(size: number): number {
  if (!Number.isInteger(size) || size < 1)
    throw new RangeError(`A pool needs at least 1 worker, not ${String(size)}.`);
  return size;
}
