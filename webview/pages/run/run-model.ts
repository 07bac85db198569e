/** One run as a page holds it: what it asked for, and what it was told since. */
import { useEffect, useState } from 'preact/hooks';
import type { NodeRunRecord, RunDetailsRecord, StatisticsRecord } from '../../../runner/records.ts';
import { type Connection, type PushedMessage, RequestError } from '../../connection.ts';
import { usePage } from '../../page.ts';

export type RunSnapshot =
  | { readonly kind: 'loading' }
  /** It was deleted, or there never was one. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string }
  | {
      readonly kind: 'ready';
      readonly details: RunDetailsRecord;
      /** In order of time. */
      readonly statistics: readonly StatisticsRecord[];
      /** When `details.progress` was told: ms by the clock of this machine. */
      readonly progressAt: number;
      /** Why it may be out of date. */
      readonly problem: { readonly message: string; readonly code: string } | null;
    };

/** Pages are drawn again at most so often, however much happens: ms. */
const PACE = 100;

export class RunModel {
  readonly runId: number;
  readonly #connection: Connection;
  readonly #listeners = new Set<() => void>();
  readonly #nodeRuns = new Map<number, NodeRunRecord>();
  #statistics: StatisticsRecord[] = [];
  #snapshot: RunSnapshot = { kind: 'loading' };
  /** Told before the answer that they belong on top of has come. */
  #early: PushedMessage<'run'>[] = [];
  #ends: (() => void)[] = [];
  #life = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #announcedAt = 0;
  #changed: Partial<RunDetailsRecord> = {};
  #isAsking = false;

  constructor(connection: Connection, runId: number) {
    this.#connection = connection;
    this.runId = runId;
  }

  get snapshot(): RunSnapshot {
    return this.#snapshot;
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** With the first listener the run is followed, with the last one no more. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#close();
    };
  }

  reload(): void {
    const life = ++this.#life;
    this.#isAsking = true;
    const asked = [
      this.#connection.request('follow', { runId: this.runId }),
      this.#connection.request('statistics', { runId: this.runId }),
    ] as const;
    Promise.all(asked).then(
      ([details, statistics]) => {
        if (life !== this.#life) return;
        this.#isAsking = false;
        if (details === null) {
          const before = this.#snapshot;
          // What was shown stays, with a word about it.
          this.#show(
            before.kind === 'ready'
              ? { ...before, problem: { message: `Run ${this.runId} has been deleted.`, code: 'notFound' } }
              : { kind: 'gone' },
          );
          return;
        }
        this.#nodeRuns.clear();
        for (const record of details.nodeRuns) this.#nodeRuns.set(record.nodeRunId, record);
        this.#statistics = [];
        this.#changed = {};
        this.#addStatistics(statistics);
        this.#snapshot = {
          kind: 'ready',
          details,
          statistics: this.#statistics,
          progressAt: Date.now(),
          problem: null,
        };
        for (const message of this.#early.splice(0)) this.#take(message);
        this.#announce();
      },
      (error: unknown) => {
        if (life !== this.#life) return;
        this.#isAsking = false;
        const { message, code } =
          error instanceof RequestError ? error : { message: String(error), code: 'internal' };
        const before = this.#snapshot;
        this.#show(
          before.kind === 'ready'
            ? { ...before, problem: { message, code } }
            : { kind: 'failed', message, code },
        );
      },
    );
  }

  #open(): void {
    this.#ends = [
      this.#connection.on('run', message => {
        if (message.run.runId !== this.runId) return;
        if (this.#isAsking) this.#early.push(message);
        else this.#take(message);
      }),
      this.#connection.on('runs', ({ changed }) => {
        const run = changed.find(each => each.runId === this.runId);
        if (run === undefined || this.#snapshot.kind !== 'ready' || this.#isAsking) return;
        this.#changed = { ...this.#changed, run };
        this.#soon();
      }),
      this.#connection.on('store', ({ state }) => {
        const isStale =
          this.#snapshot.kind === 'failed' ||
          (this.#snapshot.kind === 'ready' && this.#snapshot.problem !== null);
        if (state.kind === 'ready' && isStale) this.reload();
        // What goes on is not told of any more, which must not look as if nothing went on.
        const before = this.#snapshot;
        if (
          state.kind === 'unreachable' &&
          before.kind === 'ready' &&
          before.details.run.status === 'running'
        )
          this.#show({ ...before, problem: { message: state.message, code: 'store' } });
      }),
    ];
    this.reload();
  }

  #close(): void {
    this.#life += 1;
    for (const end of this.#ends.splice(0)) end();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#early = [];
    // Whoever is gone need not be told.
    this.#connection.request('unfollow', { runId: this.runId }).catch(() => null);
  }

  #take(message: PushedMessage<'run'>): void {
    if (this.#snapshot.kind !== 'ready') return;
    for (const record of message.nodeRuns) this.#nodeRuns.set(record.nodeRunId, record);
    this.#addStatistics(message.statistics);
    const { run, progress, criticalPath } = message;
    this.#changed = {
      ...this.#changed,
      run,
      progress,
      criticalPath,
      ...(message.nodeRuns.length > 0 && { nodeRuns: [] }),
    };
    this.#soon();
  }

  #addStatistics(records: readonly StatisticsRecord[]): void {
    const last = this.#statistics.at(-1)?.at ?? -Infinity;
    const added = records.filter(({ at }) => at > last);
    if (added.length > 0) this.#statistics = [...this.#statistics, ...added];
  }

  #soon(): void {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#announcedAt + PACE - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#announce();
    }, wait);
  }

  #announce(): void {
    this.#announcedAt = performance.now();
    const before = this.#snapshot;
    if (before.kind === 'ready') {
      const { nodeRuns, ...others } = this.#changed;
      this.#snapshot = {
        ...before,
        details: {
          ...before.details,
          ...others,
          ...(nodeRuns !== undefined && { nodeRuns: [...this.#nodeRuns.values()] }),
        },
        statistics: this.#statistics,
        progressAt: others.progress === undefined ? before.progressAt : Date.now(),
        problem: Object.keys(this.#changed).length > 0 ? null : before.problem,
      };
      this.#changed = {};
    }
    for (const listener of [...this.#listeners]) listener();
  }

  #show(snapshot: RunSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Models are shared by the parts of a page, so that a run is followed once. */
const models = new WeakMap<Connection, Map<number, RunModel>>();

function modelOf(connection: Connection, runId: number): RunModel {
  let byRun = models.get(connection);
  if (byRun === undefined) models.set(connection, (byRun = new Map<number, RunModel>()));
  let model = byRun.get(runId);
  if (model === undefined) byRun.set(runId, (model = new RunModel(connection, runId)));
  return model;
}

/** Follows a run as long as the part is on the page. */
export function useRun(runId: number): { readonly model: RunModel; readonly snapshot: RunSnapshot } {
  const { connection } = usePage();
  const model = modelOf(connection, runId);
  const [, setCount] = useState(0);
  useEffect(() => {
    setCount(count => count + 1);
    const end = model.subscribe(() => {
      setCount(count => count + 1);
    });
    return () => {
      end();
      const byRun = models.get(connection);
      // A run that nobody looks at is asked for anew.
      if (byRun?.get(runId) === model && !model.isFollowed) byRun.delete(runId);
    };
  }, [connection, model, runId]);
  return { model, snapshot: model.snapshot };
}
