/** Brings the lines of attempts that were at work at the same time into the order of time. Pure but for its reader. */
import { postgresMicros, type LineTimes } from '../store/output-lines.ts';

/** An attempt whose lines are to be merged. */
export interface LineSource {
  /** Its number in the view. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** `seq` of the last line that was read; moved on. */
  read: number;
}

export interface LineReader {
  /** The next lines of some sources; those that have none are missing. */
  read(sources: readonly LineSource[], limit: number): Promise<ReadonlyMap<number, LineTimes>>;
}

/** Lines that are read at once of an attempt that has many. */
const PAGE = 20_000;
/** Of attempts that begin, so many are read at once, and so many lines of each: most have few. */
const BATCH = 64;
const FIRST_PAGE = 500;

interface OpenSource {
  readonly source: LineSource;
  page: LineTimes;
  at: number;
  /** Whether there may be lines after the page. */
  hasMore: boolean;
}

/**
 * Calls back for each line in the order of time; lines of one attempt stay in their order.
 *
 * @param sources in the order in which they started
 * @param take gets the source's number, `seq`, and whether it is an error line
 * @param pause is waited for now and then; `false` ends the merging
 */
export async function mergeLines(
  sources: readonly LineSource[],
  reader: LineReader,
  take: (number: number, seq: number, isError: boolean) => void,
  pause: () => Promise<boolean>,
): Promise<void> {
  let upcoming = 0;
  /** First pages that were read ahead. */
  let ahead = new Map<LineSource, LineTimes | undefined>();
  let open: OpenSource[] = [];
  for (;;) {
    const first = earliest(open);
    const next = sources[upcoming];
    if (next !== undefined && (first === undefined || postgresMicros(next.startedAt) <= timeOf(first))) {
      if (!ahead.has(next)) {
        if (!(await pause())) return;
        const batch = sources.slice(upcoming, upcoming + BATCH);
        const pages = await reader.read(batch, FIRST_PAGE);
        ahead = new Map(batch.map(source => [source, pages.get(source.number)]));
      }
      upcoming += 1;
      const page = ahead.get(next);
      if (page !== undefined) open.push({ source: next, page, at: 0, hasMore: page.length === FIRST_PAGE });
      continue;
    }
    if (first === undefined) return;
    // Its lines follow one another until another source has an earlier one.
    const limit = Math.min(
      open.reduce((least, source) => (source === first ? least : Math.min(least, timeOf(source))), Infinity),
      next === undefined ? Infinity : postgresMicros(next.startedAt),
    );
    const { page, source } = first;
    do {
      const seq = page.seq[first.at] ?? 0;
      take(source.number, seq, page.isError[first.at] === 1);
      source.read = seq;
      first.at += 1;
    } while (first.at < page.length && timeOf(first) < limit);
    if (first.at < page.length) continue;
    if (!(await pause())) return;
    const more = first.hasMore ? (await reader.read([source], PAGE)).get(source.number) : undefined;
    if (more === undefined) open = open.filter(one => one !== first);
    else Object.assign(first, { page: more, at: 0, hasMore: more.length === PAGE });
  }
}

function earliest(open: readonly OpenSource[]): OpenSource | undefined {
  let best: OpenSource | undefined;
  for (const source of open) if (best === undefined || timeOf(source) < timeOf(best)) best = source;
  return best;
}

function timeOf({ page, at }: OpenSource): number {
  return page.at[at] ?? Infinity;
}
