/**
 * The example warehouse in the real workbench, from the first run to a failure made good: every view, button, lens and
 * command is used, and every page is looked at with real data.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Frame } from 'playwright-core';
import { runMillrace } from '../support/millrace.ts';
import { checkAccessibility } from './support/accessibility.ts';
import { themeClasses, themeKinds } from './support/themes.ts';
import {
  answerParameters,
  openPage,
  openRun,
  pressInline,
  toggleRow,
  warehouseEnvironment,
  warehouseProject,
  type Gate,
  type WarehouseProject,
} from './support/warehouse-editor.ts';
import { useWorkbench } from './support/workbench.ts';

/** A pipeline whose nodes are made by a loop, and whose SQL has something to replace. */
const reports = {
  'reports/by_period.sql': `DROP TABLE IF EXISTS downloads_by_@period@;
CREATE TABLE downloads_by_@period@ AS
SELECT @period@_id, sum(number_of_downloads) AS downloads
FROM pypi_dim.download_counts JOIN time.day ON day_id = day_fk
GROUP BY @period@_id;
`,
  'reports/reports.pipeline.ts': `import { ExecuteSQL, Pipeline, Task } from 'millrace';

const pipeline = new Pipeline({ id: 'reports', description: 'What people ask for' });

for (const period of ['day', 'month', 'quarter']) {
  pipeline.add(
    new Task({
      id: \`by_\${period}\`,
      description: \`Downloads by \${period}\`,
      commands: [new ExecuteSQL({ sqlFile: 'by_period.sql', replace: { '@period@': () => period } })],
    }),
  );
}

export default pipeline;
`,
};

describe('the warehouse in the editor', function () {
  this.timeout(180_000);
  let project: WarehouseProject;
  let gate: Gate;
  before(async () => {
    project = await warehouseProject();
    await project.write(reports);
    gate = await project.closeGate();
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });
  const workbench = useWorkbench(() => ({ folder: project.path, env: warehouseEnvironment }));

  it('runs from the tree and is followed live', async () => {
    const opened = workbench();
    const { openSideBar, row, statusBar, screenshot } = opened;
    await openSideBar();
    await pressInline(opened, /^python_project_stats/, 'Run');
    await answerParameters(opened, { sample_rows: '1000' });
    await row(/^show_flask, task, running/).waitFor({ timeout: 120_000 });
    await row(/^pypi, pipeline, succeeded/).waitFor();
    await row(/^run 1 python_project_stats, running/).waitFor();
    await row(/^python_project_stats, pipeline, running, \d+ %$/).waitFor();
    await statusBar()
      .getByText(/python_project_stats\s\d+\/\d+/)
      .click();

    const page = await openPage(opened, 'Run 1');
    const progress = page.getByRole('progressbar', { name: 'Progress by expected duration' });
    await progress.waitFor();
    assert.notEqual(await progress.getAttribute('aria-valuenow'), '100');
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
    await page.getByText('show_flask').first().waitFor();
    await checkAccessibility(page);
    await screenshot('warehouse/run-live');

    await gate.open();
    await page.getByRole('button', { name: 'Run again' }).first().waitFor();
    await page.getByText('critical path').first().waitFor();
    await page.getByText('CPU', { exact: true }).waitFor();
    await row(/^python_project_stats, pipeline, succeeded/).waitFor();
    await row(/^run 1 python_project_stats, succeeded/).waitFor({ timeout: 120_000 });
  });

  it('shows output that can be searched, and the timeline as a table', async () => {
    const page = await openPage(workbench(), 'Run 1');
    await page.getByRole('button', { name: 'As table' }).first().click();
    await page
      .getByRole('row', { name: /show_flask/ })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'As table' }).first().click();
    const search = page.getByRole('textbox', { name: 'Search', exact: true });
    await search.fill('invented rows');
    await page.getByRole('button', { name: 'Next match (F3)' }).click();
    await page.getByText('1 of 4').waitFor();
  });

  it('fails at the line of the SQL that is wrong', async () => {
    const opened = workbench();
    const { openFile, lens, notification, row, page, screenshot } = opened;
    await project.change('pypi/transform_installer.sql', 'DISTINCT installer', 'DISTINCT installr');
    await openFile('pypi.pipeline.ts');
    await lens('Run').first().click();
    await answerParameters(opened);
    const failure = notification('transform_installer failed: column "installr" does not exist');
    await failure.waitFor();
    // Above the pipeline, while its file is in front.
    await lens(/^.?failed, /)
      .first()
      .waitFor();
    await failure.getByRole('button', { name: 'Show Log' }).click();
    await row(/^run 2 python_project_stats\/pypi, failed, transform_installer: column "installr"/).waitFor();
    await page.getByRole('tab', { name: 'Millrace - 1 pipeline with an unresolved failure' }).waitFor();

    await openFile('pypi/transform_installer.sql');
    await page.locator('.squiggly-error').first().waitFor();
    await screenshot('warehouse/sql-error');
  });

  it('tells the failure on the page of the run', async () => {
    const opened = workbench();
    const page = await openRun(opened, 2);
    await page
      .getByText('HINT: Perhaps you meant to reference the column "client.installer".')
      .first()
      .waitFor();
    // How many had begun before it failed is a matter of luck.
    await page.getByText(/\d+ tasks skipped/).waitFor();
    await checkAccessibility(page);
    await opened.screenshot('warehouse/run-failed');
    await page.getByRole('link', { name: 'pypi/transform_installer.sql:12:23' }).first().click();
    await opened.statusBar().getByText('Ln 12, Col 23').waitFor();
  });

  it('tells the failure in the SQL on the page of the task', async () => {
    const opened = workbench();
    await toggleRow(opened, /^pypi, pipeline/);
    await pressInline(opened, /^transform_installer, task, failed/, 'Open DAG and Details');
    const page = await openPage(opened, 'transform_installer');
    await page.getByText('column "installr" does not exist. Perhaps you meant').first().waitFor();
    await page.getByText('millrace sql dwh -f pypi/transform_installer.sql').waitFor();
    await page.getByText('1 upstream').waitFor();
    await checkAccessibility(page);
    await page.getByRole('link', { name: 'pypi/transform_installer.sql', exact: true }).click();
    await opened.tab(/^transform_installer\.sql/).waitFor();
    await toggleRow(opened, /^pypi, pipeline/);
  });

  it('goes on where it has failed', async () => {
    const opened = workbench();
    await project.change('pypi/transform_installer.sql', 'DISTINCT installr', 'DISTINCT installer');
    await pressInline(opened, /^run 2 /, 'Re-run Failed');
    await opened.row(/^run 3 python_project_stats\/pypi, succeeded/).waitFor();
    await opened.page.getByRole('tab', { name: 'Millrace', exact: true }).waitFor();
  });

  it('asks which node is meant where a line makes several', async () => {
    const opened = workbench();
    const { openFile, lens, quickInput, row } = opened;
    await openFile('reports.pipeline.ts');
    await lens('Run (3 nodes)').click();
    await row(/^run 4 reports.*succeeded/).waitFor();
    await lens('3').first().waitFor();
    await lens('DAG').nth(1).click();
    await quickInput().getByText('by_month').click();

    const page = await openPage(opened, 'by_month');
    await page.getByRole('tab', { name: 'After replacement' }).waitFor();
    await page.getByText('downloads_by_month').first().waitFor();
    await page.getByRole('tab', { name: 'As in the file' }).click();
    await page.getByText('downloads_by_@period@').first().waitFor();
    await checkAccessibility(page);
  });

  it('runs everything again, and draws run times', async () => {
    const opened = workbench();
    const { runCommand, row } = opened;
    await runCommand('Millrace: Run All Pipelines');
    await answerParameters(opened);
    await row(/^run 5 .*succeeded/).waitFor({ timeout: 120_000 });
    await pressInline(opened, /^python_project_stats/, 'Open DAG and Details');
    const page = await openPage(opened, 'python_project_stats');
    await page.locator('.graph-holder svg').first().waitFor();
    await page.getByRole('img', { name: 'Run times of python_project_stats in 2 runs' }).waitFor();
    await page.getByRole('button', { name: 'As table' }).click();
    await page
      .getByRole('table', { name: 'Run times' })
      .or(page.getByRole('grid', { name: 'Run times' }))
      .waitFor();
    await page.getByRole('button', { name: 'As table' }).click();
    // Wider than the page, the picture has some of them closed at first.
    await page.getByRole('button', { name: 'Open all pipelines' }).click();
    await page.getByRole('button', { name: 'Close all pipelines' }).click();
    await page.getByRole('button', { name: 'Fit' }).click();
    await checkAccessibility(page);
  });

  it('shows the history as a list and as a grid', async () => {
    const opened = workbench();
    await opened.view('Runs').hover();
    await opened.view('Runs').getByRole('button', { name: 'Show Run History' }).click();
    const page = await openPage(opened, 'Run history');
    await page.getByText('5 of 5 runs').waitFor();
    await page.getByRole('button', { name: /^failed/ }).click();
    await page.getByText('1 of 5 runs').waitFor();
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await page.getByRole('gridcell', { name: 'transform_installer, run 2: failed' }).waitFor();
    await checkAccessibility(page);
    await page.getByRole('gridcell', { name: 'transform_installer, run 2: failed' }).click();
    await openPage(opened, 'Run 2');
  });

  const pages: readonly {
    readonly name: string;
    readonly tab: string;
    readonly ready: (page: Frame) => Promise<void>;
  }[] = [
    {
      name: 'node',
      tab: 'python_project_stats',
      ready: page => page.locator('.graph-holder svg').first().waitFor(),
    },
    { name: 'task', tab: 'transform_installer', ready: page => page.getByText('ANALYZE').first().waitFor() },
    { name: 'run-failed', tab: 'Run 2', ready: page => page.getByText('critical path').first().waitFor() },
    { name: 'history', tab: 'Run history', ready: page => page.locator('table.run-grid').waitFor() },
  ];
  for (const { name, tab, ready } of pages) {
    it(`looks right in every theme and width: ${name}`, async () => {
      const opened = workbench();
      await opened.tab(tab).last().click();
      const page = await openPage(opened, tab);
      await ready(page);
      try {
        for (const kind of themeKinds) {
          await opened.setTheme(kind);
          await page.locator(`body.${themeClasses[kind]}`).waitFor();
          for (const [size, width] of [
            ['1200', 1560],
            ['520', 880],
          ] as const) {
            await opened.page.setViewportSize({ width, height: 900 });
            await page.waitForFunction(most => document.documentElement.clientWidth <= most, width - 300);
            await opened.screenshot(`warehouse/${name}-${size}`);
          }
        }
      } finally {
        await opened.page.setViewportSize({ width: 1400, height: 900 });
        await opened.setTheme('dark');
      }
    });
  }

  it('is seen when it runs in a terminal', async () => {
    const { row } = workbench();
    const { exitCode } = await runMillrace(['run', 'reports/by_day'], {
      cwd: project.path,
      env: warehouseEnvironment,
    });
    assert.equal(exitCode, 0);
    await row(/^run 6 reports\/by_day, succeeded/).waitFor();
  });

  it('stops a run from its lens', async () => {
    const opened = workbench();
    const { openFile, lens, row } = opened;
    const closed = await project.closeGate();
    await pressInline(opened, /^show_flask, /, 'Run');
    await answerParameters(opened);
    await row(/^show_flask, task, running/).waitFor();
    await openFile('python-project-stats.pipeline.ts');
    await lens('Stop').first().click();
    await row(/^run 7 .*cancelled/).waitFor();
    await closed.open();
  });

  it('uses what title bars and context menus offer', async () => {
    const opened = workbench();
    const { view, page, row, quickInput } = opened;
    const pipelines = view('Pipelines');
    const press = async (name: string): Promise<void> => {
      await pipelines.hover();
      await pipelines.getByRole('button', { name }).click();
    };
    await press('Filter Pipelines by State…');
    await quickInput().getByText('failed', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await press('Refresh Pipelines');
    await press('Run All Pipelines');
    await quickInput().getByText('Parameter 1 of 6').waitFor();
    await page.keyboard.press('Escape');
    await press('Collapse All');
    await row(/^collect_data/).waitFor({ state: 'detached' });
    await row(/^reports, pipeline/).click({ button: 'right' });
    const menu = page.locator('.monaco-menu');
    await menu.getByRole('menuitem').first().waitFor();
    const offered = await menu.getByRole('menuitem').allInnerTexts();
    assert.deepEqual(
      offered.map(text => text.trim()),
      [
        'Run',
        'Open DAG and Details',
        'Go to Source',
        'Show Output',
        'Show Run History',
        'Copy Path',
        'Forget Incremental State…',
      ],
    );
    // VS Code ignores a click that follows too soon on the opening of a menu, so none is made here.
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
  });

  it('has every command in the palette', async () => {
    const opened = workbench();
    const { page, quickInput, runCommand, tab, notification } = opened;
    // Otherwise they are about the node at the cursor.
    await runCommand('View: Close All Editors');
    const asked = {
      Run: 'A pipeline or a task',
      'Run with Upstreams': 'A pipeline or a task',
      'Debug This Task': 'A task',
      'Copy Path': 'A pipeline or a task',
      'Copy Error': '2 python_project_stats/pypi',
      'Open DAG and Details': 'A pipeline or a task',
      'Go to Source': 'A pipeline or a task',
      'Forget Incremental State…': 'A pipeline or a task',
      'Show Output': '7 python_project_stats/show_flask',
      'Open Run': '7 python_project_stats/show_flask',
      'Run Again': '7 python_project_stats/show_flask',
      'Re-run Failed': '2 python_project_stats/pypi',
      'Filter Pipelines by State…': 'never run',
      'Filter Runs by State…': 'cancelled',
      'Create Sample Project': 'A data warehouse',
    };
    for (const [title, answer] of Object.entries(asked)) {
      await runCommand(`Millrace: ${title}`);
      const list = quickInput();
      await list.getByPlaceholder(answer).or(list.getByText(answer)).first().waitFor();
      await page.keyboard.press('Escape');
      await list.waitFor({ state: 'hidden' });
    }
    await runCommand('Millrace: Refresh Pipelines');
    await runCommand('Millrace: Refresh Runs');
    await runCommand('Millrace: Try to Reach the Store Again');
    await runCommand('Millrace: Set Store Password');
    await notification('The password belongs to the address in the setting millrace.store.url').waitFor();
    await runCommand('Millrace: Find in Pipelines');
    await page.locator('.sidebar .monaco-tree-type-filter').waitFor();
    await page.keyboard.press('Escape');
    await runCommand('Millrace: Show Effective Configuration');
    await tab(/configuration/i).waitFor();
    await runCommand('Millrace: Show Log');
    await page.locator('.part.panel').getByText('Output').first().waitFor();
    await runCommand('View: Hide Panel');
  });
});
