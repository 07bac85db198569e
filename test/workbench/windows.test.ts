/** Runs and windows: whoever starts a run, whichever window looks, and whatever becomes of either. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import { after, before, beforeEach, describe, it } from 'mocha';
import { testProject, type TestProject } from '../support/project.ts';
import { waitUntil } from '../support/wait.ts';
import { useWorkbench } from './support/workbench.ts';

/** Each step waits for a file of its name, so that the test decides how far a run gets. */
const steps = `import { Pipeline, RunBash, Task } from 'millrace';

export const steps = new Pipeline({ id: 'steps' });
const until = (id: string) => new RunBash(\`echo "\${id} begins"; until [ -e go_\${id} ]; do sleep 0.01; done; echo "\${id} ends"\`);
steps.add(new Task({ id: 'first', commands: [until('first')] }));
steps.add(new Task({ id: 'second', commands: [until('second')] }), ['first']);
`;

const row = (page: Page, name: RegExp) => page.locator('.sidebar').getByRole('treeitem', { name });

describe('runs and windows', function () {
  this.timeout(180_000);
  let project: TestProject;
  before(async () => {
    project = await testProject({ 'steps.pipeline.ts': steps });
  });
  after(async () => {
    await go('first', 'second');
    await waitUntil(async () => (await newest()).status !== 'running');
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path }));

  async function go(...ids: string[]): Promise<void> {
    await project.write(Object.fromEntries(ids.map(id => [`go_${id}`, ''])));
  }
  async function newest(): Promise<{ readonly id: number; readonly status: string }> {
    const sql = 'SELECT run_id::int AS id, status FROM run ORDER BY run_id DESC LIMIT 1';
    const [run] = await project.query<{ id: number; status: string }>(sql);
    return run ?? { id: 0, status: 'none' };
  }
  let next = 1;
  /** A row of the Runs view: the run that the test begins. */
  const runRow = (page: Page, of: string, state: string) =>
    row(page, new RegExp(`^run ${String(next)} ${of}, ${state}`));

  beforeEach(async () => {
    // Whatever went wrong before, no run goes on.
    await go('first', 'second');
    await waitUntil(async () => (await newest()).status !== 'running');
    for (const id of ['first', 'second']) await rm(join(project.path, `go_${id}`));
    next = (await newest()).id + 1;
  });

  it('a run that one window starts is live in the other', async () => {
    const { page, server, openSideBar, runCommand } = workbench();
    await openSideBar();
    await row(page, /^steps/).waitFor();
    const other = await page.context().newPage();
    await other.goto(server.address({ folder: project.path }));
    await other.locator('.activitybar').getByRole('tab', { name: 'Millrace' }).click();
    await row(other, /^steps/).waitFor();

    await row(page, /^steps/).click();
    await runCommand('Millrace: Run All Pipelines');
    for (const each of [page, other]) await row(each, /^first, task, running/).waitFor();
    await go('first');
    for (const each of [page, other]) await row(each, /^second, task, running/).waitFor();
    await other.close();
    await page.bringToFront();
    await go('second');
    await runRow(page, 'everything', 'succeeded').waitFor();
  });

  it('a run goes on over a reload, and its page comes back', async () => {
    const { page, runCommand, reload, webview, tab } = workbench();
    await runCommand('Millrace: Run All Pipelines');
    await runRow(page, 'everything', 'running').click();
    await (await webview(`Run ${String(next)}`)).getByText('first begins').first().waitFor();
    await go('first');
    await (await webview(`Run ${String(next)}`)).getByText('second begins').first().waitFor();
    await reload();
    await tab(`Run ${String(next)}`).waitFor();
    await row(page, /^second, task, running/).waitFor();
    const frame = await webview(`Run ${String(next)}`);
    await frame.getByText('second begins').first().waitFor();
    await go('second');
    await frame.getByText('second ends').first().waitFor();
    await runRow(page, 'everything', 'succeeded').waitFor();
    assert.equal((await newest()).status, 'succeeded');
  });

  it('a run of a terminal is shown at once', async () => {
    const { page, webview } = workbench();
    await using run = await project.start(['run', 'steps', '--json']);
    await runRow(page, 'steps', 'running').waitFor();
    await runRow(page, 'steps', 'running').click();
    const frame = await webview(`Run ${String(next)}`);
    await frame.getByText('first begins').first().waitFor();
    // Figures for whoever reads the output of the tests: from the file that ends a task to what is drawn.
    const inSideBar = drawnAt(page.mainFrame(), '.sidebar', 'second, task, running');
    const onPage = drawnAt(frame, 'body', 'second begins');
    const begin = Date.now();
    await go('first');
    await run.until(() => run.output().stdout.includes('"message":"second begins"'));
    const told = Date.now() - begin;
    process.stdout.write(
      `    from the end of a task: ${String(told)} ms to the event in the terminal, ${String((await inSideBar) - begin)} ms to the side bar, ${String((await onPage) - begin)} ms to the line on the page\n`,
    );

    run.signal('SIGKILL');
    await runRow(page, 'steps', 'lost').waitFor();
    await frame.getByText('The runner of this run died').waitFor();
    await workbench().screenshot('run-page/lost-in-workbench');
  });

  it('a run whose window is closed goes on', async () => {
    const { page, server, runCommand, openSideBar } = workbench();
    await runCommand('Millrace: Run All Pipelines');
    await runRow(page, 'everything', 'running').waitFor();
    await page.goto('about:blank');
    // The extension host of a closed window ends after the grace time of the server.
    await go('first');
    await waitUntil(async () => {
      const rows = await project.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM node_run WHERE node_path = '{steps,second}' AND status = 'running'",
      );
      return rows[0]?.n === 1;
    });
    await go('second');
    await waitUntil(async () => (await newest()).status === 'succeeded');
    await page.goto(server.address({ folder: project.path }));
    await page.locator('.monaco-workbench').waitFor();
    await openSideBar();
    await runRow(page, 'everything', 'succeeded').waitFor();
  });
});

/** When a text or a label appears in a part of a document, by the clock; a locator would look twice a second only. */
async function drawnAt(frame: Frame, part: string, text: string): Promise<number> {
  return await frame.evaluate(
    ([selector, wanted]) =>
      new Promise<number>(resolve => {
        const look = (): void => {
          const element = document.querySelector(selector);
          const label = `[aria-label^="${wanted}"]`;
          if (element?.textContent.includes(wanted) !== true && element?.querySelector(label) == null) return;
          observer.disconnect();
          resolve(Date.now());
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
        look();
      }),
    [part, text] as const,
  );
}
