/**
 * What the recorder writes besides output, in the shape in which it travels: as JSON to Postgres
 * (`json_to_recordset`) and as JSON into the spool. Pure: events in, rows out.
 */
import type { RunEvent } from '../events.ts';
import type { NodeKind, NodePath, NodeRunStatus, RunOutcome } from '../model.ts';

/** A row of `node_run`, whole: writing it twice, or a later one over an earlier one, does no harm. */
export interface NodeRunRow {
  readonly node_run_id: number;
  readonly run_id: number;
  readonly node_path: NodePath;
  readonly kind: NodeKind;
  readonly attempt: number;
  readonly status: NodeRunStatus;
  /** ISO 8601, by the store's clock; `null` when it never started. */
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly cost: number;
  readonly rows_processed: number | null;
  readonly exit_code: number | null;
  readonly error: string | null;
  readonly reason: string | null;
}

/** A row of `system_statistics`. */
export interface StatisticsRow {
  readonly run_id: number;
  readonly at: string;
  readonly cpu: number;
  readonly memory: number;
  readonly swap: number;
  readonly disk_read: number | null;
  readonly disk_write: number | null;
  readonly net_received: number | null;
  readonly net_sent: number | null;
}

/** How the run ended; always the last thing written of a run. */
export interface RunEnd {
  readonly status: RunOutcome;
  readonly ended_at: string;
}

/** What one flush writes. */
export interface StateBatch {
  readonly nodes: readonly NodeRunRow[];
  readonly statistics: readonly StatisticsRow[];
  readonly end: RunEnd | null;
}

/** Node runs of a run are numbered from `run_id * NODE_RUNS_PER_RUN + 1`, so that no round trip is needed for an id. */
export const NODE_RUNS_PER_RUN = 4_194_304;

/** The ids that node runs of a run can have: `first` ≤ id < `end`. */
export function nodeRunIds(runId: number): { readonly first: number; readonly end: number } {
  return { first: runId * NODE_RUNS_PER_RUN, end: (runId + 1) * NODE_RUNS_PER_RUN };
}

/** Text as Postgres can keep it: without NUL and without halves of surrogate pairs. */
export function storable(text: string): string;
export function storable(text: string | null): string | null;
export function storable(text: string | null): string | null {
  return text === null ? null : text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/**
 * Collects what events change, one entry per row, until it is taken: the start and the end of a short task become one
 * row. Remembers the rows of node runs that go on, because their end needs what their start said, and because they
 * must be written again when somebody took the run for dead.
 */
export class StateBuffer {
  readonly #runId: number;
  readonly #running = new Map<number, NodeRunRow>();
  #nodes = new Map<number, NodeRunRow>();
  #statistics: StatisticsRow[] = [];
  #end: RunEnd | null = null;
  #ended = false;

  constructor(runId: number) {
    this.#runId = runId;
  }

  /** Rows that wait to be taken. */
  get size(): number {
    return this.#nodes.size + this.#statistics.length;
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#end === null;
  }

  /** The run's end has been taken up. */
  get hasEnd(): boolean {
    return this.#ended;
  }

  /** The run's end waits and nothing else does. */
  get onlyEndLeft(): boolean {
    return this.size === 0 && this.#end !== null;
  }

  /**
   * @param nodeRunId the row that an event about a node belongs to.
   * @throws {TypeError} when an event about a node comes without it.
   */
  add(event: RunEvent, nodeRunId: number | null): void {
    switch (event.type) {
      case 'node_started':
      case 'node_finished':
      case 'node_skipped': {
        if (nodeRunId === null) throw new TypeError(`${event.type} without a node run id`);
        this.#put(this.#nodeRow(event, nodeRunId));
        return;
      }
      case 'system_statistics':
        this.#statistics.push({
          run_id: this.#runId,
          at: event.time,
          cpu: event.cpu,
          memory: event.memory,
          swap: event.swap,
          disk_read: event.diskRead,
          disk_write: event.diskWrite,
          net_received: event.netReceived,
          net_sent: event.netSent,
        });
        return;
      case 'run_finished':
        this.#end = { status: event.status, ended_at: event.time };
        this.#ended = true;
        return;
      case 'run_started': // its row was written when the run began
      case 'output': // travels in batches
        return;
    }
  }

  /** Whatever waits now, but not more than `limit` node runs; the run's end only with the rest. */
  take(limit = 5_000): StateBatch {
    let nodes = [...this.#nodes.values()];
    if (nodes.length > limit) {
      nodes = nodes.slice(0, limit);
      for (const row of nodes) this.#nodes.delete(row.node_run_id);
      return { nodes, statistics: [], end: null };
    }
    const batch = { nodes, statistics: this.#statistics, end: this.#end };
    this.#nodes = new Map();
    this.#statistics = [];
    this.#end = null;
    return batch;
  }

  /** Whatever waits now but the run's end. */
  takeRows(limit?: number): StateBatch {
    const end = this.#end;
    this.#end = null;
    const batch = this.take(limit);
    this.#end = end;
    return batch;
  }

  /** Has the rows of all node runs that go on written again. */
  repeatRunning(): void {
    for (const [id, row] of this.#running) if (!this.#nodes.has(id)) this.#nodes.set(id, row);
  }

  #put(row: NodeRunRow): void {
    this.#nodes.set(row.node_run_id, row);
    if (row.status === 'running') this.#running.set(row.node_run_id, row);
    else this.#running.delete(row.node_run_id);
  }

  #nodeRow(
    event: Extract<RunEvent, { type: 'node_started' | 'node_finished' | 'node_skipped' }>,
    nodeRunId: number,
  ): NodeRunRow {
    const base = {
      node_run_id: nodeRunId,
      run_id: this.#runId,
      node_path: event.nodePath.map(id => storable(id)),
      kind: event.kind,
      attempt: event.attempt,
    };
    const nothing = { rows_processed: null, exit_code: null, error: null, reason: null };
    switch (event.type) {
      case 'node_started':
        return {
          ...base,
          status: 'running',
          started_at: event.time,
          ended_at: null,
          cost: event.cost,
          ...nothing,
        };
      case 'node_skipped':
        return {
          ...base,
          status: 'skipped',
          started_at: null,
          ended_at: event.time,
          cost: 0,
          ...nothing,
          reason: storable(event.reason),
        };
      case 'node_finished': {
        const started = this.#running.get(nodeRunId) ?? this.#nodes.get(nodeRunId);
        return {
          ...base,
          status: event.status,
          started_at: event.startedAt,
          ended_at: event.time,
          cost: started?.cost ?? 0,
          rows_processed: event.rowsProcessed,
          exit_code: event.exitCode,
          error: storable(event.error),
          reason: storable(event.reason),
        };
      }
    }
  }
}
