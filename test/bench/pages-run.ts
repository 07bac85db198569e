/**
 * U1, the page of a run: until the timeline of 5,000 tasks is painted, and how smoothly 2,000,000 lines scroll, in plain
 * Chromium. `npm run bench -- U1`.
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
import { printFigure } from './measure.ts';

const rounds = 5;
const subject = { page: 'run', folder: 'file:///project', runId: 412 } as const;

/** Prints both figures. */
export async function pageOfRun(): Promise<void> {
  await using browser = await launchBrowser();
  await timelineOfManyTasks(browser);
  await scrollOfMillionsOfLines(browser);
}

/** From the moment in which the page has all it asked for: what starts a page is measured in pages.ts. */
async function timelineOfManyTasks(browser: Browser): Promise<void> {
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
  printFigure('timeline of 5,000 tasks, s', times, '≤ 0.5');
}

function isStatistics(message: ToHost): message is Extract<ToHost, { method: 'statistics' }> {
  return message.type === 'request' && message.method === 'statistics';
}

async function scrollOfMillionsOfLines(browser: Browser): Promise<void> {
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
  // The slowest frames are what is felt; one in twenty may be.
  const share = (list: readonly number[]): number =>
    (list.toSorted((one, other) => one - other)[Math.floor(0.95 * (list.length - 1))] ?? Number.NaN) / 1000;
  printFigure('scrolling 2,000,000 lines: a frame, s', frames.map(inSeconds), '≤ 0.0167 (60 frames/s)');
  printFigure('  our own work in it, s', work.map(inSeconds));
  console.log(
    `  95 % of the frames: ≤ ${share(frames).toFixed(4)} s, our own work ≤ ${share(work).toFixed(4)} s`,
  );
}

function inSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}
