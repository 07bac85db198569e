/** Places: between the analysis (files; lines and columns from 1) and an editor (URIs; from 0). */
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SourceLocation } from '../../runner/model.ts';
import type { Position, Range } from './protocol.ts';

/** A range that reaches to the end of its line, however long that is. */
const endOfLine = 2_147_483_647;

export function uriOf(file: string): string {
  return pathToFileURL(file).href;
}

/** The file that a URI names; `undefined` when it is no file of this machine. */
export function fileOf(uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    // Of another host, or not encoded as it should be.
    return undefined;
  }
}

/** A location without columns is the whole line. */
export function rangeOfLocation({ line, column, endLine, endColumn }: SourceLocation): Range {
  return {
    start: { line: line - 1, character: (column ?? 1) - 1 },
    end: {
      line: (endLine ?? line) - 1,
      character: endColumn === undefined ? endOfLine : endColumn - 1,
    },
  };
}

export function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}

/** Whether a position lies in a range or at one of its ends. */
export function touches(range: Range, position: Position): boolean {
  return !isBefore(position, range.start) && !isBefore(range.end, position);
}

export function contains(outer: Range, inner: Range): boolean {
  return !isBefore(inner.start, outer.start) && !isBefore(outer.end, inner.end);
}

export function isSameRange(a: Range, b: Range): boolean {
  return contains(a, b) && contains(b, a);
}

/** The smallest range that holds both. */
export function hull(a: Range, b: Range): Range {
  return {
    start: isBefore(a.start, b.start) ? a.start : b.start,
    end: isBefore(a.end, b.end) ? b.end : a.end,
  };
}
