/** Files that go while the editor has them open. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { eventually, openWindow, writeFiles } from './support/window.ts';

const pipeline = (id: string): string =>
  `import { Pipeline } from 'millrace';\nexport const made = new Pipeline({ id: '${id}' });\n`;

describe('files that are open in the editor', () => {
  it('are gone from the tree when they are gone from the disk', async () => {
    const window = await openWindow();
    const pipelines = (): string => window.api.describe().pipelines;
    await using _files = await writeFiles(window, { 'open.pipeline.ts': pipeline('open_one') });
    const file = join(window.directory, 'open.pipeline.ts');
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    await eventually(pipelines, tree => tree.includes('open_one'));
    await rm(file);
    await eventually(pipelines, tree => !tree.includes('open_one'));
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });
});
