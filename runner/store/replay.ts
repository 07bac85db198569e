/** Writes what spools hold into the store. */
import { rm } from 'node:fs/promises';
import type { Client } from 'pg';
import { markLost } from './liveness.ts';
import { copyRowsDurably, copyRowsOnce } from './output-writer.ts';
import { CHANGES_CHANNEL, changeNotice, tryLockRun } from './run-lock.ts';
import { startedMicros } from './run-row.ts';
import { AbandonedSpool, listSpools, spoolFolder, type SpoolRecord } from './spool.ts';
import { writeStates } from './state-writer.ts';
import type { Store } from './store.ts';

export type ReplayOutcome =
  /** It is in the store, and the spool is gone. */
  | { readonly kind: 'replayed'; readonly path: string; readonly runId: number; readonly ended: boolean }
  /** The run goes on, or somebody else is at it. */
  | { readonly kind: 'busy'; readonly path: string }
  /** The store does not know the run: the spool was left as it is. */
  | { readonly kind: 'foreign'; readonly path: string; readonly runId: number }
  /** It could not be read or written; it was left as it is. */
  | { readonly kind: 'failed'; readonly path: string; readonly message: string };

export interface ReplayOptions {
  /** Default: the folder of the store's database in the state folder. */
  readonly folder?: string;
}

/**
 * Writes one record durably and tells followers.
 *
 * @param once the record may be in the store already, in parts or as a whole.
 */
export async function writeRecord(
  client: Client,
  runId: number,
  record: SpoolRecord,
  once: boolean,
): Promise<void> {
  if (record.kind === 'states') {
    await writeStates(client, runId, record.batch);
    return;
  }
  if (once) await copyRowsOnce(client, [record.rows]);
  else await copyRowsDurably(client, [record.rows]);
  const notice = changeNotice({ run: runId, changed: ['output'] });
  await client.query(`SELECT pg_notify('${CHANGES_CHANNEL}', $1)`, [notice]);
}

/**
 * Writes the spools that runs have left behind because the store was away when they ended, and removes them. Whoever
 * opens the store calls this, before {@link closeLostRuns}; any number of processes may do so at once.
 */
export async function replaySpools(store: Store, options: ReplayOptions = {}): Promise<ReplayOutcome[]> {
  const outcomes: ReplayOutcome[] = [];
  for (const path of await listSpools(options.folder ?? spoolFolder(store.databaseName))) {
    try {
      outcomes.push(await replaySpool(store, path));
    } catch (error) {
      outcomes.push({
        kind: 'failed',
        path,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return outcomes;
}

async function replaySpool(store: Store, path: string): Promise<ReplayOutcome> {
  await using spool = await AbandonedSpool.open(path);
  if (spool === null || (await spool.isOwned())) return { kind: 'busy', path };
  const { runId, runStartedMicros: started } = spool.header;
  const client = await store.connect();
  try {
    if (!(await tryLockRun(client, runId))) return { kind: 'busy', path };
    if ((await startedMicros(client, runId)) !== started) return { kind: 'foreign', path, runId };
    let ended = false;
    for await (const record of spool.records()) {
      await writeRecord(client, runId, record, true);
      ended ||= record.kind === 'states' && record.batch.end !== null;
    }
    if (!ended) await markLost(client, runId);
    await rm(path, { force: true });
    return { kind: 'replayed', path, runId, ended };
  } finally {
    await client.end();
  }
}
