/** The side bar says what is going on, whatever is wrong with the folder, the store or its trust. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { becomes } from './support/becomes.ts';
import { useWorkbench } from './support/workbench.ts';

const demo = join(import.meta.dirname, '../../examples/demo');

/** Whether what is waited for comes. */
const isThere = [() => true, () => false] as const;

describe('the side bar without much to show', () => {
  const folders: TemporaryFolder[] = [];
  after(async () => {
    for (const folder of folders) await folder[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({}));

  /** @param workspace A file among them that names the folders, instead of the folder that they are in. */
  async function open(
    files: Readonly<Record<string, string>> | undefined,
    workspace?: string,
  ): Promise<void> {
    const { page, server, openSideBar } = workbench();
    const folder = files === undefined ? undefined : await temporaryFolder(files);
    if (folder !== undefined) folders.push(folder);
    const opened = folder === undefined ? {} : { folder: join(folder.path, workspace ?? '') };
    await page.goto(server.address(opened));
    await page.locator('.monaco-workbench').waitFor();
    await openSideBar();
  }

  it('offers a folder or a sample without a folder', async () => {
    const { view, screenshot } = workbench();
    await open(undefined);
    await view('Pipelines').getByRole('button', { name: 'Open Folder' }).waitFor();
    await view('Pipelines').getByRole('button', { name: 'Create a Sample Project' }).waitFor();
    await screenshot('side-bar/no-folder');
  });

  it('offers a sample in a folder without pipelines', async () => {
    const { view, screenshot } = workbench();
    await open({ 'notes.txt': 'nothing here' });
    await view('Pipelines').getByText('No pipelines in this folder.').waitFor();
    await view('Pipelines').getByRole('button', { name: 'Create a Sample Project' }).waitFor();
    await view('Runs').getByText('Runs appear here.').waitFor();
    await screenshot('side-bar/no-pipelines');
  });

  it('leads to the problems of files that cannot be understood', async () => {
    const { view, screenshot } = workbench();
    await open({ 'broken.pipeline.ts': "import { Pipeline } from 'millrace';\nexport const = 3;\n" });
    await view('Pipelines').getByText('cannot be understood').waitFor();
    await view('Pipelines').getByRole('button', { name: 'Show Problems' }).waitFor();
    await screenshot('side-bar/load-errors');
  });

  it('says that a folder is not on a disk, and begins nothing there', async () => {
    const { page, view, notification, runCommand, screenshot } = workbench();
    const folders = [{ name: 'cloud', uri: 'memfs:/cloud' }];
    await open({ 'cloud.code-workspace': JSON.stringify({ folders }) }, 'cloud.code-workspace');
    // VS Code itself opens such a workspace without its folders now and then, on a busy machine, and stays like that.
    const said = view('Pipelines').getByText('This folder is not on a disk that programs can read');
    for (const timeout of [10_000, 20_000]) {
      if (await said.waitFor({ timeout }).then(...isThere)) break;
      await page.reload();
    }
    await said.waitFor();
    await runCommand('Millrace: Show Effective Configuration');
    await notification('This folder is not on a disk that programs can read.').waitFor();
    await screenshot('side-bar/virtual');
  });

  it('says why the store does not answer, and shows the pipelines', async () => {
    const { view, row, screenshot } = workbench();
    await open({
      'package.json': '{}',
      'shop.pipeline.ts':
        "import { Pipeline, RunBash, Task } from 'millrace';\nexport const shop = new Pipeline({ id: 'shop' });\nshop.add(new Task({ id: 'load', commands: [new RunBash('true')] }));\n",
      // A port that nobody may listen on.
      '.vscode/settings.json': '{ "millrace.store.url": "postgres://nobody@127.0.0.1:1/history" }',
    });
    await row(/^load/).waitFor();
    await view('Runs').getByText('The store does not answer.').waitFor();
    await view('Runs').getByText('connect ECONNREFUSED 127.0.0.1:1').waitFor();
    await view('Runs').getByRole('button', { name: 'Try Again' }).waitFor();
    await screenshot('side-bar/store-unreachable');
  });
});

describe('the side bar of a folder that is not trusted', () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder();
    await cp(demo, folder.path, { recursive: true });
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({
    folder: folder.path,
    workspaceTrust: true,
    settings: { 'security.workspace.trust.startupPrompt': 'never' },
  }));

  it('shows pipelines and history and runs nothing, until it is trusted', async () => {
    const { openSideBar, row, lens, openFile, trustFolder, screenshot } = workbench();
    await openSideBar();
    const demoRow = row(/^demo/).first();
    await demoRow.waitFor();
    await demoRow.hover();
    const button = demoRow.getByRole('button', { name: 'Run', exact: true });
    await becomes(() => button.isEnabled(), false);
    await openFile('demo.pipeline.ts');
    // Those of a line come together.
    await lens('DAG').first().waitFor();
    assert.equal(await lens('Run').count(), 0);
    await screenshot('side-bar/untrusted');
    await trustFolder();
    await lens('Run').first().waitFor();
  });
});
