/** Gathers the lines that one attempt writes and sends them in batches. */
import type { OutputFormat } from '../model.ts';
import type { OutputChunk } from './protocol.ts';
import { LineSplitter, type SecretMasker } from './output.ts';

/** How long a line waits for others to travel with, in milliseconds. */
const flushDelay = 25;
/** A batch of this size in bytes does not wait. */
const flushBytes = 256 * 1024;

export interface OutputKind {
  readonly format: OutputFormat;
  readonly isError: boolean;
}

/** One stream of bytes, for example the standard error of a program. */
export interface OutputStream {
  write(chunk: Buffer): void;
  /** The last line is complete. */
  end(): void;
}

export interface OutputCollectorOptions {
  readonly masker?: SecretMasker | undefined;
  /** Takes a batch; `bytes` counts its text as UTF-8. */
  readonly send: (chunks: readonly OutputChunk[], bytes: number) => void;
}

/**
 * Lines of all streams in order of their arrival, in batches of at most 25 ms or about 256 KiB.
 * Lines of one kind that follow each other become one chunk.
 */
export class OutputCollector implements Disposable {
  readonly #masker: SecretMasker | undefined;
  readonly #send: (chunks: readonly OutputChunk[], bytes: number) => void;
  #chunks: { format: OutputFormat; isError: boolean; texts: string[] }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutputCollectorOptions) {
    this.#masker = options.masker;
    this.#send = options.send;
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.#bytes;
  }

  /**
   * A stream of its own, so that a line that has begun in it is not mixed with others.
   *
   * @param onLines gets its lines, too, joined by `\n`.
   */
  stream(kind: OutputKind, onLines?: (lines: string) => void): OutputStream {
    const splitter = new LineSplitter({
      masker: this.#masker,
      onLines: lines => {
        onLines?.(lines);
        this.#add(lines, kind);
      },
    });
    return {
      write: chunk => {
        splitter.push(chunk);
      },
      end: () => {
        splitter.end();
      },
    };
  }

  /** Whole lines; a `\n` at the end of `text` does not make a further, empty one. */
  write(text: string, kind: OutputKind): void {
    const splitter = new LineSplitter({
      masker: this.#masker,
      onLines: lines => {
        this.#add(lines, kind);
      },
    });
    // An empty text is an empty line: that is what `log.info('')` means.
    splitter.push(Buffer.from(text === '' ? '\n' : text));
    splitter.end();
  }

  /** Sends what waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#chunks.length === 0) return;
    const chunks = this.#chunks.map(({ format, isError, texts }) => ({
      format,
      isError,
      text: texts.join('\n'),
    }));
    const bytes = this.#bytes;
    this.#chunks = [];
    this.#bytes = 0;
    this.#send(chunks, bytes);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #add(lines: string, kind: OutputKind): void {
    const last = this.#chunks.at(-1);
    if (last?.format === kind.format && last.isError === kind.isError) last.texts.push(lines);
    else this.#chunks.push({ ...kind, texts: [lines] });
    this.#bytes += Buffer.byteLength(lines) + 1;
    if (this.#bytes >= flushBytes) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        this.flush();
      }, flushDelay);
  }
}
