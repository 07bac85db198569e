/** Lines of a view on output that have been read: a few thousand around what is shown, however many there are. */
import type { OutputRecord } from '../../runner/records.ts';

export const PAGE_SIZE = 500;
const MAX_PAGES = 24;

export interface LineRange {
  readonly from: number;
  readonly count: number;
}

export class LineCache {
  /** By number; a page at the end of output that grows is not full. The one used last comes last. */
  readonly #pages = new Map<number, readonly OutputRecord[]>();

  get size(): number {
    let size = 0;
    for (const page of this.#pages.values()) size += page.length;
    return size;
  }

  get(index: number): OutputRecord | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.[index % PAGE_SIZE];
  }

  /** What must be read so that the lines from `from` to, not including, `to` are there, page by page. */
  missing(from: number, to: number): LineRange[] {
    const ranges: LineRange[] = [];
    for (let page = Math.floor(from / PAGE_SIZE); page * PAGE_SIZE < to; page += 1) {
      const start = page * PAGE_SIZE;
      const known = this.#pages.get(page);
      if (known !== undefined) {
        this.#pages.delete(page);
        this.#pages.set(page, known);
      }
      const have = start + (known?.length ?? 0);
      // A whole page when it is read first, later only what is new.
      if (have < Math.min(to, start + PAGE_SIZE))
        ranges.push({ from: have, count: start + PAGE_SIZE - have });
    }
    return ranges;
  }

  /** Takes lines that were read from `from` on. Returns whether they are new. */
  add(from: number, lines: readonly OutputRecord[]): boolean {
    const page = Math.floor(from / PAGE_SIZE);
    const known = this.#pages.get(page) ?? [];
    const have = page * PAGE_SIZE + known.length;
    // Lines beyond a gap would get wrong indexes.
    if (from > have || from + lines.length <= have) return false;
    this.#pages.delete(page);
    this.#pages.set(page, [...known, ...lines.slice(have - from)].slice(0, PAGE_SIZE));
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MAX_PAGES) break;
      this.#pages.delete(oldest);
    }
    return true;
  }

  clear(): void {
    this.#pages.clear();
  }
}
