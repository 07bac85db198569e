/** A search through a view on output that goes on while there is more, and again when lines are added. */

/** Asks for indexes of lines, ascending, from a line on; `next`: where to go on. */
export type SearchSlice = (
  text: string,
  from: number,
) => Promise<{ readonly indexes: readonly number[]; readonly next: number | null }>;

/** Above this it is only said that there are more. */
export const MAX_MATCHES = 200_000;

export class OutputSearch {
  readonly #ask: SearchSlice;
  readonly #changed: () => void;
  readonly #failed: (error: unknown) => void;
  #text = '';
  #matches: number[] = [];
  /** Where the next slice begins. */
  #next = 0;
  #lines = 0;
  /** Answers to an older text are not taken. */
  #turn = 0;
  #busy = false;

  constructor(ask: SearchSlice, changed: () => void, failed: (error: unknown) => void) {
    this.#ask = ask;
    this.#changed = changed;
    this.#failed = failed;
  }

  get text(): string {
    return this.#text;
  }

  /** Indexes of lines, ascending. */
  get matches(): readonly number[] {
    return this.#matches;
  }

  /** Whether lines are still to be looked at. */
  get isBusy(): boolean {
    return this.#busy;
  }

  get isCut(): boolean {
    return this.#matches.length >= MAX_MATCHES;
  }

  /** Looks for another text; with an empty one for nothing. */
  start(text: string, lines: number): void {
    if (text === this.#text) {
      this.grow(lines);
      return;
    }
    this.#turn += 1;
    this.#text = text;
    this.#matches = [];
    this.#next = 0;
    this.#lines = lines;
    this.#busy = false;
    this.#changed();
    this.#continue();
  }

  /** Says how many lines there are by now. */
  grow(lines: number): void {
    this.#lines = lines;
    this.#continue();
  }

  /** Forgets everything: the view's lines are other ones now. */
  reset(lines: number): void {
    const text = this.#text;
    this.#text = '';
    this.start(text, lines);
  }

  stop(): void {
    this.#turn += 1;
    this.#busy = false;
  }

  #continue(): void {
    if (this.#busy || this.#text === '' || this.#next >= this.#lines || this.isCut) return;
    const turn = this.#turn;
    const lines = this.#lines;
    this.#busy = true;
    this.#ask(this.#text, this.#next).then(
      ({ indexes, next }) => {
        if (turn !== this.#turn) return;
        const last = this.#matches.at(-1) ?? -1;
        for (const index of indexes) if (index > last) this.#matches.push(index);
        // A service that does not get on must not keep us busy for ever.
        this.#next =
          next === null ? Math.max(lines, (indexes.at(-1) ?? -1) + 1) : Math.max(next, this.#next + 1);
        this.#busy = false;
        this.#continue();
        this.#changed();
      },
      (error: unknown) => {
        if (turn !== this.#turn) return;
        this.#busy = false;
        this.#failed(error);
      },
    );
  }
}

/** The match at or after a line, else the first one; its place among the matches. -1: there is none. */
export function matchFrom(matches: readonly number[], line: number): number {
  if (matches.length === 0) return -1;
  const found = lowerBound(matches, line);
  return found === matches.length ? 0 : found;
}

/** The match before a line, else the last one. */
export function matchBefore(matches: readonly number[], line: number): number {
  return (
    ((lowerBound(matches, line) - 1 + matches.length) % Math.max(1, matches.length)) -
    (matches.length === 0 ? 1 : 0)
  );
}

/** How many matches stand before a line. */
export function lowerBound(matches: readonly number[], line: number): number {
  let low = 0;
  let high = matches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((matches[middle] ?? 0) < line) low = middle + 1;
    else high = middle;
  }
  return low;
}
