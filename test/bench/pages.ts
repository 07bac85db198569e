/**
 * U1, the page of a pipeline: from the start of the page until its graph is painted, for graphs of different sizes, in
 * plain Chromium. `npm run bench -- U1`.
 *
 * The files come from a server on this machine and the answers from within the page: what goes through the driver of the
 * browser, as in tests, takes longer than the page itself.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import { pageHtml } from '../../extension/panels/page-html.ts';
import type { PageMethod, ToHost } from '../../webview/messages.ts';
import { launchBrowser } from '../workbench/support/browser.ts';
import { answers, pageNode, projectView } from '../workbench/support/node-page-data.ts';
import { type Answers, openPage } from '../workbench/support/page-host.ts';
import { webviewTheme } from '../workbench/support/themes.ts';
import { printFigure } from './measure.ts';

const rounds = 5;

/** Layers of ten, each task after one or two of the layer before; from 300 on, in pipelines of 25. */
function graph(count: number) {
  const layer = (size: number, prefix: string) =>
    Array.from({ length: size }, (_, index) => ({
      id: `${prefix}${String(index)}`,
      upstreams:
        index < 10
          ? []
          : [...new Set([index - 10, index - 10 - (index % 3)])]
              .filter(at => at >= 0)
              .map(at => `${prefix}${String(at)}`),
    }));
  if (count < 1000) return pageNode({ id: 'bench', nodes: layer(count, 'task_') });
  return pageNode({
    id: 'bench',
    nodes: layer(count / 25, 'pipeline_').map(each => ({ ...each, nodes: layer(25, 'task_') })),
  });
}

const subject = { page: 'node', folder: 'file:///project', path: ['bench'] } as const;

export async function pages(): Promise<void> {
  await using browser = await launchBrowser();
  using server = await servePage();
  for (const [count, goal] of [
    [20, '≤ 0.3'],
    [100, '≤ 0.6'],
    [300, '≤ 1.5'],
    [1000, 'collapsed'],
  ] as const) {
    const replies = await repliesFor(browser, {
      ...answers,
      node: () => ({ ...projectView, node: graph(count) }),
      figures: () => [],
    });
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await using context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
      times.push(await timeToGraph(context, server.url, replies));
    }
    printFigure(`graph of ${String(count)} nodes, from the start of its page, s`, times, goal);
  }
}

/** By the page's own clock, from its navigation on; two frames after it is there, it is painted. */
async function timeToGraph(context: BrowserContext, url: string, replies: Replies): Promise<number> {
  const page = await context.newPage();
  await page.addInitScript(answerWithin, { theme: webviewTheme('dark').variables, subject, replies });
  await page.goto(url);
  return await page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const look = (): void => {
          if (document.querySelector('.graph .graph-node') === null) requestAnimationFrame(look);
          else
            requestAnimationFrame(() =>
              requestAnimationFrame(() => {
                resolve(performance.now() / 1000);
              }),
            );
        };
        look();
      }),
  );
}

/** By method: what a page asks in its first moments, it asks once. */
type Replies = Partial<Record<PageMethod, unknown>>;

/** Opens the page once, as tests do, and notes the answers. */
async function repliesFor(browser: Browser, given: Answers): Promise<Replies> {
  const replies: Replies = {};
  const noted = Object.fromEntries(
    Object.entries(given).map(([method, answer]) => [
      method,
      async (params: never) => {
        const result: unknown = await (answer as (params: never) => unknown)(params);
        replies[method as PageMethod] = result;
        return result;
      },
    ]),
  );
  await using host = await openPage({ page: 'node-page', subject, answers: noted, browser });
  await host.page.locator('.graph .graph-node').first().waitFor();
  return replies;
}

/** Runs in the page, before its scripts: a VS Code whose extension has every answer at hand. */
function answerWithin({
  theme,
  subject: opened,
  replies,
}: {
  readonly theme: Readonly<Record<string, string>>;
  readonly subject: unknown;
  readonly replies: Replies;
}): void {
  const tell = (message: unknown): void => {
    // An answer is never there in the turn of the question.
    setTimeout(() => {
      window.postMessage(message, window.origin);
    });
  };
  const receive = (message: ToHost): void => {
    if (message.type === 'ready')
      tell({
        type: 'open',
        subject: opened,
        trusted: true,
        store: { kind: 'ready', description: '' },
      });
    else if (message.type === 'request')
      tell({ type: 'result', id: message.id, result: replies[message.method] ?? [] });
  };
  Object.assign(globalThis, {
    acquireVsCodeApi: () => ({ postMessage: receive, getState: () => undefined, setState: () => undefined }),
  });
  document.addEventListener('readystatechange', () => {
    document.body.className = 'vscode-dark';
    for (const [name, value] of Object.entries(theme))
      document.documentElement.style.setProperty(name, value);
  });
}

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.ttf': 'font/ttf',
};

/** The page and its files, as a webview has them. */
async function servePage(): Promise<Disposable & { readonly url: string }> {
  const dist = fileURLToPath(new URL('../../dist/webview/', import.meta.url));
  const server: Server = createServer((request, response) => {
    const path = normalize(request.url ?? '/');
    if (path === '/') {
      const origin = `http://${request.headers.host ?? ''}`;
      response.setHeader('Content-Type', 'text/html');
      response.end(
        pageHtml({
          page: 'node',
          title: 'bench',
          language: 'en',
          nonce: 'bm9uY2U',
          base: origin,
          cspSource: origin,
        }),
      );
      return;
    }
    readFile(join(dist, path)).then(
      body => {
        response.setHeader('Content-Type', contentTypes[extname(path)] ?? 'application/octet-stream');
        response.end(body);
      },
      () => {
        response.writeHead(404).end();
      },
    );
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
