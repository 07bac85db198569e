/**
 * A real workbench in a real browser, with our extension in it, and what a test does there.
 *
 *   describe('the Pipelines view', () => {
 *     const workbench = useWorkbench(async () => ({ folder: await aProject() }));   // one VS Code for the whole block
 *     it('shows …', async () => {
 *       const { page, row, runCommand } = workbench();
 *
 * A start takes 3 to 6 s on a quiet machine, so a test file has one. A failing test leaves a picture in
 * test/.artifacts/failures. After the last test, an error of ours in a console or a request that left the machine fails.
 *
 * `npm test -- workbench --vsix FILE` tests an installed package instead of the checkout, `--vscode oldest` in the
 * oldest VS Code.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before } from 'mocha';
import {
  errors as playwrightErrors,
  type Browser,
  type Frame,
  type Locator,
  type Page,
} from 'playwright-core';
import { temporaryHome } from '../../support/store.ts';
import { waitUntil } from '../../support/wait.ts';
import { launchBrowser, watch } from './browser.ts';
import { pictureOfFailure, takePicture } from './gallery.ts';
import { type ServerOptions, type Settings, startServer, type VscodeServer } from './server.ts';
import { type ThemeKind, themeNames } from './themes.ts';
import type { VscodeVersion } from './vscode.ts';

export interface WorkbenchOptions {
  /** A folder or a `.code-workspace` file; without it, an empty window. */
  readonly folder?: string;
  /** A file that is open from the beginning. */
  readonly file?: string;
  readonly settings?: Settings;
  readonly theme?: ThemeKind;
  /** Default: what the command line of the tests says, else `newest`. */
  readonly version?: VscodeVersion;
  /** Default: what the command line of the tests says, else the checkout. */
  readonly extension?: NonNullable<ServerOptions['extension']>;
  /** Added to the environment of the extension host. Its MILLRACE_HOME is that of this test process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether VS Code asks if the folder is trusted. Default: it is. */
  readonly workspaceTrust?: boolean;
  /** CSS pixels; default 1400 × 900. */
  readonly width?: number;
  readonly height?: number;
  /** Pixels of a picture for each CSS pixel; default 1. */
  readonly scale?: number;
}

export interface Workbench extends AsyncDisposable {
  readonly page: Page;
  readonly server: VscodeServer;
  /** Shows our side bar. */
  openSideBar(): Promise<void>;
  /** A view of the side bar by its title: header, tree or welcome content. */
  view(title: string): Locator;
  /** A row of a tree in the side bar by its accessible name, or the beginning of it. */
  row(name: string | RegExp): Locator;
  /** A code lens by its text. */
  lens(text: string | RegExp): Locator;
  /** Opens a file of the folder by its name. */
  openFile(name: string): Promise<void>;
  /** Runs a command of the palette by its whole title: `Millrace: Run Pipeline`. */
  runCommand(title: string): Promise<void>;
  /** The document of the webview with this title, as soon as it is there. */
  webview(title: string | RegExp): Promise<Frame>;
  /** A tab of an editor by its title. */
  tab(title: string | RegExp): Locator;
  statusBar(): Locator;
  /** Notifications that are drawn, with this text. */
  notification(text: string | RegExp): Locator;
  /** The list or the box that VS Code has opened at the top. */
  quickInput(): Locator;
  setTheme(kind: ThemeKind): Promise<void>;
  /** Says that the folder is trusted, with `workspaceTrust`. VS Code leaves its question in front of everything. */
  trustFolder(): Promise<void>;
  /** @returns the file, in test/.artifacts/gallery */
  screenshot(name: string, what?: Locator): Promise<string>;
  /** Loads the window again, as `Developer: Reload Window` does. */
  reload(): Promise<void>;
  /** Errors that are ours: of the console, of the log of the extension host. */
  consoleErrors(): string[];
  /** Addresses on other machines that something has asked for. They could not be reached. */
  requests(): readonly string[];
  /** Fails when something was written to a console as an error by us, or has asked another machine. */
  checkQuiet(): void;
}

export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  const { folder, file, settings = {}, theme = 'dark', env = {}, width = 1400, height = 900 } = options;
  const version = options.version ?? (process.env['MILLRACE_TEST_VSCODE'] === 'oldest' ? 'oldest' : 'newest');
  const vsix = process.env['MILLRACE_TEST_VSIX'];
  const extension = options.extension ?? (vsix === undefined ? { folder: checkout } : { vsix });
  await using started = new AsyncDisposableStack();
  const server = started.use(
    await startServer({
      version,
      extension,
      settings: { 'workbench.colorTheme': themeNames[version][theme], ...settings },
      // The environment of whoever runs the tests must not lead them to a real store.
      env: { MILLRACE_HOME: await temporaryHome(), MILLRACE_STORE_URL: undefined, ...env },
      workspaceTrust: options.workspaceTrust ?? false,
    }),
  );
  const browser: Browser = await launchBrowser({ offline: true });
  started.defer(async () => {
    await browser.close();
  });
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: options.scale ?? 1,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  // What a webview loads has a made-up host; the service worker of VS Code answers.
  const watched = watch(page, url => url.host === server.host || url.host.endsWith('.vscode-cdn.net'));
  const drawn = async (): Promise<void> => {
    await page.locator('.monaco-workbench').waitFor();
    await page.locator('.statusbar-item').first().waitFor();
  };
  await page.goto(
    server.address({
      ...(folder === undefined ? {} : { folder }),
      ...(file === undefined ? {} : { file }),
    }),
  );
  await drawn();

  let kind = theme;
  const quickInput = (): Locator => page.locator('.quick-input-widget');
  const consoleErrors = (): string[] => [
    ...watched.consoleErrors.filter(isOurs),
    ...extensionHostErrors(server.profile).filter(mentionsUs),
  ];
  const runCommand = async (title: string): Promise<void> => {
    // The whole name: what is typed is highlighted by an element of its own, in longer names as well.
    const name = new RegExp(`^${title.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`);
    const found = quickInput().locator('.monaco-list-row .label-name').filter({ hasText: name }).first();
    // The palette does not learn of commands while it is open, and extensions may not be known yet.
    await retry(async timeout => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('F1');
      await quickInput().locator('input').fill(`>${title}`, { timeout });
      await found.click({ timeout });
    });
  };
  const disposal = started.move();
  return {
    page,
    server,
    async openSideBar() {
      const tab = page.locator('.activitybar').getByRole('tab', { name: 'Millrace' });
      await tab.waitFor();
      if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
      await page.locator('.sidebar .pane-header').first().waitFor();
      // Without the tooltip in pictures.
      await page.mouse.move(width / 2, 0);
    },
    view: title =>
      page.locator('.sidebar .pane').filter({ has: page.locator(`.pane-header[aria-label^="${title}"]`) }),
    row: name => page.locator('.sidebar').getByRole('treeitem', { name }),
    lens: text => page.locator('.codelens-decoration a').filter({ hasText: text }),
    async openFile(name) {
      const found = quickInput()
        .locator('.monaco-list-row')
        .filter({ hasText: name.replace(/^.*\//, '') });
      await retry(async timeout => {
        await page.keyboard.press('Escape');
        await page.keyboard.press('Control+P');
        await quickInput().locator('input').fill(name, { timeout });
        await found.first().click({ timeout });
      });
      await page.locator('.monaco-editor .view-line').first().waitFor();
    },
    runCommand,
    webview: async title => await findWebview(page, title),
    tab: title => page.locator('.tabs-container').getByRole('tab', { name: title }),
    statusBar: () => page.locator('.statusbar'),
    notification: text => page.locator('.notification-toast').filter({ hasText: text }),
    quickInput,
    async setTheme(next) {
      kind = next;
      await server.changeSettings({ 'workbench.colorTheme': themeNames[version][next] });
      await page.locator(`.monaco-workbench.${workbenchClasses[next]}`).waitFor();
    },
    async trustFolder() {
      await runCommand('Workspaces: Manage Workspace Trust');
      await page
        .locator('.workspace-trust-editor')
        .getByRole('button', { name: 'Trust', exact: true })
        .click();
    },
    screenshot: async (name, what) => await takePicture(what ?? page, name, kind),
    async reload() {
      // A page that is just loaded again has not written down which editors are open.
      const loaded = page.waitForEvent('load');
      await runCommand('Developer: Reload Window');
      await loaded;
      await drawn();
    },
    consoleErrors,
    requests: () => watched.requestsOutside,
    checkQuiet() {
      assert.deepEqual(consoleErrors(), [], 'errors of ours in a console');
      assert.deepEqual(watched.requestsOutside, [], 'requests that leave the machine');
    },
    [Symbol.asyncDispose]: async () => {
      await disposal.disposeAsync();
    },
  };
}

/** A workbench for a block of tests, by mocha's hooks. To be called inside `describe`. */
export function useWorkbench(options: () => WorkbenchOptions | Promise<WorkbenchOptions>): () => Workbench {
  let workbench: Workbench | undefined;
  before(async function () {
    this.timeout(180_000);
    workbench = await openWorkbench(await options());
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed' && workbench !== undefined)
      await pictureOfFailure(workbench.page, this.currentTest.fullTitle());
  });
  after(async () => {
    const opened = workbench;
    workbench = undefined;
    try {
      opened?.checkQuiet();
    } finally {
      await opened?.[Symbol.asyncDispose]();
    }
  });
  return () => {
    if (workbench === undefined)
      throw new Error('the workbench is open only while the tests of its block run');
    return workbench;
  };
}

const checkout = join(import.meta.dirname, '..', '..', '..');

const workbenchClasses: Readonly<Record<ThemeKind, string>> = {
  dark: 'vs-dark',
  light: 'vs',
  'hc-dark': 'hc-black',
  'hc-light': 'hc-light',
};

/** What a user would do again when it has no effect, because VS Code is not ready for it. */
async function retry(attempt: (timeout: number) => Promise<void>): Promise<void> {
  const attempts = 10;
  for (let made = 1; ; made += 1) {
    try {
      await attempt(3_000);
      return;
    } catch (error) {
      if (!(error instanceof playwrightErrors.TimeoutError) || made === attempts) throw error;
    }
  }
}

/** Webviews are not inside the DOM of their editor or view: each is a frame in a frame, with the title on the inner one. */
async function findWebview(page: Page, title: string | RegExp): Promise<Frame> {
  const found: Frame[] = [];
  await waitUntil(async () => {
    for (const outer of await page.locator('iframe.webview.ready').elementHandles()) {
      try {
        const inner = await (await outer.contentFrame())?.$('iframe#active-frame');
        const name = (await inner?.getAttribute('title')) ?? '';
        const matches = typeof title === 'string' ? name === title : title.test(name);
        const frame = matches ? await inner?.contentFrame() : null;
        if (frame != null) found.push(frame);
      } catch (error) {
        // A webview may be replaced by another document while it is looked at.
        if (page.isClosed()) throw error;
      }
    }
    return found.length > 0;
  });
  const [frame] = found;
  if (frame === undefined) throw new Error('no webview was found');
  return frame;
}

/** VS Code has errors too: of its own modules, of one that only Microsoft's builds have, of its extensions' logs. */
function isOurs(message: string): boolean {
  const isVscode =
    /\/static\/(?!out\/vs\/workbench\/contrib\/webview\/)\S*:\d+\)$|\/vsda(_bg)?\.(js|wasm):/.test(message);
  return !isVscode || mentionsUs(message);
}

function mentionsUs(message: string): boolean {
  return /\bmillrace\.millrace\b|\bdist\/(extension|language-client|page-message)\.cjs\b/.test(message);
}

function extensionHostErrors(profile: string): string[] {
  return globSync('data/logs/*/exthost*/remoteexthost.log', { cwd: profile })
    .flatMap(name => readFileSync(join(profile, name), 'utf8').split(/\n(?=\d{4}-\d\d-\d\d )/))
    .filter(entry => entry.includes('[error]'));
}
