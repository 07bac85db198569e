/** What the status bar item says. */
import { formatClock, formatDuration } from '../../runner/format.ts';
import type { RunRecord } from '../../runner/records.ts';
import { t } from '../l10n.ts';
import { isGoingOn } from '../project/live-run.ts';
import type { ProjectState } from '../project/project-state.ts';
import { durationOfRun, nameOfRun, shortError, statusWord } from '../wording.ts';

/** For how long a success stays, in milliseconds. */
const successStays = 30_000;

export interface StatusBarText {
  readonly text: string;
  readonly tooltip: string;
  readonly accessibilityLabel: string;
  readonly isFailure: boolean;
  /** The run that a click opens. */
  readonly run: { readonly folder: string; readonly runId: number };
}

/**
 * The newest run that goes on, else what ended last: a success for a while, a failure until it was looked at or made
 * good.
 *
 * @param ended What ended in this window, newest last.
 * @param seen Runs that were looked at.
 */
export function statusBarText(
  states: readonly ProjectState[],
  ended: readonly { readonly folder: string; readonly run: RunRecord }[],
  seen: ReadonlySet<string>,
  now: number,
): StatusBarText | undefined {
  const going = states
    .flatMap(({ folder, live }) => [...live.values()].filter(isGoingOn).map(each => ({ folder, live: each })))
    .sort((a, b) => b.live.run.startedAt - a.live.run.startedAt);
  const [first] = going;
  if (first !== undefined) {
    const { run, progress, progressAt } = first.live;
    const name = nameOfRun(run);
    const parts = [
      progress === null ? name : `${name} ${String(progress.finished)}/${String(progress.total)}`,
    ];
    if (progress?.left != null) parts.push(leftOf(progress.left - (now - progressAt) / 1000));
    if (going.length > 1) parts.push(t('{0} more', going.length - 1));
    return {
      text: `$(sync~spin) ${parts.join(' · ')}`,
      tooltip: t('Run {0} of {1}. Click to open it.', run.runId, name),
      accessibilityLabel: t('{0} is running', parts.join(', ')),
      isFailure: false,
      run: { folder: first.folder, runId: run.runId },
    };
  }
  const last = ended.at(-1);
  if (last === undefined) return undefined;
  const { folder, run } = last;
  const name = nameOfRun(run);
  const at = { folder, runId: run.runId };
  switch (run.status) {
    case 'succeeded': {
      if (run.endedAt !== null && now - run.endedAt > successStays) return undefined;
      const duration = formatDuration(durationOfRun(run, now));
      return {
        text: `$(pass) ${name} ${duration}`,
        tooltip: t('Run {0} of {1} succeeded. Click to open it.', run.runId, name),
        accessibilityLabel: t('{0} succeeded in {1}', name, duration),
        isFailure: false,
        run: at,
      };
    }
    case 'failed':
    case 'lost': {
      if (seen.has(runKey(folder, run.runId))) return undefined;
      const reason = run.failure === null ? '' : ` ${shortError(run.failure.error)}`;
      return {
        text: `$(error) ${name} ${statusWord(run.status)}`,
        tooltip: t('Run {0} of {1} has failed. Click to open it.', run.runId, name) + reason,
        accessibilityLabel: t('{0} has failed', name),
        isFailure: true,
        run: at,
      };
    }
    case 'cancelled':
    case 'running':
      return undefined;
  }
}

/** Below half a second the clock would say that nothing is left, of a run that goes on. */
function leftOf(seconds: number): string {
  return seconds < 0.5 ? t('longer than before') : t('{0} left', formatClock(seconds));
}

export function runKey(folder: string, runId: number): string {
  return `${folder}#${String(runId)}`;
}
