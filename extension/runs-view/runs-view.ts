/** The view Runs: a thin skin over runs-view/run-row.ts. */
import * as vscode from 'vscode';
import type { RunQuery } from '../../runner/records.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import type { ProjectState } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import type { Row } from '../tree/node-row.ts';
import { Redraws } from '../tree/redraws.ts';
import { type Drawn, type Extent, ShownElements } from '../tree/shown-elements.ts';
import { storeProblem, welcomeStore } from '../welcome/welcome-state.ts';
import { type DayOfRuns, groupByDay, runRow } from './run-row.ts';

export type RunsElement =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'day'; readonly folder: string; readonly day: string }
  | { readonly kind: 'run'; readonly folder: string; readonly runId: number };

export class RunsView implements vscode.TreeDataProvider<RunsElement>, Disposes {
  readonly #projects: Projects;
  readonly #changed = new vscode.EventEmitter<RunsElement[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<RunsElement>;
  readonly #shown = new ShownElements<RunsElement>({
    keyOf,
    drawnOf: element => this.#drawn(element),
    childrenOf: element => this.#children(element),
  });
  readonly #redraws = new Redraws(extent => this.#update(extent));

  constructor(projects: Projects) {
    this.#projects = projects;
    this.#view = vscode.window.createTreeView('millrace.runs', {
      treeDataProvider: this,
      showCollapseAll: false,
    });
    projects.onChange(() => {
      this.#redraws.wish();
    });
  }

  /** Shows other runs, in all folders. */
  setQuery(query: RunQuery): void {
    for (const project of this.#projects.all) project.setRunsQuery(query);
    void this.#update();
  }

  getTreeItem(element: RunsElement): vscode.TreeItem {
    this.#shown.drawn(element);
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
        return runItem(element, rowOf(state, element.runId));
    }
  }

  /** The tooltip, when somebody points at a row: ages in it are of that moment. */
  resolveTreeItem(item: vscode.TreeItem, element: RunsElement): vscode.TreeItem {
    const state = this.#projects.find(element.folder)?.state;
    const row = state === undefined || element.kind !== 'run' ? undefined : rowOf(state, element.runId);
    if (row !== undefined) item.tooltip = new vscode.MarkdownString(row.tooltip);
    return item;
  }

  getChildren(element?: RunsElement): RunsElement[] {
    const children = this.#children(element);
    this.#shown.opened(element, children);
    return children;
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
    this.#redraws.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }

  #children(element: RunsElement | undefined): RunsElement[] {
    if (element === undefined) {
      const { states } = this.#projects;
      if (states.length > 1)
        return states
          .filter(state => (state.runs?.runs.length ?? 0) > 0)
          .map(({ folder }) => this.#shown.same({ kind: 'folder', folder }));
      return states.flatMap(state => this.#days(state));
    }
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return [];
    switch (element.kind) {
      case 'folder':
        return this.#days(state);
      case 'day':
        return (daysOf(state).find(({ day }) => day === element.day)?.runs ?? []).map(({ runId }) =>
          this.#shown.same({ kind: 'run', folder: state.folder, runId }),
        );
      case 'run':
        return [];
    }
  }

  #days(state: ProjectState): RunsElement[] {
    return daysOf(state).map(({ day }) => this.#shown.same({ kind: 'day', folder: state.folder, day }));
  }

  async #update(extent: Extent = 'everything'): Promise<void> {
    const changes = await this.#shown.changes(extent);
    if (this.#redraws.hasEnded()) return;
    if (changes === undefined) this.#changed.fire(undefined);
    else if (changes.length > 0) this.#changed.fire([...changes]);
    const { states } = this.#projects;
    const problem = storeProblem(states);
    const isStale = problem !== undefined && states.some(({ runs }) => (runs?.runs.length ?? 0) > 0);
    const message = !isStale
      ? ''
      : welcomeStore(states) === 'refused'
        ? t('The store wants another password: {0}. This is what was known before.', problem)
        : t('The store does not answer: {0}. This is what was known before.', problem);
    if ((this.#view.message ?? '') !== message) this.#view.message = message;
    const description =
      problem !== undefined && !isStale
        ? problem
        : welcomeStore(states) === 'connecting'
          ? t('opening the store…')
          : filterDescription(states);
    if ((this.#view.description ?? '') !== description) this.#view.description = description;
  }

  /** What is drawn of an element; `undefined` when there is none any more. */
  #drawn(element: RunsElement): Drawn | undefined {
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return undefined;
    switch (element.kind) {
      case 'folder':
        return { state: state.name, figures: '' };
      case 'day': {
        const title = daysOf(state).find(({ day }) => day === element.day)?.title;
        return title === undefined ? undefined : { state: title, figures: '' };
      }
      case 'run': {
        const row = rowOf(state, element.runId);
        if (row === undefined) return undefined;
        const { icon, label, description, context } = row;
        return { state: JSON.stringify([icon, label, context]), figures: description };
      }
    }
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

function rowOf(state: ProjectState, runId: number): Row | undefined {
  const live = state.live.get(runId);
  const run = live?.run ?? state.runs?.runs.find(each => each.runId === runId);
  return run === undefined ? undefined : runRow(run, live, Date.now());
}

function runItem(
  element: Extract<RunsElement, { readonly kind: 'run' }>,
  row: Row | undefined,
): vscode.TreeItem {
  if (row === undefined) return new vscode.TreeItem('');
  const item = new vscode.TreeItem(row.label, vscode.TreeItemCollapsibleState.None);
  item.id = keyOf(element);
  item.description = row.description;
  item.iconPath = new vscode.ThemeIcon(
    row.icon.codicon,
    row.icon.colour === undefined ? undefined : new vscode.ThemeColor(row.icon.colour),
  );
  item.contextValue = row.context;
  item.accessibilityInformation = { label: row.accessibilityLabel, role: 'treeitem' };
  item.command = { command: 'millrace.openRun', title: t('Open Run'), arguments: [element] };
  return item;
}

function keyOf(element: RunsElement): string {
  const rest = element.kind === 'day' ? element.day : element.kind === 'run' ? String(element.runId) : '';
  return `${element.kind} ${element.folder} ${rest}`;
}
