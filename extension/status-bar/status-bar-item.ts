/** One item in the status bar: the run that goes on, or what ended last. */
import * as vscode from 'vscode';
import { formatPath } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import type { Projects } from '../project/projects.ts';
import type { Panels } from '../panels/panels.ts';
import { runKey, statusBarText } from './status-bar-text.ts';

export class StatusBarItem implements Disposes {
  readonly #projects: Projects;
  readonly #item = vscode.window.createStatusBarItem('millrace.run', vscode.StatusBarAlignment.Left, 10);
  readonly #seen = new Set<string>();
  #ended: { readonly folder: string; readonly run: RunRecord }[] = [];
  #text = '';
  /** The run that a click opens. */
  #opens = '';

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
    const wasShown = this.#text !== '';
    this.#text = shown?.text ?? '';
    if (shown === undefined) {
      if (wasShown) this.#item.hide();
      return;
    }
    const { text, tooltip, accessibilityLabel, isFailure, run } = shown;
    if (this.#item.text !== text) this.#item.text = text;
    if (this.#item.tooltip !== tooltip) this.#item.tooltip = tooltip;
    if (this.#item.accessibilityInformation?.label !== accessibilityLabel)
      this.#item.accessibilityInformation = { label: accessibilityLabel };
    if ((this.#item.backgroundColor !== undefined) !== isFailure)
      this.#item.backgroundColor = isFailure
        ? new vscode.ThemeColor('statusBarItem.errorBackground')
        : undefined;
    // A click on a command that was replaced meanwhile comes to nothing.
    const opens = runKey(run.folder, run.runId);
    if (this.#opens !== opens)
      this.#item.command = { command: 'millrace.openRun', title: t('Open Run'), arguments: [run] };
    this.#opens = opens;
    if (!wasShown) this.#item.show();
  }
}

/** A failure that nobody has to look at any more. */
function isMadeGood(project: Project | undefined, run: RunRecord): boolean {
  if (project === undefined) return true;
  if (run.status !== 'failed' || run.failure === null) return false;
  const last = project.state.figures.get(formatPath(run.failure.nodePath))?.last;
  return last != null && last.runId > run.runId && last.status === 'succeeded';
}
