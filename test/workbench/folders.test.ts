/** A window with several folders: what is open is shown, what is closed costs nothing and is shown again when it is back. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { testProject, type TestProject } from '../support/project.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';
import { pressInline } from './support/warehouse-editor.ts';
import { useWorkbench } from './support/workbench.ts';

const pipeline = (id: string, command: string): string => `import { Pipeline, RunBash, Task } from 'millrace';

const pipeline = new Pipeline({ id: '${id}' });
pipeline.add(new Task({ id: '${id}_task', commands: [new RunBash('${command}')] }));

export default pipeline;
`;

describe('several folders', function () {
  this.timeout(120_000);
  let shop: TestProject;
  let stock: TestProject;
  let home: TemporaryFolder;
  const workspaceFile = (): string => join(home.path, 'two.code-workspace');
  /** VS Code opens and closes folders when the file changes. */
  async function openFolders(
    ...folders: readonly (
      { readonly name: string; readonly path: string } | { readonly name: string; readonly uri: string }
    )[]
  ): Promise<void> {
    await writeFile(`${workspaceFile()}.new`, JSON.stringify({ folders }));
    await rename(`${workspaceFile()}.new`, workspaceFile());
  }
  const both = async (): Promise<void> => {
    await openFolders({ name: 'shop', path: shop.path }, { name: 'stock', path: stock.path });
  };
  before(async () => {
    shop = await testProject({ 'shop.pipeline.ts': pipeline('shop', 'echo sold') });
    stock = await testProject({
      'stock.pipeline.ts': pipeline('stock', 'until [ -e go ]; do sleep 0.01; done'),
    });
    home = await temporaryFolder();
    await both();
  });
  after(async () => {
    await stock.write({ go: '' });
    await waitUntil(async () => (await statuses(stock)).every(status => status !== 'running'));
    for (const each of [shop, stock, home]) await each[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: workspaceFile() }));

  async function statuses({ query }: TestProject): Promise<string[]> {
    return (await query<{ status: string }>('SELECT status FROM run ORDER BY run_id')).map(
      ({ status }) => status,
    );
  }

  it('have their pipelines and runs side by side', async () => {
    const opened = workbench();
    const { openSideBar, row, view, screenshot } = opened;
    await openSideBar();
    for (const name of [/^shop, pipeline/, /^shop_task/, /^stock, pipeline/, /^stock_task/])
      await row(name).waitFor();
    await pressInline(opened, /^shop_task, task/, 'Run');
    await row(/^run 1 shop\/shop_task, succeeded/).waitFor();
    await pressInline(opened, /^stock_task, task/, 'Run');
    await row(/^run 1 stock\/stock_task, running/).waitFor();
    assert.equal(
      await view('Runs')
        .getByRole('treeitem', { name: /^(?:shop|stock)$/ })
        .count(),
      2,
    );
    await screenshot('side-bar/two-folders');
  });

  it('of which one is closed leave no process of it but its run', async () => {
    const { row } = workbench();
    assert.notDeepEqual(services(stock.path), []);
    await openFolders({ name: 'shop', path: shop.path });
    await row(/^stock, pipeline/).waitFor({ state: 'detached' });
    await row(/^run 1 stock\/stock_task/).waitFor({ state: 'detached' });
    await row(/^shop, pipeline/).waitFor();
    await row(/^run 1 shop\/shop_task, succeeded/).waitFor();
    await waitUntil(() => services(stock.path).length === 0);
    assert.equal(services(shop.path).length, 1);
    assert.deepEqual(await statuses(stock), ['running']);
  });

  it('of which one is opened again show it as it is by now', async () => {
    const opened = workbench();
    const { row, openFile, lens } = opened;
    await both();
    await row(/^stock_task, task, running/).waitFor();
    await row(/^run 1 stock\/stock_task, running/).waitFor();
    assert.equal(services(stock.path).length, 1);
    await openFile('stock.pipeline.ts');
    await lens('Stop').first().waitFor();
    await stock.write({ go: '' });
    await row(/^run 1 stock\/stock_task, succeeded/).waitFor();
    await stock.write({ 'stock.pipeline.ts': pipeline('stock', 'true').replaceAll('stock_task', 'counted') });
    await row(/^counted, task/).waitFor();
  });

  it('of which one is not on a disk say so, and show the others', async () => {
    const { row, runCommand, screenshot } = workbench();
    await runCommand('View: Close All Editors');
    await openFolders({ name: 'shop', path: shop.path }, { name: 'cloud', uri: 'memfs:/cloud' });
    await row(/^cloud, not on a disk|^cloud/)
      .first()
      .waitFor();
    await workbench().view('Pipelines').getByText('not on a disk').waitFor();
    await row(/^shop, pipeline/).waitFor();
    await row(/^stock, pipeline/).waitFor({ state: 'detached' });
    await screenshot('side-bar/virtual-folder');
  });
});

/** Processes that read the history of a project. */
function services(directory: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return (
          readlinkSync(`/proc/${String(pid)}/cwd`) === directory &&
          readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('service.js')
        );
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}
