/**
 * Keeps a run in the store while it goes on: what happens is taken up at once, in memory, and written at most
 * {@link FLUSH_INTERVAL} later. While the store is away everything goes to a spool file and is written when the store
 * is back, so that nothing is lost and nothing is doubled.
 *
 * One connection serves for all of it. It holds the run's advisory lock, by which others see that the run is alive,
 * and listens for requests to cancel. Of what waits, node runs are written before output, so that no line in the store
 * is ever without its node run; the end of a node run is written in one transaction with its last lines, so that
 * nothing in the store has ended before its output is complete.
 */
import { hostname } from 'node:os';
import type { Client } from 'pg';
import type { OutputBatch, RunEvent } from '../events.ts';
import { OutputEncoder, type OutputRows } from './output-encoder.ts';
import { OutputWriter } from './output-writer.ts';
import { recover } from './recovery.ts';
import { nodeRunIds, StateBuffer, type StateBatch } from './rows.ts';
import { CANCEL_CHANNEL } from './run-lock.ts';
import { insertRun, type NewRun, type RunIdentity } from './run-row.ts';
import { Spool, spoolFolder } from './spool.ts';
import { writeStates, writeTogether } from './state-writer.ts';
import type { Store } from './store.ts';

export type { NewRun } from './run-row.ts';

/** Milliseconds from one writing to the next while little happens. */
const FLUSH_INTERVAL = 40;
/** Milliseconds that an event waits after a pause, for others that belong to it: the start of the next task. */
const FLUSH_DELAY = 5;
/** So much output is written at once without waiting for more. */
const FLUSH_BYTES = 256 * 1024;
/** Output that is written in one go: long enough to be fast, short enough that state need not wait behind it. */
const WRITE_BYTES = 1024 * 1024;
/** Output that may wait in memory; whoever brings more should wait for {@link RunRecorder.drained}. */
export const BACKLOG_LIMIT = 8 * 1024 * 1024;
/** While the spool is written to the store, output has to wait when no more than this is left, so that it ends. */
const CATCH_UP_BYTES = 64 * 1024 * 1024;
/** Bytes that a line to the store takes in a millisecond, at the very least. */
const SLOWEST_LINE = 100;

export interface RecorderOptions {
  /** A connection of the store to take over; the recorder ends it. Default: a new one. */
  readonly client?: Client;
  /** Where the spool is put; default: the folder of the store's database in the state folder. */
  readonly spoolFolder?: string;
  /** Seconds to wait for the store when the run ends while it is away. Default 10. */
  readonly waitAtEnd?: number;
  /** Seconds after which a server that does not answer counts as away. Default 30. */
  readonly answerWithin?: number;
}

/** Where the run's record is when the run is over. */
export type RecordEnd =
  | { readonly kind: 'stored' }
  /** Complete, but in a file; the next process that opens the store writes it there. */
  | { readonly kind: 'spooled'; readonly path: string; readonly message: string }
  /** Neither the store nor the spool could take it up. */
  | { readonly kind: 'incomplete'; readonly message: string };

/** The connection that is in use, with what is being written over it. */
interface Session {
  readonly client: Client;
  readonly output: OutputWriter;
  /** Being written, and what follows: not known to be stored. */
  states: StateBatch[];
  /** Taken up to be written after these states. */
  next: OutputRows | null;
  /** Bytes of output being written, or to be written next. */
  outputBytes: number;
}

export class RunRecorder {
  readonly runId: number;
  /** By the store's clock. */
  readonly startedAt: Date;
  readonly #identity: RunIdentity;
  readonly #store: Store;
  readonly #options: Required<Omit<RecorderOptions, 'client'>>;
  readonly #encoder = new OutputEncoder();
  readonly #states: StateBuffer;
  readonly #stored = Promise.withResolvers<void>();
  readonly #givenUp = Promise.withResolvers<void>();
  #nodeRuns = 0;
  #session: Session | null = null;
  #spool: Spool | null = null;
  /** Bytes of the spool that are not in the store, while it is written there. */
  #replaying: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** When it was written last, by `performance.now()`. */
  #flushedAt = 0;
  #flushing: Promise<void> | null = null;
  readonly #closed = new AbortController();
  #away: { readonly since: number; reason: string } | null = null;
  #giveUp: NodeJS.Timeout | null = null;
  #finishing = false;
  #drained: (() => void)[] = [];
  #cancelRequested = false;
  #onCancel: (() => void)[] = [];
  #fatal: string | null = null;
  #onFatal: ((message: string) => void)[] = [];
  #droppedLines = 0;
  readonly #notes: string[] = [];

  private constructor(store: Store, identity: RunIdentity, options: RecorderOptions) {
    this.#store = store;
    this.#identity = identity;
    this.runId = identity.runId;
    this.startedAt = new Date(Math.floor(identity.startedMicros / 1000));
    this.#states = new StateBuffer(this.runId);
    this.#options = {
      spoolFolder: options.spoolFolder ?? spoolFolder(store.databaseName),
      waitAtEnd: options.waitAtEnd ?? 10,
      answerWithin: options.answerWithin ?? 30,
    };
  }

  /**
   * Makes the run's row. The run is locked before anybody can see it, so nobody takes it for dead.
   *
   * @throws when the store cannot be reached or written.
   */
  static async begin(store: Store, run: NewRun, options: RecorderOptions = {}): Promise<RunRecorder> {
    const client = options.client ?? (await store.connect());
    try {
      const recorder = new RunRecorder(store, await insertRun(client, run), options);
      recorder.#adopt(client);
      return recorder;
    } catch (error) {
      await client.end().catch(() => undefined); // the first error says more
      throw error;
    }
  }

  /** An id for the row of a new attempt. */
  nextNodeRunId(): number {
    const id = nodeRunIds(this.runId).first + ++this.#nodeRuns;
    if (id >= nodeRunIds(this.runId).end)
      throw new RangeError(`Run ${this.runId} has more node runs than a run can have.`);
    return id;
  }

  /** Takes up an event; `nodeRunId` is the row of the attempt that it is about. `output` events are ignored. */
  onEvent(event: RunEvent, nodeRunId: number | null = null): void {
    this.#states.add(event, nodeRunId);
    this.#schedule();
  }

  /** Takes up lines. */
  onOutput(batch: OutputBatch): void {
    if (this.#fatal !== null && this.#session === null) {
      this.#droppedLines += batch.text.split('\n').length;
      return;
    }
    this.#encoder.add(batch);
    this.#schedule();
  }

  /** Bytes in memory that are neither in the store nor in the spool. */
  get backlogBytes(): number {
    const catchingUp = this.#replaying !== null && this.#replaying < CATCH_UP_BYTES ? this.#replaying : 0;
    const spooling = this.#fatal === null ? (this.#spool?.pendingBytes ?? 0) : 0;
    return this.#encoder.bytes + (this.#session?.outputBytes ?? 0) + spooling + catchingUp;
  }

  /** Resolves when there is room for more: at once while less than {@link BACKLOG_LIMIT} waits. */
  drained(): Promise<void> {
    if (this.backlogBytes < BACKLOG_LIMIT) return Promise.resolve();
    return new Promise(resolve => {
      this.#drained.push(resolve);
    });
  }

  /** Calls back when somebody asks for the run to be cancelled; at once when that has happened. */
  onCancelRequested(callback: () => void): void {
    this.#onCancel.push(callback);
    if (this.#cancelRequested) callback();
  }

  /**
   * Calls back with a message for the user when the run can no longer be recorded: the store is away and the spool
   * cannot be written. The run should end as failed; output that comes until the store is back is dropped.
   */
  onFatal(callback: (message: string) => void): void {
    this.#onFatal.push(callback);
    if (this.#fatal !== null) callback(this.#fatal);
  }

  /** What a user should know about the recording so far, for example how long the store was away. */
  get notes(): readonly string[] {
    const { since, reason } = this.#away ?? {};
    const now =
      since === undefined ? [] : [`The store has been away for ${seconds(since)} (${reason ?? ''}).`];
    const dropped = this.#droppedLines === 0 ? [] : [`${this.#droppedLines} lines of output are lost.`];
    return [...this.#notes, ...now, ...dropped];
  }

  /** Whether the store cannot be reached at the moment. */
  get isAway(): boolean {
    return this.#session === null;
  }

  /** Ends the waiting of {@link finish} for a store that is away. */
  stopWaiting(): void {
    if (this.#finishing && this.isAway) this.#givenUp.resolve();
  }

  /** Resolves when everything taken up so far, but the run's end, is in the store or in the spool. */
  async flush(): Promise<void> {
    do {
      this.#flushNow();
      await this.#flushing;
      await this.#spool?.settled();
    } while (this.#fatal === null && (this.#states.size > 0 || this.#encoder.bytes > 0));
  }

  /**
   * Writes what is left, at last the run's end (`run_finished` must have been taken up before), and lets go of the
   * run. While the store is away it is waited for, then the record stays in the spool.
   */
  async finish(): Promise<RecordEnd> {
    if (!this.#states.hasEnd) throw new Error('finish() was called before run_finished was taken up.');
    this.#finishing = true;
    if (this.#session === null) this.#armGiveUp();
    this.#flushNow();
    const stored = await Promise.race([
      this.#stored.promise.then(() => true),
      this.#givenUp.promise.then(() => false),
    ]);
    this.#disarmGiveUp();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#closed.abort();
    if (!stored) return await this.#leaveSpool();
    const client = this.#session?.client;
    this.#session = null;
    await client?.end().catch(() => undefined); // everything is stored
    return { kind: 'stored' };
  }

  // ---- writing

  get #hasMuch(): boolean {
    return this.#encoder.bytes >= FLUSH_BYTES || (this.#finishing && !this.#isEmpty);
  }

  get #isEmpty(): boolean {
    return this.#encoder.bytes === 0 && this.#states.isEmpty;
  }

  #schedule(): void {
    if (this.#hasMuch) this.#flushNow();
    else
      this.#timer ??= setTimeout(
        () => {
          this.#flushNow();
        },
        Math.max(FLUSH_DELAY, this.#flushedAt + FLUSH_INTERVAL - performance.now()),
      );
  }

  #flushNow(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushedAt = performance.now();
      this.#flushing = null;
      this.#tellDrained();
      if (!this.#isEmpty && !this.#closed.signal.aborted) this.#schedule();
    });
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    // One turn of the event loop later, so that what comes in the same turn is written with it.
    await Promise.resolve();
    do {
      const session = this.#session;
      if (session === null) {
        this.#flushToSpool();
        await this.#spool?.settled();
        return;
      }
      try {
        await this.#flushTo(session);
      } catch (error) {
        this.#lose(session, error);
      }
      this.#tellDrained();
    } while (this.#hasMuch);
  }

  async #flushTo(session: Session): Promise<void> {
    // All within one turn: what comes while it is written is of node runs that are not among these.
    while (this.#states.size > 0) session.states.push(this.#states.takeRows());
    // Of what has ended all lines, however many there are.
    const hasEnds = session.states.some(({ nodes }) => nodes.some(({ status }) => status !== 'running'));
    const rows = this.#encoder.take(hasEnds ? Infinity : WRITE_BYTES);
    session.next = rows;
    session.outputBytes = rows?.bytes ?? 0;
    if (rows !== null && hasEnds) {
      const { client, output, states } = session;
      const writeOutput = (): Promise<void> => {
        session.next = null;
        return output.writeWithin(rows);
      };
      await this.#answered(client, writeTogether(client, this.runId, states, writeOutput), rows.bytes);
      session.states = [];
      session.outputBytes = 0;
    } else {
      await this.#writeStates(session);
    }
    const { next } = session;
    if (next !== null) {
      session.next = null;
      await this.#answered(session.client, session.output.write(next));
      session.outputBytes = 0;
    }
    if (this.#states.onlyEndLeft && this.#encoder.bytes === 0) {
      session.states.push(this.#states.take());
      await this.#writeStates(session);
      this.#stored.resolve();
    }
  }

  async #writeStates({ client, states }: Session): Promise<void> {
    for (let [batch] = states; batch !== undefined; [batch] = states) {
      await this.#answered(client, writeStates(client, this.runId, batch));
      states.shift();
    }
  }

  /** Cuts a connection on which no answer comes; `bytes` have to be sent before there can be one. */
  async #answered<T>(client: Client, work: Promise<T>, bytes = 0): Promise<T> {
    const timer = setTimeout(
      () => {
        this.#away ??= { since: Date.now(), reason: `no answer for ${this.#options.answerWithin} s` };
        void client.end();
      },
      this.#options.answerWithin * 1000 + bytes / SLOWEST_LINE,
    );
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  #tellDrained(): void {
    if (this.backlogBytes >= BACKLOG_LIMIT / 2) return;
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  // ---- the store goes away and comes back

  #adopt(client: Client): void {
    const output = new OutputWriter(client, this.runId);
    const session: Session = { client, output, states: [], next: null, outputBytes: 0 };
    this.#session = session;
    client.on('notification', ({ channel, payload }) => {
      if (channel === CANCEL_CHANNEL && payload === String(this.runId)) this.#cancel();
    });
    client.on('error', error => {
      this.#lose(session, error);
    });
    client.on('end', () => {
      this.#lose(session, new Error('the connection was closed'));
    });
  }

  #cancel(): void {
    if (this.#cancelRequested) return;
    this.#cancelRequested = true;
    for (const callback of this.#onCancel) callback();
  }

  /** From now on everything goes to the spool, first what may or may not have been stored. */
  #lose(session: Session, error: unknown): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#away ??= { since: Date.now(), reason: error instanceof Error ? error.message : String(error) };
    void session.client.end().catch(() => undefined); // it is broken

    const header = {
      runId: this.runId,
      runStartedMicros: this.#identity.startedMicros,
      host: hostname(),
      pid: process.pid,
    };
    const spool = new Spool(this.#options.spoolFolder, header, failure => {
      this.#spoolFailed(spool, failure);
    });
    this.#spool = spool;
    for (const batch of session.states) spool.append({ kind: 'states', batch });
    for (const { chunks } of [...session.output.unsafe, ...(session.next === null ? [] : [session.next])])
      spool.append({ kind: 'output', rows: Buffer.concat(chunks) });
    const doubtful = spool.appended;
    this.#flushToSpool();
    if (this.#finishing) this.#armGiveUp();
    void this.#recover(spool, doubtful);
  }

  #flushToSpool(): void {
    const spool = this.#spool;
    if (spool === null) return;
    while (this.#states.size > 0) spool.append({ kind: 'states', batch: this.#states.takeRows() });
    for (let rows = this.#encoder.take(WRITE_BYTES); rows !== null; rows = this.#encoder.take(WRITE_BYTES)) {
      spool.append({ kind: 'output', rows: Buffer.concat(rows.chunks) });
    }
    if (this.#states.onlyEndLeft) spool.append({ kind: 'states', batch: this.#states.take() });
  }

  /** Never rejects: it ends when the store is back, or when the recorder has given up. */
  async #recover(spool: Spool, doubtful: number): Promise<void> {
    let end = false;
    let wasClosed = false;
    await recover({
      store: this.#store,
      run: this.#identity,
      spool,
      doubtful,
      signal: this.#closed.signal,
      answered: (client, work) => this.#answered(client, work),
      onConnected: resumed => {
        wasClosed ||= resumed.wasClosed;
        if (resumed.cancelRequested) this.#cancel();
      },
      onDisconnected: () => {
        this.#replaying = null;
        if (this.#finishing) this.#armGiveUp();
        this.#tellDrained();
      },
      onWritten: (record, left) => {
        // Not as soon as it is connected: a store whose disk is full takes connections, and nothing else.
        this.#disarmGiveUp();
        end ||= record.kind === 'states' && record.batch.end !== null;
        this.#replaying = left;
        this.#tellDrained();
      },
      onCaughtUp: client => {
        this.#replaying = null;
        this.#spool = null;
        this.#adopt(client);
        if (this.#away !== null)
          this.#notes.push(`The store was away for ${seconds(this.#away.since)} (${this.#away.reason}).`);
        this.#away = null;
        if (end) this.#stored.resolve();
        else if (wasClosed) this.#states.repeatRunning();
        this.#flushNow();
      },
    });
  }

  #spoolFailed(spool: Spool, error: Error): void {
    if (this.#fatal !== null) return;
    this.#fatal =
      `The store is away (${this.#away?.reason ?? 'connection lost'}), and the spool ${spool.path} cannot be ` +
      `written: ${error.message}. Make room on that disk, or set MILLRACE_HOME to a folder on another one.`;
    for (const callback of this.#onFatal) callback(this.#fatal);
    this.#tellDrained();
  }

  #armGiveUp(): void {
    this.#giveUp ??= setTimeout(() => {
      this.#givenUp.resolve();
    }, this.#options.waitAtEnd * 1000);
  }

  #disarmGiveUp(): void {
    if (this.#giveUp !== null) clearTimeout(this.#giveUp);
    this.#giveUp = null;
  }

  async #leaveSpool(): Promise<RecordEnd> {
    await this.#flushing;
    const spool = this.#spool;
    if (spool === null) return { kind: 'stored' };
    this.#flushToSpool();
    await spool.settled();
    // There may be room again, now that the run's own processes have ended.
    if (spool.failure !== null) await spool.retry();
    const { failure } = spool;
    await spool.seal();
    const { path } = spool;
    const reason = this.#away?.reason ?? 'connection lost';
    this.#away = null; // from here on the message says it
    if (failure !== null || this.#droppedLines > 0) {
      const message =
        this.#fatal ?? `The spool ${path} cannot be written: ${failure?.message ?? 'unknown error'}`;
      return { kind: 'incomplete', message: `${message} The record of run ${this.runId} is not complete.` };
    }
    return {
      kind: 'spooled',
      path,
      message:
        `The store is away (${reason}). The record of run ${this.runId} is complete in ${path}; ` +
        'it is stored by the next command that reaches the store.',
    };
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
