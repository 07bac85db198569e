/** What tests in the extension host share: the extension's own words, the folder, and waiting. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { MillraceApi } from '../../../extension/extension.ts';

export interface Window {
  readonly api: MillraceApi;
  /** URI of the workspace folder, as commands take it. */
  readonly folder: string;
  readonly directory: string;
}

export async function openWindow(): Promise<Window> {
  const extension = vscode.extensions.getExtension<MillraceApi>('millrace.millrace');
  assert.ok(extension, 'the extension is not there');
  const api = await extension.activate();
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'no folder is open');
  return { api, folder: folder.uri.toString(), directory: folder.uri.fsPath };
}

/**
 * Waits until something holds; when it never does, the error shows what was seen last.
 *
 * @param limit milliseconds, fewer than the test has, whose end would show nothing
 */
export async function eventually<Value>(
  look: () => Value | Promise<Value>,
  holds: (value: Value) => boolean,
  limit = 45_000,
): Promise<Value> {
  const end = performance.now() + limit;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (performance.now() > end)
      assert.fail(
        `it never came about; last seen:\n${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}`,
      );
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Writes files of the project; disposing removes them. */
export async function writeFiles(
  { directory }: Window,
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const name of Object.keys(files)) await rm(join(directory, name), { force: true });
    },
  };
}

/** The command line in a terminal of its own, beside the editor. */
export function terminal({ directory }: Window, args: readonly string[]): ChildProcess {
  const extension = vscode.extensions.getExtension('millrace.millrace');
  assert.ok(extension);
  return spawn(process.execPath, [join(extension.extensionPath, 'dist', 'millrace.js'), ...args], {
    cwd: directory,
    stdio: 'ignore',
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
}
