/** What the Runs view shows: runs by day, newest first. */
import { formatDuration } from '../../runner/format.ts';
import { formatPath } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import { excerptOfError } from '../diagnostics/failure-places.ts';
import { outcomeIcon } from '../icons.ts';
import { t } from '../l10n.ts';
import type { LiveRun } from '../project/live-run.ts';
import { escapeMarkdown, type Row } from '../tree/node-row.ts';
import {
  durationOfRun,
  formatAge,
  nameOfPath,
  nameOfRun,
  shortError,
  statusWord,
  triggerWord,
  withState,
} from '../wording.ts';

export interface DayOfRuns {
  /** `2026-11-20`, in local time. */
  readonly day: string;
  readonly title: string;
  readonly runs: readonly RunRecord[];
}

export function groupByDay(runs: readonly RunRecord[], now: number, locale?: string): DayOfRuns[] {
  const days = new Map<string, RunRecord[]>();
  for (const run of runs) {
    const day = dayOf(run.startedAt);
    const known = days.get(day);
    if (known === undefined) days.set(day, [run]);
    else known.push(run);
  }
  return [...days].map(([day, of]) => ({
    day,
    title: titleOfDay(of[0]?.startedAt ?? now, now, locale),
    runs: of,
  }));
}

export function runRow(run: RunRecord, live: LiveRun | undefined, now: number): Row {
  const icon = outcomeIcon(run.status);
  const description = describeRun(run, live, now);
  const label = `${String(run.runId)} ${nameOfRun(run)}`;
  const words = ['run', run.status === 'running' ? 'running' : 'over'];
  if (run.status === 'running' && run.cancelRequestedAt !== null) words.push('cancelling');
  if (run.status === 'failed' || run.status === 'lost' || run.status === 'cancelled') words.push('failed');
  if (run.failure !== null) words.push('error');
  return {
    label,
    description,
    icon,
    // Asked for by whoever points at the row, not with every moment that passes.
    get tooltip() {
      return tooltipOf(run, now);
    },
    context: words.join(' '),
    hasChildren: false,
    isOfTheMoment: true,
    accessibilityLabel: `${t('run {0}', label)}, ${withState(statusWord(run.status), description)}`,
  };
}

function describeRun(run: RunRecord, live: LiveRun | undefined, now: number): string {
  const parts: string[] = [];
  switch (run.status) {
    case 'running':
      parts.push(
        run.cancelRequestedAt === null
          ? t('{0} %', Math.floor((live?.progress?.fraction ?? 0) * 100))
          : t('is being cancelled'),
      );
      break;
    case 'failed':
      parts.push(
        run.failure === null
          ? statusWord('failed')
          : `${run.failure.nodePath.at(-1) ?? ''}: ${shortError(run.failure.error)}`,
      );
      break;
    case 'lost':
      parts.push(t('lost: its runner died'));
      break;
    case 'succeeded':
    case 'cancelled':
      parts.push(formatDuration(durationOfRun(run, now)));
  }
  if (run.trigger !== 'editor') parts.push(triggerWord(run.trigger));
  if (run.resumedFrom !== null) parts.push(t('goes on with {0}', run.resumedFrom));
  return parts.join(', ');
}

function tooltipOf(run: RunRecord, now: number): string {
  const lines = [
    `**${t('Run {0}', run.runId)}** · ${escapeMarkdown(nameOfPath(run.pipelinePath))} · ${statusWord(run.status)}`,
    `${new Date(run.startedAt).toLocaleString()} · ${formatDuration(durationOfRun(run, now))} · ${formatAge(run.startedAt, now)}`,
    t(
      'Started by {0} on {1} ({2})',
      escapeMarkdown(run.startedBy),
      escapeMarkdown(run.host),
      triggerWord(run.trigger),
    ),
  ];
  if (run.nodePaths.length > 0)
    lines.push(
      `${t('Selection')}: ${run.nodePaths.map(path => escapeMarkdown(formatPath(path))).join(', ')}${run.withUpstreams ? ` ${t('with upstreams')}` : ''}`,
    );
  const params = Object.entries(run.params);
  if (params.length > 0)
    lines.push(params.map(([name, value]) => escapeMarkdown(`${name} = ${String(value)}`)).join(' · '));
  if (run.failure !== null)
    lines.push(
      `${escapeMarkdown(formatPath(run.failure.nodePath))}: ${escapeMarkdown(excerptOfError(run.failure.error))}`,
    );
  return lines.join('\n\n');
}

function titleOfDay(at: number, now: number, locale: string | undefined): string {
  const day = dayOf(at);
  if (day === dayOf(now)) return t('Today');
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (day === dayOf(yesterday.getTime())) return t('Yesterday');
  const date = new Date(at);
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString(locale, {
    day: 'numeric',
    month: 'long',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
}

function dayOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
