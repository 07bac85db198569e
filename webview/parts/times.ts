/** Points in time for people, in the zone of the machine that shows them. Durations: runner/format.ts. */
import { formatShortSpan } from '../../runner/format.ts';

/** `3 h ago`, `just now`. */
export function formatAge(at: number, now: number): string {
  const seconds = (now - at) / 1000;
  return seconds < 5 ? 'just now' : `${formatShortSpan(seconds)} ago`;
}

/** `today 09:38`, `yesterday 16:22`, `11 Nov 06:01`, `11 Nov 2024 06:01`; with seconds where they matter. */
export function formatMoment(at: number, now: number, precision: 'minutes' | 'seconds' = 'minutes'): string {
  const time = formatTimeOfDay(at, precision);
  const days = dayNumber(now) - dayNumber(at);
  if (days === 0) return `today ${time}`;
  if (days === 1) return `yesterday ${time}`;
  return `${formatDay(at, now)} ${time}`;
}

/** `11 Nov`, and the year if it is another one. */
export function formatDay(at: number, now: number): string {
  const date = new Date(at);
  const day = `${String(date.getDate())} ${months[date.getMonth()] ?? ''}`;
  return date.getFullYear() === new Date(now).getFullYear() ? day : `${day} ${String(date.getFullYear())}`;
}

/** `09:38`, `09:38:54`. */
export function formatTimeOfDay(at: number, precision: 'minutes' | 'seconds' = 'minutes'): string {
  const date = new Date(at);
  const parts = [date.getHours(), date.getMinutes(), ...(precision === 'seconds' ? [date.getSeconds()] : [])];
  return parts.map(part => String(part).padStart(2, '0')).join(':');
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Calendar days, so that a change to summer time is none of their business. */
function dayNumber(at: number): number {
  const date = new Date(at);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}
