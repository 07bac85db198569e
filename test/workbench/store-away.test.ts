/** The store goes away and comes back: everything says so, nothing is lost, and nobody has to do anything. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { after, before, describe, it } from 'mocha';
import { killServer } from '../support/own-store.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { becomes } from './support/becomes.ts';
import { externalStore, type ExternalStore } from './support/external-store.ts';
import { useWorkbench } from './support/workbench.ts';

const waits = `import { Pipeline, RunBash, Task } from 'millrace';

export const waits = new Pipeline({ id: 'waits' });
waits.add(new Task({ id: 'first', commands: [new RunBash('echo one begins; until [ -e go_1 ]; do sleep 0.01; done; echo one ends')] }));
waits.add(new Task({ id: 'second', commands: [new RunBash('echo two begins; until [ -e go_2 ]; do sleep 0.01; done; echo two ends')] }), ['first']);
`;

const row = (page: Page, name: RegExp) => page.locator('.sidebar').getByRole('treeitem', { name });

describe('a store by its address', function () {
  this.timeout(240_000);
  let project: TestProject;
  let store: ExternalStore;
  before(async () => {
    project = await testProject({ 'waits.pipeline.ts': waits });
    store = await externalStore(project.path);
    await project.write({ '.vscode/settings.json': JSON.stringify({ 'millrace.store.url': store.url }) });
    await store.stop();
  });
  after(async () => {
    await store.start();
    await project.write({ go_1: '', go_2: '' });
    await store[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path }));
  const run = (id: number) => new RegExp(`^run ${String(id)} everything,`);

  it('that is away before a run is told of, and the run says why it does not begin', async () => {
    const { page, openSideBar, view, runCommand, notification, screenshot } = workbench();
    await openSideBar();
    await row(page, /^waits/).waitFor();
    await view('Runs').getByText('The store does not answer.').waitFor();
    await runCommand('Millrace: Run All Pipelines');
    await notification('or correct the setting millrace.store.url').waitFor();
    await screenshot('side-bar/store-away-run-refused');
    // Nothing is left as queued.
    await row(page, /^first, task$/).waitFor();
    await page.keyboard.press('Escape');
  });

  it('that comes back is used again', async () => {
    const { page, view } = workbench();
    await store.start();
    await view('Runs').getByRole('button', { name: 'Try Again' }).click();
    await view('Runs').getByText('Nothing has run yet.').waitFor();
    await row(page, /^first, task$/).waitFor();
  });

  it('that goes away during a run is told of by the side bar and by the page of the run', async () => {
    const { page, view, runCommand, webview, screenshot } = workbench();
    await runCommand('Millrace: Run All Pipelines');
    await row(page, run(1)).click();
    const frame = await webview('Run 1');
    await frame.getByText('one begins').first().waitFor();
    await store.stop();
    await view('Runs').getByText('The store does not answer').waitFor();
    await frame.getByText('This page shows how it stood before.').waitFor();
    await screenshot('run-page/store-away-in-workbench');
    await project.write({ go_1: '' });
  });

  it('and when it is back, page and side bar catch up', async () => {
    const { page, view, webview } = workbench();
    await store.start();
    const frame = await webview('Run 1');
    // Nobody has to ask for it.
    await frame.getByText('two begins').first().waitFor();
    await frame.getByText('This page shows how it stood before.').waitFor({ state: 'detached' });
    await row(page, /^second, task, running/).waitFor();
    await view('Runs').getByText('The store does not answer').waitFor({ state: 'detached' });
    await project.write({ go_2: '' });
    await frame.getByText('two ends').first().waitFor();
    await row(page, /^run 1 everything, succeeded/).waitFor();
  });

  it('whose reader dies comes back with its page', async () => {
    const { page, runCommand, webview } = workbench();
    for (const name of ['go_1', 'go_2']) await rm(join(project.path, name), { force: true });
    await runCommand('Millrace: Run All Pipelines');
    await row(page, run(2)).click();
    await (await webview('Run 2')).getByText('one begins').first().waitFor();
    killService(project.path);
    await project.write({ go_1: '' });
    await row(page, /^second, task, running/).waitFor();
    const frame = await webview('Run 2');
    await frame.getByText('two begins').first().waitFor();
    await project.write({ go_2: '' });
    await frame.getByText('two ends').first().waitFor();
    await row(page, /^run 2 everything, succeeded/).waitFor();
  });
});

describe('the embedded store', function () {
  this.timeout(180_000);
  let project: TestProject;
  let home: string;
  before(async () => {
    project = await testProject({ 'waits.pipeline.ts': waits });
    // A server of its own: the one of the other tests must not be killed.
    home = await mkdtemp(join(tmpdir(), 'mk-'));
    await chmod(home, 0o755);
  });
  after(async () => {
    await project.write({ go_1: '', go_2: '' });
    await project.run(['store', 'stop', '--force'], { env: { MILLRACE_HOME: home } });
    await project[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });
  const workbench = useWorkbench(() => ({ folder: project.path, env: { MILLRACE_HOME: home } }));

  it('that is killed during a run is started again, and nothing is lost', async () => {
    const { page, openSideBar, runCommand, webview, view } = workbench();
    await openSideBar();
    await row(page, /^waits/).waitFor();
    await runCommand('Millrace: Run All Pipelines');
    await row(page, /^first, task, running/).waitFor();
    await row(page, /^run 1 everything,/).click();
    const frame = await webview('Run 1');
    await frame.getByText('one begins').first().waitFor();
    await killServer(home);
    await project.write({ go_1: '' });
    await frame.getByText('two begins').first().waitFor();
    await row(page, /^second, task, running/).waitFor();
    await killServer(home);
    await project.write({ go_2: '' });
    await row(page, /^run 1 everything, succeeded/).waitFor();
    for (const line of ['one begins', 'one ends', 'two begins', 'two ends'])
      await becomes(() => frame.getByText(line, { exact: true }).count(), 1);
    await view('Runs').getByText('The store does not answer').waitFor({ state: 'detached' });
    await frame.getByText('This page shows how it stood before.').waitFor({ state: 'detached' });
  });

  it('that is killed while nothing runs is there for the next run', async () => {
    const { page, runCommand } = workbench();
    await killServer(home);
    await runCommand('Millrace: Run All Pipelines');
    // After a crash Postgres leaves out ids that it had put aside.
    await row(page, /^run (?!1 )\d+ everything, succeeded/).waitFor();
    await row(page, /^run 1 everything, succeeded/).waitFor();
  });
});

/** Kills the process that reads the history of a project. */
function killService(directory: string): void {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const isOurs = readlinkSync(`/proc/${pid}/cwd`) === directory;
      if (isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('service.js'))
        process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
