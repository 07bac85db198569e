/** What one line of output looks like: its text in pieces that share style, link and highlighting. */
import { parseAnsi, type TextStyle } from './ansi.ts';
import { findLinks, type LinkTarget } from './links.ts';

export interface Piece {
  readonly text: string;
  readonly style: TextStyle | null;
  readonly link: LinkTarget | null;
  /** Whether the search found it. */
  readonly marked: boolean;
}

export interface LineText {
  readonly pieces: readonly Piece[];
  /** How many characters are not shown. */
  readonly omitted: number;
}

/** Longer lines are cut where they are shown; the document has all of it. */
export const MAX_SHOWN = 4000;

/** `search`: marks what contains it, whatever its case; empty: marks nothing. */
export function lineText(message: string, search: string): LineText {
  const spans = parseAnsi(message.slice(0, MAX_SHOWN));
  const text = spans.map(span => span.text).join('');
  const links = findLinks(text);
  const marks = findMarks(text, search);
  const pieces: Piece[] = [];
  let start = 0;
  let link = 0;
  let mark = 0;
  for (const span of spans) {
    const spanEnd = start + span.text.length;
    for (let at = start; at < spanEnd;) {
      while ((links[link]?.end ?? Infinity) <= at) link += 1;
      while ((marks[mark]?.end ?? Infinity) <= at) mark += 1;
      const nextLink = links[link];
      const nextMark = marks[mark];
      const isLink = nextLink !== undefined && nextLink.start <= at;
      const isMarked = nextMark !== undefined && nextMark.start <= at;
      const end = Math.min(
        spanEnd,
        (isLink ? nextLink.end : nextLink?.start) ?? Infinity,
        (isMarked ? nextMark.end : nextMark?.start) ?? Infinity,
      );
      pieces.push({
        text: text.slice(at, end),
        style: span.style,
        link: isLink ? nextLink.target : null,
        marked: isMarked,
      });
      at = end;
    }
    start = spanEnd;
  }
  return { pieces, omitted: Math.max(0, message.length - MAX_SHOWN) };
}

/** Places of a text, whatever its case, that do not overlap. */
export function findMarks(text: string, search: string): { start: number; end: number }[] {
  if (search === '') return [];
  const marks: { start: number; end: number }[] = [];
  const wanted = search.toLowerCase();
  const lower = text.toLowerCase();
  // A few letters change their length with their case; then places would be wrong, and only the same case is marked.
  const isSafe = lower.length === text.length && wanted.length === search.length;
  const [where, what] = isSafe ? [lower, wanted] : [text, search];
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + what.length))
    marks.push({ start: at, end: at + what.length });
  return marks;
}
