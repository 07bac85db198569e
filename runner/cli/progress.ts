/** One line on the terminal that says how far something is; nothing where there is no terminal. */
import { cutText } from './format.ts';
import type { Terminal } from './terminal.ts';

const period = 100;

export class Progress implements Disposable {
  readonly #stderr: NodeJS.WriteStream | undefined;
  #shownAt = 0;

  constructor({ stderr }: Pick<Terminal, 'stderr'>) {
    this.#stderr = stderr.isTTY && process.env['TERM'] !== 'dumb' ? stderr : undefined;
  }

  show(text: string): void {
    const now = performance.now();
    if (this.#stderr === undefined || (this.#shownAt > 0 && now - this.#shownAt < period)) return;
    this.#shownAt = now;
    this.#stderr.write(`\r${cutText(text, Math.max(1, this.#stderr.columns - 1))}\u001b[0K`);
  }

  clear(): void {
    if (this.#shownAt > 0) this.#stderr?.write('\r\u001b[0K');
    this.#shownAt = 0;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
