/** What a program says on its standard error before it fails. */
import { stripVTControlCharacters } from 'node:util';

/** So many of the last lines are looked at: what is farther from the end is hardly why the program ended. */
const kept = 40;

/** Characters of a line that an error's first line may take over. */
const longest = 300;

/**
 * How messages of errors look, whatever program writes them: `ValueError: …`, `cp: cannot stat …`, `ERROR: …`. A guess,
 * which is why the output is always kept, too.
 */
const looksLikeError =
  /error|exception|fatal|fail|panic|cannot|can't|could not|denied|not found|no such|unable|invalid|refused|timed out/i;

/** Source lines, frames and carets under a message. */
const belongsToAnother = /^\s|^(?:LINE \d+|DETAIL|HINT|CONTEXT):/;

/** Keeps the last lines that were written, and knows which of them says why the program failed. */
export class ErrorLines {
  #lines: string[] = [];

  /** Takes whole lines, joined by `\n`. */
  add(lines: string): void {
    // Only the last ones count, and there may be a million.
    let start = lines.length;
    for (let count = 0; count < kept && start >= 0; count += 1) start = lines.lastIndexOf('\n', start - 1);
    this.#lines.push(...lines.slice(start + 1).split('\n'));
    if (this.#lines.length > kept) this.#lines = this.#lines.slice(-kept);
  }

  /** The last line that looks like an error, else the last one with a word in it; `undefined` when nothing was said. */
  get reason(): string | undefined {
    const said = this.#lines
      .map(line => stripVTControlCharacters(line).trimEnd())
      .filter(line => /[\p{L}\p{N}]/u.test(line));
    const reason =
      said.findLast(line => !belongsToAnother.test(line) && looksLikeError.test(line)) ?? said.at(-1);
    if (reason === undefined) return undefined;
    const line = reason.trim();
    return line.length > longest ? `${line.slice(0, longest)}…` : line;
  }
}
