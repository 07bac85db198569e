/** A mistake in the text of a user's file, found before the file could run. */
import type { SourceLocation } from '../model.ts';

/** Its message is what the user reads: the place, what is wrong, the line and a caret below it. */
export class SourceError extends SyntaxError {
  override readonly name = 'SourceError';
  readonly location: Required<Pick<SourceLocation, 'file' | 'line' | 'column'>>;
  /** What is wrong, without the place. */
  readonly reason: string;

  /** @param source the text of the file. */
  constructor(file: string, source: string, offset: number, reason: string) {
    const { line, column, text } = placeOf(source, offset);
    super(`${file}:${String(line)}:${String(column)}: ${reason}\n${lineExcerpt(text, column)}`);
    this.location = { file, line, column };
    this.reason = reason;
    // The frames are the loader's own; the place is in the message.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** Line and column, counted from 1, and the whole line that holds an offset. */
export function placeOf(source: string, offset: number): { line: number; column: number; text: string } {
  const before = source.slice(0, offset).split(/\r\n|[\n\r\u2028\u2029]/);
  const column = (before.at(-1) ?? '').length + 1;
  const start = offset - (column - 1);
  const [text = ''] = source.slice(start).split(/[\r\n\u2028\u2029]/, 1);
  return { line: before.length, column, text };
}

/** The line with a caret below the column; tabs stay tabs, so that the caret stands right. */
export function lineExcerpt(text: string, column: number): string {
  return `${text}\n${text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')}^`;
}
