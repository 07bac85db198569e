/** A history that can be read: a git repository, or the sample that comes with this example. */
export interface HistorySource {
  /** For people: where the history is. */
  readonly name: string;
  /** Changes when the commits that have been read before must be read again. */
  readonly fingerprint: string;
  /** The newest commit; empty in a history without commits. */
  readonly head: string;

  /** Whether the history still knows the commit `head` of an earlier read. */
  knows(head: string): Promise<boolean>;

  /** The output of `git log` for all commits, or for those that `since` has not in its history. */
  readLog(since: string | undefined, onOutput: (chunk: Buffer) => Promise<void>): Promise<void>;

  /** The hashes, one a line, of the commits that `since` has in its history but `head` has not. */
  readGoneCommits(since: string, onOutput: (chunk: Buffer) => Promise<void>): Promise<void>;

  /** How many commits the history has. */
  countCommits(): Promise<number>;
}
