/** Tells everybody who follows a run what happens in it. */
import type { NodeFinished, OutputBatch, RunEvent } from '../events.ts';
import { formatPath, type NodePath } from '../model.ts';
import type { OutputChunk } from '../pool/protocol.ts';
import type { RunGraph } from '../scheduler/run-graph.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { RunDescription, RunResult } from './run-description.ts';
import type { RunSubscriber } from './subscriber.ts';
import type { Sample } from './system-statistics.ts';

/** Gives ids to what a run does; the recorder does it for runs with a store. */
export interface NodeRunIds {
  nextNodeRunId(): number;
}

export interface AnnouncerOptions {
  readonly run: RunDescription;
  readonly graph: RunGraph;
  readonly scheduler: Scheduler;
  readonly ids: NodeRunIds;
  readonly subscribers: readonly RunSubscriber[];
  /** Now, in milliseconds since the epoch, by the store's clock. */
  readonly clock: () => number;
  /** Average durations in seconds by path as `a/b`. */
  readonly expectedDurations: ReadonlyMap<string, number>;
  readonly expectedDuration: number | null;
}

/** An attempt of a node that has begun. */
export interface OpenNode {
  readonly nodeRunId: number;
  readonly startedAt: number;
  readonly attempt: number;
}

/** An attempt that prints. */
export interface PrintingNode extends OpenNode {
  readonly node: number;
  /** The number of its next line. */
  seq: number;
}

/** How an attempt ended. */
export type NodeEnd = Pick<
  NodeFinished,
  'status' | 'exitCode' | 'error' | 'reason' | 'rowsProcessed' | 'retryIn'
>;

type Level = Pick<RunEvent, 'runId' | 'nodePath' | 'attempt' | 'time'>;

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #note: (text: string) => void;

  /** @param note takes an error of a subscriber, which never breaks the run */
  constructor(options: AnnouncerOptions, note: (text: string) => void) {
    this.#options = options;
    this.#note = note;
  }

  runStarted(): void {
    const { run, graph, expectedDuration } = this.#options;
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
      taskCount: graph.taskCount,
      expectedDuration,
    });
  }

  runFinished(endedAt: number, result: Pick<RunResult, 'status' | 'duration' | 'counts' | 'notes'>): void {
    this.#emit({ type: 'run_finished', ...this.#runLevel(endedAt), ...result });
  }

  systemStatistics(sample: Sample): void {
    this.#emit({ type: 'system_statistics', ...this.#runLevel(this.#options.clock()), ...sample });
  }

  nodeStarted(node: number, attempt: number): OpenNode {
    const { expectedDurations, clock, graph, ids, scheduler } = this.#options;
    const open = { nodeRunId: ids.nextNodeRunId(), startedAt: clock(), attempt };
    this.#emit(
      {
        type: 'node_started',
        ...this.#nodeLevel(node, attempt, open.startedAt),
        kind: graph.kindOf(node),
        cost: scheduler.costs.cost(node),
        expectedDuration: expectedDurations.get(formatPath(graph.pathOf(node))) ?? null,
      },
      open.nodeRunId,
    );
    return open;
  }

  output(from: PrintingNode, chunks: readonly OutputChunk[]): void {
    const { clock, graph, subscribers } = this.#options;
    const time = clock();
    const nodePath = graph.pathOf(from.node);
    const { attempt, nodeRunId } = from;
    for (const chunk of chunks) {
      const batch: OutputBatch = { nodePath, attempt, nodeRunId, firstSeq: from.seq, time, ...chunk };
      from.seq += countLines(chunk.text);
      for (const subscriber of subscribers) {
        this.#protect(() => {
          subscriber.onOutput(batch);
        });
      }
    }
  }

  /** Settles when every subscriber can take more output; `undefined`: now. */
  drained(): Promise<unknown> | undefined {
    const waiting = this.#options.subscribers
      .map(subscriber => subscriber.drained?.())
      .filter(wait => wait !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting);
  }

  /** @param begun the number of the attempt that would begin, for a node that has not */
  nodeSkipped(node: number, begun: OpenNode | number, reason: string, cause: NodePath): void {
    const attempt = typeof begun === 'number' ? begun : begun.attempt;
    this.#emit(
      {
        type: 'node_skipped',
        ...this.#nodeLevel(node, attempt),
        kind: this.#options.graph.kindOf(node),
        reason,
        cause,
      },
      this.#idOf(begun),
    );
  }

  /** @param begun the number of the attempt that would have begun, for a node that never did */
  nodeFinished(node: number, begun: OpenNode | number, end: NodeEnd): void {
    const endedAt = this.#options.clock();
    const [attempt, startedAt] = typeof begun === 'number' ? [begun] : [begun.attempt, begun.startedAt];
    this.#emit(
      {
        type: 'node_finished',
        ...this.#nodeLevel(node, attempt, endedAt),
        kind: this.#options.graph.kindOf(node),
        startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
        duration: startedAt === undefined ? 0 : (endedAt - startedAt) / 1000,
        status: end.status,
        exitCode: end.exitCode,
        error: end.error,
        reason: end.reason,
        rowsProcessed: end.rowsProcessed,
        retryIn: end.retryIn,
      },
      this.#idOf(begun),
    );
  }

  /** After the last event: waits for whoever still has something to do with it. */
  async close(): Promise<void> {
    for (const subscriber of this.#options.subscribers) {
      try {
        await subscriber.close?.();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #idOf(begun: OpenNode | number): number {
    return typeof begun === 'number' ? this.#options.ids.nextNodeRunId() : begun.nodeRunId;
  }

  #runLevel(time: number): Level {
    const { run } = this.#options;
    return { runId: run.runId, nodePath: run.pipelinePath, attempt: 0, time: new Date(time).toISOString() };
  }

  #nodeLevel(node: number, attempt: number, time = this.#options.clock()): Level {
    const { run, graph } = this.#options;
    return { runId: run.runId, nodePath: graph.pathOf(node), attempt, time: new Date(time).toISOString() };
  }

  #emit(event: Exclude<RunEvent, { type: 'output' }>, nodeRunId?: number): void {
    for (const subscriber of this.#options.subscribers) {
      this.#protect(() => {
        subscriber.onEvent(event, nodeRunId);
      });
    }
  }

  #protect(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#note(`internal error of a subscriber of the run: ${text}`);
  }
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
