/** The view Runs: a thin skin over runs-view/run-row.ts. */
import * as vscode from 'vscode';
import type { RunRecord, RunQuery } from '../../runner/records.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import type { ProjectState } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { storeProblem, welcomeStore } from '../welcome/welcome-state.ts';
import { type DayOfRuns, groupByDay, runRow } from './run-row.ts';

export type RunsElement =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'day'; readonly folder: string; readonly day: string }
  | { readonly kind: 'run'; readonly folder: string; readonly runId: number };

export class RunsView implements vscode.TreeDataProvider<RunsElement>, Disposes {
  readonly #projects: Projects;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<RunsElement>;
  readonly #elements = new Map<string, RunsElement>();
  #drawn = '';

  constructor(projects: Projects) {
    this.#projects = projects;
    this.#view = vscode.window.createTreeView('millrace.runs', {
      treeDataProvider: this,
      showCollapseAll: false,
    });
    projects.onChange(() => {
      this.#update();
    });
  }

  /** Shows other runs, in all folders. */
  setQuery(query: RunQuery): void {
    for (const project of this.#projects.all) project.setRunsQuery(query);
    this.#update();
  }

  getTreeItem(element: RunsElement): vscode.TreeItem {
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return new vscode.TreeItem('');
    switch (element.kind) {
      case 'folder': {
        const item = new vscode.TreeItem(state.name, vscode.TreeItemCollapsibleState.Expanded);
        item.id = keyOf(element);
        item.iconPath = vscode.ThemeIcon.Folder;
        return item;
      }
      case 'day': {
        const title = daysOf(state).find(({ day }) => day === element.day)?.title ?? element.day;
        const item = new vscode.TreeItem(title, vscode.TreeItemCollapsibleState.Expanded);
        item.id = keyOf(element);
        item.contextValue = 'day';
        return item;
      }
      case 'run':
        return runItem(state, element);
    }
  }

  getChildren(element?: RunsElement): RunsElement[] {
    if (element === undefined) this.#drawn = this.describe();
    return this.#children(element);
  }

  /** The whole view as text, for tests. */
  describe(): string {
    const now = Date.now();
    const lines: string[] = [];
    for (const state of this.#projects.states) {
      if (this.#projects.all.length > 1) lines.push(`[${state.name}]`);
      for (const { title, runs } of daysOf(state)) {
        lines.push(title);
        for (const run of runs) {
          const { icon, label, description, context } = runRow(run, state.live.get(run.runId), now);
          lines.push(`  ${icon.codicon} ${label} [${description}] ${context}`);
        }
      }
    }
    return lines.join('\n');
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }

  #children(element: RunsElement | undefined): RunsElement[] {
    if (element === undefined) {
      const { states } = this.#projects;
      if (states.length > 1)
        return states
          .filter(state => (state.runs?.runs.length ?? 0) > 0)
          .map(({ folder }) => this.#element({ kind: 'folder', folder }));
      return states.flatMap(state => this.#days(state));
    }
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return [];
    switch (element.kind) {
      case 'folder':
        return this.#days(state);
      case 'day':
        return (daysOf(state).find(({ day }) => day === element.day)?.runs ?? []).map(({ runId }) =>
          this.#element({ kind: 'run', folder: state.folder, runId }),
        );
      case 'run':
        return [];
    }
  }

  #days(state: ProjectState): RunsElement[] {
    return daysOf(state).map(({ day }) => this.#element({ kind: 'day', folder: state.folder, day }));
  }

  #update(): void {
    if (this.describe() !== this.#drawn) {
      this.#drawn = this.describe();
      this.#changed.fire(undefined);
    }
    const { states } = this.#projects;
    const problem = storeProblem(states);
    const isStale = problem !== undefined && states.some(({ runs }) => (runs?.runs.length ?? 0) > 0);
    const message = isStale
      ? t('The store does not answer: {0}. This is what was known before.', problem)
      : '';
    if ((this.#view.message ?? '') !== message) this.#view.message = message;
    const description =
      problem !== undefined && !isStale
        ? problem
        : welcomeStore(states) === 'connecting'
          ? t('opening the store…')
          : filterDescription(states);
    if ((this.#view.description ?? '') !== description) this.#view.description = description;
  }

  #element(element: RunsElement): RunsElement {
    const key = keyOf(element);
    const known = this.#elements.get(key);
    if (known !== undefined) return known;
    this.#elements.set(key, element);
    return element;
  }
}

function filterDescription(states: readonly ProjectState[]): string {
  const statuses = states[0]?.runsQuery.statuses ?? [];
  return statuses.length === 0 ? '' : statuses.join(', ');
}

/** As last read, with what is known of live runs since. */
function daysOf(state: ProjectState): DayOfRuns[] {
  const runs = (state.runs?.runs ?? []).map(run => state.live.get(run.runId)?.run ?? run);
  return groupByDay(runs, Date.now(), vscode.env.language);
}

function runItem(state: ProjectState, element: Extract<RunsElement, { kind: 'run' }>): vscode.TreeItem {
  const run: RunRecord | undefined =
    state.live.get(element.runId)?.run ?? state.runs?.runs.find(({ runId }) => runId === element.runId);
  if (run === undefined) return new vscode.TreeItem('');
  const row = runRow(run, state.live.get(run.runId), Date.now());
  const item = new vscode.TreeItem(row.label, vscode.TreeItemCollapsibleState.None);
  item.id = keyOf(element);
  item.description = row.description;
  item.iconPath = new vscode.ThemeIcon(
    row.icon.codicon,
    row.icon.colour === undefined ? undefined : new vscode.ThemeColor(row.icon.colour),
  );
  item.tooltip = new vscode.MarkdownString(row.tooltip);
  item.contextValue = row.context;
  item.accessibilityInformation = { label: row.accessibilityLabel, role: 'treeitem' };
  item.command = { command: 'millrace.openRun', title: t('Open Run'), arguments: [element] };
  return item;
}

function keyOf(element: RunsElement): string {
  const rest = element.kind === 'day' ? element.day : element.kind === 'run' ? String(element.runId) : '';
  return `${element.kind} ${element.folder} ${rest}`;
}
