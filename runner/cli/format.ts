/** How the terminal words what it shows. */
import { stripVTControlCharacters } from 'node:util';
import { textWidth } from '../databases/text-width.ts';
import { formatPath, type NodePath, type Outcome, type RunStatus } from '../model.ts';

export { formatCount, formatDuration, formatSpan, plural } from '../format.ts';

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

/** `512 B`, `3.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A path for people: the root has no name of its own. */
export function nameOfPath(path: NodePath): string {
  return path.length === 0 ? 'everything' : formatPath(path);
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand flush right. */
  readonly right?: true;
  /** Gives a cell its colour, once its width is known. */
  readonly style?: (cell: string, row: number) => string;
}

/**
 * Columns as wide as their widest cell. With a `width`, the last column is cut where the terminal ends.
 * Without rows only the titles.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const widths = columns.map(({ title }, column) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[column] ?? '')), textWidth(title)),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  const line = (cells: readonly string[], row: number | undefined): string =>
    columns
      .map(({ right, style }, column) => {
        const isLast = column === columns.length - 1;
        const cell = isLast
          ? cutText(cells[column] ?? '', Math.max(1, width - before))
          : (cells[column] ?? '');
        const styled = row === undefined || style === undefined || cell === '' ? cell : style(cell, row);
        const blanks = ' '.repeat(Math.max(0, (widths[column] ?? 0) - textWidth(cell)));
        if (right === true) return blanks + styled;
        return isLast ? styled : styled + blanks;
      })
      .join('  ')
      .trimEnd();
  return [
    line(
      columns.map(column => column.title),
      undefined,
    ),
    ...rows.map(line),
  ];
}

/** Text that takes up at most so many columns; what is cut off is marked by `…`. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let cut = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = textWidth(segment);
    if (used + next > width - 1) break;
    cut += segment;
    used += next;
  }
  return `${cut.trimEnd()}…`;
}

/** The first line with something on it, without control characters. */
export function firstLine(text: string): string {
  const line = text.split('\n').find(each => each.trim() !== '') ?? '';
  return plainText(line).trim();
}

/** Like {@link cutText}, but the end stays: of a path it tells most. */
export function cutStart(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  const segments = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  let used = 0;
  const from = segments.findLastIndex(segment => (used += textWidth(segment)) > width - 1);
  return `…${segments.slice(from + 1).join('')}`;
}

/** Sequences that steer a terminal; the first alternative is colours. */
const control =
  /\u001b\[[\d;:]*m|\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * A line of a program's output that may stand on a terminal: it keeps its colours, which end with it, and can neither
 * move the cursor nor clear anything. Of a line that was written over with `\r`, the last state is kept.
 */
export function harmlessText(line: string): string {
  if (!/\p{Cc}/u.test(line)) return line;
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  const text = last.replace(control, sequence => (/^\u001b\[[\d;:]*m$/.test(sequence) ? sequence : ''));
  return text.includes('\u001b') ? `${text}\u001b[0m` : text;
}

/** Text of somebody else without what would steer a terminal: one line, tabs as blanks. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\t\r\n]+/g, ' ')
    .replace(/\p{Cc}/gu, '');
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

/** The colour of a state. */
export function colourOf(status: RunStatus | Outcome): 'green' | 'red' | 'yellow' | 'blue' | 'dim' {
  switch (status) {
    case 'succeeded':
    case 'unchanged':
      return 'green';
    case 'failed':
      return 'red';
    case 'cancelled':
    case 'lost':
      return 'yellow';
    case 'running':
      return 'blue';
    case 'skipped':
      return 'dim';
  }
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
