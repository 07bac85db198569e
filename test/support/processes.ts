/** Which processes a test has started, directly or not, found by a variable in their environment (Linux). */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { waitUntil } from './wait.ts';

/** Elsewhere nothing can be said about processes, and tests that ask are to be skipped. */
export const canListProcesses = existsSync('/proc/self/environ');

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** A mark that processes inherit: `start(…, { env: mark.env })`. */
export class ProcessMark {
  readonly #value = randomBytes(8).toString('hex');

  get env(): Readonly<Record<string, string>> {
    return { MILLRACE_TEST_MARK: this.#value };
  }

  /** What runs with the mark; zombies do not count, nor the embedded server, which outlives who has started it. */
  running(): FoundProcess[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => {
        try {
          const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
          if (!environment.includes(`MILLRACE_TEST_MARK=${this.#value}`)) return [];
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ').trim();
          return command === '' || isServer(command) ? [] : [{ pid: Number(name), command }];
        } catch {
          return []; // it has gone meanwhile
        }
      });
  }

  /** Waits until nothing runs with the mark; the time limit is the test's. */
  async untilGone(): Promise<void> {
    await waitUntil(() => this.running().length === 0);
  }
}

function isServer(command: string): boolean {
  return /\bpostgres\b|keeper-main/.test(command);
}
