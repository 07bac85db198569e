/** Replaces text in SQL: literally, in one pass, the same way when it runs and when it is shown. */
import type { ParameterContext } from '../api/context.ts';
import { describeValue, PipelineError } from '../api/errors.ts';
import type { ParameterValue } from '../model.ts';

/**
 * What a text is replaced by. A function is called when it is needed: when the SQL runs or is shown. It may return a
 * parameter as it is; that there is no such parameter is told when it is called.
 */
export type Replacement = string | number | ((context: ParameterContext) => ParameterValue | undefined);

/** Replacements by the text that they replace. */
export type Replacements = Readonly<Record<string, Replacement>>;

/** A text after replacement. */
export interface ReplacedText {
  readonly text: string;
  /**
   * The offset in the original that an offset in {@link text} came from; within replaced text, the start of the
   * text that was replaced. Both count UTF-16 units.
   */
  offset(inText: number): number;
}

/** A stretch of the result that stands for a stretch of the original. */
interface Piece {
  readonly start: number;
  readonly originalStart: number;
  readonly isReplaced: boolean;
}

/**
 * Replaces every occurrence. Where several patterns match, the longest counts; what was put in is not looked at again.
 *
 * @param context what functions are called with
 * @throws PipelineError when a function fails or gives something else than a text, a number, true or false
 */
export function replaceText(
  original: string,
  replacements: Replacements = {},
  context: ParameterContext = { params: {} },
): ReplacedText {
  const patterns = Object.keys(replacements).sort((a, b) => b.length - a.length);
  if (patterns.length === 0) return { text: original, offset: offset => offset };
  const values = new Map<string, string>();
  const pieces: Piece[] = [];
  let text = '';
  let position = 0;
  for (const match of original.matchAll(new RegExp(patterns.map(escape).join('|'), 'g'))) {
    const [pattern] = match;
    let value = values.get(pattern);
    if (value === undefined) values.set(pattern, (value = valueOf(pattern, replacements[pattern], context)));
    pieces.push({ start: text.length, originalStart: position, isReplaced: false });
    text += original.slice(position, match.index);
    pieces.push({ start: text.length, originalStart: match.index, isReplaced: true });
    text += value;
    position = match.index + pattern.length;
  }
  pieces.push({ start: text.length, originalStart: position, isReplaced: false });
  text += original.slice(position);
  return { text, offset: offset => originalOffset(pieces, offset) };
}

/** @throws PipelineError when the replacements are not what they must be; functions are not called */
export function checkReplacements(what: string, replacements: Replacements | undefined): void {
  for (const [pattern, value] of Object.entries<unknown>(replacements ?? {})) {
    if (pattern === '') throw new PipelineError(`${what}: a text to replace must not be empty.`);
    if (!isValue(value) && typeof value !== 'function') {
      throw new PipelineError(
        `${what}: "${pattern}" must be replaced by a string, a number or a function, not ${describeValue(value)}.`,
      );
    }
  }
}

/** Whether the replacements are plain data, so that they can travel to another process. */
export function isPlain(replacements: Replacements | undefined): boolean {
  return Object.values(replacements ?? {}).every(isValue);
}

function valueOf(pattern: string, replacement: Replacement | undefined, context: ParameterContext): string {
  if (typeof replacement !== 'function') return String(replacement);
  let value: unknown;
  try {
    value = replacement(context);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new PipelineError(`The function that replaces "${pattern}" failed: ${message}`, { cause: error });
  }
  if (!isValue(value) && typeof value !== 'boolean') {
    throw new PipelineError(
      `The function that replaces "${pattern}" must return a string, a number, true or false, not ${describeValue(value)}.`,
    );
  }
  return String(value);
}

function isValue(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** The last piece that begins at or before the offset; of empty ones the last counts. */
function originalOffset(pieces: readonly Piece[], offset: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((pieces[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  if (piece === undefined) return offset;
  return piece.isReplaced ? piece.originalStart : piece.originalStart + (offset - piece.start);
}

function escape(pattern: string): string {
  return pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
