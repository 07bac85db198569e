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
  /** Loads the page anew: what it had going is gone, and it comes back as after a reload of the window. */
  readonly renew: () => void;
  readonly log: Log;
}

type Request = Extract<ToHost, { readonly type: 'request' }>;

export class PageConnection implements Disposes {
  readonly #post: (message: ToPage) => void;
  readonly #renew: () => void;
  readonly #log: Log;
  readonly #subscriptions: Disposes[] = [];
  readonly #followed = new Set<number>();
  readonly #views = new Set<number>();
  #project: Project | undefined;
  #subject: PageSubject;
  #isReady = false;
  /** Counts the pages that were loaded into the panel: an answer may come for one that is gone. */
  #life = 0;

  constructor({ subject, project, post, renew, log }: PageConnectionOptions) {
    this.#subject = subject;
    this.#post = post;
    this.#renew = renew;
    this.#log = log;
    this.#attach(project);
  }

  /** The folder of the page was opened, or closed (`undefined`). */
  setProject(project: Project | undefined): void {
    if (project === this.#project) return;
    this.rest();
    for (const subscription of this.#subscriptions.splice(0)) subscription.dispose();
    this.#attach(project);
    this.#renew();
  }

  #attach(project: Project | undefined): void {
    this.#project = project;
    if (project === undefined) return;
    // A page that was restored may be the first to need history.
    project.connect();
    let { pipelines, trusted } = project.state;
    let isLost = false;
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
      project.service.onState(state => {
        if (state.kind === 'starting') return;
        if (state.kind === 'ready') {
          if (isLost && this.#isReady) {
            this.rest();
            this.#renew();
          }
          isLost = false;
          return;
        }
        // What it was to tell is gone with it.
        isLost = true;
        this.#views.clear();
        if (this.#isReady && state.kind !== 'stopped')
          this.#post({
            type: 'store',
            state: { kind: 'unreachable', message: state.message, detail: state.message },
          });
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

  /** Nobody sees the page, which is gone until it is shown again: nothing has to be told, nothing to be watched. */
  rest(): void {
    this.#isReady = false;
    this.#release();
  }

  async answer(request: Request): Promise<void> {
    const { id, method } = request;
    const life = this.#life;
    try {
      const result = await this.#resultOf(request);
      if (life === this.#life) this.#post({ type: 'result', id, result });
    } catch (error) {
      if (life !== this.#life) return;
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
        if (this.#followed.has(runId)) return await project.followed(runId);
        this.#followed.add(runId);
        return await project.follow(runId);
      }
      case 'unfollow':
        if (this.#followed.delete(request.params.runId)) project.unfollow(request.params.runId);
        return null;
      case 'openOutput': {
        const life = this.#life;
        const answer = await project.request('openOutput', request.params);
        if (life === this.#life) this.#views.add(answer.view);
        else closeOutput(project, answer.view, this.#log);
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
    this.#life += 1;
    const project = this.#project;
    if (project !== undefined) {
      for (const runId of this.#followed) project.unfollow(runId);
      for (const view of this.#views) closeOutput(project, view, this.#log);
    }
    this.#followed.clear();
    this.#views.clear();
  }
}

function closeOutput(project: Project, view: number, log: Log): void {
  // A service that is gone has taken its views along.
  if (project.service.state.kind !== 'ready') return;
  project.request('closeOutput', { view }).catch((error: unknown) => {
    log.debug(String(error));
  });
}
