/**
 * Following a run that goes on anywhere. Notices of the store wake the reader; between them it sleeps. Only a slow
 * look now and then asks whether the runner is still alive, because a dead one sends no notice.
 */
import type { Client } from 'pg';
import type { NodeKind, NodePath, NodeRunStatus, OutputFormat, RunOutcome, RunStatus } from '../model.ts';
import { closeIfLost } from './liveness.ts';
import type { OutputFilter, OutputLine, OutputPosition } from './output-history.ts';
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
 * @throws when the run does not exist, or the connection is lost.
 */
export async function* followRun(
  store: Store,
  runId: number,
  options: FollowOptions = {},
): AsyncGenerator<Followed, void> {
  const client = await store.connect();
  try {
    const wake = new WakeUp(client, runId, options);
    await client.query(`LISTEN ${CHANGES_CHANNEL}`);
    const attempts = new Map<number, FollowedAttempt>();
    while (options.signal?.aborted !== true) {
      wake.reset();
      // The status first: what is read after a run has ended is all there is.
      const run = await readRun(client, runId);
      if (run === undefined) throw new Error(`There is no run ${runId} in the store.`);
      for (const row of await readAttempts(client, runId, options)) {
        const known = attempts.get(row.nodeRunId);
        if (known?.status !== row.status) yield { type: 'node', ...row };
        attempts.set(row.nodeRunId, { ...row, read: known?.read ?? 0, quiet: known?.quiet ?? false });
      }
      for (const attempt of attempts.values()) {
        // An attempt is read once more after it was seen to have ended; its last lines may have come just before.
        if (attempt.quiet && run.status === 'running') continue;
        yield* readLines(client, attempt, options);
        attempt.quiet = attempt.status !== 'running' && wake.isQuiet;
      }
      if (run.status !== 'running') {
        yield { type: 'end', status: run.status, endedAt: run.endedAt };
        return;
      }
      if (await wake.byTimeout()) await closeIfLost(client, runId);
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
  /** It has ended and all of its lines have been read. */
  quiet: boolean;
}
