/**
 * Drives one run: takes decisions from the scheduler, hands tasks to the pool, and has everybody told what happens.
 * All policy is in the scheduler; all processes are in the pool; all that lasts is in the recorder.
 */
import { isTask, type Node } from '../api/node.ts';
import type { NodePath, Outcome, RunOutcome } from '../model.ts';
import type { AttemptResult, ExpandedNode, OutputChunk, TaskAssignment } from '../pool/protocol.ts';
import type { WorkerPool } from '../pool/worker-pool.ts';
import type { Decision } from '../scheduler/decision.ts';
import {
  Announcer,
  type AnnouncerOptions,
  type NodeEnd,
  type OpenNode,
  type PrintingNode,
} from './announcer.ts';
import { Expansions } from './expansions.ts';
import { planOfExpanded } from './plan.ts';
import type { RunResult } from './run-description.ts';
import { sampleSystem } from './system-statistics.ts';

export interface RunEngineOptions extends AnnouncerOptions {
  /** The declared node at a path; `undefined` for what a parallel task made. */
  readonly nodeAt: (path: NodePath) => Node | undefined;
  readonly pool: WorkerPool;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly killTimeout: number;
  /** Seconds between samples of the machine; 0: none. */
  readonly systemStatisticsInterval: number;
}

const nothingToSay = {
  exitCode: null,
  error: null,
  reason: null,
  rowsProcessed: null,
  retryIn: null,
} as const;

export class RunEngine {
  readonly #options: RunEngineOptions;
  readonly #announcer: Announcer;
  /** Attempts that are in the pool, by their ticket. */
  readonly #attempts = new Map<number, PrintingNode>();
  /** What has begun: pipelines, expanded parallel tasks, and what is in the pool. */
  readonly #open = new Map<number, OpenNode>();
  readonly #expansions = new Expansions();
  readonly #retries = new Map<number, NodeJS.Timeout>();
  /** Attempts that failed and are to be followed by another. */
  readonly #lastAttempts = new Map<number, { readonly open: OpenNode; readonly end: NodeEnd }>();
  readonly #notes: string[] = [];
  readonly #done = Promise.withResolvers<void>();
  #nextTicket = 1;
  #cancelled = false;
  #failure: string | undefined;
  #finished: { status: RunOutcome; counts: Record<Outcome, number> } | undefined;

  constructor(options: RunEngineOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options, text => {
      // Once: what fails for one line of output fails for the next million, too.
      if (!this.#notes.includes(text)) this.note(text);
    });
  }

  /** Runs to the end. Never throws: an internal error ends the run as failed, with a note. */
  async run(): Promise<RunResult> {
    const { run, scheduler, clock, systemStatisticsInterval } = this.#options;
    this.#announcer.runStarted();
    const stopStatistics = sampleSystem(systemStatisticsInterval, sample => {
      this.#announcer.systemStatistics(sample);
    });
    this.#guard(() => {
      this.#apply(scheduler.start());
    });
    await this.#done.promise;
    stopStatistics();
    for (const timer of this.#retries.values()) clearTimeout(timer);
    const endedAt = clock();
    const counts = this.#finished?.counts ?? noCounts();
    const status = this.#failure !== undefined ? 'failed' : (this.#finished?.status ?? 'failed');
    const duration = (endedAt - run.startedAt) / 1000;
    if (this.#failure !== undefined) this.#notes.push(this.#failure);
    this.#announcer.runFinished(endedAt, { status, duration, counts, notes: [...this.#notes] });
    await this.#announcer.close();
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
    this.#announcer.output(attempt, chunks);
    const drained = this.#announcer.drained();
    if (drained === undefined) pool.taken(ticket, bytes);
    else
      void drained.then(() => {
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
      const end: NodeEnd = { ...result, retryIn: retry?.type === 'retry' ? retry.seconds : null };
      if (end.retryIn === null) {
        this.#lastAttempts.delete(attempt.node);
        this.#expansions.forget(this.#options.graph.pathOf(attempt.node));
      } else this.#lastAttempts.set(attempt.node, { open: attempt, end });
      // Whoever reads the output, now or later, must find there why it ended.
      if (end.error !== null && result.isShown !== true) {
        this.#announcer.output(attempt, [{ format: 'standard', isError: true, text: end.error }]);
      }
      this.#announcer.nodeFinished(attempt.node, attempt, end);
      this.#apply(decisions);
    });
  }

  onExpanded(ticket: number, nodes: readonly ExpandedNode[], maxParallelTasks: number | undefined): void {
    const attempt = this.#attempts.get(ticket);
    if (attempt === undefined) return;
    const path = this.#options.graph.pathOf(attempt.node);
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
    this.#expansions.remember(path, nodes);
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
          this.#open.set(decision.node, this.#announcer.nodeStarted(decision.node, 1));
          break;
        case 'pipeline_finished':
        case 'parallel_finished':
          this.#close(decision.node, { ...nothingToSay, status: decision.outcome });
          break;
        case 'skipped': {
          const { node, reason, cause } = decision;
          this.#announcer.nodeSkipped(node, this.#takeOpen(node), reason, cause);
          break;
        }
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
          if (last !== undefined)
            this.#announcer.nodeFinished(node, last.open, { ...last.end, retryIn: null, reason });
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
    const { pool, run, graph, nodeAt } = this.#options;
    const nodePath = graph.pathOf(node);
    const kind = graph.kindOf(node);
    const declared = nodeAt(nodePath);
    const open = this.#announcer.nodeStarted(node, attempt);
    this.#open.set(node, open);
    const expansion = declared === undefined ? this.#expansions.at(nodePath) : undefined;
    const timeout = declared !== undefined && isTask(declared) ? declared.timeout : expansion?.timeout;
    const ticket = this.#nextTicket++;
    this.#attempts.set(ticket, { ...open, node, seq: 1 });
    const assignment: TaskAssignment = {
      ticket,
      nodePath,
      kind,
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
    if (kind === 'parallel') pool.expand(assignment);
    else pool.run(assignment);
  }

  /** Ends a pipeline, an expanded parallel task, or a node that never started. */
  #close(node: number, end: NodeEnd): void {
    this.#announcer.nodeFinished(node, this.#takeOpen(node), end);
  }

  /** What has begun of a node and is over now, or the number of the attempt that would have begun. */
  #takeOpen(node: number): OpenNode | number {
    const open = this.#open.get(node);
    this.#open.delete(node);
    return open ?? (this.#lastAttempts.get(node)?.open.attempt ?? 0) + 1;
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
}

function noCounts(): Record<Outcome, number> {
  return { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
}
