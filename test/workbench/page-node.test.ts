/** The page of a node in a real browser: what it shows in each state, what one can do, and that nothing escapes it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Browser, Locator } from 'playwright-core';
import type { NodeRunRecord } from '../../runner/records.ts';
import type { PageAction } from '../../webview/messages.ts';
import { waitUntil } from '../support/wait.ts';
import { becomes } from './support/becomes.ts';
import { launchBrowser } from './support/browser.ts';
import {
  answers,
  figures,
  liveDetails,
  liveRun,
  nodeRun,
  now,
  pageNode,
  projectView,
  runs,
  taskView,
} from './support/node-page-data.ts';
import { type Answers, openPage, PageError, type PageHost, type PageOptions } from './support/page-host.ts';
import { themeKinds } from './support/themes.ts';

const root = ['python_project_stats'];
const task = ['python_project_stats', 'github', 'transform_repo_activity'];
const live: Answers = {
  ...answers,
  activeRuns: () => [liveRun],
  runs: () => ({ runs: [liveRun, ...runs], matching: runs.length + 1, total: 412, byStatus: {} }),
};
const empty: Answers = {
  ...answers,
  figures: () => [],
  runTimes: () => [],
  runs: () => ({ runs: [], matching: 0, total: 0, byStatus: {} }),
};

describe('the page of a node', function () {
  this.timeout(240_000);
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
  });

  const open = async (
    path: readonly string[],
    given: Answers,
    options: Partial<PageOptions> = {},
  ): Promise<PageHost> =>
    await openPage({
      page: 'node-page',
      subject: { page: 'node', folder: 'file:///project', path },
      answers: given,
      browser,
      ...options,
    });
  const graphNode = (host: PageHost, key: string): Locator =>
    host.page.locator(`.graph-node[data-key="${key}"]`);
  const lastActionBecomes = async (host: PageHost, expected: PageAction): Promise<void> => {
    await becomes(() => host.actions.at(-1), expected);
  };
  const drawn = async (host: PageHost): Promise<void> => {
    // The role comes with what a click and a key do.
    await host.page.locator('.graph .graph-node[role=link]').first().waitFor();
    await host.page.locator('.run-times canvas').waitFor();
  };
  /** What can be seen to the right of the window without scrolling down: nothing. */
  const overflow = async (host: PageHost): Promise<number> =>
    await host.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

  describe('of a pipeline', () => {
    it('shows a run as it goes on, in every theme and width, accessibly', async () => {
      await using host = await open(root, live, { height: 1900 });
      await drawn(host);
      await host.page.locator('.live-strip').waitFor();
      await graphNode(host, 'python_project_stats/pypi/preprocess_project_versions').waitFor();
      await waitUntil(
        async () =>
          (await graphNode(host, 'python_project_stats/github').getAttribute('class'))?.includes(
            'state-failed',
          ) === true,
      );
      for (const theme of themeKinds) {
        await host.setTheme(theme);
        await host.checkAccessibility();
        await host.picture('node-page/live-1200');
      }
      await host.resize(520, 2000);
      for (const theme of themeKinds) {
        await host.setTheme(theme);
        await host.checkAccessibility();
        await host.picture('node-page/live-520');
        await waitUntil(async () => (await overflow(host)) === 0);
      }
      await host.resize(480, 900);
      await waitUntil(async () => (await overflow(host)) === 0);
    });

    it('tells states by class, word and line, live, without drawing the graph again', async () => {
      await using host = await open(root, live);
      await drawn(host);
      const key = 'python_project_stats/github/transform_repo';
      const element = graphNode(host, key);
      await host.page.locator(`.graph-node.state-running[data-key="${key}"]`).waitFor();
      const drawing = await host.page.locator('svg.graph').getAttribute('id');
      const ended: NodeRunRecord = nodeRun(['python_project_stats', 'github', 'transform_repo'], {
        runId: 412,
        nodeRunId: 17,
        startedAt: now - 48_000,
        endedAt: now,
      });
      const { run, progress, criticalPath } = liveDetails;
      await host.send({ type: 'run', run, nodeRuns: [ended], statistics: [], progress, criticalPath });
      await host.page.locator(`.graph-node.state-succeeded[data-key="${key}"]`).waitFor();
      assert.equal(await element.locator('.line').textContent(), 'task · 48.0s');
      assert.equal(await host.page.locator('svg.graph').getAttribute('id'), drawing);
    });

    it('opens nodes by click, their source with Ctrl, and pipelines in place', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      await graphNode(host, 'python_project_stats/check_data_quality').locator('.box').click();
      await lastActionBecomes(host, {
        kind: 'openNode',
        path: ['python_project_stats', 'check_data_quality'],
      });
      await graphNode(host, 'python_project_stats/utils/create_functions')
        .locator('.box')
        .click({ modifiers: ['Control'] });
      await lastActionBecomes(host, {
        kind: 'openSource',
        path: ['python_project_stats', 'utils', 'create_functions'],
      });
      await host.page.getByRole('button', { name: 'Close all pipelines' }).click();
      await graphNode(host, 'python_project_stats/utils/create_functions').waitFor({ state: 'detached' });
      await graphNode(host, 'python_project_stats/utils').locator('.opener rect').click();
      await graphNode(host, 'python_project_stats/utils/create_functions').waitFor();
    });

    it('can be walked through with the keyboard', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      const focused = async (): Promise<string | undefined> =>
        await host.page.evaluate(() => {
          const active = document.activeElement;
          return active instanceof SVGElement ? active.dataset['key'] : undefined;
        });
      await graphNode(host, 'python_project_stats/pypi/initialize_schemas').focus();
      await host.page.keyboard.press('ArrowDown');
      await becomes(focused, 'python_project_stats/pypi/read_download_counts');
      await host.page.keyboard.press('ArrowRight');
      await becomes(focused, 'python_project_stats/pypi/read_project_versions');
      await host.page.keyboard.press('Enter');
      await lastActionBecomes(host, {
        kind: 'openNode',
        path: ['python_project_stats', 'pypi', 'read_project_versions'],
      });
      await graphNode(host, 'python_project_stats/pypi').focus();
      await host.page.keyboard.press('Space');
      await graphNode(host, 'python_project_stats/pypi/read_project_versions').waitFor({ state: 'detached' });
      await becomes(focused, 'python_project_stats/pypi');
    });

    it('finds nodes, also in closed pipelines', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      await host.page.getByRole('button', { name: 'Close all pipelines' }).click();
      await graphNode(host, 'python_project_stats/pypi/read_project_versions').waitFor({ state: 'detached' });
      await host.page.getByRole('textbox', { name: 'Find node' }).fill('versions');
      await host.page
        .locator('.graph-node.found[data-key="python_project_stats/pypi/read_project_versions"]')
        .waitFor();
      await host.page.getByText('1 of 2', { exact: true }).waitFor();
      await host.page.keyboard.press('Enter');
      await host.page
        .locator('.graph-node.found[data-key="python_project_stats/pypi/preprocess_project_versions"]')
        .waitFor();
    });

    it('is given away as SVG and as Mermaid text', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      await host.page.getByRole('button', { name: 'Export' }).click();
      await host.page.getByRole('menuitem', { name: 'Save as SVG…' }).click();
      await waitUntil(() => host.actions.length === 1);
      const [saved] = host.actions;
      assert.ok(saved?.kind === 'save');
      assert.equal(saved.name, 'python_project_stats.svg');
      assert.match(saved.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<svg /);
      assert.match(saved.text, />create_functions</);
      assert.doesNotMatch(saved.text, /var\(--|<style|class=/);
      await host.page.getByRole('button', { name: 'Export' }).click();
      await host.page.getByRole('menuitem', { name: 'Copy as Mermaid text' }).click();
      await waitUntil(() => host.actions.length === 2);
      const [, copied] = host.actions;
      assert.ok(copied?.kind === 'copy');
      assert.match(copied.text, /^flowchart TB\n {2}subgraph n0\["utils"\]\n/);
    });

    it('runs what is checked, and nothing twice', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      const tools = host.page.getByRole('group', { name: 'Tools for Nodes' });
      await host.page
        .getByRole('checkbox', { name: 'Check python_project_stats/github', exact: true })
        .check();
      await host.page
        .getByRole('checkbox', { name: 'Check python_project_stats/github/read_repos', exact: true })
        .check();
      await host.page.getByText('2 selected', { exact: true }).waitFor();
      await tools.getByRole('button', { name: 'Run with upstreams' }).click();
      await lastActionBecomes(host, {
        kind: 'run',
        paths: [['python_project_stats', 'github']],
        withUpstreams: true,
      });
      await host.page.getByRole('button', { name: 'Run', exact: true }).first().click();
      await lastActionBecomes(host, { kind: 'run', paths: [root], withUpstreams: false });
    });

    it('does not run what runs, and says why', async () => {
      await using host = await open(root, live);
      await host.page.locator('.live-strip').waitFor();
      const button = host.page.getByRole('button', { name: 'Run', exact: true }).first();
      await becomes(() => button.getAttribute('title'), 'Run 412 goes on.');
      await button.click({ force: true });
      await host.page.getByRole('button', { name: 'Cancel' }).click();
      await becomes(() => host.actions, [{ kind: 'cancel', runId: 412 }]);
    });

    it('has the most expensive nodes on top, although their figures come after them', async () => {
      const asked = Promise.withResolvers<null>();
      await using host = await open(root, {
        ...answers,
        figures: async () => {
          await asked.promise;
          return figures;
        },
      });
      const rows = host.page.locator('table.nodes tbody tr[aria-level="1"] .node-id');
      await rows.first().waitFor();
      asked.resolve(null);
      await host.page.locator('table.nodes .cost-text').first().waitFor();
      const costs = figures.filter(({ path }) => path.length === 2).toSorted((a, b) => b.cost - a.cost);
      await becomes(
        async () => (await rows.allInnerTexts()).map(text => text.trim()),
        costs.map(({ path }) => path[1]),
      );
    });

    it('closes the widest pipelines of a picture that is wider than the page', async () => {
      await using host = await open(root, answers, { width: 900 });
      await drawn(host);
      const canvas = host.page.locator('.graph-canvas');
      await waitUntil(() => canvas.evaluate(element => element.scrollWidth <= element.clientWidth));
      const open_ = await host.page.locator('.graph-node.pipeline.open').count();
      const closed = await host.page.locator('.graph-node.pipeline.closed').count();
      assert.ok(open_ > 0 && closed > 0, `${String(open_)} open, ${String(closed)} closed`);
      await host.picture('node-page/closed-to-fit');
    });

    it('is made of flowcharts only: no other diagram of Mermaid is built', async () => {
      const record = new URL('../../dist/.built-webview.json', import.meta.url);
      const { files } = JSON.parse(await readFile(record, 'utf8')) as { files: readonly string[] };
      const parts = files.filter(file => /diagram|definition|dagre|elk|katex|swimlanes|cose/i.test(file));
      assert.deepEqual(
        parts.map(file => file.replace(/.*\/|-[A-Z0-9]+-[A-Z0-9]+\.js$/g, '')),
        ['flowDiagram'],
      );
    });

    it('sorts its nodes, and keeps the order over a reload', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      const first = async (): Promise<string | null> =>
        await host.page.locator('table.nodes tbody tr').first().locator('a').textContent();
      await host.page.getByRole('button', { name: 'ID', exact: true }).click();
      await becomes(first, 'check_data_quality');
      await host.page.getByRole('button', { name: 'ID', exact: true }).click();
      await becomes(first, 'utils');
      await waitUntil(() => JSON.stringify(host.state ?? {}).includes('descending'));
      await host.reload();
      await drawn(host);
      await becomes(first, 'utils');
    });

    it('draws run times, and gives them as a table', async () => {
      await using host = await open(root, answers);
      await drawn(host);
      await host.page.getByRole('button', { name: 'As table' }).click();
      const table = host.page.getByRole('grid', { name: 'Run times' });
      await becomes(() => table.locator('tbody tr').count(), 28);
      await host.checkAccessibility();
    });

    it('shows a run that is chosen', async () => {
      await using host = await open(root, {
        ...answers,
        follow: ({ runId }) => ({
          ...liveDetails,
          run: { ...liveRun, runId, status: 'failed', endedAt: now },
        }),
        openOutput: () => ({ view: 1, extent: { lines: 0, errors: 0, complete: true } }),
        readOutput: () => [],
        closeOutput: () => null,
        findError: () => null,
      });
      await drawn(host);
      await host.page.locator('table.runs tbody tr').nth(1).locator('td').nth(2).click();
      await host.page.locator('#timeline').waitFor();
    });
  });

  describe('of a task', () => {
    it('shows neighbours, commands with the error in its line, and attempts, in every theme', async () => {
      await using host = await open(task, answers, { height: 1700 });
      await host.page.locator('.code-fault').waitFor();
      assert.equal(
        await host.page.locator('.code-fault').innerText(),
        'column a.commit_count does not exist. Perhaps you meant a.commits_count.',
      );
      assert.equal(await host.page.locator('.code-line.faulty .squiggle').innerText(), 'a.commit_count');
      assert.equal(await host.page.locator('.replaced').first().getAttribute('title'), '@schema@');
      await host.page.locator('.run-times canvas').waitFor();
      for (const theme of themeKinds) {
        await host.setTheme(theme);
        await host.checkAccessibility();
        await host.picture('node-page/task-1200');
      }
      await host.resize(520, 2100);
      await host.setTheme('dark');
      await host.picture('node-page/task-520');
      await waitUntil(async () => (await overflow(host)) === 0);
    });

    it('links to files, copies commands, opens neighbours', async () => {
      await using host = await open(task, answers);
      await host.page.locator('.code-fault').waitFor();
      await host.page.getByRole('link', { name: 'github/create_tables.sql' }).click();
      await lastActionBecomes(host, { kind: 'openFile', file: 'github/create_tables.sql' });
      await host.page.locator('.shell').getByRole('button', { name: 'Copy' }).click();
      await lastActionBecomes(host, {
        kind: 'copy',
        text: 'PGTZ=UTC psql --no-psqlrc --echo-all --set ON_ERROR_STOP=on dwh < github/transform_repo_activity.sql',
      });
      await host.page.locator('a.neighbour').first().click();
      await lastActionBecomes(host, {
        kind: 'openNode',
        path: ['python_project_stats', 'github', 'read_repo_activity'],
      });
      await host.page.getByRole('tab', { name: 'As in the file' }).click();
      await host.page.getByText('@first_date@').waitFor();
    });

    it('shows what a parallel task does before, to make its sub-tasks, and after', async () => {
      const path = ['python_project_stats', 'github', 'read_repo_activity'];
      const bash = (value: string) => ({
        kind: 'RunBash',
        items: [{ label: 'command', value, language: 'bash' as const }],
      });
      await using host = await open(path, {
        ...answers,
        taskDocs: () => ({
          commands: [],
          parallel: {
            before: [bash('mkdir -p data')],
            creation: [{ label: 'files', value: 'data/*.csv', language: 'text' }],
            after: [bash('rm -r data'), bash('echo done')],
          },
        }),
      });
      for (const title of ['Before', 'Sub-task creation', 'After'])
        await host.page.getByRole('heading', { name: title, exact: true }).waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/parallel-1200');
    });
  });

  describe('is never blank', () => {
    it('while it waits', async () => {
      let answer: (() => void) | undefined;
      const held = new Promise<void>(resolve => {
        answer = resolve;
      });
      await using host = await open(root, {
        ...answers,
        node: async () => {
          await held;
          return projectView;
        },
      });
      // After a while it says for how long.
      await host.page.getByText(/^(Loading|Still waiting for) the node/).waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/loading');
      answer?.();
      await drawn(host);
    });

    it('without history', async () => {
      await using host = await open(root, empty);
      await host.page.getByText('Not enough data', { exact: true }).waitFor();
      await host.page.getByText('No run yet', { exact: true }).waitFor();
      await host.page.locator('.graph .graph-node.state-none').first().waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/no-history');
    });

    it('without nodes', async () => {
      await using host = await open(root, {
        ...empty,
        node: () => ({ ...projectView, node: { ...projectView.node, nodes: [] } }),
      });
      await host.page.getByText('This pipeline has no nodes yet').waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/no-nodes');
    });

    it('when the node is gone, and comes back with it', async () => {
      let isThere = false;
      await using host = await open(root, { ...answers, node: () => (isThere ? projectView : null) });
      await host.page.getByText('There is no python_project_stats in the files any more').waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/gone');
      isThere = true;
      await host.send({ type: 'graph' });
      await drawn(host);
    });

    it('when something fails', async () => {
      let fails = true;
      await using host = await open(root, {
        ...answers,
        node: () => {
          if (fails) throw new PageError('load', 'python-project-stats.pipeline.ts:12:3: Unexpected token.');
          return projectView;
        },
      });
      await host.page.getByText('Millrace could not get the node').waitFor();
      await host.page.getByText('python-project-stats.pipeline.ts:12:3: Unexpected token.').waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/error');
      fails = false;
      await host.page.getByRole('button', { name: 'Try again' }).click();
      await drawn(host);
      // What was there stays, once, with a word about it.
      fails = true;
      await host.send({ type: 'graph' });
      await host.page.getByRole('alert').getByText('Unexpected token.').waitFor();
      assert.equal(await host.page.locator('main').count(), 1);
      assert.equal(await host.page.locator('h1').count(), 1);
      await drawn(host);
    });

    it('when the store is away, and asks again when it is back', async () => {
      let isAway = true;
      const away = (): never => {
        throw new PageError('store', 'The store at localhost:5432 cannot be reached.');
      };
      await using host = await open(
        root,
        {
          ...answers,
          figures: params => (isAway ? away() : (answers.figures?.(params) ?? [])),
          runTimes: params => (isAway ? away() : (answers.runTimes?.(params) ?? [])),
          runs: params => (isAway ? away() : (answers.runs?.(params) ?? away())),
        },
        { store: { kind: 'unreachable', message: 'away', detail: 'ECONNREFUSED' } },
      );
      await host.page.locator('.graph .graph-node').first().waitFor();
      await becomes(() => host.page.getByText('The store at localhost:5432 cannot be reached.').count(), 3);
      await host.checkAccessibility();
      await host.picture('node-page/store-away');
      await host.page.getByRole('button', { name: 'Try again' }).first().click();
      await lastActionBecomes(host, { kind: 'retryStore' });
      isAway = false;
      await host.send({ type: 'store', state: { kind: 'ready', description: 'embedded' } });
      await drawn(host);
    });

    it('in a folder that is not trusted, where it runs nothing', async () => {
      await using host = await open(task, answers, { trusted: false });
      await host.page
        .getByText('Millrace shows commands as they would run only in a trusted folder')
        .waitFor();
      await host.page.getByRole('button', { name: 'Run', exact: true }).first().click({ force: true });
      await host.checkAccessibility();
      await host.picture('node-page/untrusted');
      await host.page.getByRole('button', { name: 'Manage workspace trust' }).click();
      await becomes(() => host.actions, [{ kind: 'manageTrust' }]);
      assert.ok(host.sent.every(message => message.type !== 'request' || message.method !== 'taskDocs'));
    });
  });

  describe('with a huge pipeline', () => {
    const wide = (count: number) =>
      pageNode({
        id: 'huge',
        nodes: Array.from({ length: count }, (_, index) => ({
          id: `task_${String(index)}`,
          upstreams:
            index < 10 ? [] : [`task_${String(index - 10)}`, `task_${String(Math.floor(index / 2))}`],
        })),
      });

    it('of 1,000 nodes shows a part, finds the others, and draws all when asked', async () => {
      await using host = await open(['huge'], {
        ...empty,
        node: () => ({ ...projectView, node: wide(1000), downstreams: [] }),
      });
      await host.page.locator('.graph .graph-node').first().waitFor();
      assert.ok((await host.page.locator('.graph .graph-node.closed').count()) <= 300);
      await host.page.getByRole('textbox', { name: 'Find node' }).fill('task_777');
      await host.page.locator('.graph-node.found[data-key="huge/task_777"]').waitFor();
      await host.checkAccessibility();
      await host.picture('node-page/huge');
      await host.page.getByRole('button', { name: 'Draw all 1,000' }).click();
      await becomes(() => host.page.locator('.graph .graph-node').count(), 1000);
    });

    it('of 1,000 nodes in pipelines has them closed', async () => {
      const inPipelines = pageNode({
        id: 'huge',
        nodes: Array.from({ length: 20 }, (_, pipeline) => ({
          id: `pipeline_${String(pipeline)}`,
          upstreams: pipeline < 4 ? [] : [`pipeline_${String(pipeline - 4)}`],
          nodes: Array.from({ length: 50 }, (_each, index) => ({ id: `task_${String(index)}` })),
        })),
      });
      await using host = await open(['huge'], {
        ...empty,
        node: () => ({ ...projectView, node: inPipelines, downstreams: [] }),
      });
      await host.page.locator('.graph .graph-node').first().waitFor();
      await becomes(() => host.page.locator('.graph .graph-node').count(), 20);
      await becomes(() => host.page.locator('table.nodes tbody tr').count(), 20);
      await host.picture('node-page/huge-collapsed');
    });
  });

  it('lets hostile names, errors and documents do nothing', async () => {
    const evil = '<img src=x onerror="window.hacked=1">';
    const others = [
      '"]; click n0 call alert()',
      '`end`',
      '%%{init: {"securityLevel": "loose"}}%%',
      '\u202Egnp.exe',
      '😀'.repeat(60),
    ];
    const node = pageNode({
      id: evil,
      description: evil,
      nodes: [
        { id: evil, description: evil },
        ...others.map(id => ({ id, upstreams: [evil] })),
        { id: 'end', nodes: [{ id: evil }] },
      ],
    });
    await using host = await open([evil], {
      ...answers,
      node: () => ({
        ...projectView,
        node: { ...node, labels: { [evil]: evil } },
        downstreams: [{ path: [evil], kind: 'pipeline', description: evil }],
        problems: [evil],
      }),
      figures: () =>
        [[evil], [evil, evil]].map(path => ({
          path,
          averageDuration: 1,
          averageRunTime: 1,
          cost: 1,
          last: nodeRun(path, { status: 'failed', error: evil }),
          recent: [],
        })),
      runs: () => ({
        runs: runs.map(run => ({ ...run, failure: { nodePath: [evil], error: evil }, startedBy: evil })),
        matching: 1,
        total: 1,
        byStatus: {},
      }),
    });
    await drawn(host);
    await host.page.getByRole('button', { name: 'Open all pipelines' }).click();
    const last = graphNode(host, `${evil.replaceAll('"', '\\"')}/end/${evil.replaceAll('"', '\\"')}`);
    assert.equal(await last.locator('.title').textContent(), evil);
    for (const part of ['h1', 'table.nodes', 'table.runs', '.banner'])
      await host.page.locator(part, { hasText: evil }).first().waitFor();
    assert.equal(await host.page.locator('img').count(), 0);
    assert.equal(await host.page.evaluate(() => 'hacked' in window), false);
    await host.checkAccessibility();
    await host.picture('node-page/hostile');
    await host.resize(480);
    await waitUntil(async () => (await overflow(host)) === 0);
  });

  it('says on the page of a task what a run that goes on does to it', async () => {
    await using host = await open(['python_project_stats', 'github', 'transform_repo'], {
      ...live,
      node: () => taskView(['python_project_stats', 'github', 'transform_repo']),
    });
    await host.page.locator('.neighbour.own.state-running').waitFor();
  });
});
