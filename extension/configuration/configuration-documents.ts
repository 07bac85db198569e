/** `Millrace: Show Effective Configuration`: a read-only document that is made anew whenever it is opened. */
import * as vscode from 'vscode';
import { type Disposes, type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import type { ProjectState } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { allowed } from '../runner/run-launcher.ts';
import { changedSettings, nodePath } from '../settings.ts';
import { configurationText } from './configuration-text.ts';

const scheme = 'millrace-configuration';

export class ConfigurationDocuments implements vscode.TextDocumentContentProvider, Disposes {
  readonly #projects: Projects;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration: vscode.Disposable;

  constructor(projects: Projects, log: Log) {
    this.#projects = projects;
    this.#log = log;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  }

  async show({ state }: Project): Promise<void> {
    // The configuration is code.
    if (!(await allowed())) return;
    const { name, folder } = state;
    const uri = vscode.Uri.from({ scheme, path: `/${t('Configuration of {0}', name)}.md`, query: folder });
    // One that is open already may be out of date.
    this.#changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const project = this.#projects.find(uri.query);
    if (project === undefined) return t('The folder of this page is not open.');
    if (!vscode.workspace.isTrusted) return t('The configuration is code, and this folder is not trusted.');
    try {
      const records = await project.request('configuration', {});
      const folder = vscode.Uri.parse(project.state.folder);
      return configurationText({
        name: project.state.name,
        directory: project.state.directory,
        records,
        settings: changedSettings(folder),
        store: describeStore(project.state),
        runtime: nodePath(folder) ?? t('the editor’s own Node.js {0}', process.versions.node),
      });
    } catch (error) {
      this.#log.error(messageOf(error));
      return t('The configuration cannot be read: {0}', messageOf(error));
    }
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}

function describeStore({ store }: ProjectState): string {
  switch (store.kind) {
    case 'ready':
      return store.description;
    case 'unreachable':
      return store.message;
    case 'closed':
    case 'connecting':
      return t('not open yet');
  }
}
