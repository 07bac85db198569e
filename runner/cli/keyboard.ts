/** Keys as they are pressed, while this exists; none is lost between two questions for the next. */
import { emitKeypressEvents, type Key } from 'node:readline';

export class Keyboard implements Disposable {
  readonly #stdin: NodeJS.ReadStream;
  readonly #pressed: (Key | 'interrupted')[] = [];
  #wake: (() => void) | undefined;

  constructor(stdin: NodeJS.ReadStream) {
    this.#stdin = stdin;
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.on('keypress', this.#onKey).on('end', this.#onEnd).resume();
  }

  /** The next key; Ctrl-C, Ctrl-D and the end of the input interrupt. */
  async next(): Promise<Key | 'interrupted'> {
    for (;;) {
      const key = this.#pressed.shift();
      if (key !== undefined) return key;
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#stdin.off('keypress', this.#onKey).off('end', this.#onEnd).pause();
    this.#stdin.setRawMode(false);
  }

  readonly #onKey = (_text: string | undefined, key: Key): void => {
    this.#push(key.ctrl === true && (key.name === 'c' || key.name === 'd') ? 'interrupted' : key);
  };

  readonly #onEnd = (): void => {
    this.#push('interrupted');
  };

  #push(key: Key | 'interrupted'): void {
    this.#pressed.push(key);
    this.#wake?.();
  }
}
