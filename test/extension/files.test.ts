/** Files that change and go while the editor has them open. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import { eventually, openWindow, writeFiles } from './support/window.ts';

const pipeline = (id: string): string =>
  `import { Pipeline } from 'millrace';\nexport const made = new Pipeline({ id: '${id}' });\n`;

describe('files that are open in the editor', () => {
  it('are gone from the tree when they are gone from the disk, and come back when they are written again', async () => {
    const window = await openWindow();
    const pipelines = (): string => window.api.describe().pipelines;
    const files = await writeFiles(window, { 'open.pipeline.ts': pipeline('open_one') });
    const file = join(window.directory, 'open.pipeline.ts');
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    await eventually(pipelines, tree => tree.includes('open_one'));
    await rm(file);
    await eventually(pipelines, tree => !tree.includes('open_one'));

    await writeFile(file, pipeline('written_again'));
    await eventually(pipelines, tree => tree.includes('written_again'));
    await eventually(
      () => document.getText(),
      text => text.includes('written_again'),
    );
    // Typed, not saved: the document counts again.
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(0, 0, 2, 0), pipeline('typed'));
    assert.equal(await vscode.workspace.applyEdit(edit), true);
    await eventually(pipelines, tree => tree.includes('typed') && !tree.includes('written_again'));
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await files[Symbol.asyncDispose]();
    await eventually(pipelines, tree => !tree.includes('typed') && !tree.includes('written_again'));
  });
});
