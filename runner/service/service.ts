/** Answers the editor's requests and tells it what happens. */
import type { ConfigurationRecord, RunDetailsRecord } from '../records.ts';
import { requestCancel } from '../store/cancel.ts';
import { errorCode, errorMessage, StoreError } from '../store/errors.ts';
import { systemStatistics } from '../store/history.ts';
import { describeUrl, parseUrl } from '../store/location.ts';
import { attemptsWithLines } from '../store/node-outcomes.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import type { Store } from '../store/store.ts';
import { AverageCache } from './average-cache.ts';
import type { Request } from './messages.ts';
import { readFigures, readGrid, readRunTimes, type Known } from './node-figures.ts';
import type { OutputView } from './output-view.ts';
import { OutputViews } from './output-views.ts';
import { ProjectGraphs } from './project-graph.ts';
import { ProjectError, ProjectProcesses } from './project-process.ts';
import type { CancelAnswer, FromService, ServiceErrorCode, ServiceOptions } from './protocol.ts';
import { readRunDetails } from './run-details.ts';
import { RunFollower } from './run-follower.ts';
import { readRunList } from './run-queries.ts';
import { toNodeRunRecord, toStatisticsRecord } from './run-records.ts';
import { RunWatch } from './run-watch.ts';
import { settingEnvironment, storeAddress, URL_SETTING } from './store-address.ts';
import { StoreLink } from './store-link.ts';

/** A request that cannot be answered; the message is for people. */
class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ServiceChannel {
  readonly send: (message: FromService) => void;
  /** For the log of the editor. */
  readonly log: (message: string) => void;
}

const MOST_ATTEMPTS = 1_000;
const MOST_MATCHES = 10_000;

export class Service {
  readonly #options: ServiceOptions;
  readonly #channel: ServiceChannel;
  readonly #link: StoreLink;
  readonly #project: ProjectProcesses;
  readonly #graphs = new ProjectGraphs();
  readonly #averages = new AverageCache();
  readonly #watch: RunWatch;
  readonly #outputs: OutputViews;
  /** Runs that are followed, each with how many follow it. */
  readonly #followers = new Map<number, { readonly follower: RunFollower; count: number }>();

  constructor(options: ServiceOptions, channel: ServiceChannel) {
    this.#options = options;
    this.#channel = channel;
    this.#project = new ProjectProcesses(options.directory, settingEnvironment(options));
    const store = (): Promise<Store> => this.#link.use();
    const onFailure = (error: unknown): void => {
      if (!isOfStore(error)) this.#channel.log(detailOf(error));
    };
    this.#link = new StoreLink({
      directory: options.directory,
      address: () => storeAddress(options, async () => (await this.#configured()).storeUrl),
      onState: state => {
        channel.send({ type: 'store', state });
      },
      onReady: () => {
        this.#averages.forget();
        this.#watch.onReady();
        this.#outputs.onReconnect();
        for (const { follower } of this.#followers.values()) follower.onReconnect();
      },
      onNotice: notice => {
        this.#onNotice(notice);
      },
      log: channel.log,
    });
    this.#watch = new RunWatch({
      store,
      onFailure,
      onRuns: (changed, deleted) => {
        channel.send({ type: 'runs', changed, ...(deleted.length > 0 && { deleted }) });
      },
      onRunning: hasRunning => {
        const began = hasRunning && !this.#link.hasRunning;
        this.#link.hasRunning = hasRunning;
        if (began) this.#link.lookSoon();
      },
    });
    this.#outputs = new OutputViews({
      store,
      onFailure,
      onExtent: (view, extent) => {
        channel.send({ type: 'output', view, extent });
      },
    });
  }

  /** Answers by a message. Never rejects. */
  async answer(request: Request): Promise<void> {
    const { id } = request;
    try {
      this.#channel.send({ type: 'result', id, result: await this.#perform(request) });
    } catch (error) {
      this.#channel.send({ type: 'error', id, ...this.#describe(error, request.method) });
    }
  }

  async close(): Promise<void> {
    this.#project.close();
    this.#watch.close();
    for (const { follower } of this.#followers.values()) follower.close();
    this.#outputs.closeAll();
    await this.#link.close();
  }

  async #perform(request: Request): Promise<unknown> {
    switch (request.method) {
      case 'connect':
        return await this.#link.connect();
      case 'configuration':
        return await this.#configuration();
      case 'taskDocs':
        this.#needTrust();
        return await this.#project.taskDocs(request.params.path);
      case 'unfollow':
        this.#unfollow(request.params.runId);
        return null;
      case 'follow':
        return await this.#follow(request.params.runId);
      case 'openOutput':
        return await this.#outputs.open(request.params);
      case 'readOutput':
        return await this.#view(request.params.view).read(request.params.from, request.params.count);
      case 'searchOutput': {
        const { view, text, from, limit = MOST_MATCHES } = request.params;
        return await this.#view(view).search(text, from, Math.min(MOST_MATCHES, limit));
      }
      case 'findError': {
        const { view, from, direction } = request.params;
        const index = await this.#view(view).findError(from, direction);
        return index === null ? null : { index };
      }
      case 'closeOutput':
        this.#outputs.close(request.params.view);
        return null;
      default:
        return await this.#query(request, await this.#link.use());
    }
  }

  async #query(
    request: Extract<
      Request,
      { method: 'figures' | 'runTimes' | 'runs' | 'run' | 'attempts' | 'grid' | 'statistics' | 'cancel' }
    >,
    store: Store,
  ): Promise<unknown> {
    switch (request.method) {
      case 'figures':
        return await readFigures(store, await this.#known(store), request.params.path);
      case 'runTimes':
        return await readRunTimes(store, await this.#known(store), request.params.path);
      case 'runs':
        return await readRunList(store, request.params);
      case 'run':
        return await this.#details(store, request.params.runId);
      case 'attempts': {
        const { path, limit = 100, before } = request.params;
        const page = { limit: Math.min(MOST_ATTEMPTS, limit), ...(before !== undefined && { before }) };
        const attempts = await attemptsWithLines(store, path, page);
        return attempts.map(attempt => ({ ...toNodeRunRecord(attempt), lines: attempt.lines }));
      }
      case 'grid':
        return await readGrid(store, request.params.query);
      case 'statistics':
        return (await systemStatistics(store, request.params.runId)).map(toStatisticsRecord);
      case 'cancel':
        return await cancel(store, request.params.runId);
    }
  }

  async #known(store: Store): Promise<Known> {
    const [project, averages] = await Promise.all([this.#graphs.read(store), this.#averages.read(store)]);
    return { ...project, averages };
  }

  async #details(store: Store, runId: number): Promise<RunDetailsRecord | null> {
    return (await readRunDetails(store, runId, this.#averages.read(store)))?.details ?? null;
  }

  async #follow(runId: number): Promise<RunDetailsRecord | null> {
    const known = this.#followers.get(runId);
    if (known !== undefined) {
      known.count += 1;
      return await this.#details(await this.#link.use(), runId);
    }
    const follower = new RunFollower(runId, {
      store: () => this.#link.use(),
      averages: open => this.#averages.read(open),
      onNews: news => {
        this.#channel.send(news);
      },
      onFailure: error => {
        if (!isOfStore(error)) this.#channel.log(detailOf(error));
      },
    });
    this.#followers.set(runId, { follower, count: 1 });
    try {
      const details = await follower.start();
      if (details === null) this.#unfollow(runId);
      return details;
    } catch (error) {
      this.#unfollow(runId);
      throw error;
    }
  }

  #unfollow(runId: number): void {
    const followed = this.#followers.get(runId);
    if (followed === undefined) return;
    followed.count -= 1;
    if (followed.count > 0) return;
    followed.follower.close();
    this.#followers.delete(runId);
  }

  #onNotice(notice: ChangeNotice): void {
    if (notice.changed.includes('run')) this.#averages.forget();
    this.#watch.onChange(notice);
    this.#outputs.onChange(notice);
    this.#followers.get(notice.run)?.follower.onChange(notice);
  }

  #view(id: number): OutputView {
    const view = this.#outputs.get(id);
    if (view === undefined)
      throw new RequestError('notFound', 'This view on the output is closed. Open it again.');
    return view;
  }

  #needTrust(): void {
    if (this.#options.trusted) return;
    throw new RequestError(
      'untrusted',
      'This folder is not trusted, so that nothing of its code is loaded. Trust it to see this.',
    );
  }

  async #configured(): ReturnType<ProjectProcesses['configuration']> {
    this.#needTrust();
    return await this.#project.configuration();
  }

  async #configuration(): Promise<readonly ConfigurationRecord[]> {
    const { records } = await this.#configured();
    const setting = settingEnvironment(this.#options)['MILLRACE_STORE_URL'];
    if (setting === undefined) return records;
    const value = parseUrl(setting) === null ? '***' : describeUrl(setting).description;
    const store = { key: 'store', value, origin: URL_SETTING };
    return records.map(record => (record.key === 'store' ? store : record));
  }

  #describe(error: unknown, method: string): { message: string; code: ServiceErrorCode } {
    if (error instanceof RequestError) return { message: error.message, code: error.code };
    if (error instanceof ProjectError) return { message: error.message, code: 'load' };
    if (error instanceof StoreError) return { message: error.message, code: 'store' };
    if (isOfStore(error))
      return { message: `The store could not answer: ${errorMessage(error)}`, code: 'store' };
    this.#channel.log(`${method}: ${detailOf(error)}`);
    return { message: `Something is wrong in Millrace itself: ${errorMessage(error)}`, code: 'internal' };
  }
}

async function cancel(store: Store, runId: number): Promise<CancelAnswer> {
  const result = await requestCancel(store, runId);
  switch (result.kind) {
    case 'requested':
    case 'already-requested':
      return { kind: 'requested' };
    case 'lost':
    case 'ended':
    case 'unknown':
      return { kind: result.kind };
  }
}

/** Lost connections, and what Postgres itself refuses while it comes and goes. */
function isOfStore(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  const code = errorCode(error) ?? '';
  // Connection exceptions, resources, an operator at work; system errors of the socket.
  if (/^(?:08|53|57)[0-9A-Z]{3}$|^E[A-Z]+$/.test(code)) return true;
  return /connection terminated|client was closed|connection error|timeout exceeded|not queryable/i.test(
    errorMessage(error),
  );
}

function detailOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
