import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Commit, type FileChange, GitLogParser } from './git-log.ts';
import { RowFiles } from './row-files.ts';

/** Relative to the data directory, as ReadFile wants it. */
export const historyFolder = 'history';

/** The complete files of the last read, by name. */
export async function listHistoryFiles(dataDir: string): Promise<string[]> {
  return (await readdir(join(dataDir, historyFolder))).filter(name => name.endsWith('.tsv')).sort();
}

/** Writes what git prints as files that can be loaded. */
export class HistoryFiles {
  readonly commits: RowFiles;
  readonly changes: RowFiles;
  readonly gone: RowFiles;
  readonly #parser = new GitLogParser();
  #partialHash = '';

  constructor(directory: string) {
    this.commits = new RowFiles(directory, 'commits');
    this.changes = new RowFiles(directory, 'changes');
    this.gone = new RowFiles(directory, 'gone');
  }

  /** Takes a piece of the output of `git log`. */
  async writeLog(chunk: Buffer): Promise<void> {
    for (const record of this.#parser.read(chunk)) {
      if (record.kind === 'commit') await this.commits.add(commitCells(record));
      else await this.changes.add(changeCells(record));
    }
  }

  /** Takes a piece of the output of `git rev-list`: hashes, one a line. */
  async writeGone(chunk: Buffer): Promise<void> {
    const hashes = (this.#partialHash + chunk.toString('latin1')).split('\n');
    this.#partialHash = hashes.pop() ?? '';
    for (const hash of hashes) await this.gone.add([hash]);
  }

  async finish(): Promise<void> {
    this.#parser.end();
    for (const files of [this.commits, this.changes, this.gone]) await files.finish();
  }
}

function commitCells(commit: Commit) {
  const { hash, parentCount, authorName, authorEmail, authorDate, subject } = commit;
  return [hash, parentCount, authorName, authorEmail, authorDate?.seconds, authorDate?.utcOffset, subject];
}

function changeCells(change: FileChange) {
  const { commitHash, position, path, renamedFrom, linesAdded, linesDeleted } = change;
  return [commitHash, position, path, renamedFrom, linesAdded, linesDeleted];
}
