/** Lines of the statistics chart: samples brought to as many points as are seen. */
import type { StatisticsRecord } from '../../runner/records.ts';
import { share, type TimeScale } from './axis.ts';

export interface Sample {
  /** Seconds since the beginning of the run. */
  readonly at: number;
  readonly value: number;
}

export interface Series {
  readonly id: 'cpu' | 'memory' | 'disk' | 'network';
  readonly title: string;
  /** Everything that was measured, in order of time. */
  readonly samples: readonly Sample[];
  /** What the full height stands for. */
  readonly top: number;
  readonly format: (value: number) => string;
}

export function percent(value: number): string {
  return `${Math.round(value)} %`;
}

export function megabytes(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} MB/s`;
}

/** What was measured at all; `startedAt` in ms. */
export function statisticsSeries(records: readonly StatisticsRecord[], startedAt: number): Series[] {
  const series = (
    id: Series['id'],
    title: string,
    format: Series['format'],
    valueOf: (record: StatisticsRecord) => number | null,
  ): Series => {
    const samples = records.flatMap(record => {
      const value = valueOf(record);
      return value === null ? [] : [{ at: (record.at - startedAt) / 1000, value }];
    });
    const highest = samples.reduce((most, { value }) => Math.max(most, value), 0);
    return { id, title, samples, format, top: format === percent ? 100 : Math.max(1, highest) };
  };
  return [
    series('cpu', 'CPU', percent, record => record.cpu),
    series('memory', 'Memory', percent, record => record.memory),
    series('disk', 'Disk', megabytes, record => total(record.diskRead, record.diskWrite)),
    series('network', 'Network', megabytes, record => total(record.netReceived, record.netSent)),
  ].filter(({ samples }) => samples.length > 0);
}

function total(one: number | null, other: number | null): number | null {
  return one === null && other === null ? null : (one ?? 0) + (other ?? 0);
}

/** Width and height of the drawing that is stretched over the plot. */
export const PLOT_WIDTH = 1000;
export const PLOT_HEIGHT = 36;

/**
 * The line as an SVG path; of many samples in one place the highest counts. A single one is a point: a line without
 * length, which round ends make visible.
 */
export function linePath({ samples, top }: Series, scale: TimeScale): { line: string; area: string } {
  const highest = new Map<number, number>();
  for (const { at, value } of samples) {
    if (at < scale.from - 1 || at > scale.to + 1) continue;
    const x = Math.round(share(scale, at) * PLOT_WIDTH * 2) / 2;
    highest.set(x, Math.max(highest.get(x) ?? 0, value));
  }
  const points = [...highest].sort(([a], [b]) => a - b);
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return { line: '', area: '' };
  const y = (value: number): string =>
    (PLOT_HEIGHT - (Math.min(value, top) / top) * (PLOT_HEIGHT - 2)).toFixed(1);
  const line = `M${points.map(([x, value]) => `${x} ${y(value)}`).join('L')}`;
  if (points.length === 1) return { line: `${line}h0`, area: '' };
  return { line, area: `${line}L${last[0]} ${PLOT_HEIGHT}L${first[0]} ${PLOT_HEIGHT}Z` };
}

/** The last sample at or before a time. */
export function valueAt({ samples }: Series, at: number): number | null {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((samples[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return samples[low - 1]?.value ?? null;
}
