/** The password of a shared store: asked for, kept by the editor, used by everything, and to be read nowhere. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { after, afterEach, before, describe, it } from 'mocha';
import { textOfAllRows } from '../support/all-rows.ts';
import { testServer, type TestServer } from '../support/postgres.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';
import { pressInline } from './support/warehouse-editor.ts';
import { useWorkbench } from './support/workbench.ts';

const password = 'st0re-pa55/word';
const wrongPassword = 'wr0ng-pa55word';
const forms = [password, wrongPassword].flatMap(secret => [secret, encodeURIComponent(secret)]);

/** Tells everything that it knows, as a careless script would, as soon as the test has seen its processes. */
const shop = `import { Pipeline, RunBash, RunFunction, Task } from 'millrace';

const pipeline = new Pipeline({ id: 'shop' });
pipeline.add(new Task({ id: 'tell', commands: [new RunBash('until [ -e go ]; do sleep 0.01; done; echo told; env | grep MILLRACE')] }));
pipeline.add(new Task({ id: 'debugged', commands: [new RunFunction(() => {
  console.log('reached', process.env.MILLRACE_STORE_URL);
})] }));
export default pipeline;
`;

describe('the password of the store', function () {
  this.timeout(120_000);
  let server: TestServer;
  let project: TestProject;
  /** Command lines of all processes that were seen. */
  const commandLines = new Set<string>();
  let watching: NodeJS.Timeout;
  before(async () => {
    server = await testServer();
    await server.query('create database history');
    await server.query(`create role keeper superuser login password ${pg.escapeLiteral(password)}`);
    const { host, port } = server.config;
    const url = `postgres://keeper@localhost:${String(port)}/history?host=${encodeURIComponent(host)}`;
    project = await testProject({
      'shop.pipeline.ts': shop,
      '.vscode/settings.json': JSON.stringify({ 'millrace.store.url': url }),
      '.vscode/tasks.json': JSON.stringify({
        version: '2.0.0',
        tasks: [{ type: 'millrace', path: 'shop/tell', label: 'tell', problemMatcher: [] }],
      }),
    });
    watching = setInterval(() => void seeProcesses(), 100);
  });
  after(async () => {
    clearInterval(watching);
    await project[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({
    folder: project.path,
    settings: { 'millrace.notifications': 'all' },
  }));

  async function seeProcesses(): Promise<string[]> {
    const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
    const seen: string[] = [];
    for (const pid of pids) seen.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    for (const line of seen) commandLines.add(line);
    return seen;
  }
  /** Lets `tell` go on once all that runs it has been looked at. */
  async function letTell(): Promise<void> {
    await waitUntil(async () => (await seeProcesses()).some(line => line.includes('echo told')));
    await project.write({ go: '' });
  }
  async function setPassword(text: string): Promise<void> {
    const { runCommand, quickInput } = workbench();
    await runCommand('Millrace: Set Store Password');
    await quickInput().getByText('Kept in the secret storage of the editor.').waitFor();
    await quickInput().locator('input').fill(text);
    await quickInput().locator('input').press('Enter');
    await quickInput().waitFor({ state: 'hidden' });
  }
  /** Whatever stands in the window, as text and as attributes. */
  const drawn: string[] = [];
  async function look(): Promise<void> {
    for (const frame of workbench().page.frames()) drawn.push(await frame.content().catch(() => ''));
  }
  afterEach(look);

  it('is asked for where the store refuses for want of it', async () => {
    const { openSideBar, view, row, screenshot } = workbench();
    await openSideBar();
    await row(/^tell, task/).waitFor();
    await view('Runs').getByText('The store wants another password.').waitFor();
    await view('Runs').getByText('it asks for a password, and none is given').waitFor();
    await view('Runs').getByRole('button', { name: 'Set Store Password' }).waitFor();
    await screenshot('side-bar/store-without-password');
  });

  it('that is wrong is told as such, with what helps', async () => {
    const { view, notification, runCommand, quickInput, page, screenshot } = workbench();
    await setPassword(wrongPassword);
    await view('Runs').getByText('password authentication failed for user "keeper"').waitFor();
    await runCommand('Millrace: Run All Pipelines');
    const refusal = notification(
      'refuses user "keeper" for database "history": password authentication failed for user "keeper". ' +
        'Correct the user or the password in the setting millrace.store.url.',
    );
    await refusal.waitFor();
    await screenshot('side-bar/store-wrong-password');
    await refusal.getByRole('button', { name: 'Set Store Password' }).click();
    await quickInput().getByText('Kept in the secret storage of the editor.').waitFor();
    await page.keyboard.press('Escape');
  });

  it('that is right is used for history and runs', async () => {
    const opened = workbench();
    const { view, row, runCommand, webview, tab } = opened;
    await setPassword(password);
    await view('Runs').getByText('Nothing has run yet.').waitFor();
    await pressInline(opened, /^tell, task/, 'Run');
    await letTell();
    await row(/^run 1 shop\/tell, succeeded/).waitFor();
    await row(/^run 1 /).click();
    const frame = await webview('Run 1');
    await frame.getByText('told', { exact: true }).first().waitFor();
    await frame.getByText('MILLRACE_STORE_URL=').first().waitFor();
    await look();
    await runCommand('Millrace: Show Effective Configuration');
    await tab(/configuration/i).waitFor();
    await opened.page.locator('.view-lines').getByText('Configuration of the project').first().waitFor();
    await look();
    await runCommand('Millrace: Show Log');
    await opened.page.locator('.part.panel').getByText('Output').first().waitFor();
    await look();
    await runCommand('View: Hide Panel');
    await runCommand('View: Close All Editors');
  });

  it('reaches a task of tasks.json, whose terminal does not show it', async () => {
    const { page, runCommand, quickInput, row, screenshot } = workbench();
    await rm(join(project.path, 'go'));
    await runCommand('Tasks: Run Task');
    await quickInput().locator('.monaco-list-row').filter({ hasText: 'tell' }).first().click();
    await letTell();
    await row(/^run 2 shop\/tell, succeeded/).waitFor();
    const terminal = page
      .locator('.part.panel .terminal-wrapper.active, .part.panel .terminal-wrapper')
      .first();
    await terminal.waitFor();
    await screenshot('tasks/with-store-password');
    // What the terminal holds, also what it does not draw; it may draw later than the side bar.
    let text = '';
    await waitUntil(async () => {
      await runCommand('Terminal: Select All');
      await runCommand('Terminal: Copy Selection');
      text = await page.evaluate(() => navigator.clipboard.readText());
      return text.includes('told') && text.includes('MILLRACE_STORE_URL=');
    });
    drawn.push(text);
    await look();
    await runCommand('View: Hide Panel');
  });

  it('reaches what is debugged, and no console shows it', async () => {
    const { page, runCommand, row, quickInput, screenshot } = workbench();
    await runCommand('Millrace: Debug This Task');
    await quickInput().locator('input').fill('shop/debugged');
    await quickInput().locator('.monaco-list-row').filter({ hasText: 'shop/debugged' }).first().click();
    await row(/^run 3 shop\/debugged, succeeded/).waitFor({ timeout: 60_000 });

    await page.locator('.part.panel .repl').getByText('reached').first().waitFor();
    await screenshot('debug/with-store-password');
    await look();
    await runCommand('View: Hide Panel');
  });

  it('stays over a reload, which writes down what was open', async () => {
    const { reload, row } = workbench();
    await reload();
    await row(/^run 3 shop\/debugged, succeeded/).waitFor();
  });

  it('that is empty is forgotten', async () => {
    const { view } = workbench();
    await setPassword('');
    await view('Runs')
      .getByText('The store wants another password: it asks for a password, and none is given.')
      .waitFor();
  });

  it('was nowhere to be read', async () => {
    const { server: editor } = workbench();
    const places = new Map<string, string>([
      ['the window', drawn.join('\n')],
      ['command lines', [...commandLines].join('\n')],
      ['the store', await textOfAllRows({ ...server.config, database: 'history' })],
      ...(await filesBelow(editor.profile)),
      ...(await filesBelow(project.path)),
      ...(await filesBelow(await temporaryHome())),
    ]);
    assert.ok((places.get('the store') ?? '').includes('told'));
    const found = [...places].flatMap(([place, text]) =>
      forms.filter(form => text.includes(form)).map(form => `${form} in ${place}`),
    );
    assert.deepEqual(found, []);
  });
});

/** Files by their paths, also those that are not text. */
async function filesBelow(folder: string): Promise<(readonly [path: string, content: string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.map(async file => [file, await readFile(file, 'latin1').catch(() => '')] as const),
  );
}
