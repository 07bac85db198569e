/** One item in the status bar: the run that goes on, or what ended last. */
import * as vscode from 'vscode';
import type { RunRecord } from '../../runner/records.ts';
import type { Disposes } from '../events.ts';
import type { Project } from '../project/project.ts';
import { formatPath } from '../../runner/model.ts';
import type { Projects } from '../project/projects.ts';
import type { Panels } from '../panels/panels.ts';
import { runKey, statusBarText } from './status-bar-text.ts';

export class StatusBarItem implements Disposes {
  readonly #projects: Projects;
  readonly #item = vscode.window.createStatusBarItem('millrace.run', vscode.StatusBarAlignment.Left, 10);
  readonly #seen = new Set<string>();
  #ended: { readonly folder: string; readonly run: RunRecord }[] = [];
  #text = '';

  constructor(projects: Projects, panels: Panels) {
    this.#projects = projects;
    this.#item.name = 'Millrace';
    projects.onRunEnded(({ project, run }) => {
      this.#ended = [...this.#ended, { folder: project.state.folder, run }].slice(-20);
      this.#update();
    });
    projects.onChange(() => {
      this.#update();
    });
    panels.onShown(subject => {
      if (subject.page !== 'run') return;
      this.#seen.add(runKey(subject.folder, subject.runId));
      this.#update();
    });
  }

  /** As it is shown, for tests. */
  describe(): string {
    return this.#text;
  }

  dispose(): void {
    this.#item.dispose();
  }

  #update(): void {
    this.#ended = this.#ended.filter(({ folder, run }) => !isMadeGood(this.#projects.find(folder), run));
    const shown = statusBarText(this.#projects.states, this.#ended, this.#seen, Date.now());
    this.#text = shown?.text ?? '';
    if (shown === undefined) {
      this.#item.hide();
      return;
    }
    if (this.#item.text !== shown.text) this.#item.text = shown.text;
    this.#item.tooltip = shown.tooltip;
    this.#item.accessibilityInformation = { label: shown.accessibilityLabel };
    this.#item.backgroundColor = shown.isFailure
      ? new vscode.ThemeColor('statusBarItem.errorBackground')
      : undefined;
    this.#item.command = { command: 'millrace.openRun', title: 'Open Run', arguments: [shown.run] };
    this.#item.show();
  }
}

/** A failure that nobody has to look at any more. */
function isMadeGood(project: Project | undefined, run: RunRecord): boolean {
  if (project === undefined) return true;
  if (run.status !== 'failed' || run.failure === null) return false;
  const last = project.state.figures.get(formatPath(run.failure.nodePath))?.last;
  return last != null && last.runId > run.runId && last.status === 'succeeded';
}
