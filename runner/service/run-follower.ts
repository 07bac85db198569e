/** Tells what is new in one run while it goes on: attempts that began or ended, samples, progress. */
import type { NodeRunRecord, RunDetailsRecord, StatisticsRecord } from '../records.ts';
import type { AverageDurations } from '../scheduler/cost.ts';
import { systemStatistics } from '../store/history.ts';
import { changedNodeRuns, newStatistics } from '../store/run-changes.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import { runsById } from '../store/run-search.ts';
import type { Store } from '../store/store.ts';
import type { FromService } from './protocol.ts';
import { picture, readRunDetails, type ReadRun } from './run-details.ts';
import { peakConcurrency } from './run-progress.ts';
import { toNodeRunRecord, toRunRecord, toStatisticsRecord } from './run-records.ts';

/** Milliseconds from one look at changes to the next; what comes after a pause is looked at at once. */
const PERIOD = 60;

export type RunNews = Extract<FromService, { readonly type: 'run' }>;

export interface FollowerOptions {
  readonly store: () => Promise<Store>;
  /** Average durations of all nodes. */
  readonly averages: (store: Store) => Promise<AverageDurations>;
  readonly onNews: (news: RunNews) => void;
  readonly onFailure: (error: unknown) => void;
}

export class RunFollower {
  readonly runId: number;
  readonly #options: FollowerOptions;
  #read: ReadRun | null = null;
  readonly #nodeRuns = new Map<number, NodeRunRecord>();
  /** Ids of those that go on, or may again: a runner that comes back opens what was lost. */
  readonly #open = new Set<number>();
  #newest = 0;
  /** How many tasks went on at once. */
  #slots = 0;
  #sampledAt = new Date(0);
  #changed: 'nothing' | 'something' | 'all' = 'nothing';
  #timer: NodeJS.Timeout | undefined;
  /** When it may be looked again, by `performance.now()`. */
  #next = 0;
  #working = false;
  #closed = false;

  constructor(runId: number, options: FollowerOptions) {
    this.runId = runId;
    this.#options = options;
  }

  /** How the run stands; `null` when there is none. Whatever changes from now on is told. */
  async start(): Promise<RunDetailsRecord | null> {
    this.#working = true;
    try {
      const store = await this.#options.store();
      // What comes while it is read is told afterwards.
      const [read, samples] = await Promise.all([
        readRunDetails(store, this.runId, this.#options.averages(store)),
        systemStatistics(store, this.runId),
      ]);
      this.#read = read;
      if (read === null) return null;
      for (const nodeRun of read.details.nodeRuns) this.#take(nodeRun);
      this.#slots = peakConcurrency(read.details.nodeRuns);
      this.#sampledAt = samples.at(-1)?.at ?? this.#sampledAt;
      return read.details;
    } finally {
      this.#working = false;
      this.#schedule();
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  onChange({ run, changed }: ChangeNotice): void {
    if (run !== this.runId) return;
    if (changed.includes('run')) this.#changed = 'all';
    else if (changed.some(what => what !== 'output') && this.#changed === 'nothing')
      this.#changed = 'something';
    this.#schedule();
  }

  /** Anything may have changed: the store was away. */
  onReconnect(): void {
    this.#changed = 'all';
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed || this.#working || this.#timer !== undefined || this.#changed === 'nothing') return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#refresh();
      },
      Math.max(0, this.#next - performance.now()),
    );
  }

  async #refresh(): Promise<void> {
    this.#working = true;
    const changed = this.#changed;
    this.#changed = 'nothing';
    const started = performance.now();
    this.#next = started + PERIOD;
    try {
      await this.#tell(await this.#options.store(), changed === 'all');
    } catch (error) {
      this.#working = false;
      this.#changed = 'all'; // looked at again when the store is back
      this.#options.onFailure(error);
      return;
    }
    this.#working = false;
    // A run of very many nodes must not keep the service busy with pictures of it.
    const ended = performance.now();
    this.#next = Math.max(this.#next, ended + 5 * (ended - started));
    this.#schedule();
  }

  async #tell(store: Store, all: boolean): Promise<void> {
    const [runs, rows, samples] = await Promise.all([
      runsById(store, [this.runId]),
      changedNodeRuns(store, this.runId, all ? 0 : this.#newest, all ? [] : [...this.#open]),
      newStatistics(store, this.runId, this.#sampledAt),
    ]);
    const [found] = runs;
    if (found === undefined || this.#read === null || this.#closed) return;
    const nodeRuns = rows.map(toNodeRunRecord).filter(nodeRun => this.#take(nodeRun));
    const statistics: StatisticsRecord[] = samples.map(toStatisticsRecord);
    this.#sampledAt = samples.at(-1)?.at ?? this.#sampledAt;
    const run = toRunRecord(found);
    const known = [...this.#nodeRuns.values()];
    const isRunningTask = (nodeRun?: NodeRunRecord): boolean =>
      nodeRun?.kind === 'task' && nodeRun.status === 'running';
    const tasks = [...this.#open].filter(id => isRunningTask(this.#nodeRuns.get(id))).length;
    this.#slots = Math.max(this.#slots, tasks);
    const now = picture(this.#read.work, run, known, this.#slots, store.clock());
    this.#options.onNews({ type: 'run', run, nodeRuns, statistics, ...now });
  }

  /** @returns whether it is new or another than before. */
  #take(nodeRun: NodeRunRecord): boolean {
    const before = this.#nodeRuns.get(nodeRun.nodeRunId);
    if (before?.status === nodeRun.status && before.endedAt === nodeRun.endedAt) return false;
    this.#nodeRuns.set(nodeRun.nodeRunId, nodeRun);
    this.#newest = Math.max(this.#newest, nodeRun.nodeRunId);
    if (nodeRun.status === 'running' || nodeRun.status === 'lost') this.#open.add(nodeRun.nodeRunId);
    else this.#open.delete(nodeRun.nodeRunId);
    return true;
  }
}
