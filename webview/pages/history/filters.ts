/** Which runs the history shows; kept over a reload. */
import {
  formatPath,
  type NodePath,
  parsePath,
  type RunStatus,
  type RunTrigger,
} from '../../../runner/model.ts';
import type { RunQuery } from '../../../runner/records.ts';

export interface HistoryFilters {
  /** Path of a pipeline or node as `a/b`; empty: any. */
  readonly path: string;
  /** Empty: any. */
  readonly statuses: readonly RunStatus[];
  /** Runs of today and so many days before; `null`: of any time. */
  readonly days: number | null;
  readonly trigger: RunTrigger | null;
  readonly text: string;
  readonly unresolvedOnly: boolean;
}

export const NO_FILTERS: HistoryFilters = {
  path: '',
  statuses: [],
  days: null,
  trigger: null,
  text: '',
  unresolvedOnly: false,
};

export const RUN_STATUSES: readonly RunStatus[] = ['succeeded', 'failed', 'running', 'cancelled', 'lost'];
export const RUN_TRIGGERS: readonly RunTrigger[] = ['editor', 'cli', 'api', 'schedule'];
export const DAY_CHOICES: readonly number[] = [0, 6, 13, 29, 89];

export function dayChoiceTitle(days: number | null): string {
  if (days === null) return 'Any time';
  return days === 0 ? 'Today' : `Last ${days + 1} days`;
}

export function initialFilters(path: NodePath | undefined): HistoryFilters {
  return path === undefined ? NO_FILTERS : { ...NO_FILTERS, path: formatPath(path) };
}

/** Whether anything is left out. */
export function isFiltered(filters: HistoryFilters): boolean {
  return Object.keys(toQuery(filters, 0)).length > 0;
}

/** What to ask for; `now` in ms. The same for the whole day, so that the answer stays valid. */
export function toQuery(
  { path, statuses, days, trigger, text, unresolvedOnly }: HistoryFilters,
  now: number,
): RunQuery {
  return {
    ...(path !== '' && { path: parsePath(path) }),
    ...(statuses.length > 0 && { statuses }),
    ...(trigger !== null && { triggers: [trigger] }),
    ...(days !== null && { since: startOfDay(now, days) }),
    ...(text.trim() !== '' && { text: text.trim() }),
    ...(unresolvedOnly && { unresolvedOnly }),
  };
}

/** Midnight by the local clock, so many days before. */
function startOfDay(now: number, daysBefore: number): number {
  const date = new Date(now);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - daysBefore).getTime();
}

export function isHistoryFilters(value: unknown): value is HistoryFilters {
  if (typeof value !== 'object' || value === null) return false;
  const { path, statuses, days, trigger, text, unresolvedOnly } = value as Record<string, unknown>;
  const isIn = (list: readonly unknown[], one: unknown): boolean => list.includes(one);
  return (
    typeof path === 'string' &&
    Array.isArray(statuses) &&
    statuses.every(status => isIn(RUN_STATUSES, status)) &&
    (days === null || isIn(DAY_CHOICES, days)) &&
    (trigger === null || isIn(RUN_TRIGGERS, trigger)) &&
    typeof text === 'string' &&
    typeof unresolvedOnly === 'boolean'
  );
}
