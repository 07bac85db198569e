/**
 * Drives one run: takes decisions from the scheduler, hands tasks to the pool, and tells everybody what happens.
 * All policy is in the scheduler; all processes are in the pool; all that lasts is in the recorder.
 */
import { isTask, type Node } from '../api/node.ts';
import type { NodeFinished, OutputBatch, RunEvent } from '../events.ts';
import {
  formatPath,
  type NodeKind,
  type NodePath,
  type Outcome,
  type ParameterValue,
  type RunOutcome,
  type RunTrigger,
} from '../model.ts';
import type {
  AttemptResult,
  CommandSpec,
  ExpandedNode,
  OutputChunk,
  TaskAssignment,
} from '../pool/protocol.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { RunGraph } from '../scheduler/run-graph.ts';
import type { Decision } from '../scheduler/decision.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { planOfExpanded } from './plan.ts';
import type { RunSubscriber } from './subscriber.ts';
import { type Sample, sampleSystem } from './system-statistics.ts';

/** Gives ids to what a run does; the recorder does it for runs with a store. */
export interface NodeRunIds {
  nextNodeRunId(): number;
}

/** What the engine wants to know about a finished run. */
export interface RunResult {
  readonly runId: number | null;
  readonly status: RunOutcome;
  /** Seconds. */
  readonly duration: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly notes: readonly string[];
  /** Whether the store was there at the end and has all of it; `false` in a run without a store. */
  readonly stored: boolean;
}

export interface RunDescription {
  readonly runId: number | null;
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  readonly host: string;
  readonly codeVersion: string | null;
  readonly resumedFrom: number | null;
  /** See `RunInfo.chain`; absent: the run resumes none. */
  readonly chain?: string;
  /** How many tasks run at once. */
  readonly parallel?: number;
  readonly startedAt: number;
}

export interface RunEngineOptions {
  readonly run: RunDescription;
  readonly graph: RunGraph;
  readonly scheduler: Scheduler;
  /** The declared node at a path; `undefined` for what a parallel task made. */
  readonly nodeAt: (path: NodePath) => Node | undefined;
  readonly pool: WorkerPool;
  readonly ids: NodeRunIds;
  readonly subscribers: readonly RunSubscriber[];
  /** Now, in milliseconds since the epoch, by the store's clock. */
  readonly clock: () => number;
  /** Average durations in seconds by path as `a/b`. */
  readonly expectedDurations: ReadonlyMap<string, number>;
  readonly expectedDuration: number | null;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly killTimeout: number;
  /** Seconds between samples of the machine; 0: none. */
  readonly systemStatisticsInterval: number;
}

/** An attempt that is in the pool. */
interface Attempt {
  readonly node: number;
  readonly attempt: number;
  readonly nodeRunId: number;
  readonly startedAt: number;
  seq: number;
  readonly expands: boolean;
}

/** A pipeline or an expanded parallel task that has begun. */
interface OpenNode {
  readonly nodeRunId: number;
  readonly startedAt: number;
  readonly attempt: number;
}

type End = Pick<NodeFinished, 'status' | 'exitCode' | 'error' | 'reason' | 'rowsProcessed' | 'retryIn'>;

const nothingToSay = {
  exitCode: null,
  error: null,
  reason: null,
  rowsProcessed: null,
  retryIn: null,
} as const;

/** The commands that a parallel task made for a child, kept until the child has run. */
interface Expansion {
  readonly path: NodePath;
  readonly commands: readonly CommandSpec[] | undefined;
  readonly timeout: number | undefined;
}

export class RunEngine {
  readonly #options: RunEngineOptions;
  readonly #attempts = new Map<number, Attempt>();
  readonly #open = new Map<number, OpenNode>();
  readonly #expansions = new Map<string, Expansion>();
  readonly #retries = new Map<number, NodeJS.Timeout>();
  /** Attempts that failed and are to be followed by another. */
  readonly #lastAttempts = new Map<number, { readonly open: OpenNode; readonly end: End }>();
  readonly #notes: string[] = [];
  readonly #done = Promise.withResolvers<void>();
  #nextTicket = 1;
  #cancelled = false;
  #failure: string | undefined;
  #finished: { status: RunOutcome; counts: Record<Outcome, number> } | undefined;
  #stopStatistics: () => void = () => undefined;

  constructor(options: RunEngineOptions) {
    this.#options = options;
  }

  /** Runs to the end. Never throws: an internal error ends the run as failed, with a note. */
  async run(): Promise<RunResult> {
    const { run, scheduler, subscribers, clock } = this.#options;
    this.#emit({
      type: 'run_started',
      ...this.#runLevel(run.startedAt),
      nodePaths: run.nodePaths,
      withUpstreams: run.withUpstreams,
      params: run.params,
      trigger: run.trigger,
      startedBy: run.startedBy,
      host: run.host,
      pid: process.pid,
      codeVersion: run.codeVersion,
      resumedFrom: run.resumedFrom,
      taskCount: this.#options.graph.taskCount,
      expectedDuration: this.#options.expectedDuration,
    });
    this.#stopStatistics = sampleSystem(this.#options.systemStatisticsInterval, sample => {
      this.#onSample(sample);
    });
    this.#guard(() => {
      this.#apply(scheduler.start());
    });
    await this.#done.promise;
    this.#stopStatistics();
    for (const timer of this.#retries.values()) clearTimeout(timer);
    const endedAt = clock();
    const counts = this.#finished?.counts ?? noCounts();
    const status = this.#failure !== undefined ? 'failed' : (this.#finished?.status ?? 'failed');
    const duration = (endedAt - run.startedAt) / 1000;
    if (this.#failure !== undefined) this.#notes.push(this.#failure);
    this.#emit({
      type: 'run_finished',
      ...this.#runLevel(endedAt),
      status,
      duration,
      counts,
      notes: [...this.#notes],
    });
    for (const subscriber of subscribers) {
      try {
        await subscriber.close?.();
      } catch (error) {
        this.#reportSubscriber(error);
      }
    }
    return { runId: run.runId, status, duration, counts, notes: [...this.#notes], stored: false };
  }

  /** Starts nothing new and ends what runs: SIGTERM, after the kill timeout SIGKILL. Calling it again changes nothing. */
  cancel(): void {
    if (this.#cancelled || this.#finished !== undefined) return;
    this.#cancelled = true;
    this.#guard(() => {
      for (const timer of this.#retries.values()) clearTimeout(timer);
      this.#retries.clear();
      for (const ticket of this.#attempts.keys())
        this.#options.pool.cancel(ticket, this.#options.killTimeout);
      this.#apply(this.#options.scheduler.handle({ type: 'cancel' }));
    });
  }

  /** A second Ctrl-C: kills at once. */
  kill(): void {
    this.cancel();
    for (const ticket of this.#attempts.keys()) this.#options.pool.cancel(ticket, 0);
  }

  /** Something that the run cannot go on without is gone; the run ends as failed with this reason. */
  fail(reason: string): void {
    if (this.#failure !== undefined || this.#finished !== undefined) return;
    this.#failure = reason;
    this.kill();
  }

  /** Adds a remark for the user, shown at the end of the run. */
  note(text: string): void {
    this.#notes.push(text);
  }

  // From the pool ----------------------------------------------------------------------------------------------------

  onOutput(ticket: number, chunks: readonly OutputChunk[], bytes: number): void {
    const attempt = this.#attempts.get(ticket);
    const pool = this.#options.pool;
    if (attempt === undefined) {
      pool.taken(ticket, bytes);
      return;
    }
    this.#emitOutput(attempt, chunks);
    const waiting = this.#options.subscribers
      .map(subscriber => subscriber.drained?.())
      .filter(wait => wait !== undefined);
    if (waiting.length === 0) pool.taken(ticket, bytes);
    else
      void Promise.all(waiting).then(() => {
        pool.taken(ticket, bytes);
      });
  }

  onFinished(ticket: number, result: AttemptResult): void {
    this.#guard(() => {
      const attempt = this.#attempts.get(ticket);
      if (attempt === undefined) return;
      this.#attempts.delete(ticket);
      this.#open.delete(attempt.node);
      const decisions = this.#options.scheduler.handle({
        type: 'attempt_finished',
        node: attempt.node,
        outcome: result.status,
      });
      const retry = decisions.find(decision => decision.type === 'retry' && decision.node === attempt.node);
      const end: End = { ...result, retryIn: retry?.type === 'retry' ? retry.seconds : null };
      if (end.retryIn === null) {
        this.#lastAttempts.delete(attempt.node);
        this.#expansions.delete(formatPath(this.#pathOf(attempt.node)));
      } else this.#lastAttempts.set(attempt.node, { open: attempt, end });
      // Whoever reads the output, now or later, must find there why it ended.
      if (end.error !== null && result.isShown !== true) {
        this.#emitOutput(attempt, [{ format: 'standard', isError: true, text: end.error }]);
      }
      this.#emitFinished(attempt, attempt.node, end);
      this.#apply(decisions);
    });
  }

  onExpanded(ticket: number, nodes: readonly ExpandedNode[], maxParallelTasks: number | undefined): void {
    const attempt = this.#attempts.get(ticket);
    if (attempt === undefined) return;
    const path = this.#pathOf(attempt.node);
    let decisions: readonly Decision[];
    try {
      decisions = this.#options.scheduler.handle({
        type: 'expanded',
        node: attempt.node,
        children: planOfExpanded(nodes, path),
        ...(maxParallelTasks !== undefined && { maxParallelTasks }),
      });
    } catch (error) {
      // The children do not fit together; the scheduler is as it was.
      const message = error instanceof Error ? error.message : String(error);
      this.onFinished(ticket, { ...nothingToSay, status: 'failed', error: message });
      return;
    }
    this.#attempts.delete(ticket);
    this.#rememberExpansion(path, path, nodes);
    this.#guard(() => {
      this.#apply(decisions);
    });
  }

  // ------------------------------------------------------------------------------------------------------------------

  #apply(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      switch (decision.type) {
        case 'start':
          this.#start(decision.node, decision.attempt);
          break;
        case 'retry': {
          const { node, seconds } = decision;
          const timer = setTimeout(() => {
            this.#retries.delete(node);
            this.#guard(() => {
              this.#apply(this.#options.scheduler.handle({ type: 'retry_due', node }));
            });
          }, seconds * 1000);
          this.#retries.set(node, timer);
          break;
        }
        case 'pipeline_started':
          this.#openNode(decision.node, 1);
          break;
        case 'pipeline_finished':
        case 'parallel_finished':
          this.#close(decision.node, { ...nothingToSay, status: decision.outcome });
          break;
        case 'skipped':
          this.#skip(decision.node, decision.reason, decision.cause);
          break;
        case 'cancelled':
          this.#close(decision.node, {
            ...nothingToSay,
            status: 'cancelled',
            reason: 'the run was cancelled',
          });
          break;
        case 'retry_dropped': {
          const { node, reason } = decision;
          clearTimeout(this.#retries.get(node));
          this.#retries.delete(node);
          const last = this.#lastAttempts.get(node);
          if (last !== undefined) this.#emitFinished(last.open, node, { ...last.end, retryIn: null, reason });
          break;
        }
        case 'finished':
          this.#finished = { status: decision.outcome, counts: { ...decision.counts } };
          this.#done.resolve();
          break;
      }
    }
  }

  #start(node: number, attempt: number): void {
    const { pool, run } = this.#options;
    const nodePath = this.#pathOf(node);
    const declared = this.#options.nodeAt(nodePath);
    const expands = this.#kindOf(node) === 'parallel';
    const { nodeRunId, startedAt } = this.#openNode(node, attempt);
    const expansion = declared === undefined ? this.#expansions.get(formatPath(nodePath)) : undefined;
    const timeout = declared !== undefined && isTask(declared) ? declared.timeout : expansion?.timeout;
    const ticket = this.#nextTicket++;
    this.#attempts.set(ticket, { node, attempt, nodeRunId, startedAt, seq: 1, expands });
    const assignment: TaskAssignment = {
      ticket,
      nodePath,
      kind: this.#kindOf(node),
      attempt,
      runId: run.runId,
      runStartedAt: new Date(run.startedAt).toISOString(),
      ...(run.chain !== undefined && { chain: run.chain }),
      ...(run.parallel !== undefined && { parallel: run.parallel }),
      params: run.params,
      ...(timeout !== undefined && { timeout }),
      ...(expansion !== undefined && {
        expandedFrom: {
          path: expansion.path,
          ...(expansion.commands !== undefined && { commands: expansion.commands }),
        },
      }),
    };
    if (expands) pool.expand(assignment);
    else pool.run(assignment);
  }

  #openNode(node: number, attempt: number): OpenNode {
    const { expectedDurations, clock } = this.#options;
    const open = { nodeRunId: this.#options.ids.nextNodeRunId(), startedAt: clock(), attempt };
    this.#open.set(node, open);
    this.#emit(
      {
        type: 'node_started',
        ...this.#nodeLevel(node, attempt, open.startedAt),
        kind: this.#kindOf(node),
        cost: this.#options.scheduler.costs.cost(node),
        expectedDuration: expectedDurations.get(formatPath(this.#pathOf(node))) ?? null,
      },
      open.nodeRunId,
    );
    return open;
  }

  #emitOutput(attempt: Attempt, chunks: readonly OutputChunk[]): void {
    const time = this.#options.clock();
    const nodePath = this.#pathOf(attempt.node);
    for (const chunk of chunks) {
      const batch: OutputBatch = {
        nodePath,
        attempt: attempt.attempt,
        nodeRunId: attempt.nodeRunId,
        firstSeq: attempt.seq,
        time,
        ...chunk,
      };
      attempt.seq += countLines(chunk.text);
      for (const subscriber of this.#options.subscribers) {
        this.#protect(() => {
          subscriber.onOutput(batch);
        });
      }
    }
  }

  #skip(node: number, reason: string, cause: NodePath): void {
    const open = this.#open.get(node);
    this.#open.delete(node);
    this.#emit(
      {
        type: 'node_skipped',
        ...this.#nodeLevel(node, open?.attempt ?? this.#nextAttempt(node)),
        kind: this.#kindOf(node),
        reason,
        cause,
      },
      open?.nodeRunId ?? this.#options.ids.nextNodeRunId(),
    );
  }

  /** Ends a pipeline, an expanded parallel task, or a node that never started. */
  #close(node: number, end: End): void {
    const open = this.#open.get(node);
    this.#open.delete(node);
    this.#emitFinished(open, node, end);
  }

  #emitFinished(open: OpenNode | undefined, node: number, end: End): void {
    const endedAt = this.#options.clock();
    this.#emit(
      {
        type: 'node_finished',
        ...this.#nodeLevel(node, open?.attempt ?? this.#nextAttempt(node), endedAt),
        kind: this.#kindOf(node),
        startedAt: open === undefined ? null : new Date(open.startedAt).toISOString(),
        duration: open === undefined ? 0 : (endedAt - open.startedAt) / 1000,
        status: end.status,
        exitCode: end.exitCode,
        error: end.error,
        reason: end.reason,
        rowsProcessed: end.rowsProcessed,
        retryIn: end.retryIn,
      },
      open?.nodeRunId ?? this.#options.ids.nextNodeRunId(),
    );
  }

  #rememberExpansion(parallelPath: NodePath, parent: NodePath, nodes: readonly ExpandedNode[]): void {
    for (const node of nodes) {
      const path = [...parent, node.id];
      if (node.kind === 'pipeline') this.#rememberExpansion(parallelPath, path, node.nodes ?? []);
      else
        this.#expansions.set(formatPath(path), {
          path: parallelPath,
          commands: node.commands,
          timeout: node.timeout,
        });
    }
  }

  /** The attempt that a node which is not running would begin. */
  #nextAttempt(node: number): number {
    return (this.#lastAttempts.get(node)?.open.attempt ?? 0) + 1;
  }

  #onSample(sample: Sample): void {
    this.#emit({ type: 'system_statistics', ...this.#runLevel(this.#options.clock()), ...sample });
  }

  #pathOf(node: number): NodePath {
    return this.#options.graph.pathOf(node);
  }

  #kindOf(node: number): NodeKind {
    return this.#options.graph.kindOf(node);
  }

  #runLevel(time: number): Pick<RunEvent, 'runId' | 'nodePath' | 'attempt' | 'time'> {
    const { run } = this.#options;
    return { runId: run.runId, nodePath: run.pipelinePath, attempt: 0, time: new Date(time).toISOString() };
  }

  #nodeLevel(
    node: number,
    attempt: number,
    time = this.#options.clock(),
  ): Pick<RunEvent, 'runId' | 'nodePath' | 'attempt' | 'time'> {
    const { run } = this.#options;
    return { runId: run.runId, nodePath: this.#pathOf(node), attempt, time: new Date(time).toISOString() };
  }

  #emit(event: Exclude<RunEvent, { type: 'output' }>, nodeRunId?: number): void {
    for (const subscriber of this.#options.subscribers) {
      this.#protect(() => {
        subscriber.onEvent(event, nodeRunId);
      });
    }
  }

  /** An internal error must end the run as failed, never leave it hanging or let it pass as succeeded. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failure ??= `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      this.#options.pool.killNow();
      this.#done.resolve();
    }
  }

  /** A subscriber's error is reported and never breaks the run. */
  #protect(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#reportSubscriber(error);
    }
  }

  /** Once: what fails for one line of output fails for the next million, too. */
  #reportSubscriber(error: unknown): void {
    const text = `internal error of a subscriber of the run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    if (!this.#notes.includes(text)) this.#notes.push(text);
  }
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

function noCounts(): Record<Outcome, number> {
  return { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
}
