/** Every button, lens, command and notification about a run, as a user presses it. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { testProject, type TestProject } from '../support/project.ts';
import { waitUntil } from '../support/wait.ts';
import { becomes } from './support/becomes.ts';
import { themeKinds } from './support/themes.ts';
import { pressInline } from './support/warehouse-editor.ts';
import { useWorkbench } from './support/workbench.ts';

/** Ends when the test says so; `weigh` fails until there is a weight. */
const shop = `import { Pipeline, RunBash, Task } from 'millrace';

const pipeline = new Pipeline({ id: 'shop' });
pipeline.add(new Task({ id: 'wait', commands: [new RunBash('until [ -e go ]; do sleep 0.01; done')] }));
pipeline.add(new Task({ id: 'weigh', commands: [new RunBash('cat weight')] }));
pipeline.add(new Task({ id: 'pack', commands: [new RunBash('echo packed')] }), ['weigh']);

export default pipeline;
`;
/** Shows another progress with every moment, and does not end before the test says so. */
const ticks = `import { Pipeline, RunBash, Task } from 'millrace';

const pipeline = new Pipeline({ id: 'ticks' });
const ids = Array.from({ length: 99 }, (_, index) => \`tick_\${String(index)}\`);
for (const id of ids) pipeline.add(new Task({ id, commands: [new RunBash('[ -e fast ] || sleep 0.5')] }));
pipeline.add(new Task({ id: 'last', commands: [new RunBash('until [ -e fast ]; do sleep 0.01; done')] }), ids);

export default pipeline;
`;

interface Recorded {
  readonly id: number;
  readonly path: string;
  readonly status: string;
  readonly resumed: number | null;
  readonly upstreams: boolean;
}

describe('what can be done with a run', function () {
  this.timeout(120_000);
  let project: TestProject;
  before(async () => {
    project = await testProject({ 'shop.pipeline.ts': shop, 'ticks.pipeline.ts': ticks, weight: '1\n' });
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path }));

  async function runs(): Promise<Recorded[]> {
    return await project.query<{
      id: number;
      path: string;
      status: string;
      resumed: number | null;
      upstreams: boolean;
    }>(
      `SELECT run_id::int AS id, array_to_string(pipeline_path, '/') AS path, status,
              resumed_from::int AS resumed, with_upstreams AS upstreams
       FROM run ORDER BY run_id DESC`,
    );
  }
  /** The id of the next run. */
  let next = 1;
  beforeEach(async () => {
    next = ((await runs())[0]?.id ?? 0) + 1;
  });
  afterEach(async () => {
    // Whatever went wrong, no run goes on.
    await project.write({ go: '', fast: '', weight: '1\n' });
    await waitUntil(async () => (await runs()).every(({ status }) => status !== 'running'));
    for (const name of ['go', 'fast']) await rm(join(project.path, name));
  });
  const runRow = (id: number, state: string): Locator =>
    workbench().row(new RegExp(`^run ${String(id)} [^,]*, ${state}`));

  it('buttons keep their rows while the run of a terminal goes on', async () => {
    const opened = workbench();
    await opened.openSideBar();
    await opened.row(/^ticks, pipeline/).waitFor();
    assert.equal((await project.run(['run', 'shop/weigh'])).exitCode, 0);
    await runRow(next, 'succeeded').waitFor();
    await using run = await project.start(['run', 'ticks', '--parallel', '1']);
    await runRow(next + 1, 'running').waitFor();
    const question = opened.quickInput().getByText('Open a run');
    for (let pressed = 0; pressed < 20; pressed += 1) {
      const id = String(next + 1 - (pressed % 2));
      await pressInline(opened, new RegExp(`^run ${id} `), 'Open Run');
      const shown = opened.page.getByRole('tab', { name: `Run ${id}`, selected: true });
      await shown.or(question).first().waitFor();
      assert.equal(await question.isVisible(), false, `the command asks what was pressed, at ${id}`);
    }
    // So does the status bar, whose figures change all the time.
    for (let pressed = 0; pressed < 3; pressed += 1) {
      await pressInline(opened, new RegExp(`^run ${String(next)} `), 'Open Run');
      await opened.page.getByRole('tab', { name: `Run ${String(next)}`, selected: true }).waitFor();
      await opened
        .statusBar()
        .getByText(/ticks\s\d+\/100/)
        .click();
      await opened.page.getByRole('tab', { name: `Run ${String(next + 1)}`, selected: true }).waitFor();
    }
    await pressInline(opened, new RegExp(`^run ${String(next + 1)} `), 'Cancel Run');
    await runRow(next + 1, 'cancelled').waitFor();
    assert.equal((await run.end).exitCode, 130);
  });

  it('is cancelled by the button of its row, and run again by the other', async () => {
    const opened = workbench();
    await pressInline(opened, /^shop, pipeline/, 'Run');
    await runRow(next, 'running').waitFor();
    await pressInline(opened, new RegExp(`^run ${String(next)} `), 'Cancel Run');
    await runRow(next, 'cancelled').waitFor();
    await pressInline(opened, new RegExp(`^run ${String(next)} `), 'Run Again');
    await runRow(next + 1, 'running').waitFor();
    await project.write({ go: '' });
    await runRow(next + 1, 'succeeded').waitFor();
    const [again] = await runs();
    assert.deepEqual([again?.path, again?.resumed], ['shop', null]);
  });

  it('is stopped by the palette, which asks only when several go on', async () => {
    const opened = workbench();
    const { row, runCommand, quickInput } = opened;
    await runCommand('View: Close All Editors');
    for (const command of ['Stop', 'Cancel Run']) {
      const id = ((await runs())[0]?.id ?? 0) + 1;
      await pressInline(opened, /^shop, pipeline/, 'Run');
      await row(/^wait, task, running/).waitFor();
      await runCommand(`Millrace: ${command}`);
      await runRow(id, 'cancelled').waitFor();
    }
    const first = ((await runs())[0]?.id ?? 0) + 1;
    await pressInline(opened, /^ticks, pipeline/, 'Run');
    await runRow(first, 'running').waitFor();
    await pressInline(opened, /^shop, pipeline/, 'Run');
    await runRow(first + 1, 'running').waitFor();
    await runCommand('Millrace: Cancel Run');
    await quickInput().getByText('Cancel a run').waitFor();
    const choices = quickInput().locator('.monaco-list-row');
    await becomes(() => choices.count(), 2);
    await choices
      .filter({ hasText: `${String(first)} ticks` })
      .first()
      .click();
    await runRow(first, 'cancelled').waitFor();
    assert.deepEqual(
      (await runs()).slice(0, 2).map(({ path, status }) => `${path} ${status}`),
      ['shop running', 'ticks cancelled'],
    );
  });

  it('takes upstreams with it when its lens says so', async () => {
    const { openFile, lens } = workbench();
    await openFile('shop.pipeline.ts');
    await lens('Run with upstreams').click();
    await runRow(next, 'succeeded').waitFor();
    const ran = await project.query<{ node: string }>(
      "SELECT array_to_string(node_path, '/') AS node FROM node_run WHERE run_id = $1 AND kind = 'task' ORDER BY 1",
      [next],
    );
    assert.deepEqual(
      ran.map(({ node }) => node),
      ['shop/pack', 'shop/weigh'],
    );
    assert.equal((await runs())[0]?.upstreams, true);
  });

  it('that has failed is gone on with by its notification', async () => {
    const opened = workbench();
    const { notification, page } = opened;
    await rm(join(project.path, 'weight'));
    await project.write({ go: '' });
    await pressInline(opened, /^shop, pipeline/, 'Run');
    await runRow(next, 'failed').waitFor();
    const failure = notification('shop/weigh failed: exit code 1');
    await failure.waitFor();
    await project.write({ weight: '2\n' });
    await failure.getByRole('button', { name: 'Re-run Failed' }).click();
    await runRow(next + 1, 'succeeded').waitFor();
    await failure.waitFor({ state: 'detached' });
    const [again] = await runs();
    assert.deepEqual([again?.path, again?.resumed], ['shop', next]);
    await page.keyboard.press('Escape');
  });

  it('is debugged where that means something: tasks, not pipelines', async () => {
    const { row, page, runCommand, quickInput } = workbench();
    const offered = async (name: RegExp): Promise<string[]> => {
      const menu = page.locator('.monaco-menu');
      await row(name).click({ button: 'right' });
      await menu.getByRole('menuitem').first().waitFor();
      const texts = await menu.getByRole('menuitem').allInnerTexts();
      await page.keyboard.press('Escape');
      await menu.waitFor({ state: 'detached' });
      return texts.map(text => text.trim());
    };
    assert.equal((await offered(/^weigh, task/)).includes('Debug This Task'), true);
    assert.equal((await offered(/^shop, pipeline/)).includes('Debug This Task'), false);
    await runCommand('View: Close All Editors');
    await runCommand('Millrace: Debug This Task');
    await quickInput().getByPlaceholder('A task').waitFor();
    await quickInput().locator('input').fill('shop');
    const labels = quickInput().locator('.monaco-list-row .label-name');
    await becomes(
      async () => (await labels.allInnerTexts()).map(label => label.trim()).sort(),
      ['shop/pack', 'shop/wait', 'shop/weigh'],
    );
    await page.keyboard.press('Escape');
  });

  it('and all that the editor draws for it look right in every theme', async () => {
    const { runCommand, quickInput, row, tab, page, setTheme, screenshot } = workbench();
    await workbench().openSideBar();
    await row(/^shop, pipeline/).waitFor();
    await runCommand('View: Close All Editors');
    await runCommand('Millrace: Show Effective Configuration');
    await tab(/Effective configuration|Configuration of/i).waitFor();
    for (const kind of themeKinds) {
      await setTheme(kind);
      await runCommand('Millrace: Run');
      await quickInput().getByPlaceholder('A pipeline or a task').waitFor();
      await screenshot('lists/nodes-and-configuration');
      await page.keyboard.press('Escape');
    }
    await runCommand('Welcome: Open Walkthrough...');
    await quickInput().locator('input').fill('Get Started with Millrace');
    await quickInput()
      .locator('.monaco-list-row')
      .filter({ hasText: 'Get Started with Millrace' })
      .first()
      .click();
    await page.getByText('From an empty folder to a pipeline whose every run is kept.').first().waitFor();
    for (const kind of themeKinds) {
      await setTheme(kind);
      await screenshot('walkthrough/start');
    }
    await runCommand('View: Close All Editors');
  });
});
