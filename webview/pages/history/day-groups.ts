/** Runs by the day on which they began. */
import type { RunRecord } from '../../../runner/records.ts';
import { formatDay } from '../../parts/times.ts';

export interface DayGroup {
  /** `Today`, `Yesterday`, `18 Nov`, `18 Nov 2024`. */
  readonly title: string;
  readonly runs: readonly RunRecord[];
}

/** In the order of the runs; days are those of the local calendar. */
export function groupByDay(runs: readonly RunRecord[], now: number): DayGroup[] {
  const groups: { title: string; runs: RunRecord[] }[] = [];
  for (const run of runs) {
    const title = dayTitle(run.startedAt, now);
    const last = groups.at(-1);
    if (last?.title === title) last.runs.push(run);
    else groups.push({ title, runs: [run] });
  }
  return groups;
}

function dayTitle(at: number, now: number): string {
  const day = formatDay(at, now);
  if (day === formatDay(now, now)) return 'Today';
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  return day === formatDay(yesterday.getTime(), now) ? 'Yesterday' : day;
}
