/** What the extension host pays: printed for whoever looks, with limits that only a leak reaches. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { eventually, openWindow, writeFiles } from './support/window.ts';

const lines = 1_000_000;
/** For the run and for the heap: together less than the test has. */
const limit = 140_000;
const text = `import { Pipeline, RunBash, Task } from 'millrace';

export const flood = new Pipeline({ id: 'flood' });
flood.add(new Task({ id: 'write', commands: [new RunBash('seq 1 ${String(lines)}')] }));
`;

describe('the extension host', function () {
  this.timeout(300_000);

  it('activates the extension', async () => {
    const { api } = await openWindow();
    console.log(`figure: activation ${api.activationTime.toFixed(1)} ms`);
    assert.ok(api.activationTime > 0);
  });

  it('does not grow with the output of a run whose page is open', async () => {
    const window = await openWindow();
    await using _files = await writeFiles(window, { 'flood.pipeline.ts': text });
    await eventually(
      () => window.api.describe().pipelines,
      tree => tree.includes('flood'),
    );
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = (): { readonly heap: number; readonly rss: number } => {
      collect();
      const { heapUsed, rss } = process.memoryUsage();
      return { heap: heapUsed / 1e6, rss: rss / 1e6 };
    };
    const before = used();
    const { folder } = window;
    const runId = await vscode.commands.executeCommand<number>('millrace.run', { folder, path: ['flood'] });
    await vscode.commands.executeCommand('millrace.openRun', { folder, runId });
    let most = 0;
    await eventually(
      () => {
        most = Math.max(most, process.memoryUsage().rss / 1e6);
        return window.api.describe().runs;
      },
      runs => runs.includes(`pass ${String(runId)} flood`),
      limit,
    );
    // What the last messages need is there for a moment more; what has leaked stays.
    const after = await eventually(used, ({ heap }) => heap - before.heap < 20, limit);
    console.log(
      `figure: ${String(lines)} lines: heap ${before.heap.toFixed(1)} → ${after.heap.toFixed(1)} MB, memory ${before.rss.toFixed(0)} → ${after.rss.toFixed(0)} MB, at most ${most.toFixed(0)} MB`,
    );
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
