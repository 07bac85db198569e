import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `undefined` is NULL. */
export type Cell = string | number | bigint | boolean | undefined;

/**
 * Writes rows of one kind to files of a limited size, for loading them in parallel: `commits_0001.tsv`, and so on.
 * A file bears its name only when it is complete.
 */
export class RowFiles {
  readonly #directory: string;
  readonly #kind: string;
  readonly #charactersPerFile: number;
  #lines: string[] = [];
  #characters = 0;
  #files = 0;
  #rows = 0;

  constructor(directory: string, kind: string, charactersPerFile = 4_000_000) {
    this.#directory = directory;
    this.#kind = kind;
    this.#charactersPerFile = charactersPerFile;
  }

  /** How many rows have been added. */
  get rows(): number {
    return this.#rows;
  }

  /** The file's name is put before the cells, so that every row says where it is from. */
  async add(cells: readonly Cell[]): Promise<void> {
    const line = [this.#fileName, ...cells].map(formatCell).join('\t');
    this.#lines.push(line, '\n');
    this.#characters += line.length;
    this.#rows++;
    if (this.#characters >= this.#charactersPerFile) await this.finish();
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    if (this.#lines.length === 0) return;
    const file = join(this.#directory, this.#fileName);
    await mkdir(this.#directory, { recursive: true });
    await writeFile(`${file}.incomplete`, this.#lines.join(''));
    await rename(`${file}.incomplete`, file);
    this.#lines = [];
    this.#characters = 0;
    this.#files++;
  }

  get #fileName(): string {
    return `${this.#kind}_${String(this.#files + 1).padStart(4, '0')}.tsv`;
  }
}

/** Text is always quoted: an empty text is a value, an empty cell is NULL. */
function formatCell(cell: Cell): string {
  if (typeof cell === 'string') return `"${cell.replaceAll('"', '""')}"`;
  return cell === undefined ? '' : String(cell);
}
