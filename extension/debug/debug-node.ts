/** Runs a node under the editor's own JavaScript debugger: breakpoints in pipeline files and in what they import stop it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { formatPath, type NodePath, type ParameterValue } from '../../runner/model.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import { cliFile } from '../runner/environment.ts';
import { requestFor, runArguments } from '../runner/run-arguments.ts';
import type { CommandLine } from '../runner/run-starter.ts';

/** @returns whether the debugger has taken it on. */
export async function debugNode(
  project: Project,
  path: NodePath,
  params: Readonly<Record<string, ParameterValue>>,
  commandLine: CommandLine,
): Promise<boolean> {
  const { folder, directory } = project.state;
  const { runtime, env } = commandLine;
  const url = env['MILLRACE_STORE_URL'];
  const args = runArguments({
    kind: 'run',
    request: { ...requestFor([path], false), params, allowConcurrent: true },
  });
  const configuration: vscode.DebugConfiguration = {
    type: 'node',
    request: 'launch',
    name: t('Debug {0}', formatPath(path)),
    runtimeExecutable: await debugRuntime(runtime.execPath),
    program: cliFile(runtime),
    // One worker, so that one task stops at a time.
    args: ['--project', directory, ...args, '--parallel', '1'],
    cwd: directory,
    env: { ELECTRON_RUN_AS_NODE: '1', ...(url === undefined ? {} : { MILLRACE_STORE_URL: url }) },
    // Not a terminal: the environment, with the store's password, would stand in its command line.
    console: 'internalConsole',
    internalConsoleOptions: 'openOnSessionStart',
    outputCapture: 'std',
    // Tasks run in workers.
    autoAttachChildProcesses: true,
    sourceMaps: true,
    pauseForSourceMap: true,
    // Pipeline files are translated as they are loaded: their maps are in memory, nothing is on the disk.
    outFiles: [],
    resolveSourceMapLocations: [`${directory}/**`, '!**/node_modules/**'],
    skipFiles: ['<node_internals>/**', join(runtime.dist, '**')],
  };
  const workspaceFolder = vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(folder));
  return await vscode.debug.startDebugging(workspaceFolder, configuration);
}

/**
 * The debugger gets into a process by `NODE_OPTIONS`, which the desktop's runtime need not heed: a Node of the machine is
 * preferred there, when it is new enough.
 */
async function debugRuntime(execPath: string): Promise<string> {
  if (execPath !== process.execPath || process.versions['electron'] === undefined) return execPath;
  try {
    const { stdout } = await promisify(execFile)('node', ['--version'], { timeout: 5000 });
    const [major = 0, minor = 0] = stdout.trim().replace(/^v/, '').split('.').map(Number);
    return major > 22 || (major === 22 && minor >= 15) ? 'node' : execPath;
  } catch {
    // There is none.
    return execPath;
  }
}
