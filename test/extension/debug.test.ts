/** "Debug This Task" stops at a breakpoint of a pipeline file. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { eventually, openWindow, writeFiles } from './support/window.ts';

const text = `import { Pipeline, RunFunction, Task } from 'millrace';

interface Sum { readonly total: number }
export const sums = new Pipeline({ id: 'sums' });
sums.add(new Task({ id: 'add', commands: [new RunFunction(() => {
  const sum: Sum = { total: 40 + 2 };
  console.log(sum.total);
})] }));
`;

interface Frame {
  readonly line: number;
  readonly source?: { readonly path?: string };
}

describe('the debugger', function () {
  this.timeout(120_000);

  it('stops at a breakpoint in a command, and lets the run end', async () => {
    const window = await openWindow();
    await using _files = await writeFiles(window, { 'sums.pipeline.ts': text });
    await eventually(
      () => window.api.describe().pipelines,
      tree => tree.includes('sums'),
    );
    const file = join(window.directory, 'sums.pipeline.ts');
    const breakpoint = new vscode.SourceBreakpoint(
      new vscode.Location(vscode.Uri.file(file), new vscode.Position(6, 0)),
    );
    vscode.debug.addBreakpoints([breakpoint]);
    const stops: { readonly session: vscode.DebugSession; readonly threadId: number }[] = [];
    const said: string[] = [];
    const launched: unknown[] = [];
    const tracker = vscode.debug.registerDebugAdapterTrackerFactory('*', {
      createDebugAdapterTracker: session => ({
        onWillReceiveMessage: (message: { readonly command?: string; readonly arguments?: unknown }) => {
          if (message.command === 'launch') launched.push(message.arguments);
        },
        onDidSendMessage: (message: {
          readonly event?: string;
          readonly body?: { readonly threadId?: number; readonly output?: string };
        }) => {
          if (message.event === 'output') said.push(message.body?.output ?? '');
          if (message.event === 'stopped') stops.push({ session, threadId: message.body?.threadId ?? 0 });
        },
      }),
    });
    try {
      void vscode.commands.executeCommand('millrace.debug', { folder: window.folder, path: ['sums', 'add'] });
      await eventually(
        () => [stops.length, said.join('')],
        ([count]) => count === 1,
      );
      const [stop] = stops;
      assert.ok(stop);
      const { stackFrames } = (await stop.session.customRequest('stackTrace', {
        threadId: stop.threadId,
      })) as { readonly stackFrames: readonly (Frame & { readonly id: number })[] };
      const [top] = stackFrames;
      assert.equal(top?.line, 7);
      // A remote window names it by its address.
      assert.ok(top.source?.path?.endsWith(file), top.source?.path);
      const { result } = (await stop.session.customRequest('evaluate', {
        expression: 'sum.total',
        frameId: top.id,
        context: 'watch',
      })) as { readonly result: string };
      assert.equal(result, '42');
      await stop.session.customRequest('continue', { threadId: stop.threadId });
      await eventually(
        () => window.api.describe().runs,
        runs => /pass \d+ sums\/add/.test(runs),
      );
    } finally {
      tracker.dispose();
      vscode.debug.removeBreakpoints([breakpoint]);
      await vscode.debug.stopDebugging();
    }
  });
});
