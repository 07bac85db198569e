/** Lays out the rows of a query as psql does: aligned columns under a header. */
import { textWidth } from './text-width.ts';

export interface ResultColumn {
  readonly name: string;
  /** Numbers stand to the right. */
  readonly rightAligned: boolean;
}

/** A row as the server sends it; `null` is shown as nothing. */
export type ResultRow = readonly (string | null)[];

/** Rows that are looked at for the width of the columns, and at most so many characters of them. */
const SAMPLE_ROWS = 1000;
const SAMPLE_CHARACTERS = 1 << 20;

/** Writes one result while its rows arrive, holding no more of them than it needs to lay out the columns. */
export class ResultTable {
  private readonly columns: readonly ResultColumn[];
  private readonly maxRows: number;
  private readonly write: (text: string) => void;
  private sample: ResultRow[] | undefined = [];
  private sampleSize = 0;
  private widths: readonly number[] = [];
  private rows = 0;

  /**
   * @param maxRows rows beyond these are only counted
   * @param write takes whole lines, joined by `\n`
   */
  constructor(columns: readonly ResultColumn[], maxRows: number, write: (text: string) => void) {
    this.columns = columns;
    this.maxRows = maxRows;
    this.write = write;
  }

  add(row: ResultRow): void {
    this.rows++;
    if (this.rows > this.maxRows) return;
    if (this.sample === undefined) {
      this.write(this.rowLines(row).join('\n'));
      return;
    }
    this.sample.push(row);
    for (const cell of row) this.sampleSize += cell?.length ?? 0;
    if (this.sample.length >= SAMPLE_ROWS || this.sampleSize >= SAMPLE_CHARACTERS) this.writeSample();
  }

  end(): void {
    this.writeSample();
    const hidden = this.rows - this.maxRows;
    if (hidden > 0) this.write(`… ${count(hidden, 'more row')}`);
    this.write(`(${count(this.rows, 'row')})`);
  }

  private writeSample(): void {
    const { sample } = this;
    if (sample === undefined) return;
    this.sample = undefined;
    const cells = [this.columns.map(column => column.name), ...sample];
    this.widths = this.columns.map((_, index) =>
      cells.reduce((widest, row) => Math.max(widest, ...cellLines(row[index] ?? null).map(textWidth)), 0),
    );
    const lines = this.headerLines();
    for (const row of sample) lines.push(...this.rowLines(row));
    this.write(lines.join('\n'));
  }

  private headerLines(): string[] {
    const names = this.columns.map((column, index) => {
      const [name = ''] = cellLines(column.name);
      const space = Math.max(0, (this.widths[index] ?? 0) - textWidth(name));
      const left = Math.floor(space / 2);
      return ` ${' '.repeat(left)}${name}${' '.repeat(space - left)} `;
    });
    return [names.join('|').trimEnd(), this.widths.map(width => '-'.repeat(width + 2)).join('+')];
  }

  /** A cell with line breaks makes its row several lines high; `+` says that the cell goes on. */
  private rowLines(row: ResultRow): string[] {
    const cells = this.columns.map((_, index) => cellLines(row[index] ?? null));
    const height = cells.reduce((highest, lines) => Math.max(highest, lines.length), 1);
    return Array.from({ length: height }, (_, lineIndex) =>
      cells
        .map((lines, index) => {
          const line = lines[lineIndex] ?? '';
          const padding = ' '.repeat(Math.max(0, (this.widths[index] ?? 0) - textWidth(line)));
          const goesOn = lineIndex + 1 < lines.length ? '+' : ' ';
          return this.columns[index]?.rightAligned === true
            ? ` ${padding}${line}${goesOn}`
            : ` ${line}${padding}${goesOn}`;
        })
        .join('|')
        .trimEnd(),
    );
  }
}

/** `1 row`, `2,000 rows`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

function cellLines(cell: string | null): string[] {
  if (cell === null) return [''];

  if (!/[\x00-\x1f\x7f]/.test(cell)) return [cell];
  return cell.split('\n').map(line =>
    line.replace(/[\x00-\x1f\x7f]/g, character => {
      if (character === '\t') return '\\t';
      if (character === '\r') return '\\r';
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
    }),
  );
}
