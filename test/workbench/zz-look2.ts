import { openPage } from './support/page-host.ts';
import { history, historyAnswers } from './support/history-peer.ts';
import { launchBrowser } from './support/browser.ts';
const browser = await launchBrowser();
for (const [theme, width] of [['dark', 1200], ['dark', 520], ['light', 1200], ['hc-dark', 1200]] as const) {
  const host = await openPage({ page: 'history-page', browser, subject: { page: 'history', folder: 'file:///p' }, theme: theme as never, width, height: 1600, answers: historyAnswers(history()) });
  try { await host.page.locator('.run-grid').waitFor({ timeout: 5000 }); } catch (e) { console.log(String(e)); }
  await host.page.locator('tr[data-run="412"]').click();
  await host.page.screenshot({ path: `/tmp/rp/history-${theme}-${width}.png` });
  console.log(theme, host.errors);
  host.takeErrors();
  await host[Symbol.asyncDispose]();
}
await browser.close();
