/**
 * `npm run pictures`: makes the pictures of README.md, docs/tutorial.md and the example warehouse anew, in docs/pictures,
 * from a real workbench in which the warehouse has really run. Looks at nothing and checks nothing: look at them.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { runMillrace } from '../../support/millrace.ts';
import { resources, stopSharedServer } from '../../support/store.ts';
import { pictureOfFailure } from './gallery.ts';
import { withPalette } from './palette-png.ts';
import {
  answerParameters,
  openPage,
  openRun,
  pressInline,
  toggleRow,
  warehouseEnvironment,
  warehouseProject,
  type WarehouseProject,
} from './warehouse-editor.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const directory = join(resources, 'docs', 'pictures');

/** What is in the way of a picture: hints, tooltips, notifications that have been read. */
async function tidy({ page }: Workbench): Promise<void> {
  await page.mouse.move(1, 1);
  await page
    .locator('.monaco-hover:visible, .context-view .monaco-hover')
    .first()
    .waitFor({ state: 'hidden' });
}

async function picture(workbench: Workbench, name: string, what?: Locator): Promise<void> {
  await tidy(workbench);
  const png = await (what ?? workbench.page).screenshot({ animations: 'disabled', caret: 'hide' });
  const small = withPalette(png);
  await writeFile(join(directory, `${name}.png`), small);
  process.stdout.write(`docs/pictures/${name}.png ${String(Math.round(small.length / 1000))} kB\n`);
}

async function run(workbench: Workbench, path: string, args: readonly string[] = []): Promise<void> {
  const { stderr } = await runMillrace(['run', ...args], { cwd: path, env: warehouseEnvironment });
  if (stderr.includes('not found')) throw new Error(stderr);
  await workbench.page.bringToFront();
}

/** A node page with the whole graph in sight. */
async function fitGraph(page: Frame): Promise<void> {
  await page.locator('.graph-holder svg').first().waitFor();
  await page.getByRole('button', { name: 'Fit', exact: true }).click();
}

/** At first some are closed, depending on the room that there is. */
async function closePipelines(page: Frame): Promise<void> {
  const open = page.getByRole('button', { name: 'Open all pipelines' });
  const close = page.getByRole('button', { name: 'Close all pipelines' });
  await page.locator('.graph-holder svg').first().waitFor();
  if (await open.isVisible()) await open.click();
  await close.click();
}

async function sizeTo(workbench: Workbench, width: number, height: number): Promise<void> {
  await workbench.page.setViewportSize({ width, height });
}

async function main(): Promise<void> {
  await mkdir(directory, { recursive: true });
  await using project = await warehouseProject();
  await using workbench = await openWorkbench({
    folder: project.path,
    env: warehouseEnvironment,
    scale: 2,
    width: 1280,
    height: 800,
    settings: {
      'editor.minimap.enabled': false,
      'editor.fontSize': 12,
      'breadcrumbs.enabled': false,
      'workbench.layoutControl.enabled': false,
      'editor.lightbulb.enabled': 'off',
      'millrace.notifications': 'never',
    },
  });
  try {
    await takeAll(workbench, project);
  } catch (error) {
    await pictureOfFailure(workbench.page, 'pictures');
    throw error;
  }
}

async function takeAll(workbench: Workbench, project: WarehouseProject): Promise<void> {
  const { page, row, tab, openFile, lens, runCommand } = workbench;
  page.setDefaultTimeout(90_000);
  await workbench.openSideBar();

  // Runs of some days: the first one makes the files, each later one has a new day.
  await pressInline(workbench, /^python_project_stats/, 'Run');
  await answerParameters(workbench);
  await row(/^run 1 .*succeeded/).waitFor();

  // Tutorial 1: the tree and the graph.
  await pressInline(workbench, /^python_project_stats/, 'Open DAG and Details');
  let shown = await openPage(workbench, 'python_project_stats');
  await closePipelines(shown);
  await fitGraph(shown);
  await picture(workbench, 'tutorial-dag');

  // Tutorial 2: the run and a task of it.
  shown = await openRun(workbench, 1);
  await shown.getByText('critical path').first().waitFor();
  await picture(workbench, 'tutorial-run');
  await toggleRow(workbench, /^pypi, pipeline/);
  await pressInline(workbench, /^transform_project,/, 'Open DAG and Details');
  shown = await openPage(workbench, 'transform_project');
  await shown.getByText('millrace sql dwh').waitFor();
  await picture(workbench, 'tutorial-task');

  for (const day of ['2018-04-11', '2018-04-12', '2018-04-13', '2018-04-14'])
    await run(workbench, project.path, ['python_project_stats', '--param', `sample_last_day=${day}`]);
  await row(/^run 5 .*succeeded/).waitFor();

  // Tutorial 4: a failure, where it is in the SQL, and its run.
  await project.change('pypi/transform_installer.sql', 'DISTINCT installer', 'DISTINCT installr');
  await run(workbench, project.path, ['python_project_stats']);
  await row(/^run 6 .*failed/).waitFor();
  await runCommand('View: Close All Editors');
  await openFile('pypi/transform_installer.sql');
  await page.locator('.squiggly-error').first().waitFor();
  await page.keyboard.press('Control+G');
  await workbench.quickInput().locator('input').fill(':12:23');
  await workbench.quickInput().locator('input').press('Enter');
  shown = await openRun(workbench, 6);
  await shown.getByText('HINT: ').first().waitFor();
  await picture(workbench, 'tutorial-failed-run');
  await tab(/^transform_installer\.sql/).click();
  await tidy(workbench);
  await runCommand('Show or Focus Hover');
  await page.locator('.monaco-hover').first().waitFor();
  await writeFile(
    join(directory, 'tutorial-sql-error.png'),
    withPalette(await page.screenshot({ animations: 'disabled', caret: 'hide' })),
  );
  await page.keyboard.press('Escape');
  await project.change('pypi/transform_installer.sql', 'DISTINCT installr', 'DISTINCT installer');
  await run(workbench, project.path, ['--resume', '6']);
  await row(/^run 7 .*succeeded/).waitFor();
  await run(workbench, project.path, ['python_project_stats']);
  await row(/^run 8 .*succeeded/).waitFor();

  // README: history, timeline, run times, graph.
  await runCommand('View: Close All Editors');
  await runCommand('Millrace: Show Run History');
  shown = await openPage(workbench, 'Run history');
  await shown.locator('table.run-grid').waitFor();
  await picture(workbench, 'history');
  await pressInline(workbench, /^pypi, pipeline/, 'Open DAG and Details');
  shown = await openPage(workbench, 'pypi');
  await fitGraph(shown);
  await picture(workbench, 'dag');
  await shown.getByRole('heading', { name: 'Run times' }).scrollIntoViewIfNeeded();
  await shown
    .locator('#run-times, section:has(h2:text("Run times"))')
    .first()
    .evaluate(element => {
      element.scrollIntoView({ block: 'start' });
    });
  await shown.locator('.run-times canvas').waitFor();
  await picture(workbench, 'run-times');
  shown = await openRun(workbench, 8);
  await shown
    .getByText('critical path')
    .first()
    .evaluate(element => {
      element.closest('section')?.scrollIntoView({ block: 'start' });
    });
  await picture(workbench, 'timeline');

  // README, first screen: side bar, code with lenses, and the graph of a run that goes on.
  const gate = await project.closeGate('python_projects/initialize_schemas.sql');
  await runCommand('View: Close All Editors');
  await sizeTo(workbench, 1440, 810);
  await toggleRow(workbench, /^pypi, pipeline/);
  await toggleRow(workbench, /^python_projects, pipeline/);
  await openFile('python_projects.pipeline.ts');
  await lens('DAG').first().waitFor();
  await pressInline(workbench, /^python_project_stats/, 'Open DAG and Details');
  await openPage(workbench, 'python_project_stats');
  await runCommand('View: Move Editor into Right Group');
  await pressInline(workbench, /^python_project_stats/, 'Run');
  await answerParameters(workbench);
  await row(/^initialize_schemas, task, running/).waitFor();
  shown = await openPage(workbench, 'python_project_stats');
  await shown.locator('.live-strip').waitFor();
  await closePipelines(shown);
  await fitGraph(shown);
  await picture(workbench, 'editor');
  await gate.open();
  await row(/^run 9 .*succeeded/).waitFor();

  // Tutorial 5: a pipeline of one's own.
  await project.write(await tutorialFiles());
  await runCommand('View: Close All Editors');
  await sizeTo(workbench, 1280, 800);
  await row(/^reports, pipeline/).waitFor();
  await run(workbench, project.path, ['reports']);
  await row(/^run 10 reports, succeeded/).waitFor();
  await openFile('reports/reports.pipeline.ts');
  await lens(/ago|just now/)
    .first()
    .waitFor();
  await picture(workbench, 'tutorial-reports');
}

/** The files that the tutorial tells to write. */
async function tutorialFiles(): Promise<Record<string, string>> {
  const text = await readFile(join(resources, 'docs', 'tutorial.md'), 'utf8');
  const found = text.matchAll(/^`(reports\/[^`\n]+)`:\n\n```\w+\n([^]*?)^```$/gm);
  return Object.fromEntries([...found].map(([, name = '', content = '']) => [name, content]));
}

if (import.meta.main) {
  try {
    await main();
  } finally {
    await stopSharedServer();
  }
}
