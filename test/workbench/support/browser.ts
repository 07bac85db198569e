/** Debian's Chromium, and what is watched in every page that tests open. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type ConsoleMessage, type Page } from 'playwright-core';

/** Where Chromium is; the environment variable CHROMIUM names another one. */
export const chromiumPath =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(file => existsSync(file));

export interface BrowserOptions {
  /** Only this machine can be reached, whatever a page asks for. Default: false. */
  readonly offline?: boolean;
}

export async function launchBrowser({ offline = false }: BrowserOptions = {}): Promise<Browser> {
  if (chromiumPath === undefined)
    throw new Error(
      'Chromium was not found; install it (apt-get install chromium), or name it with CHROMIUM',
    );
  return await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--disable-dev-shm-usage',
      // Text looks the same on every machine.
      '--font-render-hinting=none',
      '--disable-lcd-text',
      ...(offline ? ['--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'] : []),
      // Its sandbox does not work for root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}

/** What a page has said and asked for. Grows while the page lives. */
export interface Watch {
  /** Errors of the console and exceptions that nobody caught, with the place they come from. */
  readonly consoleErrors: readonly string[];
  /** Addresses of requests that would leave this machine. */
  readonly requestsOutside: readonly string[];
}

/** @param isInside whether who answers a request is on this machine */
export function watch(page: Page, isInside: (url: URL) => boolean): Watch {
  const consoleErrors: string[] = [];
  const requestsOutside: string[] = [];
  page.on('console', message => {
    if (message.type() === 'error') consoleErrors.push(describe(message));
  });
  page.on('pageerror', error => consoleErrors.push(error.stack ?? error.message));
  page.on('request', request => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && !isInside(url)) requestsOutside.push(url.href);
  });
  return { consoleErrors, requestsOutside };
}

function describe(message: ConsoleMessage): string {
  const { url, lineNumber } = message.location();
  return url === '' ? message.text() : `${message.text()} (${url}:${lineNumber})`;
}
