import { openPage } from './support/page-host.ts';
import { endedRun, liveOutput, liveRun, OutputPeer, runAnswers } from './support/run-peer.ts';
import { launchBrowser } from './support/browser.ts';
const browser = await launchBrowser();
for (const [name, make] of [
  ['live', liveRun],
  ['ended', endedRun],
] as const)
  for (const [theme, width] of [
    ['dark', 1200],
    ['dark', 520],
    ['light', 1200],
    ['hc-dark', 1200],
  ] as const) {
    if (name === 'ended' && theme !== 'dark') continue;
    const details = make();
    const host = await openPage({
      page: 'run-page',
      browser,
      subject: { page: 'run', folder: 'file:///p', runId: 412 },
      theme: theme as never,
      width,
      height: 1600,
      answers: runAnswers(details, OutputPeer.of(liveOutput(details)), name === 'live' ? 73 : 115),
    });
    try {
      await host.page.locator('.log-line').first().waitFor({ timeout: 5000 });
    } catch (e) {
      console.log(String(e));
    }
    if (name === 'live') {
      await host.page.getByLabel('Search').fill('commit');
      await host.page.getByText(/ of /).first().waitFor();
      await host.page.waitForTimeout(400);
    }
    await host.page.screenshot({ path: `/tmp/rp/${name}-${theme}-${width}.png` });
    console.log(name, theme, host.errors);
    host.takeErrors();
    await host[Symbol.asyncDispose]();
  }
await browser.close();
