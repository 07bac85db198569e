/** Whether the end of a run is told by a notification, and how. */
import { formatDuration } from '../../runner/format.ts';
import { formatPath } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import { t } from '../l10n.ts';
import { durationOfRun, nameOfRun, plainMessage, shortError } from '../wording.ts';

export type NotificationLevel = 'never' | 'failures' | 'all';

export type NotificationAction = 'showLog' | 'rerunFailed' | 'openRun';

export interface RunNotification {
  readonly severity: 'error' | 'warning' | 'information';
  readonly message: string;
  readonly actions: readonly NotificationAction[];
}

export function runNotification(run: RunRecord, level: NotificationLevel): RunNotification | undefined {
  if (level === 'never') return undefined;
  switch (run.status) {
    case 'running':
      return undefined;
    case 'failed': {
      const { failure } = run;
      const message =
        failure === null
          ? t('{0} failed.', nameOfRun(run))
          : t('{0} failed: {1}', formatPath(failure.nodePath), plainMessage(shortError(failure.error)));
      return { severity: 'error', message, actions: ['showLog', 'rerunFailed'] };
    }
    case 'lost':
      return {
        severity: 'error',
        message: t(
          'Run {0} of {1} is lost: its runner died before it could finish.',
          run.runId,
          nameOfRun(run),
        ),
        actions: ['showLog', 'rerunFailed'],
      };
    case 'cancelled':
      return level === 'all'
        ? { severity: 'warning', message: t('{0} was cancelled.', nameOfRun(run)), actions: ['openRun'] }
        : undefined;
    case 'succeeded':
      return level === 'all'
        ? {
            severity: 'information',
            message: t('{0} succeeded in {1}.', nameOfRun(run), formatDuration(durationOfRun(run, 0))),
            actions: ['openRun'],
          }
        : undefined;
  }
}
