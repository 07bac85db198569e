/** Tells how runs ended that this window has started. */
import * as vscode from 'vscode';
import type { RunRecord } from '../../runner/records.ts';
import type { Disposes } from '../events.ts';
import { t } from '../l10n.ts';
import type { Project } from '../project/project.ts';
import type { Projects } from '../project/projects.ts';
import type { RunLauncher } from '../runner/run-launcher.ts';
import { notificationLevel, revealRun } from '../settings.ts';
import type { Panels } from '../panels/panels.ts';
import { type NotificationAction, runNotification } from './run-notification.ts';

export class Notifications implements Disposes {
  readonly #launcher: RunLauncher;
  readonly #panels: Panels;
  readonly #subscriptions: Disposes[];

  constructor(projects: Projects, launcher: RunLauncher, panels: Panels) {
    this.#launcher = launcher;
    this.#panels = panels;
    this.#subscriptions = [
      projects.onChange(() => {
        for (const project of projects.all) this.#look(project);
      }),
      launcher.onBegan(({ project, runId }) => {
        if (revealRun() === 'always') panels.show({ page: 'run', folder: project.state.folder, runId });
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Tells ends that were not told, those of runs that ended while the window was away as well. */
  #look(project: Project): void {
    const { folder, live, runs } = project.state;
    const known = new Map((runs?.runs ?? []).map(run => [run.runId, run]));
    for (const { run } of live.values()) known.set(run.runId, run);
    for (const run of known.values()) {
      if (run.status === 'running' || !this.#launcher.isPending(folder, run.runId)) continue;
      // From this moment on it is not pending any more.
      void this.#launcher.settle(folder, run.runId);
      void this.#tell(project, run);
    }
  }

  async #tell(project: Project, run: RunRecord): Promise<void> {
    const isFailure = run.status === 'failed' || run.status === 'lost';
    if (isFailure && revealRun() === 'onFailure') this.#open(project, run);
    const notification = runNotification(run, notificationLevel());
    if (notification === undefined) return;
    const { severity, message, actions } = notification;
    const titles = actions.map(titleOf);
    const chosen = await show(severity, message, titles);
    const action = actions[titles.indexOf(chosen ?? '')];
    switch (action) {
      case 'showLog':
      case 'openRun':
        this.#open(project, run);
        return;
      case 'rerunFailed':
        await this.#launcher.resume(project, run);
        return;
      case undefined:
    }
  }

  #open({ state }: Project, { runId, failure }: RunRecord): void {
    const path = failure === null ? {} : { path: failure.nodePath };
    this.#panels.show({ page: 'run', folder: state.folder, runId, ...path });
  }
}

function titleOf(action: NotificationAction): string {
  switch (action) {
    case 'showLog':
      return t('Show Log');
    case 'rerunFailed':
      return t('Re-run Failed');
    case 'openRun':
      return t('Open Run');
  }
}

async function show(
  severity: 'error' | 'warning' | 'information',
  message: string,
  titles: readonly string[],
): Promise<string | undefined> {
  switch (severity) {
    case 'error':
      return await vscode.window.showErrorMessage(message, ...titles);
    case 'warning':
      return await vscode.window.showWarningMessage(message, ...titles);
    case 'information':
      return await vscode.window.showInformationMessage(message, ...titles);
  }
}
