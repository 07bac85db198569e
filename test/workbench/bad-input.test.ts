/** What is wrong with a project, or becomes wrong while it is looked at, is said where the user looks. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { testProject, type TestProject } from '../support/project.ts';
import { waitUntil } from '../support/wait.ts';
import { becomes } from './support/becomes.ts';
import { useWorkbench, type Workbench } from './support/workbench.ts';

const shop = `import { Pipeline, RunBash, Task } from 'millrace';

export const shop = new Pipeline({ id: 'shop' });
shop.add(new Task({ id: 'load', commands: [new RunBash('echo loaded')] }));
`;
const huge = `import { Pipeline, RunBash, Task } from 'millrace';

export const huge = new Pipeline({ id: 'huge' });
for (let index = 0; index < 1000; index += 1)
  huge.add(new Task({ id: \`task_\${String(index).padStart(3, '0')}\`, commands: [new RunBash('true')] }));
`;

describe('bad input', function () {
  this.timeout(180_000);
  let project: TestProject;
  before(async () => {
    project = await testProject({ 'shop.pipeline.ts': shop });
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path }));

  it('a pipeline that is deleted while its page is open: the page says so, and comes back with it', async () => {
    const { openSideBar, row, webview, view, screenshot } = workbench();
    await openSideBar();
    await openPage(workbench(), 'shop');
    const frame = await webview('shop');
    await frame.getByRole('heading', { name: 'shop' }).first().waitFor();
    await rm(join(project.path, 'shop.pipeline.ts'));
    await frame.getByText('There is no shop in the files any more').waitFor();
    await view('Pipelines').getByText('No pipelines in this folder.').waitFor();
    await screenshot('node-page/deleted-in-workbench');
    await project.write({ 'shop.pipeline.ts': shop });
    await frame.getByText('There is no shop in the files any more').waitFor({ state: 'detached' });
    await row(/^shop/).waitFor();
  });

  it('a file that breaks and is mended: the other pipelines stay, the problem is named', async () => {
    const { row } = workbench();
    await project.write({ 'broken.pipeline.ts': "import { Pipeline } from 'millrace';\nexport const = ;\n" });
    await row(/broken\.pipeline\.ts|could not be|cannot be|problem/i)
      .first()
      .waitFor();
    await row(/^shop/).waitFor();
    await rm(join(project.path, 'broken.pipeline.ts'));
    await row(/broken\.pipeline\.ts|could not be|cannot be|problem/i)
      .first()
      .waitFor({ state: 'detached' });
  });

  it('a pipeline of 1,000 tasks: runs, and its pages answer', async () => {
    await workbench().openSideBar();
    const { row, webview, runCommand, screenshot } = workbench();
    await project.write({ 'huge.pipeline.ts': huge });
    await openPage(workbench(), 'huge');
    const frame = await webview('huge');
    await frame.getByText('task_000').first().waitFor();
    await frame.getByRole('button', { name: 'Run', exact: true }).first().click();
    await row(/^run 1 huge, succeeded/).waitFor({ timeout: 120_000 });
    await row(/^run 1 huge, succeeded/).click();
    const run = await webview('Run 1');
    await run.getByText('of 1,000 tasks').first().waitFor();
    await screenshot('run-page/huge-in-workbench');
    await runCommand('View: Close All Editors');
    await rm(join(project.path, 'huge.pipeline.ts'));
    await row(/^huge/).waitFor({ state: 'detached' });
  });
});

describe('a folder that is not trusted', function () {
  this.timeout(120_000);
  let project: TestProject;
  before(async () => {
    // Each of these would leave a mark if it were executed.
    const mark = (name: string): string =>
      `import { writeFileSync } from 'node:fs';\nwriteFileSync(new URL('./executed_${name}', import.meta.url), '');\n`;
    project = await testProject({
      'shop.pipeline.ts': mark('pipeline') + shop,
      'millrace.config.ts': `${mark('config')}export default {};\n`,
      'millrace.local.ts': `${mark('local')}export default {};\n`,
      'bin/node': `#!/bin/sh\ntouch "$(dirname "$0")/../executed_node"\n`,
      '.env': 'MILLRACE_STORE_URL=postgres://nobody@127.0.0.1:1/history\n',
    });
    await project.write({
      '.vscode/settings.json': JSON.stringify({
        'millrace.nodePath': join(project.path, 'bin', 'node'),
        'millrace.store.url': 'postgres://nobody@127.0.0.1:1/history',
        'millrace.loadAfterSave': true,
        'millrace.tasks.autoDetect': true,
        'security.workspace.trust.enabled': false,
      }),
      '.vscode/tasks.json': JSON.stringify({
        version: '2.0.0',
        tasks: [{ type: 'millrace', path: 'shop', label: 'shop', runOptions: { runOn: 'folderOpen' } }],
      }),
    });
    await chmod(join(project.path, 'bin', 'node'), 0o755);
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({
    folder: project.path,
    workspaceTrust: true,
    settings: { 'security.workspace.trust.startupPrompt': 'never' },
  }));

  const marks = (): string[] =>
    ['config', 'local', 'node', 'pipeline'].filter(name =>
      existsSync(join(project.path, `executed_${name}`)),
    );

  it('executes nothing, whatever its settings say and whatever the user clicks', async () => {
    const { page, openSideBar, row, openFile, runCommand, notification, webview, view } = workbench();
    await openSideBar();
    await row(/^shop/).waitFor();
    await view('Runs').getByText('not trusted').waitFor();
    await openFile('shop.pipeline.ts');
    // No comment: the editor would make one of the next line too, which is to leave a mark.
    await page.keyboard.type(';\n');
    await page.keyboard.press('Control+S');
    const file = join(project.path, 'shop.pipeline.ts');
    await waitUntil(async () => (await readFile(file, 'utf8')).startsWith(';\n'));
    await openPage(workbench(), 'load');
    await (await webview('load')).getByText('echo loaded').first().waitFor();
    await runCommand('Millrace: Refresh Pipelines');
    await runCommand('Millrace: Show Effective Configuration');
    await notification(/trust/i).or(page.locator('.view-lines').getByText(/trust/i)).first().waitFor();
    assert.deepEqual(marks(), []);
  });

  it('executes all of that as soon as it is trusted', async () => {
    const { trustFolder, runCommand } = workbench();
    await trustFolder();
    await becomes(marks, ['node']);
    // What is no Node.js loads nothing.
    await project.write({ '.vscode/settings.json': '{}' });
    await waitUntil(async () => {
      await runCommand('Millrace: Refresh Pipelines');
      return marks().length === 4;
    });
  });
});

/** The page of a node. */
async function openPage({ row, page, runCommand }: Workbench, id: string): Promise<void> {
  await row(new RegExp(`^${id}, `)).click();
  await page.locator('.monaco-editor .view-line').first().waitFor();
  await runCommand('Millrace: Open DAG and Details');
}
