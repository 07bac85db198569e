/** What a command is about: what it is given by a tree, a lens or a page, else what the cursor is in, else what is picked. */
import * as vscode from 'vscode';
import { formatPath, isAtOrBelow, type NodePath } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import { formatDuration } from '../../runner/format.ts';
import { outcomeIcon, statusIcon } from '../icons.ts';
import type { Language } from '../language-client.ts';
import { t } from '../l10n.ts';
import { allNodes, findNode } from '../project/pipeline-index.ts';
import type { Project } from '../project/project.ts';
import { nodeStatus } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { Slices } from '../turns.ts';
import { describeStatus, durationOfRun, formatAge, nameOfRun, shortError, statusWord } from '../wording.ts';

/** Stands for a row whose button was pressed and that the editor has no name for any more: only the user knows it. */
export const lostRow: unique symbol = Symbol('lost row');

/** What kind of node a command is about. */
export type Wanted = 'any' | 'task';

export interface NodeTarget {
  readonly project: Project;
  readonly path: NodePath;
}

export interface RunTarget {
  readonly project: Project;
  readonly runId: number;
}

export class Targets {
  readonly #projects: Projects;
  readonly #language: Language;

  constructor(projects: Projects, language: Language) {
    this.#projects = projects;
    this.#language = language;
  }

  /** Nodes by the arguments of a command: an element, and all that are selected with it. */
  nodes(argument: unknown, selected: unknown): NodeTarget[] {
    const elements: readonly unknown[] =
      Array.isArray(selected) && selected.length > 0 ? selected : [argument];
    return elements.flatMap(element => this.#node(element) ?? []);
  }

  /**
   * One node: by the argument, else by the cursor of a pipeline file, else picked. Where a task is wanted and a pipeline
   * is meant, one of its tasks is picked.
   */
  async node(argument: unknown, title: string, wanted: Wanted = 'any'): Promise<NodeTarget | undefined> {
    const given = this.#node(argument) ?? (argument === lostRow ? undefined : await this.#atCursor());
    const kind = given && findNode(given.project.state.pipelines, given.path)?.node.kind;
    const isMeant = wanted === 'any' || kind !== 'pipeline';
    return given !== undefined && isMeant ? given : await this.pickNode(title, wanted, given);
  }

  /** @param within The node at or below which the picked one is to be. */
  async pickNode(
    title: string,
    wanted: Wanted = 'any',
    within?: NodeTarget,
  ): Promise<NodeTarget | undefined> {
    const now = Date.now();
    const projects = within === undefined ? this.#projects.all : [within.project];
    const items: (vscode.QuickPickItem & { readonly target: NodeTarget })[] = [];
    const slices = new Slices();
    for (const project of projects)
      for (const { node, path } of allNodes(project.state.pipelines)) {
        if (slices.isOver) await slices.next();
        const isWanted = node.kind !== 'dynamic' && (wanted === 'any' || node.kind !== 'pipeline');
        if (!isWanted || (within !== undefined && !isAtOrBelow(path, within.path))) continue;
        const status = nodeStatus(project.state, path);
        items.push({
          label: `$(${statusIcon(status, node.kind).codicon}) ${formatPath(path)}`,
          description: describeStatus(status, now),
          detail: this.#projects.all.length > 1 ? project.state.name : '',
          target: { project, path },
        });
      }
    if (items.length === 0) {
      await vscode.window.showInformationMessage(t('There are no pipelines in this window.'));
      return undefined;
    }
    const picked = await vscode.window.showQuickPick(items, {
      title,
      placeHolder: wanted === 'any' ? t('A pipeline or a task') : t('A task'),
    });
    return picked?.target;
  }

  /** The project of a command without a better argument: the one of the active file, the only one, or picked. */
  async project(argument: unknown): Promise<Project | undefined> {
    const given =
      isRecord(argument) && typeof argument['folder'] === 'string' ? argument['folder'] : undefined;
    if (given !== undefined) return this.#projects.find(given);
    const active = vscode.window.activeTextEditor?.document.uri;
    const ofFile = active === undefined ? undefined : this.#projects.ofFile(active);
    if (ofFile !== undefined) return ofFile;
    const onDisk = this.#projects.all.filter(({ state }) => state.analysis.kind !== 'virtual');
    const [only, ...others] = onDisk;
    if (only === undefined) {
      const isVirtual = this.#projects.all.length > 0;
      await vscode.window.showInformationMessage(
        isVirtual
          ? t(
              'This folder is not on a disk that programs can read. Open a copy of it to work with its pipelines.',
            )
          : t('No folder is open.'),
      );
      return undefined;
    }
    if (others.length === 0) return only;
    const items = onDisk.map(project => ({ label: project.state.name, project }));
    return (await vscode.window.showQuickPick(items, { placeHolder: t('Which folder?') }))?.project;
  }

  /** A run by the argument, or picked among the newest that fit. */
  async run(
    argument: unknown,
    title: string,
    fits: (run: RunRecord) => boolean = () => true,
  ): Promise<RunTarget | undefined> {
    const given = this.#run(argument);
    if (given !== undefined) return given;
    const now = Date.now();
    const items = this.#projects.all.flatMap(project =>
      (project.state.runs?.runs ?? [])
        .map(run => project.state.live.get(run.runId)?.run ?? run)
        .filter(fits)
        .map(run => ({
          label: `$(${outcomeIcon(run.status).codicon}) ${String(run.runId)} ${nameOfRun(run)}`,
          description: `${statusWord(run.status)}, ${formatAge(run.startedAt, now)}, ${formatDuration(durationOfRun(run, now))}`,
          detail: run.failure === null ? '' : shortError(run.failure.error),
          target: { project, runId: run.runId },
        })),
    );
    if (items.length === 0) {
      await vscode.window.showInformationMessage(t('There is no such run.'));
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { title }))?.target;
  }

  #node(value: unknown): NodeTarget | undefined {
    if (!isRecord(value) || typeof value['folder'] !== 'string' || !isPath(value['path'])) return undefined;
    const project = this.#projects.find(value['folder']);
    return project === undefined ? undefined : { project, path: value['path'] };
  }

  #run(value: unknown): RunTarget | undefined {
    if (!isRecord(value) || typeof value['folder'] !== 'string' || typeof value['runId'] !== 'number')
      return undefined;
    const project = this.#projects.find(value['folder']);
    return project === undefined ? undefined : { project, runId: value['runId'] };
  }

  async #atCursor(): Promise<NodeTarget | undefined> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) return undefined;
    const project = this.#projects.ofFile(editor.document.uri);
    if (project === undefined || project.state.pipelines.roots.length === 0) return undefined;
    if (!['typescript', 'javascript'].includes(editor.document.languageId)) return undefined;
    const paths = await this.#language.nodesAt(editor.document.uri, editor.selection.active);
    const [path, ...others] = paths;
    if (path === undefined || others.length === 0) return path === undefined ? undefined : { project, path };
    const items = paths.map(each => ({ label: formatPath(each), path: each }));
    const picked = await vscode.window.showQuickPick(items, {
      placeHolder: t('This line makes {0} nodes', paths.length),
    });
    return picked === undefined ? undefined : { project, path: picked.path };
  }
}

function isPath(value: unknown): value is NodePath {
  return Array.isArray(value) && value.every(id => typeof id === 'string');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
