/**
 * Following a run that goes on anywhere. Notices of the store wake the reader; between them it sleeps. Only a slow
 * look now and then asks whether the runner is still alive, because a dead one sends no notice.
 */
import type { Client } from 'pg';
import type { NodeKind, NodePath, NodeRunStatus, RunOutcome, RunStatus } from '../model.ts';
import { closeIfLost } from './liveness.ts';
import { READ_IN_ORDER, type OutputFilter, type OutputLine } from './output-history.ts';
import { nodeRunIds } from './rows.ts';
import { CHANGES_CHANNEL, type ChangeNotice } from './run-lock.ts';
import type { Store } from './store.ts';

export type Followed =
  | { readonly type: 'line'; readonly line: OutputLine }
  /** An attempt began, ended, or was skipped. */
  | {
      readonly type: 'node';
      readonly nodeRunId: number;
      readonly nodePath: NodePath;
      readonly kind: NodeKind;
      readonly attempt: number;
      readonly status: NodeRunStatus;
    }
  /** The last one. */
  | { readonly type: 'end'; readonly status: RunOutcome; readonly endedAt: Date | null };

export interface FollowOptions extends OutputFilter {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Seconds between looks whether the run is still alive. Default 5. */
  readonly lookAfter?: number;
}

/** Lines of one attempt that are read in one go. */
const PAGE = 2_000;

/**
 * Everything from the beginning of the run, then what comes, until the run ends or is found dead. Lines of one attempt
 * come in order; those of several in the order in which they are seen.
 *
 * @throws when the run does not exist, or when the connection is lost.
 */
export async function* followRun(
  store: Store,
  runId: number,
  options: FollowOptions = {},
): AsyncGenerator<Followed, void> {
  const client = await store.connect();
  const changes = new Changes(client, runId);
  try {
    await client.query(`LISTEN ${CHANGES_CHANNEL}; ${READ_IN_ORDER}`);
    const attempts = new Map<number, FollowedAttempt>();
    /** All attempts up to this id are over, so their rows need not be read again. */
    let over = nodeRunIds(runId).first;
    while (options.signal?.aborted !== true) {
      const changed = changes.take();
      // The status first: what is read after a run has ended is all there is.
      const run = await readRun(client, runId);
      if (run === undefined) throw new Error(`There is no run ${runId} in the store.`);
      const { status } = run;
      const all = changed.all || status !== 'running';
      if (all || changed.nodes || changed.nodeRuns.some(id => !attempts.has(id))) {
        for (const row of await readAttempts(client, runId, attempts, over, options)) {
          attempts.set(row.nodeRunId, { ...row, read: attempts.get(row.nodeRunId)?.read ?? 0 });
          yield { type: 'node', ...row };
        }
        while (isOver(attempts.get(over + 1))) over++;
      }
      const ids = all ? await withUnreadLines(client, attempts) : changed.nodeRuns;
      for (const id of ids) {
        const attempt = attempts.get(id);
        if (attempt !== undefined) yield* readLines(client, attempt, options);
      }
      if (status !== 'running') {
        yield { type: 'end', status, endedAt: run.endedAt };
        return;
      }
      const quiet = await changes.wait((options.lookAfter ?? 5) * 1000, options.signal);
      if (quiet) await closeIfLost(client, runId);
    }
  } finally {
    await client.end().catch(() => undefined); // it may be what was lost
  }
}

interface AttemptRow {
  readonly nodeRunId: number;
  readonly nodePath: NodePath;
  readonly kind: NodeKind;
  readonly attempt: number;
  readonly status: NodeRunStatus;
}

interface FollowedAttempt extends AttemptRow {
  /** `seq` of the last line that was read. */
  read: number;
}

/** What notices said since it was looked at. */
class Changes {
  /** Anything may have changed. */
  #all = true;
  #nodes = false;
  #nodeRuns = new Set<number>();
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(client: Client, runId: number) {
    client.on('notification', ({ channel, payload }) => {
      if (channel !== CHANGES_CHANNEL || payload === undefined) return;
      // Written by changeNotice() of this very program.
      const notice = JSON.parse(payload) as ChangeNotice;
      if (notice.run !== runId) return;
      this.#nodes ||= notice.changed.includes('nodes');
      if (notice.changed.includes('run')) this.#all = true;
      if (notice.changed.includes('output')) {
        if (notice.nodeRuns === undefined) this.#all = true;
        for (const id of notice.nodeRuns ?? []) this.#nodeRuns.add(id);
      }
      this.#wake?.();
    });
    const lost = (error: Error): void => {
      this.#error ??= error;
      this.#wake?.();
    };
    client.on('error', lost);
    client.on('end', () => {
      lost(new Error('The connection to the store was closed.'));
    });
  }

  take(): { readonly all: boolean; readonly nodes: boolean; readonly nodeRuns: readonly number[] } {
    const taken = { all: this.#all, nodes: this.#nodes, nodeRuns: [...this.#nodeRuns] };
    this.#all = this.#nodes = false;
    this.#nodeRuns = new Set();
    return taken;
  }

  /** @returns `true` when nothing changed for so many milliseconds, and `false` when something did or the signal came. */
  async wait(milliseconds: number, signal: AbortSignal | undefined): Promise<boolean> {
    const changed = (): boolean => this.#all || this.#nodes || this.#nodeRuns.size > 0;
    if (!changed() && this.#error === null && signal?.aborted !== true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = resolve;
      signal?.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
      await promise;
      clearTimeout(timer);
      this.#wake = null;
    }
    if (this.#error !== null) throw this.#error;
    return !changed() && signal?.aborted !== true;
  }
}

async function readRun(
  client: Client,
  runId: number,
): Promise<{ readonly status: RunStatus; readonly endedAt: Date | null } | undefined> {
  const { rows } = await client.query<{ status: RunStatus; endedAt: Date | null }>({
    name: 'follow-run',
    text: 'SELECT status, ended_at AS "endedAt" FROM run WHERE run_id = $1',
    values: [runId],
  });
  return rows[0];
}

/** Attempts that are not known yet or were going on, and few others. */
async function readAttempts(
  client: Client,
  runId: number,
  attempts: ReadonlyMap<number, FollowedAttempt>,
  over: number,
  { path = [] }: OutputFilter,
): Promise<AttemptRow[]> {
  const { rows } = await client.query<AttemptRow>({
    name: 'follow-attempts',
    text: `SELECT node_run_id AS "nodeRunId", node_path AS "nodePath", kind, attempt, status FROM node_run
      WHERE node_run_id > $1 AND node_run_id < $2 AND node_path[1:cardinality($3::text[])] = $3::text[]
      ORDER BY node_run_id`,
    values: [over, nodeRunIds(runId).end, path],
  });
  return rows.filter(({ nodeRunId, status }) => attempts.get(nodeRunId)?.status !== status);
}

/** Whether an attempt's row will not change any more; one that was taken for lost may come back. */
function isOver(attempt: AttemptRow | undefined): boolean {
  return attempt !== undefined && attempt.status !== 'running' && attempt.status !== 'lost';
}

async function withUnreadLines(
  client: Client,
  attempts: ReadonlyMap<number, FollowedAttempt>,
): Promise<readonly number[]> {
  const { rows } = await client.query<{ id: number }>({
    name: 'follow-unread',
    text: `SELECT known.id FROM unnest($1::bigint[], $2::integer[]) AS known (id, read)
      WHERE EXISTS (SELECT FROM node_output o WHERE o.node_run_id = known.id AND o.seq > known.read)
      ORDER BY known.id`,
    values: [[...attempts.keys()], [...attempts.values()].map(({ read }) => read)],
  });
  return rows.map(({ id }) => id);
}

async function* readLines(
  client: Client,
  attempt: FollowedAttempt,
  { errorsOnly }: OutputFilter,
): AsyncGenerator<Followed, void> {
  const { nodeRunId, nodePath, attempt: number } = attempt;
  for (;;) {
    const { rows } = await client.query<Pick<OutputLine, 'seq' | 'at' | 'format' | 'isError' | 'message'>>({
      name: errorsOnly === true ? 'follow-errors' : 'follow-lines',
      text: `SELECT seq, at, format, is_error AS "isError", message FROM node_output
        WHERE node_run_id = $1 AND seq > $2 ${errorsOnly === true ? 'AND is_error' : ''} ORDER BY seq LIMIT ${PAGE}`,
      values: [nodeRunId, attempt.read],
    });
    for (const row of rows) {
      attempt.read = row.seq;
      yield { type: 'line', line: { nodeRunId, nodePath, attempt: number, ...row } };
    }
    if (rows.length < PAGE) return;
  }
}
