/** The pages: one panel for each node, run or history; they come back after a reload of the window. */
import * as vscode from 'vscode';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { PageAction, PageSubject, ToPage } from '../../webview/messages.ts';
import type { Disposes, Log } from '../events.ts';
import { t } from '../l10n.ts';
import type { Projects } from '../project/projects.ts';
import { PageConnection } from './page-connection.ts';
import { newNonce, pageHtml } from './page-html.ts';

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  readonly connection: PageConnection;
}

export type ActOnPage = (folder: string, action: PageAction) => Promise<void>;

export class Panels implements Disposes {
  readonly #projects: Projects;
  readonly #root: vscode.Uri;
  readonly #media: vscode.Uri;
  readonly #act: ActOnPage;
  readonly #log: Log;
  readonly #open = new Map<string, OpenPanel>();
  readonly #shown = new vscode.EventEmitter<PageSubject>();
  readonly #subscriptions: readonly Disposes[];

  constructor(projects: Projects, extension: vscode.Uri, act: ActOnPage, log: Log) {
    this.#projects = projects;
    this.#root = vscode.Uri.joinPath(extension, 'dist', 'webview');
    this.#media = vscode.Uri.joinPath(extension, 'media', 'pages');
    this.#act = act;
    this.#log = log;
    this.#subscriptions = [
      projects.onOpened(({ state }) => {
        this.#updateProject(state.folder);
      }),
      projects.onClosed(({ state }) => {
        this.#updateProject(state.folder);
      }),
    ];
  }

  /** A page is in front of the user. */
  get onShown(): vscode.Event<PageSubject> {
    return this.#shown.event;
  }

  show(subject: PageSubject, column?: vscode.ViewColumn): void {
    const open = this.#open.get(keyOf(subject));
    if (open !== undefined) {
      open.connection.open(subject);
      open.panel.reveal(column);
      this.#shown.fire(subject);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      `millrace.${subject.page}`,
      titleOf(subject),
      { viewColumn: column ?? vscode.ViewColumn.Active },
      this.#options,
    );
    this.#fill(panel, subject);
    this.#shown.fire(subject);
  }

  /** A panel of before the reload. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { pageSubject } = await this.#checks;
    const kept =
      typeof state === 'object' && state !== null && 'subject' in state ? state.subject : undefined;
    const subject = pageSubject(kept);
    if (subject === undefined) {
      this.#log.warn(`A panel of the type ${panel.viewType} cannot be restored: its state is not known.`);
      panel.dispose();
      return;
    }
    panel.webview.options = this.#options;
    this.#fill(panel, subject);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const { panel, connection } of this.#open.values()) {
      connection.dispose();
      panel.dispose();
    }
    this.#shown.dispose();
  }

  get #options(): vscode.WebviewPanelOptions & vscode.WebviewOptions {
    return {
      enableScripts: true,
      enableForms: false,
      enableFindWidget: true,
      localResourceRoots: [this.#root],
    };
  }

  /** Pages of a folder live as long as the folder is open, and again when it is opened again. */
  #updateProject(folder: string): void {
    const project = this.#projects.find(folder);
    for (const { connection } of this.#open.values())
      if (connection.subject.folder === folder) connection.setProject(project);
  }

  #icon({ page }: PageSubject): { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
    const file = (theme: 'light' | 'dark'): vscode.Uri =>
      vscode.Uri.joinPath(this.#media, `${page}-${theme}.svg`);
    return { light: file('light'), dark: file('dark') };
  }

  #fill(panel: vscode.WebviewPanel, subject: PageSubject): void {
    const { webview } = panel;
    const key = keyOf(subject);
    const load = (): void => {
      webview.html = pageHtml({
        page: subject.page,
        title: titleOf(subject),
        language: vscode.env.language,
        base: webview.asWebviewUri(this.#root).toString(),
        cspSource: webview.cspSource,
        nonce: newNonce(),
      });
    };
    const connection = new PageConnection({
      subject,
      project: this.#projects.find(subject.folder),
      post: (message: ToPage) => void webview.postMessage(message),
      renew: load,
      log: this.#log,
    });
    this.#open.set(key, { panel, connection });
    panel.title = titleOf(subject);
    panel.iconPath = this.#icon(subject);
    const subscriptions = [
      webview.onDidReceiveMessage((value: unknown) => {
        void this.#receive(connection, value);
      }),
      panel.onDidChangeViewState(() => {
        if (panel.active) this.#shown.fire(connection.subject);
        if (!panel.visible) connection.rest();
      }),
    ];
    panel.onDidDispose(() => {
      for (const subscription of subscriptions) subscription.dispose();
      connection.dispose();
      if (this.#open.get(key)?.panel === panel) this.#open.delete(key);
    });
    load();
  }

  /** Checks of messages rest on a library that takes longer to load than the rest of the extension. */
  get #checks(): Promise<typeof import('./page-message.ts')> {
    return import('./page-message.ts');
  }

  async #receive(connection: PageConnection, value: unknown): Promise<void> {
    const { pageMessage } = await this.#checks;
    const message = pageMessage(value);
    if (message === undefined) {
      this.#log.error(`A page sent what is no message: ${JSON.stringify(value).slice(0, 200)}`);
      return;
    }
    switch (message.type) {
      case 'ready':
        connection.ready();
        return;
      case 'request':
        void connection.answer(message);
        return;
      case 'action':
        void this.#act(connection.subject.folder, message.action);
        return;
      case 'fault':
        this.#log.error(`A page failed: ${message.message}`);
    }
  }
}

/** One panel for each node, each run and each history. */
function keyOf(subject: PageSubject): string {
  switch (subject.page) {
    case 'node':
      return `node ${subject.folder} ${formatPath(subject.path)}`;
    case 'run':
      return `run ${subject.folder} ${String(subject.runId)}`;
    case 'history':
      return `history ${subject.folder}`;
  }
}

function titleOf(subject: PageSubject): string {
  switch (subject.page) {
    case 'node':
      return lastOf(subject.path) ?? t('All pipelines');
    case 'run':
      return t('Run {0}', subject.runId);
    case 'history':
      return t('Run history');
  }
}

function lastOf(path: NodePath): string | undefined {
  return path.at(-1);
}
