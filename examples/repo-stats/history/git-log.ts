import { toText } from './text.ts';

/**
 * Every value ends with NUL, the only byte that no name and no subject contains. Renames, and what counts as a binary
 * file, are left to git's configuration: the numbers are those of a plain `git log --numstat`.
 */
export const gitLogArguments: readonly string[] = [
  'log',
  '-z',
  '--numstat',
  '--no-relative',
  '--no-show-signature',
  '--no-color',
  '--encoding=UTF-8',
  '--date=raw',
  '--format=tformat:commit %H%x00%P%x00%aN%x00%aE%x00%ad%x00%s',
];

export interface Commit {
  readonly kind: 'commit';
  readonly hash: string;
  readonly parentCount: number;
  readonly authorName: string;
  readonly authorEmail: string;
  /** `undefined` where git cannot read the date. */
  readonly authorDate: AuthorDate | undefined;
  readonly subject: string;
}

export interface AuthorDate {
  /** Since 1970; may be more than a JavaScript number can hold. */
  readonly seconds: bigint;
  /** Minutes east of Greenwich. */
  readonly utcOffset: number;
}

export interface FileChange {
  readonly kind: 'change';
  readonly commitHash: string;
  /** Counts the files of a commit from 1. */
  readonly position: number;
  readonly path: string;
  readonly renamedFrom: string | undefined;
  /** `undefined` for a binary file. */
  readonly linesAdded: bigint | undefined;
  readonly linesDeleted: bigint | undefined;
}

/**
 * Reads the output of `git log`, of any size: give it all chunks in turn, then call {@link end}. Each commit comes
 * before the files that it changed. Only what is unfinished at the end of a chunk is kept.
 */
export class GitLogParser {
  #partialValue: Buffer[] = [];
  #record: Buffer[] = [];
  #commitHash = '';
  #position = 0;

  *read(chunk: Buffer): Generator<Commit | FileChange> {
    let start = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
      const rest = chunk.subarray(start, end);
      this.#record.push(
        this.#partialValue.length === 0 ? rest : Buffer.concat([...this.#partialValue, rest]),
      );
      this.#partialValue = [];
      start = end + 1;
      if (this.#record.length === recordLength(this.#record)) {
        yield this.#parse(this.#record);
        this.#record = [];
      }
    }
    if (start < chunk.length) this.#partialValue.push(chunk.subarray(start));
  }

  /** @throws when the output stopped in the middle of something */
  end(): void {
    if (this.#record.length > 0 || this.#partialValue.length > 0) {
      throw new Error('The output of git log ends in the middle of a commit.');
    }
  }

  #parse(record: readonly Buffer[]): Commit | FileChange {
    const first = record[0]?.toString('latin1') ?? '';
    if (!first.startsWith(commitPrefix)) return this.#parseFileChange(first, record);
    this.#commitHash = first.slice(commitPrefix.length);
    this.#position = 0;
    const [parents = '', authorName = '', authorEmail = '', authorDate = '', subject = ''] = record
      .slice(1)
      .map(toText);
    return {
      kind: 'commit',
      hash: this.#commitHash,
      parentCount: parents === '' ? 0 : parents.split(' ').length,
      authorName,
      authorEmail,
      authorDate: parseDate(authorDate),
      subject,
    };
  }

  #parseFileChange(first: string, [change = nothing, oldPath, newPath]: readonly Buffer[]): FileChange {
    const [counts = '', linesAdded = '', linesDeleted = ''] = /^\n?(\d+|-)\t(\d+|-)\t/.exec(first) ?? [];
    if (counts === '')
      throw new Error(`Unexpected output of git log: ${JSON.stringify(first.slice(0, 100))}`);
    return {
      kind: 'change',
      commitHash: this.#commitHash,
      position: ++this.#position,
      path: toText(newPath ?? change.subarray(counts.length)),
      renamedFrom: oldPath && toText(oldPath),
      linesAdded: linesAdded === '-' ? undefined : BigInt(linesAdded),
      linesDeleted: linesDeleted === '-' ? undefined : BigInt(linesDeleted),
    };
  }
}

const commitPrefix = 'commit ';
const commitPrefixBytes = Buffer.from(commitPrefix);
/** The two paths of a rename are values of their own. */
const renameStart = /^\n?(\d+|-)\t(\d+|-)\t$/;
const nothing = Buffer.alloc(0);

/** Of how many values a record consists; its first one tells. */
function recordLength([first = nothing]: readonly Buffer[]): number {
  if (first.subarray(0, commitPrefix.length).equals(commitPrefixBytes)) return 6;
  return first.length < 64 && renameStart.test(first.toString('latin1')) ? 3 : 1;
}

/** From `1700000000 +0130`; an odd zone such as `+51800` is read as git does. */
function parseDate(text: string): AuthorDate | undefined {
  const [, seconds, sign, zone = ''] = /^(-?\d+) ([+-])(\d{4,9})$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const minutes = Number(zone.slice(0, -2)) * 60 + Number(zone.slice(-2));
  return { seconds: BigInt(seconds), utcOffset: sign === '-' ? -minutes : minutes };
}
