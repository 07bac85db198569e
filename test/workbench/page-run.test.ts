/** The page of a run in Chromium, under the policy of the product, against a scripted peer. */
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { after, before, describe, it } from 'mocha';
import type { NodeRunRecord, OutputRecord, RunDetailsRecord } from '../../runner/records.ts';
import type { PageSubject } from '../../webview/messages.ts';
import { waitUntil } from '../support/wait.ts';
import { becomes } from './support/becomes.ts';
import { launchBrowser } from './support/browser.ts';
import { openPage, PageError, type PageHost, type PageOptions } from './support/page-host.ts';
import {
  endedRun,
  liveOutput,
  liveRun,
  manyTasks,
  millionsOfLines,
  OutputPeer,
  runAnswers,
  runRecord,
} from './support/run-peer.ts';
import { themeKinds } from './support/themes.ts';

const subject: PageSubject = { page: 'run', folder: 'file:///project', runId: 412 };
const top = 'python_project_stats';
const unmeasured = { swap: null, netReceived: null, netSent: null };

describe('the page of a run', function () {
  this.timeout(60_000);
  let browser: Browser;

  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser.close();
  });

  const open = async (
    details: RunDetailsRecord | null,
    peer: OutputPeer,
    more: Partial<PageOptions> = {},
  ): Promise<PageHost> =>
    await openPage({
      page: 'run-page',
      subject,
      browser,
      ...more,
      answers: { ...runAnswers(details, peer), ...more.answers },
    });

  const openLive = async (
    more: Partial<PageOptions> = {},
  ): Promise<PageHost & { details: RunDetailsRecord; peer: OutputPeer }> => {
    const details = liveRun();
    const peer = OutputPeer.of(liveOutput(details));
    const host = await open(details, peer, { now: details.run.startedAt + 72_500, ...more });
    await host.page.locator('.log-line').first().waitFor();
    return Object.assign(host, { details, peer });
  };

  const focusedText = async (page: Page): Promise<string> =>
    await page.evaluate(() => document.activeElement?.textContent ?? '');

  const logText = async (page: Page): Promise<string[]> =>
    await page.locator('.log-line:not(.unread) .log-text').allInnerTexts();

  describe('a run that goes on', () => {
    it('says how far it is, what failed and why, and what runs', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByText('63 %', { exact: true }).waitFor();
      await page
        .locator('.run-progress-words', { hasText: /about 0:43 left, ends \d\d:\d\d:\d\d/ })
        .waitFor();
      assert.equal(await page.getByRole('progressbar').getAttribute('aria-valuenow'), '63');
      const failure = page.getByRole('article', { name: 'github / transform_repo_activity failed' });
      assert.equal(
        (await failure.locator('.failure-text').innerText()).trimEnd(),
        host.details.nodeRuns.find(({ error }) => error !== null)?.error,
      );
      assert.match(await failure.innerText(), /failed after 2 attempts/);
      assert.match(await failure.innerText(), /5 tasks skipped: python_projects, check_data_quality/);
      const running = page.getByRole('article', { name: /running$/ });
      await becomes(() => running.count(), 3);
      await running.filter({ hasText: 'INSERT 0 128340' }).waitFor();
      assert.match(await running.first().innerText(), /\b48s of 1:12m/);
    });

    it('links and buttons ask for what they say', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('link', { name: 'github/transform_repo_activity.sql:14:7' }).click();
      await page.getByRole('link', { name: 'github / transform_repo_activity' }).first().click();
      await page.getByRole('button', { name: 'Open its source' }).click();
      await page.getByRole('button', { name: 'Open as a document' }).click();
      // Not before the end of the run.
      await page.getByRole('button', { name: 'Re-run failed' }).click({ force: true });
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Runs of this pipeline' }).click();
      const failed = [top, 'github', 'transform_repo_activity'];
      await becomes(
        () => host.actions,
        [
          { kind: 'cancel', runId: 412 },
          { kind: 'openFile', file: 'github/transform_repo_activity.sql', line: 14, column: 7 },
          { kind: 'openNode', path: failed },
          { kind: 'openSource', path: failed },
          { kind: 'openOutput', runId: 412 },
          { kind: 'openHistory', path: [top] },
        ],
      );
    });

    it('shows what is pushed, and nothing is drawn anew that has not changed', async () => {
      await using host = await openLive();
      const { page, details, peer } = host;
      const label = page.getByRole('button', { name: 'utils / create_functions' });
      await label.evaluate(element => {
        element.dataset['mark'] = 'kept';
      });
      const ended = details.nodeRuns.find(({ nodePath }) => nodePath.at(-1) === 'transform_repo');
      assert.ok(ended !== undefined);
      const record: NodeRunRecord = { ...ended, status: 'succeeded', endedAt: Date.now() };
      await host.send({
        type: 'run',
        run: details.run,
        nodeRuns: [record],
        statistics: [],
        progress: { fraction: 0.8, finished: 16, total: 20, left: 20 },
        criticalPath: details.criticalPath,
      });
      await page.getByText('80 %', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'succeeded github / transform_repo', exact: true }).waitFor();
      assert.equal(await label.getAttribute('data-mark'), 'kept');

      const lines = Array.from({ length: peer.source.lines + 5 }, (_, index): OutputRecord =>
        index < peer.source.lines
          ? peer.source.at(index)
          : { ...peer.source.at(peer.source.lines - 1), seq: index + 1, message: `new line ${index}` },
      );
      peer.source = OutputPeer.of(lines).source;
      for (const view of peer.views.keys())
        await host.send({ type: 'output', view, extent: peer.extent(view) });
      await page
        .getByText(`new line ${lines.length - 1}`)
        .first()
        .waitFor();

      await host.send({
        type: 'run',
        run: { ...details.run, status: 'failed', endedAt: Date.now() },
        nodeRuns: [],
        statistics: [],
        progress: { fraction: 1, finished: 20, total: 20, left: null },
        criticalPath: [],
      });
      await page.getByRole('button', { name: 'Run again' }).waitFor();
      await page.getByRole('button', { name: 'Re-run failed' }).click();
      await becomes(() => host.actions, [{ kind: 'rerunFailed', runId: 412 }]);
    });

    it('many messages at once are few drawings', async () => {
      await using host = await openLive();
      const { page, details } = host;
      const drawings = await page.evaluate(
        async ({ run, criticalPath }) => {
          let count = 0;
          new MutationObserver(() => {
            count += 1;
          }).observe(document.querySelector('.run-progress-words') ?? document.body, {
            subtree: true,
            characterData: true,
            childList: true,
          });
          for (let index = 0; index < 200; index += 1)
            window.dispatchEvent(
              new MessageEvent('message', {
                data: {
                  type: 'run',
                  run,
                  nodeRuns: [],
                  statistics: [],
                  progress: { fraction: 0.64 + index / 1000, finished: 15, total: 20, left: 43 - index / 10 },
                  criticalPath,
                },
              }),
            );
          await new Promise<void>(resolve => {
            const check = (): void => {
              if (document.body.innerText.includes('83 %')) resolve();
              else requestAnimationFrame(check);
            };
            check();
          });
          return count;
        },
        { run: details.run, criticalPath: details.criticalPath },
      );
      assert.ok(drawings <= 5, `${drawings} drawings`);
    });

    it('a reload brings back what was selected', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('tab', { name: 'attempt 2' }).click();
      await page.getByRole('tab', { name: 'attempt 2', selected: true }).waitFor();
      await waitUntil(() => JSON.stringify(host.state ?? {}).includes('selection 412'));
      await host.reload();
      await page.getByRole('tab', { name: 'attempt 2', selected: true }).waitFor();
    });
  });

  describe('the timeline', () => {
    it('a label opens the output of its node, with Ctrl its page; keys go from node to node', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('button', { name: 'pypi / read_download_counts' }).click();
      await page.getByRole('tab', { name: 'pypi / read_download_counts', selected: true }).waitFor();
      await waitUntil(async () => {
        const lines = await logText(page);
        return lines.length > 0 && lines.every(line => line.startsWith('COPY'));
      });
      await page.getByRole('button', { name: 'github / extract_repos' }).click({ modifiers: ['Control'] });
      await becomes(() => host.actions, [{ kind: 'openNode', path: [top, 'github', 'extract_repos'] }]);
      await page.getByRole('button', { name: 'utils / create_functions' }).focus();
      await page.keyboard.press('ArrowDown');
      await waitUntil(async () => (await focusedText(page)).startsWith('utils / create_code_tables'));
      await page.keyboard.press('End');
      await waitUntil(async () => (await focusedText(page)).includes('transform_download_counts'));
    });

    it('attempts stand apart, with the wait between them; the critical path is marked', async () => {
      await using host = await openLive();
      const node = host.page.locator('.timeline-node', { hasText: 'transform_repo_activity' });
      await becomes(() => node.locator('.bar.attempt.state-failed').count(), 2);
      await becomes(() => node.locator('.bar.wait').count(), 1);
      const critical = host.page.locator('.timeline-node', { has: host.page.locator('.bar-critical') });
      await becomes(
        async () => (await critical.allInnerTexts()).map(text => text.trim()).sort(),
        [
          'pypi / initialize_schemas',
          'pypi / preprocess_download_counts',
          'pypi / read_download_counts',
          'pypi / transform_download_counts',
          'utils / create_time_dimension',
        ],
      );
      await node.locator('.bar.attempt').first().click();
      await host.page
        .getByRole('tab', { name: 'transform_repo_activity, attempt 1', selected: true })
        .waitFor();
    });

    it('has a table that says the same', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('button', { name: 'As table' }).click();
      const attempts = page.getByRole('grid', { name: 'What ran when' });
      const row = attempts.getByRole('row', { name: /read_repo_activity/ });
      await becomes(
        async () => (await row.allInnerTexts()).map(text => text.replaceAll(/\s+/g, ' ').trim()),
        [
          'github / read_repo_activity failed 1 4.8s 7.2s',
          'github / read_repo_activity succeeded 2 20.0s 22.0s',
        ],
      );
      const samples = page.getByRole('grid', { name: 'How busy the machine was' }).getByRole('row');
      await becomes(() => samples.count(), 74);
      await host.checkAccessibility();
    });

    it('of 5,000 tasks draws only what is seen', async () => {
      const details = manyTasks(5000);
      await using host = await open(details, OutputPeer.of([]), { answers: { statistics: () => [] } });
      const { page } = host;
      await page.locator('.timeline-label').first().waitFor();
      const drawn = await page.locator('.timeline-node').count();
      assert.ok(drawn < 400, `${drawn} nodes are drawn`);
      await page.locator('.timeline-label').first().focus();
      await page.keyboard.press('End');
      await waitUntil(async () => /task_4\d\d\d/.test(await focusedText(page)));
      assert.ok((await page.locator('.timeline-node').count()) < 400);
      await host.picture('run-page/huge');
    });
  });

  describe('output', () => {
    it('search: counts, marks, and goes up and down', async () => {
      await using host = await openLive();
      const { page } = host;
      const field = page.getByRole('textbox', { name: 'Search' });
      await field.fill('Commit');
      await page.locator('.field .count', { hasText: /^3$/ }).waitFor();
      await field.press('Shift+Enter');
      await page.getByText('3 of 3').waitFor();
      const current = page.locator('.log-line.current');
      await current.filter({ hasText: 'HINT' }).waitFor();
      await field.press('Enter');
      await page.getByText('1 of 3').waitFor();
      await current.filter({ hasText: 'column a.commit_count' }).waitFor();
      assert.equal(await current.locator('mark').innerText(), 'commit');
      await page.keyboard.press('F3');
      await page.getByText('2 of 3').waitFor();
      await field.fill('nowhere');
      await page.getByText('no match').waitFor();
      await field.fill('Commit');
      await page.locator('.log mark').first().waitFor();
      await field.press('Escape');
      await becomes(() => page.locator('.log mark').count(), 0);
    });

    it('errors only, with their number, and back', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('button', { name: 'Errors only 6' }).click();
      await page.getByText('6 error lines', { exact: true }).waitFor();
      await waitUntil(async () => (await logText(page)).length === 6);
      assert.ok((await logText(page)).every(line => line.startsWith('error:')));
      await page.getByRole('button', { name: 'Errors only' }).click();
      await page.getByText('50 lines', { exact: true }).waitFor();
    });

    it('goes to the next error, which counts once however many lines it has', async () => {
      await using host = await openLive();
      const { page } = host;
      const current = page.locator('.log-line.current', { hasText: 'column a.commit_count' });
      await page.locator('.log').press('F8');
      await current.waitFor();
      await page.locator('.log').press('F8');
      await page.getByText('continued from the start').waitFor();
      await current.waitFor();
    });

    it('links of lines lead to their node, place and address; escape sequences are colours', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.locator('.log').press('End');
      await page.locator('.log').getByRole('link', { name: 'github/transform_repo_activity.sql:14' }).click();
      await page.locator('.log').getByRole('link', { name: 'https://example.com/repos?page=2' }).click();
      await becomes(
        () => host.actions,
        [
          { kind: 'openFile', file: 'github/transform_repo_activity.sql', line: 14 },
          { kind: 'openLink', url: 'https://example.com/repos?page=2' },
        ],
      );
      const coloured = page.locator('.log .ansi-text-2');
      assert.equal(await coloured.first().innerText(), 'INSERT');
      assert.equal(await page.locator('.log .ansi-bold').first().innerText(), '51094');
      await page.locator('.log-line', { hasText: 'CREATE INDEX' }).getByRole('link').click();
      await page.getByRole('tab', { name: 'pypi / preprocess_project_versions', selected: true }).waitFor();
    });

    it('follows the end until somebody scrolls up, and again from the end', async () => {
      await using host = await openLive({ height: 700 });
      const { page } = host;
      const follow = page.getByRole('button', { name: 'Follow' });
      const isFollowing = async (): Promise<boolean> =>
        (await follow.getAttribute('aria-pressed')) === 'true';
      assert.ok(await isFollowing());
      await page.locator('.log').hover();
      await page.mouse.wheel(0, -200);
      await waitUntil(async () => !(await isFollowing()));
      await page.locator('.log').press('End');
      await waitUntil(isFollowing);
      await follow.click();
      await waitUntil(async () => !(await isFollowing()));
    });

    it('copies and opens what is shown', async () => {
      await using host = await openLive();
      const { page } = host;
      await page.getByRole('tab', { name: 'attempt 2' }).click();
      await page.getByText('9 lines', { exact: true }).waitFor();
      await page.getByRole('button', { name: /^Copy what is selected/ }).click();
      // Lines are asked for before they are copied.
      await waitUntil(() => host.actions.length === 1);
      const [copied] = host.actions;
      assert.ok(copied?.kind === 'copy' && copied.text.startsWith('attempt 2 of 2\nPGTZ=UTC psql'));
      await page.getByRole('button', { name: 'Open as a document' }).click();
      await becomes(() => host.actions, [copied, { kind: 'openOutput', runId: 412, nodeRunId: 18 }]);
    });

    it('of two million lines can be read anywhere, in little memory', async function () {
      this.timeout(180_000);
      const details = liveRun();
      const peer = new OutputPeer(millionsOfLines(details, 2_000_000));
      await using host = await open(details, peer);
      const { page } = host;
      await page.getByText('2,000,000 lines', { exact: true }).waitFor();
      await page.getByText('line 1999999 ').first().waitFor();
      const log = page.locator('.log');
      const topLine = async (): Promise<number> =>
        await page.evaluate(() => {
          const edge = document.querySelector('.log')?.getBoundingClientRect().top ?? 0;
          const rows = [...document.querySelectorAll<HTMLElement>('.log-line')];
          return Number(rows.find(row => row.getBoundingClientRect().bottom > edge + 1)?.dataset['index']);
        });
      const memory = async (): Promise<number> => {
        const session = await page.context().newCDPSession(page);
        await session.send('HeapProfiler.collectGarbage');
        const { usedSize } = await session.send('Runtime.getHeapUsage');
        await session.detach();
        return usedSize;
      };
      const pull = async (share: number): Promise<void> => {
        await log.evaluate((element, to) => {
          element.scrollTop = to * (element.scrollHeight - element.clientHeight);
        }, share);
      };
      await pull(0.5);
      await waitUntil(async () => Math.abs((await topLine()) - 1_000_000) < 100);
      await waitUntil(async () => (await page.locator('.log-line.unread').count()) === 0);
      for (let step = 1; step <= 15; step += 1) {
        const share = ((step * 37) % 100) / 100;
        await pull(share);
        await waitUntil(async () => Math.abs((await topLine()) - share * 2_000_000) < 100);
        await waitUntil(async () => (await page.locator('.log-line.unread').count()) === 0);
        const rows = await page.locator('.log-line').count();
        assert.ok(rows < 120, `${rows} lines are drawn`);
      }
      const used = await memory();
      // Ten bytes for each line.
      assert.ok(used < 20_000_000, `${used} bytes`);
      // From any place the wheel goes line by line.
      await pull(0.25);
      await waitUntil(async () => Math.abs((await topLine()) - 500_000) < 100);
      const from = await topLine();
      await log.hover();
      await page.mouse.wheel(0, 60);
      await waitUntil(async () => (await topLine()) === from + 3);
      // So do keys, also from a link in a line.
      const pageOf = Math.floor((await log.evaluate(element => element.clientHeight)) / 20) - 1;
      await log.press('PageDown');
      await waitUntil(async () => Math.abs((await topLine()) - (from + 3 + pageOf)) <= 1);
      const down = await topLine();
      await page.locator(`.log-line[data-index="${String(down + 3)}"] a`).focus();
      await page.keyboard.press('PageDown');
      await waitUntil(async () => Math.abs((await topLine()) - (down + pageOf)) <= 1);
      await page.keyboard.press('PageUp');
      await waitUntil(async () => Math.abs((await topLine()) - down) <= 1);
      await page.keyboard.press('Control+f');
      await becomes(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Search');
      await log.press('End');
      await page.getByText('line 1999999 ').first().waitFor();
      await log.press('Home');
      await waitUntil(async () => (await topLine()) === 0);
      await page.getByText('line 0 ').first().waitFor();
      await log.press('F8');
      await page.getByText('line 123456 ').waitFor();
      await page.getByRole('textbox', { name: 'Search' }).fill('line 1777777 ');
      await page.getByText('1 of 1', { exact: true }).waitFor({ timeout: 30_000 });
      await page.getByText('line 1777777 ').waitFor();
      await host.picture('run-page/two-million-lines');
    });
  });

  it('what tasks print and are called is never more than text', async () => {
    const evil = '<img src=x onerror="document.title=\'owned\'">';
    const base = liveRun();
    const rename = (record: NodeRunRecord): NodeRunRecord =>
      record.nodePath.at(-1) === 'transform_repo_activity'
        ? {
            ...record,
            nodePath: [top, evil],
            error: `${evil}\n</pre><script>document.title='owned'</script>`,
          }
        : record;
    const details: RunDetailsRecord = {
      ...base,
      run: { ...base.run, params: { [evil]: evil }, startedBy: evil },
      nodeRuns: base.nodeRuns.map(rename),
    };
    const lines = liveOutput(base).map(line => ({
      ...line,
      nodePath: [top, evil],
      message: `${evil}\u001b[31m${evil}\u001b]8;;javascript:alert(1)\u0007x`,
    }));
    await using host = await open(details, OutputPeer.of(lines));
    const { page } = host;
    await page.locator('.log-line').first().waitFor();
    await page.getByRole('textbox', { name: 'Search' }).fill('<img');
    await page.locator('mark').first().waitFor();
    assert.equal(
      await page
        .locator('.failure .failure-text')
        .innerText()
        .then(text => text.split('\n')[0]),
      evil,
    );
    await page.locator('.timeline-label', { hasText: evil }).first().waitFor();
    const harm = page.locator('#page img, #page script');
    assert.equal(await harm.count(), 0);
    await page.getByRole('button', { name: 'As table' }).click();
    await page
      .getByRole('grid', { name: 'What ran when' })
      .getByRole('row')
      .filter({ hasText: evil })
      .first()
      .waitFor();
    assert.equal(await harm.count(), 0);
    assert.equal(await page.title(), 'Run 412');
  });

  describe('states', () => {
    it('while it waits', async () => {
      await using host = await open(null, OutputPeer.of([]), {
        answers: { follow: () => new Promise(() => undefined) },
      });
      // After a while it says for how long.
      await host.page.getByText(/^(Loading|Still waiting for) run 412/).waitFor();
      await host.picture('run-page/loading');
    });

    it('a run that was deleted', async () => {
      await using host = await open(null, OutputPeer.of([]));
      await host.page.getByText('Run 412 is not in the store any more').waitFor();
      await host.page.getByRole('button', { name: 'Open run history' }).click();
      await becomes(() => host.actions, [{ kind: 'openHistory' }]);
      await host.picture('run-page/gone');
      await host.checkAccessibility();
    });

    it('the store cannot be reached, and then it can', async () => {
      let isAway = true;
      const details = liveRun();
      await using host = await open(details, OutputPeer.of(liveOutput(details)), {
        store: {
          kind: 'unreachable',
          message: 'The store cannot be reached.',
          detail: 'connect ECONNREFUSED 127.0.0.1:5432',
        },
        answers: {
          follow: () => {
            if (isAway) throw new PageError('store', 'The store cannot be reached.');
            return details;
          },
        },
      });
      await host.page.getByText('connect ECONNREFUSED 127.0.0.1:5432').waitFor();
      await host.picture('run-page/store-away');
      await host.page.getByRole('button', { name: 'Try again' }).click();
      await becomes(() => host.actions, [{ kind: 'retryStore' }]);
      isAway = false;
      await host.send({ type: 'store', state: { kind: 'ready', description: 'Postgres' } });
      await host.page.getByText('63 %', { exact: true }).waitFor();
    });

    it('what goes wrong later leaves what is there, and says so', async () => {
      let isAway = false;
      const details = liveRun();
      const peer = OutputPeer.of(liveOutput(details));
      await using host = await open(details, peer, {
        answers: {
          readOutput: params => {
            if (isAway) throw new PageError('store', 'The store cannot be reached.');
            const { readOutput } = peer.answers;
            assert.ok(readOutput !== undefined);
            return readOutput(params);
          },
        },
      });
      const { page } = host;
      await page.locator('.log-line').first().waitFor();
      isAway = true;
      const { source } = peer;
      peer.source = { lines: source.lines + 1, at: index => source.at(Math.min(index, source.lines - 1)) };
      for (const view of peer.views.keys())
        await host.send({ type: 'output', view, extent: peer.extent(view) });
      await page.getByRole('alert').getByText('The store cannot be reached.').first().waitFor();
      assert.ok((await page.locator('.log-line:not(.unread)').count()) > 5);
      isAway = false;
      await host.send({ type: 'store', state: { kind: 'ready', description: 'Postgres' } });
      await page.getByText('51 lines', { exact: true }).waitFor();
      await page.locator('.page-state').waitFor({ state: 'detached' });
    });

    it('a run whose runner died', async () => {
      const details = endedRun({ status: 'lost' });
      await using host = await open(
        {
          ...details,
          nodeRuns: details.nodeRuns.map(record =>
            record.nodeRunId === 19 ? { ...record, status: 'lost', reason: 'the runner died' } : record,
          ),
        },
        OutputPeer.of(liveOutput(details)),
      );
      await host.page
        .getByText(/The runner of this run died before it could say how the run ended/)
        .waitFor();
      await host.page
        .getByRole('article', { name: 'pypi / preprocess_download_counts lost' })
        .getByText('the runner died')
        .waitFor();
      await host.page.locator('.log-line').first().waitFor();
      await host.picture('run-page/lost');
      await host.checkAccessibility();
    });

    it('a run that was cancelled in its first seconds', async () => {
      const whole = endedRun();
      const details: RunDetailsRecord = {
        ...whole,
        run: {
          ...whole.run,
          status: 'cancelled',
          endedAt: whole.run.startedAt + 1_500,
          cancelRequestedAt: whole.run.startedAt + 1_200,
        },
        nodeRuns: whole.nodeRuns.flatMap((record, index): NodeRunRecord[] => {
          const { startedAt } = record;
          if (startedAt === null || startedAt > whole.run.startedAt + 1_000) return [];
          const status = index === 1 ? 'succeeded' : 'cancelled';
          return [{ ...record, status, endedAt: startedAt + 1_000 }];
        }),
        criticalPath: [],
      };
      const statistics = [
        { ...unmeasured, at: whole.run.startedAt + 700, cpu: 40, memory: 30, diskRead: 2, diskWrite: 1 },
      ];
      await using host = await open(details, OutputPeer.of([]), {
        answers: { statistics: () => statistics },
      });
      await host.page.getByText('There is no output').waitFor();
      const point = host.page.locator('.strip-cpu .strip-line.point');
      assert.match((await point.getAttribute('d')) ?? '', /^M[\d.]+ [\d.]+h0$/);
      // What did not run is not green.
      await host.page.locator('.run-segments .state-queued').waitFor();
      await host.picture('run-page/cancelled');
      await host.checkAccessibility();
    });

    it('a run without tasks', async () => {
      const details: RunDetailsRecord = {
        ...endedRun({ status: 'succeeded' }),
        nodeRuns: [],
        graph: null,
        progress: { fraction: 1, finished: 0, total: 0, left: null },
        criticalPath: [],
      };
      await using host = await open(details, OutputPeer.of([]), { answers: { statistics: () => [] } });
      await host.page.getByText('Nothing ran', { exact: true }).waitFor();
      await host.page.getByText('no tasks').waitFor();
      assert.equal(await host.page.locator('.run-segments .state-running').count(), 0);
      await host.picture('run-page/no-tasks');
    });

    it('an error as long as a book', async () => {
      const details = endedRun();
      const error = [
        `ERROR: ${'y'.repeat(3_000)}`,
        ...Array.from({ length: 40 }, (_, i) => `line ${String(i)}`),
      ];
      const nodeRuns = details.nodeRuns.map(record =>
        record.error === null ? record : { ...record, error: error.join('\n') },
      );
      await using host = await open({ ...details, nodeRuns }, OutputPeer.of(liveOutput(details)));
      const text = host.page.locator('.failure-text').first();
      await text.waitFor();
      assert.ok((await text.innerText()).length < 1_000);
      await host.picture('run-page/long-error');
      await host.page.getByRole('button', { name: '29 more lines' }).click();
      await becomes(
        async () => (await text.innerText()).replaceAll(/\s/g, ''),
        error.join('').replaceAll(/\s/g, ''),
      );
    });

    it('a run that has only begun', async () => {
      const details: RunDetailsRecord = {
        ...liveRun(),
        run: runRecord({ startedAt: Date.now() }),
        nodeRuns: [],
        graph: null,
        progress: { fraction: 0, finished: 0, total: 20, left: null },
        criticalPath: [],
      };
      await using host = await open(details, OutputPeer.of([]), { answers: { statistics: () => [] } });
      await host.page.getByText('Nothing has begun yet').waitFor();
      await host.page.getByText('No output yet').waitFor();
      await host.picture('run-page/empty');
      await host.checkAccessibility();
    });

    it('a folder that is not trusted executes nothing', async () => {
      const details = endedRun();
      await using host = await open(details, OutputPeer.of(liveOutput(details)), { trusted: false });
      await host.page.locator('.log-line').first().waitFor();
      await host.page.getByRole('button', { name: 'Re-run failed' }).click({ force: true });
      await host.page.getByRole('button', { name: 'Run again' }).click({ force: true });
      await host.page.getByRole('button', { name: 'Open as a document' }).click();
      await becomes(() => host.actions, [{ kind: 'openOutput', runId: 412 }]);
    });
  });

  describe('in every theme and width', () => {
    for (const theme of themeKinds)
      it(`${theme}: accessible, and as in the gallery`, async () => {
        await using host = await openLive({ theme, height: 1500 });
        const { page } = host;
        await page.getByRole('textbox', { name: 'Search' }).fill('commit');
        await page.locator('.field .count', { hasText: /^3$/ }).waitFor();
        await host.picture('run-page/live');
        await host.checkAccessibility();
        await host.resize(520, 2000);
        await waitUntil(async () => (await page.evaluate(() => document.documentElement.scrollWidth)) <= 520);
        await host.picture('run-page/live-520');
        await host.checkAccessibility();
        const details = endedRun();
        await using ended = await open(details, OutputPeer.of(liveOutput(details)), { theme, height: 1500 });
        await ended.page.locator('.log-line').first().waitFor();
        await ended.picture('run-page/ended');
        await ended.checkAccessibility();
      });
  });
});
