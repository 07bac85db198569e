/** Tasks of the type `millrace` in tasks.json, and one for each top-level pipeline. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { parsePath, type ParameterValue } from '../../runner/model.ts';
import { t } from '../l10n.ts';
import type { Processes } from '../processes.ts';
import type { Projects } from '../project/projects.ts';
import { cliFile, type Runtime } from '../runner/environment.ts';
import { runArguments } from '../runner/run-arguments.ts';
import { offersTasks } from '../settings.ts';

export const taskType = 'millrace';

export class TaskProvider implements vscode.TaskProvider {
  readonly #projects: Projects;
  readonly #processes: Processes;

  constructor(projects: Projects, processes: Processes) {
    this.#projects = projects;
    this.#processes = processes;
  }

  async provideTasks(): Promise<vscode.Task[]> {
    const tasks: vscode.Task[] = [];
    for (const project of this.#projects.all) {
      const uri = vscode.Uri.parse(project.state.folder);
      const folder = vscode.workspace.getWorkspaceFolder(uri);
      if (folder === undefined || !offersTasks(uri) || !vscode.workspace.isTrusted) continue;
      const start = await this.#start(folder);
      for (const { node } of project.state.pipelines.roots)
        tasks.push(taskOf({ type: taskType, path: node.id }, folder, node.id, start));
    }
    return tasks;
  }

  async resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const scope = task.scope;
    const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
    if (folder?.uri.scheme !== 'file' || !vscode.workspace.isTrusted) return undefined;
    return taskOf(task.definition, folder, task.name, await this.#start(folder));
  }

  /** What all tasks of a folder are started with. */
  async #start(folder: vscode.WorkspaceFolder): Promise<TaskStart> {
    const project = this.#projects.find(folder.uri.toString());
    const storeAddress = project === undefined ? {} : (await this.#processes.commandLine(project)).env;
    return {
      runtime: this.#processes.runtime(folder.uri),
      directory: project?.state.directory ?? folder.uri.fsPath,
      url: storeAddress['MILLRACE_STORE_URL'],
    };
  }
}

interface TaskStart {
  readonly runtime: Runtime;
  /** The project's, unless a task names another. */
  readonly directory: string;
  readonly url: string | undefined;
}

function taskOf(
  definition: vscode.TaskDefinition,
  folder: vscode.WorkspaceFolder,
  name: string,
  start: TaskStart,
): vscode.Task {
  const { runtime, url } = start;
  const subfolder: unknown = definition['folder'];
  const directory = typeof subfolder === 'string' ? join(folder.uri.fsPath, subfolder) : start.directory;
  const execution = new vscode.ProcessExecution(
    runtime.execPath,
    [cliFile(runtime), '--project', directory, ...argumentsOf(definition)],
    {
      cwd: directory,
      // Added to the environment of a terminal.
      env: { ELECTRON_RUN_AS_NODE: '1', ...(url === undefined ? {} : { MILLRACE_STORE_URL: url }) },
    },
  );
  const task = new vscode.Task(definition, folder, name, 'millrace', execution, ['$millrace']);
  task.detail = t('Runs the pipeline in a terminal');
  return task;
}

/** The definition comes from a file that anybody may have written. */
function argumentsOf({ path, nodes, withUpstreams, params }: vscode.TaskDefinition): string[] {
  const base = typeof path === 'string' ? parsePath(path) : [];
  return runArguments({
    kind: 'run',
    request: {
      path: base,
      nodePaths: isTexts(nodes) ? nodes.map(node => [...base, ...parsePath(node)]) : [],
      withUpstreams: withUpstreams === true,
      params: parametersOf(params),
      allowConcurrent: false,
    },
  });
}

function parametersOf(value: unknown): Record<string, ParameterValue> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, ParameterValue] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}
