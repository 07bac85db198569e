/** How the terminal words what it shows. */
import type { Outcome, RunStatus } from '../model.ts';

/** `120ms`, `5.6s`, `1:10m`, `1:06h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${String(Math.round(seconds * 1000))}ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const rounded = Math.round(seconds);
  if (rounded < 3600) return `${String(Math.floor(rounded / 60))}:${pad(rounded % 60)}m`;
  const minutes = Math.round(seconds / 60);
  return `${String(Math.floor(minutes / 60))}:${pad(minutes % 60)}h`;
}

/** `3 succeeded, 1 failed, 2 skipped`: only what is there, in this order. */
export function formatCounts(counts: Readonly<Record<Outcome, number>>): string {
  const order: readonly Outcome[] = ['succeeded', 'unchanged', 'failed', 'skipped', 'cancelled', 'lost'];
  const parts = order
    .filter(outcome => counts[outcome] > 0)
    .map(outcome => `${String(counts[outcome])} ${outcome}`);
  return parts.length === 0 ? 'nothing to do' : parts.join(', ');
}

/** `2026-11-20 08:41:39` in the local time zone. */
export function formatTime(date: Date): string {
  return `${String(date.getFullYear())}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Columns as wide as their widest cell; numbers (by `right`) flush right. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string[] {
  const widths = header.map((cell, column) =>
    Math.max(cell.length, ...rows.map(row => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    widths
      .map((width, column) =>
        right.has(column) ? (row[column] ?? '').padStart(width) : (row[column] ?? '').padEnd(width),
      )
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)];
}

/** A sign beside the word, so that a state is never told by colour alone. */
export function symbolOf(status: RunStatus | Outcome): string {
  switch (status) {
    case 'succeeded':
      return '✓';
    case 'unchanged':
      return '=';
    case 'failed':
      return '✗';
    case 'skipped':
      return '»';
    case 'cancelled':
      return '⊘';
    case 'lost':
      return '?';
    case 'running':
      return '▷';
  }
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
