/** `Millrace: Show Effective Configuration`. */
import * as vscode from 'vscode';
import { type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import { allowed } from '../runner/run-launcher.ts';
import { changedSettings, nodePath } from '../settings.ts';
import { configurationText } from './configuration-text.ts';

export async function showConfiguration(project: Project, log: Log): Promise<void> {
  // The configuration is code.
  if (!(await allowed())) return;
  try {
    const records = await project.request('configuration', {});
    const { name, directory, store } = project.state;
    const folder = vscode.Uri.parse(project.state.folder);
    const content = configurationText({
      name,
      directory,
      records,
      settings: changedSettings(folder),
      store:
        store.kind === 'ready'
          ? store.description
          : store.kind === 'unreachable'
            ? store.message
            : store.kind,
      runtime: nodePath(folder) ?? t('the editor’s own Node.js {0}', process.versions.node),
    });
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    await vscode.window.showTextDocument(document);
  } catch (error) {
    log.error(messageOf(error));
    await vscode.window.showErrorMessage(t('The configuration cannot be read: {0}', messageOf(error)));
  }
}
