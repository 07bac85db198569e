type Row = Readonly<Record<string, unknown>>;

/** Rows of texts as aligned lines below the names of their columns, numbers to the right. */
export function table(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return '  none';
  const names = Object.keys(first);
  const cells = [names, ...rows.map(row => names.map(name => printable(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map(line => width(line[column]))));
  return cells
    .map(line => line.map((cell, column) => pad(cell, widths[column] ?? 0, isNumeric(names[column], rows))))
    .map(line => `  ${line.join('  ')}`.trimEnd())
    .join('\n');
}

/** A bar for a diagram, as long as the value's share of the greatest one. */
export function bar(value: number, greatest: number): string {
  return '█'.repeat(Math.max(1, Math.round((30 * value) / greatest)));
}

function isNumeric(name = '', rows: readonly Row[]): boolean {
  return rows.every(row => /^\d+$/.test(String(row[name])));
}

function pad(cell: string, length: number, toTheRight: boolean): string {
  const blanks = ' '.repeat(length - width(cell));
  return toTheRight ? blanks + cell : cell + blanks;
}

function width(text = ''): number {
  return [...new Intl.Segmenter().segment(text)].length;
}

/** A name may hold anything, a line break as well: control characters become their pictures, NULL is blank. */
function printable(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return text
    .replace(/[\0-\x1f]/g, character => String.fromCodePoint(0x2400 + character.charCodeAt(0)))
    .replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e]/g, '\ufffd');
}
