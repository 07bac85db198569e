/**
 * Which line stands where in a view on output, for millions of lines: consecutive lines of one attempt are one entry of
 * typed arrays, so that a line takes 16 bytes at worst and next to nothing as a rule. Pure.
 */

/** Consecutive lines of one attempt that stand together. */
export interface IndexedStretch {
  /** The attempt's number in the view. */
  readonly attempt: number;
  /** `seq` of the first line. */
  readonly first: number;
  readonly count: number;
}

export class OutputIndex {
  /** By entry: attempt, `seq` of its first line, index of its first line in the view. */
  #attempts = new Uint32Array(64);
  #seqs = new Uint32Array(64);
  #starts = new Uint32Array(64);
  #entries = 0;
  /** Ranges of error lines: index of the first one, and of the first line after it. */
  #errorStarts = new Uint32Array(16);
  #errorEnds = new Uint32Array(16);
  #errorRanges = 0;
  #lines = 0;
  #errors = 0;
  /** The line that would go on with the last entry. */
  #nextAttempt = -1;
  #nextSeq = -1;

  get lines(): number {
    return this.#lines;
  }

  get errors(): number {
    return this.#errors;
  }

  /** Memory that the arrays take. */
  get bytes(): number {
    return 12 * this.#attempts.length + 8 * this.#errorStarts.length;
  }

  /** Puts a line at the end. */
  append(attempt: number, seq: number, isError: boolean): void {
    if (attempt !== this.#nextAttempt || seq !== this.#nextSeq) this.#begin(attempt, seq);
    this.#nextSeq = seq + 1;
    if (isError) this.#addError(this.#lines);
    this.#lines += 1;
  }

  /** Lines from an index on; fewer than `count` at the end. */
  stretches(from: number, count: number): IndexedStretch[] {
    const end = Math.min(this.#lines, from + count);
    const found: IndexedStretch[] = [];
    if (from < 0 || from >= end) return found;
    for (let entry = lastAtMost(this.#starts, this.#entries, from); entry < this.#entries; entry++) {
      const start = this.#starts[entry] ?? 0;
      if (start >= end) break;
      const next = entry + 1 < this.#entries ? (this.#starts[entry + 1] ?? 0) : this.#lines;
      const skipped = Math.max(0, from - start);
      found.push({
        attempt: this.#attempts[entry] ?? 0,
        first: (this.#seqs[entry] ?? 0) + skipped,
        count: Math.min(next, end) - start - skipped,
      });
    }
    return found;
  }

  /** The first error line behind an index; `null` when there is none. */
  nextError(index: number): number | null {
    const range = lastAtMost(this.#errorStarts, this.#errorRanges, index + 1);
    if (range >= 0 && index + 1 < (this.#errorEnds[range] ?? 0)) return index + 1;
    return range + 1 < this.#errorRanges ? (this.#errorStarts[range + 1] ?? null) : null;
  }

  /** The last error line before an index; `null` when there is none. */
  previousError(index: number): number | null {
    const range = lastAtMost(this.#errorStarts, this.#errorRanges, index - 1);
    return range < 0 ? null : Math.min(index, this.#errorEnds[range] ?? 0) - 1;
  }

  /** Gives back what was allocated for lines that have not come. */
  trim(): void {
    this.#resize(Math.max(64, this.#entries));
    this.#resizeErrors(Math.max(16, this.#errorRanges));
  }

  #begin(attempt: number, seq: number): void {
    if (this.#entries === this.#attempts.length) this.#resize(grown(this.#entries));
    this.#attempts[this.#entries] = attempt;
    this.#seqs[this.#entries] = seq;
    this.#starts[this.#entries] = this.#lines;
    this.#entries += 1;
    this.#nextAttempt = attempt;
  }

  #addError(index: number): void {
    this.#errors += 1;
    if (this.#errorRanges > 0 && this.#errorEnds[this.#errorRanges - 1] === index) {
      this.#errorEnds[this.#errorRanges - 1] = index + 1;
      return;
    }
    if (this.#errorRanges === this.#errorStarts.length) this.#resizeErrors(grown(this.#errorRanges));
    this.#errorStarts[this.#errorRanges] = index;
    this.#errorEnds[this.#errorRanges] = index + 1;
    this.#errorRanges += 1;
  }

  #resize(size: number): void {
    this.#attempts = resized(this.#attempts, size, this.#entries);
    this.#seqs = resized(this.#seqs, size, this.#entries);
    this.#starts = resized(this.#starts, size, this.#entries);
  }

  #resizeErrors(size: number): void {
    this.#errorStarts = resized(this.#errorStarts, size, this.#errorRanges);
    this.#errorEnds = resized(this.#errorEnds, size, this.#errorRanges);
  }
}

function grown(size: number): number {
  return Math.ceil(size * 1.25);
}

function resized(array: Uint32Array<ArrayBuffer>, size: number, used: number): Uint32Array<ArrayBuffer> {
  if (array.length === size) return array;
  const copy = new Uint32Array(size);
  copy.set(array.subarray(0, used));
  return copy;
}

/** Position of the last of `length` ascending values that is at most `value`; -1 when all are higher. */
function lastAtMost(values: Uint32Array, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
