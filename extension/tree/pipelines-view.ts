/** The view Pipelines: a thin skin over tree/node-row.ts. */
import * as vscode from 'vscode';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import { findNode, type IndexedNode } from '../project/pipeline-index.ts';
import { mayBeActive, type ProjectState, unresolvedFailures } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { answerInTurns, Slices } from '../turns.ts';
import { type Row, nodeRow } from './node-row.ts';
import { Redraws } from './redraws.ts';
import { type Drawn, type Extent, ShownElements } from './shown-elements.ts';
import { isShown, shownChildren, type TreeFilter } from './tree-filter.ts';

export type PipelinesElement =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'node'; readonly folder: string; readonly path: NodePath }
  /** Files that cannot be understood, in a folder that has other pipelines. */
  | { readonly kind: 'problems'; readonly folder: string };

interface Seen {
  readonly indexed: IndexedNode;
  state: ProjectState;
  readonly drawn: Drawn;
}

/** Rows that are drawn anew one by one. */
const fewRows = 100;

export class PipelinesView implements vscode.TreeDataProvider<PipelinesElement>, Disposes {
  readonly #projects: Projects;
  readonly #changed = new vscode.EventEmitter<PipelinesElement[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<PipelinesElement>;
  readonly #shown = new ShownElements<PipelinesElement>({
    keyOf,
    drawnOf: element => this.#drawn(element),
    childrenOf: element => this.#shownBelow(element),
  });
  #filter: TreeFilter = new Set();
  readonly #redraws = new Redraws(extent => this.#update(extent));
  /** What was drawn of nodes that nothing has happened to since: most of them, most of the time. */
  readonly #seen = new WeakMap<PipelinesElement, Seen>();
  /** What is below nodes that have not changed. */
  readonly #below = new WeakMap<IndexedNode, PipelinesElement[]>();

  constructor(projects: Projects) {
    this.#projects = projects;
    this.#view = vscode.window.createTreeView('millrace.pipelines', {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    projects.onChange(() => {
      this.#redraws.wish();
    });
  }

  get selection(): readonly PipelinesElement[] {
    return this.#view.selection;
  }

  get filter(): TreeFilter {
    return this.#filter;
  }

  set filter(filter: TreeFilter) {
    this.#filter = filter;
    void this.#update();
  }

  /**
   * The editor may ask for thousands of rows in a row: then it gets them in several turns. Few of them it gets at once,
   * because until it has all of them a button that is pressed has lost its row.
   */
  getTreeItem(element: PipelinesElement): vscode.TreeItem | Promise<vscode.TreeItem> {
    return answerInTurns(() => {
      this.#shown.drawn(element);
      return this.#item(element).item;
    });
  }

  /** The tooltip, when somebody points at a row. */
  resolveTreeItem(item: vscode.TreeItem, element: PipelinesElement): vscode.TreeItem {
    const state = this.#projects.find(element.folder)?.state;
    const indexed =
      state === undefined || element.kind !== 'node' ? undefined : findNode(state.pipelines, element.path);
    if (state !== undefined && indexed !== undefined)
      item.tooltip = new vscode.MarkdownString(nodeRow(state, indexed, Date.now()).tooltip);
    return item;
  }

  getChildren(element?: PipelinesElement): PipelinesElement[] | Promise<PipelinesElement[]> {
    return answerInTurns(() => {
      const children = this.#shownBelow(element);
      const opened = (shown: PipelinesElement[]): PipelinesElement[] => {
        this.#shown.opened(element, shown);
        return shown;
      };
      return children instanceof Promise ? children.then(opened) : opened(children);
    });
  }

  getParent(element: PipelinesElement): PipelinesElement | undefined {
    if (element.kind === 'folder') return undefined;
    if (element.kind === 'node' && element.path.length > 1)
      return this.#node(element.folder, element.path.slice(0, -1));
    return this.#hasFolders ? this.#shown.same({ kind: 'folder', folder: element.folder }) : undefined;
  }

  /** Shows and selects a node. */
  async reveal(folder: string, path: NodePath): Promise<void> {
    const project = this.#projects.find(folder);
    if (project === undefined || findNode(project.state.pipelines, path) === undefined) return;
    await this.#view.reveal(this.#node(folder, path), { select: true, focus: true, expand: true });
  }

  /** The whole tree as text, for tests. */
  describe(): string {
    const lines: string[] = [];
    const add = (element: PipelinesElement | undefined, depth: number): void => {
      for (const child of this.#children(element)) {
        lines.push('  '.repeat(depth) + this.#item(child).text);
        add(child, depth + 1);
      }
    };
    add(undefined, 0);
    return lines.join('\n');
  }

  dispose(): void {
    this.#redraws.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }

  /** Tells the editor of elements that it shows and that look different by now. */
  async #update(extent: Extent = 'everything'): Promise<void> {
    const changes = await this.#shown.changes(extent);
    if (this.#redraws.hasEnded()) return;
    const rows = changes === undefined ? undefined : this.#toDraw(changes);
    if (rows === undefined) this.#changed.fire(undefined);
    else if (rows.length > 0) this.#changed.fire([...rows]);
    const isEmpty = this.#filter.size > 0 && (await this.#shownBelow(undefined)).length === 0;
    if (!this.#redraws.hasEnded()) this.#updateTitle(isEmpty);
  }

  /**
   * Thousands of rows one by one keep the editor busy for longer than what they are in at once; `undefined`: everything.
   * But what is drawn with everything below it has, for a moment, rows that the editor has no name for, and a button that
   * is pressed then is lost: as few of them as can be.
   */
  #toDraw(changes: readonly PipelinesElement[]): readonly PipelinesElement[] | undefined {
    if (changes.length <= fewRows) return changes;
    const tops = new Set(
      changes.map(element =>
        element.kind === 'node' ? this.#node(element.folder, element.path.slice(0, 1)) : element,
      ),
    );
    return tops.size <= fewRows ? [...tops] : undefined;
  }

  #updateTitle(isEmpty: boolean): void {
    const failures = this.#projects.states.reduce((sum, state) => sum + unresolvedFailures(state), 0);
    const tooltip =
      failures === 1
        ? t('1 pipeline with an unresolved failure')
        : t('{0} pipelines with unresolved failures', failures);
    if ((this.#view.badge?.value ?? 0) !== failures)
      this.#view.badge = failures === 0 ? undefined : { value: failures, tooltip };
    const message = isEmpty ? t('No node has a state that the filter shows.') : '';
    if ((this.#view.message ?? '') !== message) this.#view.message = message;
  }

  get #hasFolders(): boolean {
    return this.#projects.all.length > 1;
  }

  /** As {@link #children}; where a filter has to look at everything below pipelines, in several turns. */
  #shownBelow(element: PipelinesElement | undefined): PipelinesElement[] | Promise<PipelinesElement[]> {
    const isTop = element === undefined ? !this.#hasFolders : element.kind === 'folder';
    return this.#filter.size > 0 && isTop ? this.#filteredTop(element) : this.#children(element);
  }

  async #filteredTop(element: PipelinesElement | undefined): Promise<PipelinesElement[]> {
    const filter = this.#filter;
    const states = this.#projects.states.filter(
      ({ folder }) => element === undefined || folder === element.folder,
    );
    const slices = new Slices();
    const shown: PipelinesElement[] = [];
    for (const state of states) {
      const roots: IndexedNode[] = [];
      for (const root of state.pipelines.roots) {
        if (slices.isOver) await slices.next();
        if (isShown(state, root, filter)) roots.push(root);
      }
      shown.push(...this.#topOf(state, roots));
    }
    return shown;
  }

  #children(element: PipelinesElement | undefined): PipelinesElement[] {
    if (element === undefined) {
      if (this.#hasFolders)
        return this.#projects.states.map(({ folder }) => this.#shown.same({ kind: 'folder', folder }));
      return this.#projects.states.flatMap(state => this.#top(state));
    }
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined || element.kind === 'problems') return [];
    if (element.kind === 'folder') return this.#top(state);
    const indexed = findNode(state.pipelines, element.path);
    if (indexed === undefined) return [];
    const elements = (nodes: readonly IndexedNode[]): PipelinesElement[] =>
      nodes.map(({ path }) => this.#node(state.folder, path));
    if (this.#filter.size > 0) return elements(shownChildren(state, indexed, this.#filter));
    let below = this.#below.get(indexed);
    if (below === undefined) this.#below.set(indexed, (below = elements(indexed.children)));
    return below;
  }

  #top(state: ProjectState): PipelinesElement[] {
    return this.#topOf(state, shownChildren(state, undefined, this.#filter));
  }

  #topOf(state: ProjectState, roots: readonly IndexedNode[]): PipelinesElement[] {
    const { folder } = state;
    const nodes = roots.map(({ path }) => this.#node(folder, path));
    const hasProblems = nodes.length > 0 && problemsOf(state).length > 0;
    return hasProblems ? [...nodes, this.#shown.same({ kind: 'problems', folder })] : nodes;
  }

  /** What is drawn of an element; `undefined` when it is not there any more. */
  #drawn(element: PipelinesElement): Drawn | undefined {
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return undefined;
    switch (element.kind) {
      case 'folder':
        return this.#hasFolders ? folderItem(state).drawn : undefined;
      case 'node': {
        const indexed = findNode(state.pipelines, element.path);
        return indexed === undefined ? undefined : this.#drawnOfNode(element, state, indexed);
      }
      case 'problems':
        return problemsOf(state).length > 0 ? problemsItem(state).drawn : undefined;
    }
  }

  #drawnOfNode(element: PipelinesElement, state: ProjectState, indexed: IndexedNode): Drawn {
    const seen = this.#seen.get(element);
    if (seen?.indexed === indexed && isAsBefore(seen.state, state, indexed.path)) {
      seen.state = state;
      return seen.drawn;
    }
    const row = nodeRow(state, indexed, Date.now());
    const drawn = drawnOfNode(row);
    if (row.isOfTheMoment) this.#seen.delete(element);
    else this.#seen.set(element, { indexed, state, drawn });
    return drawn;
  }

  #item(element: PipelinesElement): { readonly item: vscode.TreeItem; readonly text: string } {
    const state = this.#projects.find(element.folder)?.state;
    if (state === undefined) return { item: new vscode.TreeItem(''), text: '' };
    switch (element.kind) {
      case 'folder':
        return folderItem(state);
      case 'problems':
        return problemsItem(state);
      case 'node': {
        const indexed = findNode(state.pipelines, element.path);
        if (indexed === undefined) return { item: new vscode.TreeItem(''), text: '' };
        return nodeItem(element, indexed, nodeRow(state, indexed, Date.now()));
      }
    }
  }

  #node(folder: string, path: NodePath): PipelinesElement {
    return this.#shown.same({ kind: 'node', folder, path });
  }
}

/** Whether a node that is the same looks the same, as far as can be said without looking at it. */
function isAsBefore(before: ProjectState, now: ProjectState, path: NodePath): boolean {
  if (before === now) return true;
  if (before.figures !== now.figures || before.failing !== now.failing) return false;
  const hasSameRuns = before.live === now.live && before.requested === now.requested;
  return hasSameRuns || (!mayBeActive(before, path) && !mayBeActive(now, path));
}

function keyOf(element: PipelinesElement): string {
  const path = element.kind === 'node' ? formatPath(element.path) : '';
  return `${element.kind} ${element.folder} ${path}`;
}

function problemsOf({ pipelines, loadErrors }: ProjectState): string[] {
  const failed = pipelines.files.filter(({ status }) => status === 'failed');
  return [
    ...failed.map(({ uri, reason }) => {
      const name = decodeURIComponent(uri.split('/').at(-1) ?? uri);
      return reason === undefined || reason === '' ? name : `${name}: ${reason}`;
    }),
    ...loadErrors,
  ];
}

function folderItem(state: ProjectState) {
  const hasPipelines = state.pipelines.roots.length > 0;
  const isVirtual = state.analysis.kind === 'virtual';
  const item = new vscode.TreeItem(
    state.name,
    // A folder that will have pipelines has to be expanded before: the editor would keep it closed.
    isVirtual ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Expanded,
  );
  item.id = `folder ${state.folder}`;
  item.contextValue = 'folder';
  item.iconPath = vscode.ThemeIcon.Folder;
  item.description = hasPipelines
    ? ''
    : isVirtual
      ? t('not on a disk')
      : state.pipelines.complete
        ? t('no pipelines')
        : t('looking for pipelines…');
  return {
    item,
    drawn: { state: `${state.name} ${item.description}`, figures: '' },
    text: `[${state.name}] ${item.description}`.trimEnd(),
  };
}

function problemsItem(state: ProjectState) {
  const problems = problemsOf(state);
  const label =
    problems.length === 1
      ? t('1 file cannot be understood')
      : t('{0} problems with pipeline files', problems.length);
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.None);
  item.id = `problems ${state.folder}`;
  item.contextValue = 'problems';
  item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('charts.yellow'));
  item.tooltip = problems.join('\n');
  item.accessibilityInformation = { label: `${label}: ${problems.join(', ')}`, role: 'treeitem' };
  item.command = { command: 'workbench.actions.view.problems', title: t('Show Problems') };
  return { item, drawn: { state: problems.join('\n'), figures: '' }, text: `(!) ${label}` };
}

function drawnOfNode({ label, description, icon, context, hasChildren }: Row): Drawn {
  const state = [label, icon.codicon, icon.colour, context, hasChildren].join('\n');
  return { state, figures: description };
}

function nodeItem(element: PipelinesElement, indexed: IndexedNode, row: Row) {
  const { label, description, icon, context, hasChildren, accessibilityLabel } = row;
  const item = new vscode.TreeItem(
    label,
    !hasChildren
      ? vscode.TreeItemCollapsibleState.None
      : indexed.path.length === 1
        ? vscode.TreeItemCollapsibleState.Expanded
        : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = keyOf(element);
  item.description = description;
  item.iconPath = new vscode.ThemeIcon(
    icon.codicon,
    icon.colour === undefined ? undefined : new vscode.ThemeColor(icon.colour),
  );
  item.contextValue = context;
  item.accessibilityInformation = { label: accessibilityLabel, role: 'treeitem' };
  item.command = { command: 'millrace.openSource', title: t('Go to Source'), arguments: [element] };
  const text = `${icon.codicon} ${label}${description === '' ? '' : ` [${description}]`}`;
  return { item, text };
}
