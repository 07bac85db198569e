/** What a page asks the extension to do. */
import * as vscode from 'vscode';
import type { PageAction } from '../../webview/messages.ts';
import type { OpenCommands } from '../commands/open-commands.ts';
import type { ProjectCommands } from '../commands/project-commands.ts';
import type { RunCommands } from '../commands/run-commands.ts';
import { type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import type { Projects } from '../project/projects.ts';
import type { Project } from '../project/project.ts';
import { plainMessage } from '../wording.ts';

export interface PageActionParts {
  readonly projects: Projects;
  readonly run: RunCommands;
  readonly open: OpenCommands;
  readonly project: ProjectCommands;
  readonly log: Log;
}

export class PageActions {
  readonly #parts: PageActionParts;

  constructor(parts: PageActionParts) {
    this.#parts = parts;
  }

  /** Does it; what goes wrong is told to the user. */
  async act(folder: string, action: PageAction): Promise<void> {
    try {
      const project = this.#parts.projects.find(folder);
      if (project === undefined) await withoutProject(action);
      else await this.#act(project, action);
    } catch (error) {
      this.#parts.log.error(`${action.kind}: ${messageOf(error)}`);
      await vscode.window.showErrorMessage(plainMessage(messageOf(error)));
    }
  }

  async #act(project: Project, action: PageAction): Promise<void> {
    const { run, open } = this.#parts;
    switch (action.kind) {
      case 'openNode':
        open.openPage(project, action.path, action.aside);
        return;
      case 'openSource':
        await open.openSourceOf(project, action.path);
        return;
      case 'openFile':
        await open.openFile(project, action.file, action.line, action.column);
        return;
      case 'openRun':
        open.openRunPage(project, action.runId, action.path);
        return;
      case 'openHistory':
        open.openHistoryPage(project, action.path);
        return;
      case 'run':
        await run.runNodes(project, action.paths, action.withUpstreams);
        return;
      case 'debug':
        await run.debugPath(project, action.path);
        return;
      case 'cancel':
        await run.cancel(project, action.runId);
        return;
      case 'rerun':
        await run.rerunById(project, action.runId, false);
        return;
      case 'rerunFailed':
        await run.rerunById(project, action.runId, true);
        return;
      case 'openOutput': {
        const { runId, path, nodeRunId } = action;
        await open.openOutput(project, {
          runId,
          ...(path === undefined ? {} : { path }),
          ...(nodeRunId === undefined ? {} : { nodeRunId }),
        });
        return;
      }
      case 'retryStore':
        await this.#parts.project.retryStore();
        return;
      default:
        await withoutProject(action);
    }
  }
}

/** What needs no project. */
async function withoutProject(action: PageAction): Promise<void> {
  switch (action.kind) {
    case 'openLink':
      await openLink(action.url);
      return;
    case 'showPipelines':
      await vscode.commands.executeCommand('millrace.pipelines.focus');
      return;
    case 'copy':
      await vscode.env.clipboard.writeText(action.text);
      return;
    case 'save':
      await save(action.name, action.text);
      return;
    case 'openText': {
      const document = await vscode.workspace.openTextDocument({
        language: action.language,
        content: action.text,
      });
      await vscode.window.showTextDocument(document);
      return;
    }
    case 'storeSettings':
      await vscode.commands.executeCommand('workbench.action.openSettings', 'millrace.store.url');
      return;
    case 'showLog':
      await vscode.commands.executeCommand('millrace.showLog');
      return;
    case 'manageTrust':
      await vscode.commands.executeCommand('workbench.trust.manage');
      return;
    default:
      await vscode.window.showInformationMessage(t('The folder of this page is not open.'));
  }
}

/** Only addresses of the web: output may name any other as well. */
async function openLink(url: string): Promise<void> {
  const { protocol } = URL.parse(url) ?? {};
  if (protocol === 'http:' || protocol === 'https:')
    await vscode.env.openExternal(vscode.Uri.parse(url, true));
}

async function save(name: string, text: string): Promise<void> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  // A name, not a path: it comes from a page.
  const plain = name.replace(/[/\\]/g, '_');
  const uri = await vscode.window.showSaveDialog(
    folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder.uri, plain) },
  );
  if (uri !== undefined) await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
}
