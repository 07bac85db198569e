/**
 * U1, the page of a pipeline: from the start of the page until its graph is painted, for graphs of different sizes, in
 * plain Chromium. `npm run bench -- U1`.
 */
import { launchBrowser } from '../workbench/support/browser.ts';
import { answers, pageNode, projectView } from '../workbench/support/node-page-data.ts';
import { openPage } from '../workbench/support/page-host.ts';
import { printFigure } from './measure.ts';

const rounds = 5;

/** Layers of ten, each task after one or two of the layer before; from 300 on, in pipelines of 25. */
function graph(count: number) {
  const layer = (size: number, prefix: string) =>
    Array.from({ length: size }, (_, index) => ({
      id: `${prefix}${String(index)}`,
      upstreams:
        index < 10
          ? []
          : [...new Set([index - 10, index - 10 - (index % 3)])]
              .filter(at => at >= 0)
              .map(at => `${prefix}${String(at)}`),
    }));
  if (count < 1000) return pageNode({ id: 'bench', nodes: layer(count, 'task_') });
  return pageNode({
    id: 'bench',
    nodes: layer(count / 25, 'pipeline_').map(each => ({ ...each, nodes: layer(25, 'task_') })),
  });
}

export async function pages(): Promise<void> {
  await using browser = await launchBrowser();
  for (const [count, goal] of [
    [20, '≤ 0.3'],
    [100, '≤ 0.6'],
    [300, '≤ 1.5'],
    [1000, 'collapsed'],
  ] as const) {
    const node = graph(count);
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await using host = await openPage({
        page: 'node-page',
        subject: { page: 'node', folder: 'file:///project', path: ['bench'] },
        answers: { ...answers, node: () => ({ ...projectView, node }), figures: () => [] },
        browser,
      });
      // The page's own clock, from its navigation on; two frames later it is painted.
      times.push(
        await host.page.evaluate(
          () =>
            new Promise<number>(resolve => {
              const look = (): void => {
                if (document.querySelector('.graph .graph-node') === null) requestAnimationFrame(look);
                else
                  requestAnimationFrame(() =>
                    requestAnimationFrame(() => {
                      resolve(performance.now() / 1000);
                    }),
                  );
              };
              look();
            }),
        ),
      );
    }
    printFigure(`graph of ${String(count)} nodes, from the start of its page, s`, times, goal);
  }
}
