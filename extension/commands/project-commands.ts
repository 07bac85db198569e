/** Commands about projects: making one, its configuration, its store, what the views show. */
import { basename, join } from 'node:path';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { messageOf } from '../events.ts';
import type { ConfigurationDocuments } from '../configuration/configuration-documents.ts';
import { t } from '../l10n.ts';
import type { Language } from '../language-client.ts';
import type { Processes } from '../processes.ts';
import type { Projects } from '../project/projects.ts';
import { processEnvironment } from '../runner/environment.ts';
import { showError } from '../runner/run-launcher.ts';
import { runCommand } from '../runner/run-starter.ts';
import type { RunsView } from '../runs-view/runs-view.ts';
import { keepStorePassword, storePassword } from '../secrets.ts';
import { storeUrl } from '../settings.ts';
import type { PipelinesView } from '../tree/pipelines-view.ts';
import { filterStates, type FilterState } from '../tree/tree-filter.ts';
import { statusWord } from '../wording.ts';
import type { Targets } from './targets.ts';

export interface ProjectCommandParts {
  readonly context: vscode.ExtensionContext;
  readonly projects: Projects;
  readonly processes: Processes;
  readonly language: Language;
  readonly targets: Targets;
  readonly pipelinesView: PipelinesView;
  readonly runsView: RunsView;
  readonly configurations: ConfigurationDocuments;
  readonly log: vscode.LogOutputChannel;
}

/** What `millrace init` can begin with, and the file to look at first. */
const firstFiles = {
  hello: join('pipelines', 'hello', 'hello.pipeline.ts'),
  warehouse: 'python-project-stats.pipeline.ts',
} as const;
type Template = keyof typeof firstFiles;

export class ProjectCommands {
  readonly #parts: ProjectCommandParts;
  #runStatuses: readonly string[] = [];

  constructor(parts: ProjectCommandParts) {
    this.#parts = parts;
  }

  get handlers(): Readonly<Record<string, (argument: unknown) => Promise<unknown>>> {
    return {
      'millrace.refresh': () => this.#refresh(),
      'millrace.refreshRuns': () => this.#refreshRuns(),
      'millrace.filter': () => this.#filter(),
      'millrace.changeFilter': () => this.#filter(),
      'millrace.filterRuns': () => this.#filterRuns(),
      'millrace.changeRunsFilter': () => this.#filterRuns(),
      'millrace.find': () => this.#find(),
      'millrace.retryStore': () => this.retryStore(),
      'millrace.setStorePassword': argument => this.#setStorePassword(argument),
      'millrace.createSampleProject': argument => this.#createSampleProject(argument),
      'millrace.showConfiguration': argument => this.#showConfiguration(argument),
      'millrace.showLog': () => this.#showLog(),
      'millrace.openDocumentation': argument => this.#openDocumentation(argument),
    };
  }

  async retryStore(): Promise<void> {
    for (const project of this.#parts.projects.all) {
      try {
        await project.retryStore();
      } catch (error) {
        this.#parts.log.warn(messageOf(error));
      }
    }
  }

  /** Analyses and, in a trusted folder, loads anew. */
  async #refresh(): Promise<void> {
    const { projects, language } = this.#parts;
    const isFailed = projects.states.some(({ analysis }) => analysis.kind === 'failed');
    if (isFailed) await language.restart();
    for (const project of projects.all) {
      project.loadGraph();
      project.refreshRuns();
    }
  }

  async #refreshRuns(): Promise<void> {
    for (const project of this.#parts.projects.all) project.refreshRuns();
    await Promise.resolve();
  }

  async #filter(): Promise<void> {
    const { pipelinesView } = this.#parts;
    const items = filterStates.map(state => ({
      label: filterWord(state),
      state,
      picked: pipelinesView.filter.has(state),
    }));
    const chosen = await vscode.window.showQuickPick(items, {
      canPickMany: true,
      placeHolder: t('Show only nodes that are … (none: all)'),
    });
    if (chosen === undefined) return;
    const all = chosen.length === filterStates.length;
    pipelinesView.filter = new Set(all ? [] : chosen.map(({ state }) => state));
    await vscode.commands.executeCommand('setContext', 'millrace.filtered', pipelinesView.filter.size > 0);
  }

  async #filterRuns(): Promise<void> {
    const statuses = ['running', 'succeeded', 'failed', 'cancelled', 'lost'] as const;
    const items = statuses.map(status => ({
      label: statusWord(status),
      status,
      picked: this.#runStatuses.includes(status),
    }));
    const chosen = await vscode.window.showQuickPick(items, {
      canPickMany: true,
      placeHolder: t('Show only runs that are … (none: all)'),
    });
    if (chosen === undefined) return;
    const wanted = chosen.length === statuses.length ? [] : chosen.map(({ status }) => status);
    this.#runStatuses = wanted;
    this.#parts.runsView.setQuery(wanted.length === 0 ? {} : { statuses: wanted });
    await vscode.commands.executeCommand('setContext', 'millrace.runsFiltered', wanted.length > 0);
  }

  async #find(): Promise<void> {
    await vscode.commands.executeCommand('millrace.pipelines.focus');
    await vscode.commands.executeCommand('list.find');
  }

  async #setStorePassword(argument: unknown): Promise<void> {
    const { targets, context } = this.#parts;
    const project = await targets.project(argument);
    if (project === undefined) return;
    const url = storeUrl(vscode.Uri.parse(project.state.folder));
    if (url === undefined) {
      const open = t('Open Settings');
      const chosen = await vscode.window.showInformationMessage(
        t('The password belongs to the address in the setting millrace.store.url, which is empty.'),
        open,
      );
      if (chosen === open)
        await vscode.commands.executeCommand('workbench.action.openSettings', 'millrace.store.url');
      return;
    }
    const password = await vscode.window.showInputBox({
      title: t('Password for {0}', url),
      prompt: t('Kept in the secret storage of the editor. Empty: forget it.'),
      password: true,
      ignoreFocusOut: true,
    });
    if (password === undefined) return;
    // Everybody who uses the address hears of another password, and of no other one.
    if (((await storePassword(context.secrets, url)) ?? '') === password) await project.retryStore();
    else await keepStorePassword(context.secrets, url, password);
  }

  /**
   * Makes a project with the template of `millrace init`.
   *
   * @returns whether it is there; what went wrong the user knows.
   */
  async makeSample(target: vscode.Uri, template: Template = 'hello'): Promise<boolean> {
    const { processes, log } = this.#parts;
    const directory = existsSync(target.fsPath) ? target.fsPath : join(target.fsPath, '..');
    const env = processEnvironment(process.env);
    try {
      const commandLine = { runtime: processes.runtime(target), env, directory };
      const { code, stderr } = await runCommand(
        commandLine,
        ['init', target.fsPath, '--template', template],
        log,
      );
      if (code === 0) return true;
      await showError(stderr.replace(/^millrace: /gm, '').trimEnd(), log);
    } catch (error) {
      await showError(messageOf(error), log);
    }
    return false;
  }

  async #createSampleProject(argument: unknown): Promise<void> {
    const template = argument instanceof vscode.Uri ? 'hello' : await pickTemplate();
    if (template === undefined) return;
    const target = argument instanceof vscode.Uri ? argument : await pickSampleFolder();
    if (target === undefined || !(await this.makeSample(target, template))) return;
    const isOpen =
      vscode.workspace.workspaceFolders?.some(({ uri }) => uri.fsPath === target.fsPath) ?? false;
    if (isOpen)
      await vscode.window.showTextDocument(vscode.Uri.file(join(target.fsPath, firstFiles[template])));
    else await vscode.commands.executeCommand('vscode.openFolder', target, { forceNewWindow: false });
  }

  async #showConfiguration(argument: unknown): Promise<void> {
    const project = await this.#parts.targets.project(argument);
    if (project !== undefined) await this.#parts.configurations.show(project);
  }

  async #showLog(): Promise<void> {
    this.#parts.log.show();
    await Promise.resolve();
  }

  async #openDocumentation(argument: unknown): Promise<void> {
    const name = typeof argument === 'string' && /^[a-z-]+$/.test(argument) ? argument : 'editor';
    const file = vscode.Uri.joinPath(this.#parts.context.extensionUri, 'docs', `${name}.md`);
    await vscode.commands.executeCommand('markdown.showPreview', file);
  }
}

async function pickTemplate(): Promise<Template | undefined> {
  const items: readonly (vscode.QuickPickItem & { readonly template: Template })[] = [
    {
      label: t('A first pipeline'),
      detail: t('Shell, SQL and TypeScript in three tasks; runs in a second'),
      template: 'hello',
    },
    {
      label: t('A data warehouse'),
      detail: t('Statistics of Python projects on GitHub and PyPI, with a tutorial'),
      template: 'warehouse',
    },
  ];
  return (await vscode.window.showQuickPick(items, { placeHolder: t('What is the sample to be?') }))
    ?.template;
}

/** The open folder when nothing is in it, else a new one beside what the user has. */
async function pickSampleFolder(): Promise<vscode.Uri | undefined> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  if (folder?.uri.scheme === 'file') {
    const entries = await vscode.workspace.fs.readDirectory(folder.uri);
    if (entries.every(([name]) => name.startsWith('.'))) return folder.uri;
    const here = t('In this folder ({0})', basename(folder.uri.fsPath));
    const elsewhere = t('In another folder…');
    const chosen = await vscode.window.showQuickPick([here, elsewhere], {
      placeHolder: t('Where is the sample to be made? Files that are there stay as they are.'),
    });
    if (chosen === undefined) return undefined;
    if (chosen === here) return folder.uri;
  }
  const picked = await vscode.window.showOpenDialog({
    canSelectFolders: true,
    canSelectFiles: false,
    openLabel: t('Make the Sample Here'),
    title: t('An empty folder for the sample project'),
  });
  return picked?.[0];
}

function filterWord(state: FilterState): string {
  switch (state) {
    case 'failed':
    case 'running':
    case 'succeeded':
      return statusWord(state);
    case 'skipped':
      return t('skipped, cancelled or lost');
    case 'never':
      return t('never run');
  }
}
