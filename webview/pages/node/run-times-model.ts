/** What the chart of run times draws; pure. */
import { plural } from '../../../runner/format.ts';
import type { RunPoint, RunTimes } from '../../../runner/records.ts';

export interface Series {
  /** Its last id; of the first one, the node of the page. */
  readonly name: string;
  /** Duration over time: runs that succeeded. */
  readonly line: readonly ChartPoint[];
  /** Runs that failed, at their own duration. */
  readonly failures: readonly ChartPoint[];
}

export interface ChartPoint {
  readonly x: number;
  /** Seconds. */
  readonly y: number;
  readonly point: RunPoint;
}

/** Fewer runs than this make no line. */
export const fewestRuns = 2;

export function seriesOf(times: readonly RunTimes[], rootName: string): readonly Series[] {
  return times.map(({ path, points }) => {
    const all = points.flatMap(point =>
      point.duration === null ? [] : [{ x: point.at, y: point.duration, point }],
    );
    return {
      name: path.at(-1) ?? rootName,
      line: all.filter(({ point }) => point.status === 'succeeded' || point.status === 'unchanged'),
      failures: all.filter(({ point }) => point.status === 'failed' || point.status === 'lost'),
    };
  });
}

export function hasEnough([own]: readonly Series[]): boolean {
  return own !== undefined && own.line.length + own.failures.length >= fewestRuns;
}

const steps = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200,
  14_400, 21_600, 43_200, 86_400,
];

/** Seconds between the lines of the grid: round ones, at most `most` lines. */
export function gridStep(highest: number, most: number): number {
  return steps.find(step => highest / step <= most) ?? 86_400 * Math.ceil(highest / 86_400 / most);
}

/** Where the axis of time has words: at most `most`, evenly, the first and the last point among them. */
export function timeTicks(from: number, to: number, most: number): readonly number[] {
  if (to <= from) return [from];
  const count = Math.max(2, most);
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1));
}

/** Days from the first to the last point, as people count them. */
export function daysOf(series: readonly Series[]): number {
  const times = series.flatMap(({ line, failures }) => [...line, ...failures].map(({ x }) => x));
  if (times.length === 0) return 0;
  return Math.max(1, Math.round((Math.max(...times) - Math.min(...times)) / 86_400_000));
}

/** `3 runs`, and from the second day on `in 14 days`. */
export function extentOf(series: readonly Series[]): string {
  const [own] = series;
  const runs = plural(own === undefined ? 0 : own.line.length + own.failures.length, 'run');
  const days = daysOf(series);
  return days < 2 ? runs : `${runs} in ${plural(days, 'day')}`;
}

/** Runs of the chart as rows, newest first: per series the point in that run. */
export function rowsOf(
  times: readonly RunTimes[],
): readonly { readonly runId: number; readonly at: number; readonly points: readonly (RunPoint | null)[] }[] {
  const rows = new Map<number, { runId: number; at: number; points: (RunPoint | null)[] }>();
  for (const [index, { points }] of times.entries())
    for (const point of points) {
      const row = rows.get(point.runId) ?? {
        runId: point.runId,
        at: point.at,
        points: times.map(() => null),
      };
      row.points[index] = point;
      rows.set(point.runId, row);
    }
  return [...rows.values()].sort((a, b) => b.runId - a.runId);
}
