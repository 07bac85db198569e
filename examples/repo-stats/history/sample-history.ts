import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { GitLogParser } from './git-log.ts';
import type { HistorySource } from './history-source.ts';

/** The history of an invented project, for where there is no git repository; see sample/make-sample.ts. */
export class SampleHistory implements HistorySource {
  readonly name = 'the sample history';
  readonly fingerprint: string;
  readonly head: string;
  readonly #log: Buffer;

  private constructor(log: Buffer) {
    this.#log = log;
    this.fingerprint = createHash('sha256').update(log).digest('hex');
    this.head = 'sample';
  }

  static async open(): Promise<SampleHistory> {
    const file = new URL('sample/history.log.gz', import.meta.url);
    return new SampleHistory(await promisify(gunzip)(await readFile(file)));
  }

  knows(head: string): Promise<boolean> {
    return Promise.resolve(head === this.head);
  }

  async readLog(since: string | undefined, onOutput: (chunk: Buffer) => Promise<void>): Promise<void> {
    if (since === undefined) await onOutput(this.#log);
  }

  /** The sample never changes. */
  readGoneCommits(): Promise<void> {
    return Promise.resolve();
  }

  countCommits(): Promise<number> {
    const records = [...new GitLogParser().read(this.#log)];
    return Promise.resolve(records.filter(({ kind }) => kind === 'commit').length);
  }
}
