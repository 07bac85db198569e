/** What one open page has going: runs that it follows, output that it looks at. Knows no editor. */
import type { StoreState } from '../../runner/records.ts';
import type { PageMethod, PageRequests, PageSubject, ToHost, ToPage } from '../../webview/messages.ts';
import type { Disposes, Log } from '../events.ts';
import { isGoingOn } from '../project/live-run.ts';
import type { Project } from '../project/project.ts';
import { ServiceError, type ServiceNews } from '../service/service-client.ts';
import { t } from '../l10n.ts';
import { nodeView } from './node-view.ts';

export interface PageConnectionOptions {
  readonly subject: PageSubject;
  /** `undefined` when the folder is not open (any more). */
  readonly project: Project | undefined;
  readonly post: (message: ToPage) => void;
  readonly log: Log;
}

type Request = Extract<ToHost, { readonly type: 'request' }>;

export class PageConnection implements Disposes {
  readonly #project: Project | undefined;
  readonly #post: (message: ToPage) => void;
  readonly #log: Log;
  readonly #subscriptions: Disposes[] = [];
  readonly #followed = new Set<number>();
  readonly #views = new Set<number>();
  #subject: PageSubject;
  #isReady = false;
  /** The service has ended meanwhile: what the page has is to be asked for again. */
  #needsOpening = false;

  constructor({ subject, project, post, log }: PageConnectionOptions) {
    this.#subject = subject;
    this.#project = project;
    this.#post = post;
    this.#log = log;
    if (project === undefined) return;
    // A page that was restored may be the first to need history.
    project.connect();
    let { pipelines, trusted } = project.state;
    this.#subscriptions.push(
      project.onNews(news => {
        this.#tell(news);
      }),
      project.onChange(state => {
        if (!this.#isReady) return;
        if (state.trusted !== trusted) this.open(this.#subject);
        else if (state.pipelines !== pipelines) this.#post({ type: 'graph' });
        ({ pipelines, trusted } = state);
      }),
      project.service.onState(({ kind }) => {
        // Views and subscriptions are gone with the service; the page asks for everything anew.
        if (kind === 'ready' || kind === 'starting') return;
        this.#views.clear();
        if (kind === 'waiting') this.#needsOpening = true;
      }),
    );
  }

  get subject(): PageSubject {
    return this.#subject;
  }

  /** Shows something, or the same again. */
  open(subject: PageSubject): void {
    this.#subject = subject;
    if (!this.#isReady) return;
    const { trusted = false } = this.#project?.state ?? {};
    this.#post({ type: 'open', subject, trusted, store: this.#store });
  }

  /** The page has loaded; what a page before it had going is not its own. */
  ready(): void {
    this.#release();
    this.#isReady = true;
    this.open(this.#subject);
  }

  async answer(request: Request): Promise<void> {
    const { id, method } = request;
    try {
      this.#post({ type: 'result', id, result: await this.#resultOf(request) });
    } catch (error) {
      const isExpected = error instanceof ServiceError;
      if (!isExpected)
        this.#log.error(`${method}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      const message = error instanceof Error ? error.message : String(error);
      this.#post({ type: 'error', id, message, code: isExpected ? error.code : 'internal' });
    }
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#release();
  }

  get #store(): StoreState {
    const state = this.#project?.state;
    if (state === undefined) {
      const message = t('The folder of this page is not open.');
      return { kind: 'unreachable', message, detail: message };
    }
    if (state.service.kind === 'broken')
      return { kind: 'unreachable', message: state.service.message, detail: state.service.message };
    return state.store;
  }

  async #resultOf(request: Request): Promise<PageRequests[PageMethod]['result']> {
    const project = this.#project;
    if (project === undefined) throw new ServiceError('notFound', t('The folder of this page is not open.'));
    const { state } = project;
    switch (request.method) {
      case 'node':
        return nodeView(state, request.params.path);
      case 'activeRuns':
        return [...state.live.values()].filter(isGoingOn).map(({ run }) => run);
      case 'pipelines':
        return state.pipelines.roots.map(({ node }) => node.id);
      case 'follow': {
        const { runId } = request.params;
        if (this.#followed.has(runId)) return await project.request('follow', { runId });
        this.#followed.add(runId);
        return await project.follow(runId);
      }
      case 'unfollow':
        if (this.#followed.delete(request.params.runId)) project.unfollow(request.params.runId);
        return null;
      case 'openOutput': {
        const answer = await project.request('openOutput', request.params);
        this.#views.add(answer.view);
        return answer;
      }
      case 'closeOutput':
        this.#views.delete(request.params.view);
        return await project.request('closeOutput', request.params);
      default:
        return await project.request(request.method, request.params);
    }
  }

  #tell(news: ServiceNews): void {
    if (!this.#isReady) return;
    switch (news.type) {
      case 'store':
        if (this.#needsOpening && news.state.kind === 'ready') {
          this.#needsOpening = false;
          this.open(this.#subject);
        } else this.#post(news);
        return;
      case 'runs':
        this.#post(news);
        return;
      case 'run':
        if (this.#followed.has(news.run.runId)) this.#post(news);
        return;
      case 'output':
        if (this.#views.has(news.view)) this.#post(news);
    }
  }

  #release(): void {
    const project = this.#project;
    if (project !== undefined) {
      for (const runId of this.#followed) project.unfollow(runId);
      if (project.service.state.kind === 'ready')
        for (const view of this.#views)
          project.request('closeOutput', { view }).catch((error: unknown) => {
            this.#log.debug(String(error));
          });
    }
    this.#followed.clear();
    this.#views.clear();
  }
}
