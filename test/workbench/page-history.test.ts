/** The history of runs in Chromium, under the policy of the product, against a scripted peer. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { after, before, describe, it } from 'mocha';
import type { RunQuery, RunRecord } from '../../runner/records.ts';
import type { PageSubject } from '../../webview/messages.ts';
import { waitUntil } from '../support/wait.ts';
import { becomes } from './support/becomes.ts';
import { launchBrowser } from './support/browser.ts';
import { history, historyAnswers, historyGrid, now, selectRuns } from './support/history-peer.ts';
import { openPage, PageError, type PageHost, type PageOptions } from './support/page-host.ts';
import { themeKinds } from './support/themes.ts';

const subject: PageSubject = { page: 'history', folder: 'file:///project' };
const top = 'python_project_stats';

describe('the page of the history', function () {
  this.timeout(60_000);
  let browser: Browser;

  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
  });

  const open = async (
    runs: readonly RunRecord[],
    more: Partial<PageOptions> = {},
  ): Promise<PageHost & { queries: RunQuery[] }> => {
    const queries: RunQuery[] = [];
    const answers = historyAnswers(runs);
    const host = await openPage({
      page: 'history-page',
      subject,
      browser,
      now,
      ...more,
      answers: {
        ...answers,
        runs: query => {
          queries.push(query);
          return selectRuns(runs, query);
        },
        ...more.answers,
      },
    });
    return Object.assign(host, { queries });
  };

  it('runs by day, with why they failed', async () => {
    await using host = await open(history());
    const { page } = host;
    const table = page.getByRole('grid', { name: 'Runs', exact: true });
    await table.getByRole('row', { name: /412/ }).waitFor();
    const days = await table.locator('tr.day').allInnerTexts();
    assert.equal(days[0], 'Today');
    assert.equal(new Set(days).size, days.length);
    assert.match(
      await table.getByRole('row', { name: /401/ }).innerText(),
      /failed\s+401[\s\S]*github \/ read_repo_activity exit code 1: HTTP 502 Bad Gateway/,
    );
    assert.match(
      await table.getByRole('row', { name: /412/ }).innerText(),
      /column a\.commit_count does not exist/,
    );
    await page.getByText('28 of 28 runs').waitFor();
  });

  it('filters by what one chooses, and comes back with it', async () => {
    await using host = await open(history());
    const { page, queries } = host;
    await page.getByText('28 of 28 runs').waitFor();
    await page.getByRole('button', { name: 'failed 2' }).click();
    await page.getByText('2 of 28 runs').waitFor();
    await page.getByRole('combobox', { name: 'Pipeline' }).selectOption(top);
    await page.getByRole('combobox', { name: 'Trigger' }).selectOption('schedule');
    await page.getByRole('combobox', { name: 'Time' }).selectOption('Last 30 days');
    await page.getByRole('textbox', { name: 'Filter by node, error or run' }).fill('HTTP 502');
    await page.getByText('1 of 28 runs').waitFor();
    const last = queries.at(-1);
    assert.ok(last !== undefined);
    const { since, ...others } = last;
    assert.deepEqual(others, {
      path: [top],
      statuses: ['failed'],
      triggers: ['schedule'],
      text: 'HTTP 502',
      limit: 100,
    });
    assert.equal(new Date(since ?? 0).getHours(), 0);
    await waitUntil(() => JSON.stringify(host.state ?? {}).includes('HTTP 502'));
    await host.reload();
    await page.getByText('1 of 28 runs').waitFor();
    assert.equal(await page.getByRole('button', { name: 'failed 1' }).getAttribute('aria-pressed'), 'true');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('28 of 28 runs').waitFor();
    await page.getByRole('button', { name: 'Unresolved failures only' }).click();
    await waitUntil(() => queries.at(-1)?.unresolvedOnly === true);
  });

  it('opens what one clicks or chooses by keys', async () => {
    await using host = await open(history());
    const { page } = host;
    const row = page.locator('tr[data-run="411"]');
    await row.click();
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await row.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('tr[data-run="401"]').click();
    await page.getByRole('button', { name: 'Re-run failed' }).click();
    await page.getByRole('link', { name: 'github / read_repo_activity' }).click();
    await page.getByRole('gridcell', { name: 'read_repo_activity, run 401: failed' }).click();
    await page.getByRole('link', { name: 'Run 400, succeeded' }).click();
    const node = [top, 'github', 'read_repo_activity'];
    await becomes(
      () => host.actions,
      [
        { kind: 'openRun', runId: 411 },
        { kind: 'openRun', runId: 410 },
        { kind: 'rerunFailed', runId: 401 },
        { kind: 'openRun', runId: 401, path: node },
        { kind: 'openRun', runId: 401, path: node },
        { kind: 'openRun', runId: 400 },
      ],
    );
  });

  it('the grid: pipelines open and close, keys move from cell to cell', async () => {
    await using host = await open(history());
    const { page } = host;
    const grid = page.getByRole('grid', { name: 'What each node did in each run' });
    await grid.waitFor();
    const rows = async (): Promise<number> => await grid.locator('tbody tr').count();
    await becomes(rows, 18);
    await page.getByRole('button', { name: 'Collapse github' }).click();
    await becomes(rows, 14);
    await page.getByRole('button', { name: 'Collapse all' }).click();
    await becomes(rows, 5);
    await page.getByRole('button', { name: 'Expand all' }).click();
    await becomes(rows, 18);
    await page.getByRole('gridcell', { name: 'utils, run 412: succeeded' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowLeft');
    const focused = async (): Promise<string | null> =>
      await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? null);
    await becomes(focused, 'create_functions, run 411: succeeded');
    await page.keyboard.press('Enter');
    await becomes(
      () => host.actions,
      [{ kind: 'openRun', runId: 411, path: [top, 'utils', 'create_functions'] }],
    );
  });

  it('older runs come when one scrolls to them', async () => {
    await using host = await open(history(430, 430));
    const { page, queries } = host;
    await page.locator('tr[data-run="331"]').waitFor({ state: 'attached' });
    assert.equal(await page.locator('tr[data-run]').count(), 100);
    await page.locator('tr[data-run="430"]').focus();
    await page.keyboard.press('End');
    await page.locator('tr[data-run="231"]').waitFor({ state: 'attached' });
    // Another page may have been asked for by now.
    assert.deepEqual(
      queries.find(({ before }) => before !== undefined),
      { limit: 100, before: 331 },
    );
    await page.getByText('430 of 430 runs').waitFor();
  });

  it('shows what is pushed', async () => {
    let runs: readonly RunRecord[] = history();
    await using host = await open(runs, {
      answers: {
        runs: query => selectRuns(runs, query),
        grid: ({ query }) => historyGrid(selectRuns(runs, query).runs),
      },
    });
    const { page } = host;
    const row = page.locator('tr[data-run="412"]');
    await row.getByText('running').waitFor();
    const [live, ...others] = runs;
    assert.ok(live !== undefined);
    const ended: RunRecord = { ...live, status: 'failed', endedAt: now };
    const next: RunRecord = { ...live, runId: 413, failure: null, startedAt: now };
    runs = [next, ended, ...others];
    await host.send({ type: 'runs', changed: [ended, next] });
    await row.getByText('failed').waitFor();
    await page.locator('tr[data-run="413"]').waitFor();
    await page.getByText('29 of 29 runs').waitFor();
    await page.getByRole('gridcell', { name: 'utils, run 413: succeeded' }).waitFor();
  });

  it('ids and errors are never more than text', async () => {
    const evil = '<img src=x onerror="document.title=\'owned\'">';
    const runs = history(5).map(run => ({
      ...run,
      pipelinePath: [evil],
      failure: { nodePath: [evil, evil], error: evil },
      startedBy: evil,
    }));
    await using host = await open(runs, {
      answers: {
        pipelines: () => [evil],
        grid: ({ query }) => {
          const grid = historyGrid(selectRuns(runs, query).runs);
          return {
            ...grid,
            nodes: grid.nodes.map(({ kind }, index) => ({ path: [evil, `${evil}${index}`], kind })),
          };
        },
      },
    });
    for (const part of ['.run-grid', 'tr[data-run="412"]', '.field.select'])
      await host.page.locator(part, { hasText: evil }).first().waitFor();
    assert.equal(await host.page.locator('#page img').count(), 0);
    assert.equal(await host.page.title(), 'Run history');
  });

  describe('states', () => {
    it('no run yet', async () => {
      await using host = await open([]);
      await host.page.getByText('No run yet').waitFor();
      await host.picture('history-page/empty');
      await host.checkAccessibility();
      await host.page.getByRole('button', { name: 'Choose a pipeline to run' }).click();
      await becomes(() => host.actions, [{ kind: 'showPipelines' }]);
    });

    it('no run fits', async () => {
      await using host = await open(history());
      await host.page.getByRole('textbox', { name: 'Filter by node, error or run' }).fill('nowhere');
      await host.page.getByText('No run fits these filters').waitFor();
      await host.page.getByRole('button', { name: 'Clear filters' }).click();
      await host.page.getByText('28 of 28 runs').waitFor();
    });

    it('the store is away at first, and then comes back', async () => {
      let isAway = true;
      const runs = history();
      const away = (): void => {
        if (isAway) throw new PageError('store', 'The store cannot be reached.');
      };
      await using host = await open(runs, {
        store: {
          kind: 'unreachable',
          message: 'The store cannot be reached.',
          detail: 'connect ECONNREFUSED 127.0.0.1:5432',
        },
        answers: {
          runs: query => {
            away();
            return selectRuns(runs, query);
          },
        },
      });
      await host.page.getByText('connect ECONNREFUSED 127.0.0.1:5432').waitFor();
      await host.picture('history-page/store-away');
      isAway = false;
      await host.send({ type: 'store', state: { kind: 'ready', description: 'Postgres' } });
      await host.page.locator('tr[data-run="412"]').waitFor();
      isAway = true;
      await host.page.getByRole('button', { name: 'Refresh' }).click();
      await host.page.getByRole('alert').getByText('This page shows how it stood before.').waitFor();
      assert.equal(await host.page.locator('tr[data-run="412"]').count(), 1);
      await host.checkAccessibility();
    });

    it('hundreds of nodes are closed at first', async () => {
      const runs = history();
      const nodes = Array.from({ length: 20 }, (_, area) => [
        { path: [top, `area_${area}`], kind: 'pipeline' as const },
        { path: [top, `area_${area}`, 'inner'], kind: 'pipeline' as const },
        ...Array.from({ length: 15 }, (__, task) => ({
          path: [top, `area_${area}`, 'inner', `task_${task}`],
          kind: 'task' as const,
        })),
      ]).flat();
      await using host = await open(runs, {
        answers: {
          grid: ({ query }) => {
            const shown = [...selectRuns(runs, query).runs].reverse();
            return { runs: shown, nodes, cells: nodes.map(() => shown.map(() => 'succeeded' as const)) };
          },
        },
      });
      const rows = async (): Promise<number> => await host.page.locator('.run-grid tbody tr').count();
      await becomes(rows, 40);
      await host.page.getByRole('button', { name: 'Expand inner' }).first().click();
      await becomes(rows, 55);
    });
  });

  describe('in every theme and width', () => {
    for (const theme of themeKinds)
      it(`${theme}: accessible, and as in the gallery`, async () => {
        await using host = await open(history(), { theme, height: 1500 });
        const { page } = host;
        await page.locator('.run-grid').waitFor();
        await page.locator('tr[data-run="412"]').click();
        await host.picture('history-page/runs');
        await host.checkAccessibility();
        await host.resize(520, 2000);
        await waitUntil(async () => (await page.evaluate(() => document.documentElement.scrollWidth)) <= 520);
        await host.picture('history-page/runs-520');
        await host.checkAccessibility();
      });
  });
});
