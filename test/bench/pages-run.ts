/**
 * U1, the page of a run: until the timeline of 5,000 tasks is painted, and how smoothly 2,000,000 lines scroll, in plain
 * Chromium. `node scripts/run.mjs test/bench/pages-run.ts`; needs `npm run build`.
 */
import type { Browser } from 'playwright-core';
import type { ToHost } from '../../webview/messages.ts';
import { waitUntil } from '../support/wait.ts';
import { launchBrowser } from '../workbench/support/browser.ts';
import { openPage } from '../workbench/support/page-host.ts';
import {
  liveRun,
  manyTasks,
  millionsOfLines,
  OutputPeer,
  runAnswers,
} from '../workbench/support/run-peer.ts';

const rounds = 5;
const subject = { page: 'run', folder: 'file:///project', runId: 412 } as const;

/** From the moment in which the page has all it asked for: what starts a page is measured in pages.ts. */
export async function timelineOfManyTasks(browser: Browser): Promise<void> {
  const times: number[] = [];
  const details = manyTasks(5000);
  for (let round = 0; round < rounds; round += 1) {
    let isAsked = false;
    await using host = await openPage({
      page: 'run-page',
      subject,
      answers: {
        ...runAnswers(details, OutputPeer.of([])),
        follow: () => {
          isAsked = true;
          return details;
        },
        // Held back: the last answer is given below, within the page.
        statistics: () => new Promise(() => undefined),
      },
      browser,
    });
    await waitUntil(() => isAsked && host.sent.some(isStatistics));
    // Behind the run, which is on its way through the same channel.
    await host.page.evaluate(() => new Promise(resolve => setTimeout(resolve)));
    const id = host.sent.find(isStatistics)?.id;
    times.push(
      await host.page.evaluate(
        asked =>
          new Promise<number>(resolve => {
            const start = performance.now();
            window.dispatchEvent(
              new MessageEvent('message', { data: { type: 'result', id: asked, result: [] } }),
            );
            const look = (): void => {
              if (document.querySelector('.timeline-label') === null) requestAnimationFrame(look);
              else
                requestAnimationFrame(() => {
                  resolve((performance.now() - start) / 1000);
                });
            };
            look();
          }),
        id,
      ),
    );
  }
  times.sort((a, b) => a - b);
  console.log(
    `U1 timeline of 5,000 tasks: median ${figure(times[rounds >> 1])} s, minimum ${figure(times[0])} s (goal ≤ 0.5)`,
  );
}

function isStatistics(message: ToHost): message is Extract<ToHost, { method: 'statistics' }> {
  return message.type === 'request' && message.method === 'statistics';
}

export async function scrollOfMillionsOfLines(browser: Browser): Promise<void> {
  const details = liveRun();
  await using host = await openPage({
    page: 'run-page',
    subject,
    answers: runAnswers(details, new OutputPeer(millionsOfLines(details, 2_000_000))),
    browser,
  });
  const { page } = host;
  await page.getByText('line 1999999 ').first().waitFor();
  await page.locator('.log').scrollIntoViewIfNeeded();
  // A turn of the wheel in each frame: how long frames take, and how long our part of them.
  const { frames, work } = await page.evaluate(
    () =>
      new Promise<{ frames: number[]; work: number[] }>(resolve => {
        const log = document.querySelector('.log');
        const durations: number[] = [];
        const own: number[] = [];
        let last = performance.now();
        const step = (): void => {
          const now = performance.now();
          durations.push(now - last);
          last = now;
          log?.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, cancelable: true, bubbles: true }));
          // After what the wheel has asked to be drawn in this frame or the next.
          requestAnimationFrame(begin => {
            queueMicrotask(() => {
              own.push(performance.now() - begin);
              if (durations.length < 300) step();
              else resolve({ frames: durations.slice(5), work: own.slice(5) });
            });
          });
        };
        step();
      }),
  );
  for (const list of [frames, work]) list.sort((a, b) => a - b);
  const at = (list: readonly number[], share: number): string =>
    (list[Math.floor(share * (list.length - 1))] ?? 0).toFixed(1);
  console.log(
    `U1 scrolling 2,000,000 lines: frame median ${at(frames, 0.5)} ms, 95 % ${at(frames, 0.95)} ms; ` +
      `work in it median ${at(work, 0.5)} ms, 95 % ${at(work, 0.95)} ms (goal 60 frames/s: 16.7 ms)`,
  );
}

function figure(value = 0): string {
  return value.toFixed(2);
}

if (import.meta.main) {
  await using browser = await launchBrowser();
  await timelineOfManyTasks(browser);
  await scrollOfMillionsOfLines(browser);
}
