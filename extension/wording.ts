/** How states, times and runs are worded for people in the editor. Ages and durations are as in runner/format.ts. */
import { stripVTControlCharacters } from 'node:util';
import { formatDuration, formatElapsed, formatShortSpan } from '../runner/format.ts';
import {
  formatPath,
  type NodeKind,
  type NodePath,
  type NodeRunStatus,
  type RunTrigger,
} from '../runner/model.ts';
import type { RunRecord } from '../runner/records.ts';
import { t } from './l10n.ts';
import type { NodeStatus } from './project/project-state.ts';

/** `12 s ago`; a clock that is behind does not make it negative. */
export function formatAge(at: number, now: number): string {
  const seconds = (now - at) / 1000;
  return seconds < 1 ? t('just now') : t('{0} ago', formatShortSpan(seconds));
}

export function statusWord(status: NodeRunStatus): string {
  switch (status) {
    case 'running':
      return t('running');
    case 'succeeded':
      return t('succeeded');
    case 'failed':
      return t('failed');
    case 'skipped':
      return t('skipped');
    case 'cancelled':
      return t('cancelled');
    case 'unchanged':
      return t('unchanged');
    case 'lost':
      return t('lost');
  }
}

export function kindWord(kind: NodeKind | 'dynamic'): string {
  switch (kind) {
    case 'pipeline':
      return t('pipeline');
    case 'task':
      return t('task');
    case 'parallel':
      return t('parallel task');
    case 'dynamic':
      return t('unknown before it runs');
  }
}

export function triggerWord(trigger: RunTrigger): string {
  switch (trigger) {
    case 'editor':
      return t('editor');
    case 'cli':
      return t('terminal');
    case 'api':
      return t('API');
    case 'schedule':
      return t('schedule');
  }
}

/** `a/b/c`; the root is everything. */
export function nameOfPath(path: NodePath): string {
  return path.length === 0 ? t('everything') : formatPath(path);
}

/** What a run is about, as short as it can be: its pipeline, or the one node that was selected. */
export function nameOfRun({
  pipelinePath,
  nodePaths,
}: Pick<RunRecord, 'pipelinePath' | 'nodePaths'>): string {
  const [only] = nodePaths;
  if (only !== undefined && nodePaths.length === 1) return nameOfPath(only);
  if (nodePaths.length > 1) return t('{0} ({1} nodes)', nameOfPath(pipelinePath), nodePaths.length);
  return nameOfPath(pipelinePath);
}

/** Seconds from begin to end, or until now. */
export function durationOfRun(run: Pick<RunRecord, 'startedAt' | 'endedAt'>, now: number): number {
  return Math.max(0, ((run.endedAt ?? now) - run.startedAt) / 1000);
}

/** A state and what stands beside it, as it is read out: what begins with the state does not say it twice. */
export function withState(state: string, description: string): string {
  const rest = description.startsWith(state) ? description.slice(state.length) : undefined;
  const saysIt = state !== '' && rest !== undefined && /^(?:$|[,:] )/.test(rest);
  return [...(saysIt ? [] : [state]), description].filter(part => part !== '').join(', ');
}

/** The grey text beside a node: `4.1s, 1 m ago`, `17 of 31`, `queued`, `failed, 12 s ago`. */
export function describeStatus(status: NodeStatus, now: number): string {
  switch (status.kind) {
    case 'none':
      return '';
    case 'queued':
      return t('queued');
    case 'running': {
      const parts = [progressOf(status, now)];
      if (status.attempt > 1) parts.push(t('attempt {0}', status.attempt));
      return parts.join(', ');
    }
    case 'ended':
      return describeEnd(status, now);
  }
}

function progressOf(status: Extract<NodeStatus, { kind: 'running' }>, now: number): string {
  const elapsed = formatElapsed((now - status.startedAt) / 1000);
  if (status.fraction !== null) return t('{0} %', Math.floor(status.fraction * 100));
  if (status.finished !== null && status.finished > 0) return t('{0} done, {1}', status.finished, elapsed);
  return elapsed;
}

function describeEnd(status: Extract<NodeStatus, { kind: 'ended' }>, now: number): string {
  const { outcome, duration, at, attempt, isLive } = status;
  const parts: string[] = [];
  if (outcome === 'succeeded') {
    if (duration !== null) parts.push(formatDuration(duration));
    if (attempt > 1) parts.push(t('attempt {0}', attempt));
  } else parts.push(statusWord(outcome));
  // While the run goes on, everything was just now.
  if (at !== null && !isLive) parts.push(formatAge(at, now));
  return parts.join(', ');
}

/** The first line with something on it. */
export function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find(line => line.trim() !== '')
      ?.trim() ?? ''
  );
}

/**
 * An error's first line as people know the problem: without the place that it begins with and without Postgres' word for
 * severity, because both stand elsewhere.
 */
export function shortError(error: string): string {
  const line = cut(stripVTControlCharacters(firstLine(error.slice(0, 10 * longestLine))));
  return line.replace(/^\S+:\d+:\d+: /, '').replace(/^(?:ERROR|FATAL|error): /, '');
}

/** Characters of a line that anybody reads in a row, a tooltip or a notification. */
const longestLine = 300;

function cut(line: string): string {
  return line.length > longestLine ? `${line.slice(0, longestLine)}…` : line;
}

/**
 * Text that is not ours, for a message of the editor: there `[text](command:…)` would be a link that runs a command. A
 * blank without width in between leaves it as it reads.
 */
export function plainMessage(text: string): string {
  return stripVTControlCharacters(text).replaceAll('](', ']\u200b(');
}
