/** A project that is open in the editor: keeps its state up to date out of what language server and service tell. */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { NodeFiguresRecord, RunDetailsRecord, RunQuery, RunRecord } from '../../runner/records.ts';
import type { ServiceMethod, ServiceRequests } from '../../runner/service/protocol.ts';
import { Coalesced, type Disposes, Emitter, type Log, messageOf, Paced } from '../events.ts';
import type { NodeOutcome, OutcomesMessage, PipelinesMessage } from '../language/protocol.ts';
import { GraphLoader, type LoadedGraph } from '../runner/graph-loader.ts';
import type { CommandLine } from '../runner/run-starter.ts';
import { ServiceClient, type ServiceLaunch, type ServiceNews } from '../service/service-client.ts';
import { nextTurn, Slices } from '../turns.ts';
import { isGoingOn, type LiveRun, liveRun, liveRunOf, withNews } from './live-run.ts';
import { PipelinesInbox } from './pipeline-index.ts';
import {
  type AnalysisState,
  failingNodes,
  newProjectState,
  type ProjectState,
  type RequestedRun,
} from './project-state.ts';

export interface ProjectOptions {
  /** URI of the workspace folder. */
  readonly folder: string;
  readonly name: string;
  readonly directory: string;
  readonly trusted: boolean;
  readonly launch: (project: Project) => Promise<ServiceLaunch>;
  readonly commandLine: (project: Project) => Promise<CommandLine>;
  readonly log: Log;
}

/** Milliseconds in which changes are shown together. */
const together = 50;
/** How many outcomes the language server is told of in one message. */
const outcomesAtOnce = 500;
/** How many runs the side bar shows. */
const shownRuns = 100;

export class Project implements Disposes {
  readonly service: ServiceClient;
  readonly #log: Log;
  readonly #loader: GraphLoader;
  readonly #inbox = new PipelinesInbox();
  readonly #changes: Emitter<ProjectState>;
  readonly #ended: Emitter<RunRecord>;
  readonly #news: Emitter<ServiceNews>;
  readonly #graphs: Emitter<LoadedGraph>;
  readonly #outcomes: Emitter<OutcomesMessage>;
  readonly #announce: Paced;
  readonly #readFigures: Coalesced;
  readonly #readRuns: Paced;
  /** How many want to be told of a run, by its id. */
  readonly #followers = new Map<number, number>();
  /** Runs that the service tells of, as long as it lives. */
  readonly #told = new Set<number>();
  /** Runs that it was just asked to tell of. */
  readonly #asked = new Map<number, Promise<RunDetailsRecord | null>>();
  /** Runs that are followed for the state. */
  readonly #followedByState = new Set<number>();
  #state: ProjectState;
  #lastKey = 0;
  #isDisposed = false;

  constructor(options: ProjectOptions) {
    const { folder, name, directory, trusted, log } = options;
    this.#log = log;
    this.#state = newProjectState(folder, name, directory, trusted);
    const onFault = (error: unknown): void => {
      log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    };
    this.#changes = new Emitter(onFault);
    this.#ended = new Emitter(onFault);
    this.#news = new Emitter(onFault);
    this.#graphs = new Emitter(onFault);
    this.#outcomes = new Emitter(onFault);
    this.#announce = new Paced(together, () => {
      this.#changes.fire(this.#state);
    });
    this.#readFigures = new Coalesced(200, () => void this.#quietly(this.#fetchFigures()));
    this.#readRuns = new Paced(100, () => void this.#quietly(this.#fetchRuns()));
    this.service = new ServiceClient(() => options.launch(this), log);
    this.service.onState(service => {
      this.#set({ service });
      if (service.kind === 'ready') void this.#quietly(this.#greet());
      else if (service.kind !== 'starting') {
        this.#told.clear();
        this.#asked.clear();
        this.#set({ store: { kind: 'closed' } });
      }
    });
    this.service.onNews(news => {
      this.#receive(news);
    });
    this.#loader = new GraphLoader(
      () => options.commandLine(this),
      graph => {
        this.#set({ loadErrors: graph.errors });
        this.#graphs.fire(graph);
      },
      log,
    );
  }

  get state(): ProjectState {
    return this.#state;
  }

  /** The state changed; several changes are told together. */
  get onChange(): Emitter<ProjectState>['event'] {
    return this.#changes.event;
  }

  /** A run ended while this window looked. */
  get onRunEnded(): Emitter<RunRecord>['event'] {
    return this.#ended.event;
  }

  /** What the service says, for pages. */
  get onNews(): Emitter<ServiceNews>['event'] {
    return this.#news.event;
  }

  /** The graph was loaded the way a run does. */
  get onGraph(): Emitter<LoadedGraph>['event'] {
    return this.#graphs.event;
  }

  /** Outcomes for the language server. */
  get onOutcomes(): Emitter<OutcomesMessage>['event'] {
    return this.#outcomes.event;
  }

  request<Method extends ServiceMethod>(
    method: Method,
    params: ServiceRequests[Method]['params'],
  ): Promise<ServiceRequests[Method]['result']> {
    return this.service.request(method, params);
  }

  /** What the language server found. */
  takePipelines(message: PipelinesMessage): void {
    const pipelines = this.#inbox.take(message);
    if (pipelines === undefined) return;
    const isMoved = message.directory !== this.#state.directory;
    this.#set({ pipelines, directory: message.directory, analysis: { kind: 'ready' } });
    if (isMoved) this.service.restart();
    if (pipelines.roots.length > 0) this.connect();
  }

  setAnalysis(analysis: AnalysisState): void {
    this.#set({ analysis });
  }

  /** Starts to read the history, unless that goes on already. */
  connect(): void {
    if (this.service.state.kind === 'stopped') this.service.start();
  }

  /** The user wants another try. */
  async retryStore(): Promise<void> {
    const { kind } = this.service.state;
    if (kind === 'ready') {
      this.#set({ store: { kind: 'connecting' } });
      await this.#greet();
    } else this.service.start();
  }

  /** Settings or trust changed: everything begins anew with them. */
  restart(trusted: boolean): void {
    this.#set({ trusted });
    this.service.restart();
  }

  /** Loads the graph the way a run does, if that is allowed. */
  loadGraph(): void {
    if (this.#state.trusted && this.#state.analysis.kind !== 'virtual') this.#loader.load();
  }

  setRunsQuery(runsQuery: RunQuery): void {
    this.#set({ runsQuery });
    this.#readRuns.wish();
  }

  refreshRuns(): void {
    this.#readRuns.wish();
    this.#readFigures.wish();
  }

  /** Shows nodes as queued at once, before their run has a row. @returns what takes that back. */
  markRequested(pipelinePath: NodePath, nodePaths: readonly NodePath[]): () => void {
    const requested: RequestedRun = { key: ++this.#lastKey, pipelinePath, nodePaths };
    this.#set({ requested: [...this.#state.requested, requested] });
    return () => {
      this.#set({ requested: this.#state.requested.filter(({ key }) => key !== requested.key) });
    };
  }

  /** Has the service tell what happens in a run; every call needs its {@link unfollow}. */
  async follow(runId: number): Promise<RunDetailsRecord | null> {
    this.#followers.set(runId, (this.#followers.get(runId) ?? 0) + 1);
    return await this.followed(runId);
  }

  /** How a run stands that {@link follow} was called for; it is followed anew where that was in vain. */
  async followed(runId: number): Promise<RunDetailsRecord | null> {
    if (this.#told.has(runId)) return await this.request('run', { runId });
    const asked = this.#asked.get(runId) ?? this.#ask(runId);
    return await asked;
  }

  unfollow(runId: number): void {
    const count = (this.#followers.get(runId) ?? 0) - 1;
    if (count > 0) {
      this.#followers.set(runId, count);
      return;
    }
    this.#followers.delete(runId);
    if (this.#told.delete(runId)) void this.#quietly(this.request('unfollow', { runId }));
  }

  /** A run was begun of which nothing may have been told yet; resolves when its state is known. */
  async noteStarted(runId: number): Promise<void> {
    await this.#quietly(this.#watchById(runId));
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const each of [this.#announce, this.#readFigures, this.#readRuns, this.#loader, this.service])
      each.dispose();
    for (const emitter of [this.#changes, this.#ended, this.#news, this.#graphs, this.#outcomes])
      emitter.dispose();
  }

  /** The service is there: everything that it told before may be out of date. */
  async #greet(): Promise<void> {
    const store = await this.request('connect', {});
    this.#receive({ type: 'store', state: store });
  }

  /** Asks the service once, however many want to know. */
  #ask(runId: number): Promise<RunDetailsRecord | null> {
    const asked = this.request('follow', { runId }).then(
      details => {
        if (this.#asked.get(runId) !== asked) return details;
        this.#asked.delete(runId);
        if (details === null) return null;
        this.#told.add(runId);
        // Nobody wants to know any more.
        if (!this.#followers.has(runId)) {
          this.#told.delete(runId);
          void this.#quietly(this.request('unfollow', { runId }));
        }
        return details;
      },
      (error: unknown) => {
        if (this.#asked.get(runId) === asked) this.#asked.delete(runId);
        throw error;
      },
    );
    this.#asked.set(runId, asked);
    return asked;
  }

  /** Follows what could not be followed while the store was away. */
  async #refollow(): Promise<void> {
    for (const runId of [...this.#followers.keys()]) {
      if (this.#told.has(runId)) continue;
      const details = await this.followed(runId);
      if (details === null || !this.#followedByState.has(runId)) continue;
      this.#setLive(liveRunOf(details, Date.now()));
      if (details.run.status !== 'running') this.#runChanged(details.run);
    }
  }

  #receive(news: ServiceNews): void {
    switch (news.type) {
      case 'store': {
        const wasReady = this.#state.store.kind === 'ready';
        this.#set({ store: news.state });
        if (news.state.kind === 'ready' && !wasReady) {
          this.#readFigures.wish();
          this.#readRuns.wish();
          void this.#quietly(this.#refollow().then(() => this.#findActiveRuns()));
        }
        break;
      }
      case 'runs':
        for (const run of news.changed) this.#runChanged(run);
        this.#readRuns.wish();
        break;
      case 'run': {
        const live = this.#state.live.get(news.run.runId);
        if (live !== undefined) this.#setLive(withNews(live, news, Date.now()));
        if (live !== undefined && news.run.status !== 'running') this.#runChanged(news.run);
        break;
      }
      case 'output':
        break;
    }
    this.#news.fire(news);
  }

  #runChanged(run: RunRecord): void {
    const before = this.#state.live.get(run.runId);
    if (run.status === 'running') {
      // A run that counted as lost goes on when its runner is back.
      if (before === undefined || !this.#followedByState.has(run.runId)) this.#watch(run);
      else this.#setLive({ ...before, run });
      return;
    }
    if (before !== undefined) {
      const wasGoingOn = isGoingOn(before);
      this.#setLive({ ...before, run });
      if (wasGoingOn || this.#followedByState.has(run.runId)) this.#closeLive(run);
    } else this.#readFigures.wish();
  }

  #watch(run: RunRecord): void {
    this.#setLive(liveRun(run));
    void this.#quietly(this.#watchById(run.runId));
  }

  async #watchById(runId: number): Promise<void> {
    if (this.#followedByState.has(runId)) return;
    this.#followedByState.add(runId);
    const details = await this.follow(runId);
    // It may have ended meanwhile: then the answer is older than what is known.
    if (this.#isDisposed || !this.#followedByState.has(runId)) return;
    if (details === null) {
      this.#followedByState.delete(runId);
      this.unfollow(runId);
      return;
    }
    this.#setLive(liveRunOf(details, Date.now()));
    this.#readRuns.wish();
    if (details.run.status !== 'running') this.#closeLive(details.run);
  }

  #closeLive(run: RunRecord): void {
    if (this.#followedByState.delete(run.runId)) {
      this.unfollow(run.runId);
      this.#ended.fire(run);
    }
    this.#readFigures.wish();
    this.#readRuns.wish();
  }

  #setLive(live: LiveRun): void {
    this.#set({ live: new Map(this.#state.live).set(live.run.runId, live) });
  }

  async #findActiveRuns(): Promise<void> {
    const { runs } = await this.request('runs', { statuses: ['running'], limit: shownRuns });
    for (const run of runs) this.#runChanged(run);
    const still = new Set(runs.map(({ runId }) => runId));
    for (const { run } of [...this.#state.live.values()])
      if (run.status === 'running' && !still.has(run.runId)) await this.#refollowEnded(run.runId);
  }

  /** A run ended while nobody told. */
  async #refollowEnded(runId: number): Promise<void> {
    const details = await this.request('run', { runId });
    if (details !== null) this.#runChanged(details.run);
  }

  async #fetchFigures(): Promise<void> {
    if (this.#state.store.kind !== 'ready') return;
    const over = [...this.#state.live.values()].filter(live => !isGoingOn(live)).map(({ run }) => run.runId);
    const records = await this.request('figures', { path: [] });
    const slices = new Slices();
    const figures = new Map<string, NodeFiguresRecord>();
    for (const record of records) {
      if (slices.isOver) await slices.next();
      figures.set(formatPath(record.path), record);
    }
    // From now on history tells what these runs did.
    const live = new Map(this.#state.live);
    for (const runId of over) live.delete(runId);
    this.#set({ figures, live, failing: failingNodes(records) });
    for (let start = 0; start < records.length; start += outcomesAtOnce) {
      await nextTurn();
      const some = records.slice(start, start + outcomesAtOnce);
      this.#outcomes.fire({ folder: this.#state.folder, nodes: some.map(outcomeOf) });
    }
  }

  async #fetchRuns(): Promise<void> {
    if (this.#state.store.kind !== 'ready') return;
    const query = this.#state.runsQuery;
    const runs = await this.request('runs', { ...query, limit: shownRuns });
    if (query === this.#state.runsQuery) this.#set({ runs });
  }

  /** What fails here is told by the states of service and store; the log keeps the words. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.#isDisposed) this.#log.warn(messageOf(error));
    }
  }

  #set(change: Partial<ProjectState>): void {
    if (this.#isDisposed) return;
    this.#state = { ...this.#state, ...change };
    this.#announce.wish();
  }
}

function outcomeOf({ path, last, averageDuration, cost }: NodeFiguresRecord): NodeOutcome {
  return {
    path,
    status: last?.status ?? null,
    endedAt: last?.endedAt == null ? null : new Date(last.endedAt).toISOString(),
    duration:
      last?.startedAt == null || last.endedAt === null ? null : (last.endedAt - last.startedAt) / 1000,
    averageDuration,
    cost,
  };
}
