/** Writes many small texts to a stream in few large ones, as fast as its reader takes them. */
export class TextWriter {
  readonly #stream: NodeJS.WriteStream;
  #text = '';
  #timer: NodeJS.Immediate | undefined;
  /** Pending while the reader cannot keep up. */
  drained: Promise<void> | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Whether the reader has gone away (`| head`): nothing more needs to be written. */
  get isClosed(): boolean {
    return !this.#stream.writable;
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= 64 * 1024) this.#send();
    // What comes in one go is written in one go, and nothing waits for more.
    else
      this.#timer ??= setImmediate(() => {
        this.#send();
      });
  }

  /** Resolves when everything was handed over, or nobody takes it any more. */
  async flush(): Promise<void> {
    this.#send();
    await this.drained;
  }

  #send(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text === '' || this.isClosed || this.#stream.write(text) || this.drained !== undefined) return;
    this.drained = new Promise(resolve => {
      const events = ['drain', 'close', 'error'] as const;
      const done = (): void => {
        for (const event of events) this.#stream.off(event, done);
        this.drained = undefined;
        resolve();
      };
      for (const event of events) this.#stream.on(event, done);
    });
  }
}
