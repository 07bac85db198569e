/** Finds the store again after the connection was lost, and writes there what the spool has taken up meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { writeRecord } from './replay.ts';
import { resumeRun, type RunIdentity } from './run-row.ts';
import type { Spool, SpoolRecord } from './spool.ts';
import type { Store } from './store.ts';

/** Milliseconds between attempts to reach the store: doubled from the first to the last. */
const FIRST_RETRY = 100;
const LAST_RETRY = 5_000;

export interface Recovery {
  readonly store: Store;
  readonly run: RunIdentity;
  readonly spool: Spool;
  /** The first so many records of the spool may be in the store already. */
  readonly doubtful: number;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  /** Cuts the connection when the answer does not come. */
  readonly answered: <T>(client: Client, work: Promise<T>) => Promise<T>;
  readonly onConnected: (resumed: { readonly wasClosed: boolean; readonly cancelRequested: boolean }) => void;
  /** The connection was lost again, before everything was written. */
  readonly onDisconnected: () => void;
  /** @param left bytes of the spool's file that are not in the store yet. */
  readonly onWritten: (record: SpoolRecord, left: number) => void;
  /** The spool is empty: from now on, in this very turn of the event loop, everything goes to the connection. */
  readonly onCaughtUp: (client: Client) => void;
}

/** How far the spool has been written to the store; kept from one attempt to the next. */
interface Progress {
  position: number;
  /** Records that are in the store. */
  written: number;
  /** The first so many records may be in the store. */
  doubtful: number;
}

/** Never rejects. Returns when the store has everything and is in use again, or when the signal says so. */
export async function recover(recovery: Recovery): Promise<void> {
  const { store, run, spool, signal, answered } = recovery;
  const progress: Progress = { position: 0, written: 0, doubtful: recovery.doubtful };
  for (let pause = FIRST_RETRY; !signal.aborted; pause = Math.min(2 * pause, LAST_RETRY)) {
    let client: Client | null = null;
    let connected = false;
    try {
      client = await store.connect();
      signal.throwIfAborted();
      const resumed = await answered(client, resumeRun(client, run));
      signal.throwIfAborted();
      connected = true;
      recovery.onConnected(resumed);
      if (await writeSpool(client, recovery, progress)) {
        await spool.remove().catch(() => undefined); // writing it once more, some day, changes nothing
        return;
      }
    } catch {
      // Away still, or again: whatever the reason, the next attempt tells; the spool keeps everything.
      if (connected) {
        pause = FIRST_RETRY;
        recovery.onDisconnected();
      }
    }
    await client?.end().catch(() => undefined); // it is broken, or was made too late
    await sleep(pause, undefined, { signal }).catch(() => undefined); // the loop's condition sees it
  }
}

/** @returns `true` when everything was written and the connection is in use. */
async function writeSpool(client: Client, recovery: Recovery, progress: Progress): Promise<boolean> {
  const { run, spool, signal, answered, onWritten, onCaughtUp } = recovery;
  const write = async (record: SpoolRecord): Promise<void> => {
    const once = progress.written < progress.doubtful;
    progress.doubtful = Math.max(progress.doubtful, progress.written + 1);
    await answered(client, writeRecord(client, run.runId, record, once));
    progress.written++;
  };
  while (!signal.aborted) {
    const found = await spool.read(Math.max(progress.position, spool.start));
    if (found !== null) {
      await write(found.record);
      progress.position = found.next;
      onWritten(found.record, spool.end - progress.position);
      continue;
    }
    // Only when the file cannot be written is anything left in memory after this.
    await spool.settled();
    if (spool.end > progress.position && spool.start !== spool.end) continue;
    const unwritten = spool.unwritten;
    if (unwritten === undefined) {
      onCaughtUp(client);
      return true;
    }
    await write(unwritten);
    spool.dropUnwritten();
    onWritten(unwritten, 0);
  }
  return false;
}
