/**
 * Opens ONE page of dist/webview/ in plain Chromium, as VS Code would: the same policy, VS Code's style sheet and theme
 * variables, and an `acquireVsCodeApi`. No VS Code is started, so a loop of edit, build, look takes about two seconds.
 *
 *   node scripts/build.mjs webview
 *
 *   await using host = await openPage({
 *     page: 'node-page',
 *     subject: { page: 'node', folder: 'file:///project', path: ['demo'] },   // what `ready` is answered with
 *     theme: 'dark', width: 1200, height: 900,                                // all optional
 *     answers: {                                                              // by method of PageRequests
 *       node: ({ path }) => aNodeView(path),
 *       runs: () => { throw new PageError('store', 'The store is away.'); },  // answered with `error`
 *     },
 *     onAction: action => { … },
 *   });
 *   await host.page.getByRole('button', { name: 'Run' }).click();   // Playwright's page, locators and all
 *   host.sent                       // every message of the page so far, oldest first
 *   host.actions                    // of these, the actions
 *   await host.send({ type: 'graph' });   // a message to the page
 *   await host.setTheme('hc-light');      // as VS Code does it: class and variables change, nothing is loaded again
 *   await host.resize(520);
 *   await host.reload();                  // what the page has given to setState is there again
 *   await host.picture('node-page/live'); // test/.artifacts/gallery/node-page/live.<theme>.png; returns the file
 *   await host.checkAccessibility();      // axe
 *   host.errors                     // console errors, exceptions, violations of the policy, requests outside: to be []
 *
 * A request without an answer here is an error of the test: it is in `errors`, and the page is told.
 * Disposing closes the page; it fails when `errors` is not empty, unless they were taken with `takeErrors()`.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type {
  PageAction,
  PageMethod,
  PageRequests,
  PageSubject,
  ToHost,
  ToPage,
} from '../../../webview/messages.ts';
import { pageHtml } from '../../../extension/panels/page-html.ts';
import { checkAccessibility } from './accessibility.ts';
import { launchBrowser, watch } from './browser.ts';
import { takePicture } from './gallery.ts';
import { type ThemeKind, type WebviewTheme, webviewTheme } from './themes.ts';

export type Answers = {
  readonly [Method in PageMethod]?: (
    params: PageRequests[Method]['params'],
  ) => PageRequests[Method]['result'] | Promise<PageRequests[Method]['result']>;
};

export interface PageOptions {
  /** Name of the entry: `node-page`, `run-page` or `history-page`. */
  readonly page: string;
  readonly subject: PageSubject;
  readonly answers?: Answers;
  readonly onAction?: (action: PageAction) => void;
  /** Default: `dark`. */
  readonly theme?: ThemeKind;
  /** CSS pixels; default 1200 × 900. */
  readonly width?: number;
  readonly height?: number;
  readonly trusted?: boolean;
  /** Default: there. */
  readonly store?: Extract<ToPage, { type: 'store' }>['state'];
  /** What the page has given to `setState` in an earlier life. */
  readonly state?: unknown;
  /** Whether the system asks for less motion. */
  readonly reducedMotion?: boolean;
  /** The time at which the page's clock stands still; default: it goes on. Timers do in any case. */
  readonly now?: number;
  /** One for several pages; default: one of its own. */
  readonly browser?: Browser;
}

export interface PageHost extends AsyncDisposable {
  readonly page: Page;
  readonly sent: readonly ToHost[];
  readonly actions: readonly PageAction[];
  readonly errors: readonly string[];
  /** The errors so far, which are then forgotten. */
  takeErrors(): string[];
  /** What the page has given to `setState`. */
  readonly state: unknown;
  send(message: ToPage): Promise<void>;
  setTheme(theme: ThemeKind): Promise<void>;
  resize(width: number, height?: number): Promise<void>;
  reload(): Promise<void>;
  picture(name: string): Promise<string>;
  checkAccessibility(selector?: string): Promise<void>;
}

/** What an answer throws so that the page gets an `error` with this code. */
export class PageError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const origin = 'https://webview.test';
const dist = fileURLToPath(new URL('../../../dist/webview/', import.meta.url));
const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
  '.svg': 'image/svg+xml',
};

export async function openPage(options: PageOptions): Promise<PageHost> {
  const { answers = {}, width = 1200, height = 900, reducedMotion = false } = options;
  const browser = options.browser ?? (await launchBrowser());
  const context = await browser.newContext({
    viewport: { width, height },
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
  });
  const page = await context.newPage();
  const watched = watch(page, url => url.origin === origin);
  const sent: ToHost[] = [];
  const failures: string[] = [];
  let forgotten = 0;
  /** Counts how often the page was loaded. */
  let life = 0;
  let state = options.state;
  let theme = options.theme ?? 'dark';
  const errors = (): string[] => [
    ...watched.consoleErrors,
    ...watched.requestsOutside.map(url => `request that leaves the machine: ${url}`),
    ...failures,
  ];

  const send = async (message: ToPage): Promise<void> => {
    await page.evaluate(data => {
      window.postMessage(data, window.origin);
    }, message);
  };

  const answer = async (message: Extract<ToHost, { type: 'request' }>): Promise<void> => {
    const { id, method } = message;
    const asked = life;
    const respond = answers[method] as ((params: unknown) => unknown) | undefined;
    try {
      if (respond === undefined) throw new Error(`the test has no answer for the request "${method}"`);
      await send({ type: 'result', id, result: await respond(message.params) });
    } catch (error) {
      // Nobody waits for it: the page is closed, or was loaded again meanwhile.
      if (page.isClosed() || asked !== life) return;
      const text = error instanceof Error ? error.message : String(error);
      if (!(error instanceof PageError)) failures.push(text);
      await send({
        type: 'error',
        id,
        message: text,
        code: error instanceof PageError ? error.code : 'internal',
      });
    }
  };

  const receive = async (message: ToHost): Promise<void> => {
    sent.push(message);
    switch (message.type) {
      case 'ready':
        await send({
          type: 'open',
          subject: message.subject ?? options.subject,
          trusted: options.trusted ?? true,
          store: options.store ?? { kind: 'ready', description: 'the embedded Postgres 18.4' },
        });
        return;
      case 'request':
        await answer(message);
        return;
      case 'action':
        options.onAction?.(message.action);
        return;
      case 'fault':
        failures.push(`fault: ${message.message}`);
    }
  };

  await page.exposeFunction('millraceReceive', (message: ToHost) => {
    // Not awaited by the page, as in VS Code; the page may be closed while an answer is on its way.
    receive(message).catch((error: unknown) => {
      if (!page.isClosed()) failures.push(String(error));
    });
  });
  await page.exposeFunction('millraceState', (value: unknown) => {
    state = value;
  });
  await page.route(`${origin}/**`, async route => {
    const path = decodeURIComponent(new URL(route.request().url()).pathname);
    if (path === '/vscode.css') {
      // A webview lets the editor's background shine through.
      const behind = 'html { background-color: var(--vscode-editor-background) }';
      const body = webviewTheme('dark').defaultStyles + behind;
      await route.fulfill({ body, contentType: 'text/css' });
      return;
    }
    if (path === '/') {
      const html = pageHtml({
        page: options.subject.page,
        title: options.page,
        language: 'en',
        nonce: 'bm9uY2U',
        base: `${origin}/webview`,
        cspSource: origin,
      });
      // VS Code's own style sheet comes first.
      const body = html.replace('<head>', '<head>\n<link rel="stylesheet" href="/vscode.css">');
      await route.fulfill({ body, contentType: 'text/html' });
      return;
    }
    try {
      const body = await readFile(join(dist, normalize(path).replace(/^\/webview\//, '')));
      await route.fulfill({ body, contentType: contentTypes[extname(path)] ?? 'application/octet-stream' });
    } catch {
      await route.fulfill({
        status: 404,
        body: `no ${path} in dist/webview: node scripts/build.mjs webview`,
      });
    }
  });

  const prepare = async (): Promise<void> => {
    life += 1;
    const kept = await page.addInitScript(installVsCode, {
      theme: webviewTheme(theme),
      state: JSON.stringify(state ?? null),
      now: options.now,
    });
    await page.goto(`${origin}/`);
    await kept.dispose();
  };
  await prepare();

  return {
    page,
    sent,
    get actions() {
      return sent.flatMap(message => (message.type === 'action' ? [message.action] : []));
    },
    get errors() {
      return errors().slice(forgotten);
    },
    takeErrors() {
      const taken = errors().slice(forgotten);
      forgotten += taken.length;
      return taken;
    },
    get state() {
      return state;
    },
    send,
    async setTheme(kind) {
      theme = kind;
      await page.evaluate(applyTheme, webviewTheme(kind));
    },
    async resize(newWidth, newHeight = height) {
      await page.setViewportSize({ width: newWidth, height: newHeight });
    },
    reload: prepare,
    picture: async name => await takePicture(page, name, theme),
    checkAccessibility: async selector => {
      await checkAccessibility(page, selector);
    },
    async [Symbol.asyncDispose]() {
      const left = errors().slice(forgotten);
      await (options.browser === undefined ? browser.close() : context.close());
      assert.deepEqual(left, [], 'the page had errors');
    },
  };
}

/** Runs in the page, before its scripts: what VS Code puts into every webview. */
function installVsCode({
  theme,
  state,
  now,
}: {
  readonly theme: WebviewTheme;
  readonly state: string;
  readonly now: number | undefined;
}): void {
  // Pages ask for the time in no other way.
  if (now !== undefined) Date.now = () => now;
  const host = globalThis as unknown as {
    millraceReceive(message: unknown): void;
    millraceState(state: unknown): void;
    acquireVsCodeApi?: () => object;
  };
  let current: unknown = JSON.parse(state) ?? undefined;
  let acquired = false;
  host.acquireVsCodeApi = () => {
    if (acquired) throw new Error('An instance of the VS Code API has already been acquired');
    acquired = true;
    return Object.freeze({
      postMessage(message: unknown) {
        // As in VS Code, what cannot be cloned is an error here.
        host.millraceReceive(structuredClone(message));
      },
      getState: () => current,
      setState(value: unknown) {
        current = structuredClone(value);
        host.millraceState(current);
        return value;
      },
    });
  };
  const apply = (): boolean => {
    // The body may not be parsed yet.
    const { body, documentElement: root } = document as {
      body: HTMLElement | null;
      documentElement: HTMLElement;
    };
    if (body === null) return false;
    for (const [name, value] of Object.entries(theme.body)) body.setAttribute(name, value);
    for (const [name, value] of Object.entries(theme.variables)) root.style.setProperty(name, value);
    return true;
  };
  new MutationObserver((_, observer) => {
    if (apply()) observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

/** Runs in the page: what VS Code does when the theme changes. */
function applyTheme(theme: WebviewTheme): void {
  const { body, documentElement: root } = document;
  const names = new Set(Object.keys(theme.variables));
  for (const name of [...root.style])
    if (name.startsWith('--vscode-') && !names.has(name)) root.style.removeProperty(name);
  for (const [name, value] of Object.entries(theme.variables)) root.style.setProperty(name, value);
  for (const [name, value] of Object.entries(theme.body)) body.setAttribute(name, value);
}
