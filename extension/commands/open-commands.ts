/** Commands that show something. */
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { formatPath, type NodePath, type SourceLocation } from '../../runner/model.ts';
import type { OutputQuery, RunRecord } from '../../runner/records.ts';
import { t } from '../l10n.ts';
import type { OutputDocuments } from '../output-documents/output-documents.ts';
import type { Panels } from '../panels/panels.ts';
import { findNode } from '../project/pipeline-index.ts';
import type { Project } from '../project/project.ts';
import { nodeStatus } from '../project/project-state.ts';
import { findRun } from './run-commands.ts';
import { plainMessage } from '../wording.ts';
import { isRecord, type Targets } from './targets.ts';

export interface OpenCommandParts {
  readonly panels: Panels;
  readonly documents: OutputDocuments;
  readonly targets: Targets;
}

export class OpenCommands {
  readonly #panels: Panels;
  readonly #documents: OutputDocuments;
  readonly #targets: Targets;

  constructor({ panels, documents, targets }: OpenCommandParts) {
    this.#panels = panels;
    this.#documents = documents;
    this.#targets = targets;
  }

  get handlers(): Readonly<Record<string, (argument: unknown) => Promise<unknown>>> {
    return {
      'millrace.openNode': argument => this.#openNode(argument),
      'millrace.openSource': argument => this.#openSource(argument),
      'millrace.openRun': argument => this.#openRun(argument),
      'millrace.openHistory': argument => this.#openHistory(argument),
      'millrace.showOutput': argument => this.#showOutput(argument),
      'millrace.copyPath': argument => this.#copyPath(argument),
      'millrace.copyRunError': argument => this.#copyRunError(argument),
    };
  }

  openPage(project: Project, path: NodePath, aside = false): void {
    const column = aside ? vscode.ViewColumn.Beside : undefined;
    this.#panels.show({ page: 'node', folder: project.state.folder, path }, column);
  }

  openRunPage(project: Project, runId: number, path?: NodePath): void {
    const { folder } = project.state;
    this.#panels.show({ page: 'run', folder, runId, ...(path === undefined ? {} : { path }) });
  }

  openHistoryPage(project: Project, path?: NodePath): void {
    const { folder } = project.state;
    this.#panels.show({ page: 'history', folder, ...(path === undefined ? {} : { path }) });
  }

  async openOutput(project: Project, query: OutputQuery): Promise<void> {
    await this.#documents.show({ folder: project.state.folder, query });
  }

  /** The place in the source that makes a node. */
  async openSourceOf(project: Project, path: NodePath): Promise<void> {
    const location = findNode(project.state.pipelines, path)?.node.location;
    if (location === undefined) {
      await vscode.window.showInformationMessage(
        t('Where {0} is made is not known before the pipelines are loaded.', formatPath(path)),
      );
      return;
    }
    await openLocation(location);
  }

  /** A file that a page names, absolute or relative to the project. */
  async openFile(project: Project, file: string, line?: number, column?: number): Promise<void> {
    const absolute = isAbsolute(file) ? file : join(project.state.directory, file);
    try {
      await openLocation({
        file: absolute,
        line: line ?? 1,
        ...(column === undefined ? {} : { column }),
      });
    } catch {
      await vscode.window.showWarningMessage(
        t('{0} cannot be opened: it is not there any more.', plainMessage(file)),
      );
    }
  }

  async #openNode(argument: unknown): Promise<void> {
    const target = await this.#targets.node(argument, t('Open DAG and details of'));
    if (target !== undefined) this.openPage(target.project, target.path);
  }

  async #openSource(argument: unknown): Promise<void> {
    // Where the cursor is, the source is.
    const [given] = this.#targets.nodes(argument, undefined);
    const target = given ?? (await this.#targets.pickNode(t('Go to the source of')));
    if (target !== undefined) await this.openSourceOf(target.project, target.path);
  }

  async #openRun(argument: unknown): Promise<void> {
    const target = await this.#targets.run(argument, t('Open a run'));
    if (target === undefined) return;
    const run = await findRun(target.project, target.runId).catch(() => undefined);
    this.openRunPage(target.project, target.runId, run?.failure?.nodePath);
  }

  async #openHistory(argument: unknown): Promise<void> {
    const [node] = this.#targets.nodes(argument, undefined);
    if (node !== undefined) {
      this.openHistoryPage(node.project, node.path);
      return;
    }
    const project = await this.#targets.project(argument);
    if (project !== undefined) this.openHistoryPage(project);
  }

  async #showOutput(argument: unknown): Promise<void> {
    if (isRecord(argument) && typeof argument['runId'] === 'number') {
      const run = await this.#targets.run(argument, '');
      if (run !== undefined) await this.openOutput(run.project, { runId: run.runId });
      return;
    }
    const [node] = this.#targets.nodes(argument, undefined);
    if (node !== undefined) {
      const status = nodeStatus(node.project.state, node.path);
      if (status.kind === 'running' || status.kind === 'ended') {
        await this.openOutput(node.project, { runId: status.runId, path: node.path });
        return;
      }
    }
    const target = await this.#targets.run(undefined, t('Show the output of'));
    if (target !== undefined) await this.openOutput(target.project, { runId: target.runId });
  }

  async #copyPath(argument: unknown): Promise<void> {
    const target = await this.#targets.node(argument, t('Copy the path of'));
    if (target !== undefined) await vscode.env.clipboard.writeText(formatPath(target.path));
  }

  async #copyRunError(argument: unknown): Promise<void> {
    const hasError = ({ failure }: RunRecord): boolean => failure !== null;
    const target = await this.#targets.run(argument, t('Copy the error of'), hasError);
    const run = target === undefined ? undefined : await findRun(target.project, target.runId);
    if (run?.failure != null)
      await vscode.env.clipboard.writeText(`${formatPath(run.failure.nodePath)}: ${run.failure.error}`);
  }
}

async function openLocation({ file, line, column }: SourceLocation): Promise<void> {
  const position = new vscode.Position(line - 1, (column ?? 1) - 1);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(position, position) });
}
