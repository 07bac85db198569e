/** The extension, seen from inside its host. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import * as vscode from 'vscode';

describe('activation', () => {
  let extension: vscode.Extension<unknown>;

  before(async () => {
    const found = vscode.extensions.getExtension('millrace.millrace');
    assert.ok(found, 'the extension is not there');
    extension = found;
    await extension.activate();
  });

  it('succeeds', () => {
    assert.equal(extension.isActive, true);
  });

  it('registers every command that the manifest names', async () => {
    const manifest = extension.packageJSON as {
      readonly contributes: { readonly commands: readonly { readonly command: string }[] };
    };
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands
      .map(({ command }) => command)
      .filter(command => !registered.has(command));
    assert.deepEqual(missing, []);
  });
});
