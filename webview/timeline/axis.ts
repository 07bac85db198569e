/** The time axis that timeline and statistics share. */

/** What part of a run is drawn, in seconds since its beginning. */
export interface TimeScale {
  readonly from: number;
  readonly to: number;
}

export interface Tick {
  /** Seconds since the beginning of the run. */
  readonly at: number;
  readonly label: string;
}

const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800,
  3600, 7200, 10_800, 21_600, 43_200, 86_400,
];
const DAY = 86_400;

/** A round step at which at most `most` ticks fit. */
export function tickStep(span: number, most: number): number {
  const least = span / Math.max(1, most);
  return STEPS.find(step => step >= least) ?? Math.ceil(least / DAY) * DAY;
}

/** Ticks whose labels have room: `width` in px. Neither more than one in 70 px, nor less than two when there is time. */
export function ticks(scale: TimeScale, width: number): Tick[] {
  const span = scale.to - scale.from;
  if (!(span > 0) || !(width > 0)) return [{ at: scale.from, label: clock(scale.from, 1) }];
  const step = tickStep(span, Math.max(2, Math.floor(width / 110)));
  const list: Tick[] = [];
  for (let count = Math.ceil(scale.from / step - 1e-9); count * step <= scale.to + step * 1e-9; count += 1)
    list.push({ at: count * step, label: clock(count * step, step) });
  return list;
}

/** The end of the axis of a run that goes on: a round time, so that it stays the same while the run goes on. */
export function roundUp(seconds: number): number {
  const step = tickStep(Math.max(seconds, 1), 6);
  return Math.max(step, Math.ceil(seconds / step) * step);
}

/** Where a time stands, from 0 to 1. */
export function share(scale: TimeScale, at: number): number {
  const span = scale.to - scale.from;
  return span > 0 ? Math.min(1, Math.max(0, (at - scale.from) / span)) : 0;
}

/** `0:20`, `1:00:00`, `0:00.5` as finely as the step needs. */
function clock(seconds: number, step: number): string {
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
  const whole = Number(seconds.toFixed(digits));
  const minutes = Math.floor(whole / 60);
  const rest = (whole - minutes * 60).toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, '0');
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}
