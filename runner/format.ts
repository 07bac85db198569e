/**
 * How durations, ages and counts are worded, wherever people read them: terminal, editor and pages. Imports nothing, so
 * that every room may use it.
 */

/** `120ms`, `5.6s`, `1:10m`, `1:06h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${String(Math.round(seconds * 1000))}ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  return formatLong(seconds);
}

/** Like {@link formatDuration}, for a time that goes on: whole seconds, so that it does not flicker. */
export function formatElapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${String(whole)}s` : formatLong(whole);
}

/** What is left: `0:12`, `1:10`, `1:06:00`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours === 0
    ? `${String(minutes)}:${pad(whole % 60)}`
    : `${String(hours)}:${pad(minutes)}:${pad(whole % 60)}`;
}

const units = [
  ['s', 1],
  ['min', 60],
  ['h', 3600],
  ['d', 86_400],
] as const;

/** A span in the unit that says enough: `12 s`, `3 min`, `5 h`, `2 d`. */
export function formatSpan(seconds: number): string {
  const [unit, size] = units.findLast(([, length]) => seconds >= length) ?? ['s', 1];
  return `${String(Math.max(0, Math.floor(seconds / size)))} ${unit}`;
}

/** Like {@link formatSpan}, where room is scarce: `12 s`, `3 m`, `5 h`, `2 d`. */
export function formatShortSpan(seconds: number): string {
  return formatSpan(seconds).replace('min', 'm');
}

/** `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 run`, `3 runs`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function formatLong(seconds: number): string {
  const rounded = Math.round(seconds);
  if (rounded < 3600) return `${String(Math.floor(rounded / 60))}:${pad(rounded % 60)}m`;
  const minutes = Math.round(seconds / 60);
  return `${String(Math.floor(minutes / 60))}:${pad(minutes % 60)}h`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
