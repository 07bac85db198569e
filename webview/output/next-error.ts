/** Goes from error to error. What a task printed in one go counts once, however many lines it has. */
import type { OutputRecord } from '../../runner/records.ts';

/** The part of a model that is needed. */
export interface ErrorSource {
  line(index: number): OutputRecord | undefined;
  findError(from: number, direction: 'next' | 'previous'): Promise<number | null>;
}

export interface FoundError {
  /** The first line of the error. */
  readonly index: number;
  /** Whether the search went on at the other end. */
  readonly isWrapped: boolean;
}

/** From the line that one stands at; `null`: from the beginning, or back from the end. */
export async function findErrorBlock(
  source: ErrorSource,
  current: number | null,
  direction: 'next' | 'previous',
): Promise<FoundError | null> {
  const isNext = direction === 'next';
  const last = Number.MAX_SAFE_INTEGER;
  const from =
    current === null
      ? isNext
        ? 0
        : last
      : isNext
        ? blockEnd(source, current) + 1
        : blockStart(source, current) - 1;
  const found = from < 0 ? null : await source.findError(from, direction);
  const index = found ?? (await source.findError(isNext ? 0 : last, direction));
  if (index === null) return null;
  return { index: isNext ? index : blockStart(source, index), isWrapped: found === null };
}

function blockEnd(source: ErrorSource, index: number): number {
  let end = index;
  while (isSameError(source.line(index), source.line(end + 1))) end += 1;
  return end;
}

function blockStart(source: ErrorSource, index: number): number {
  let start = index;
  while (isSameError(source.line(index), source.line(start - 1))) start -= 1;
  return start;
}

function isSameError(one: OutputRecord | undefined, other: OutputRecord | undefined): boolean {
  return one?.isError === true && other?.isError === true && one.nodeRunId === other.nodeRunId;
}
