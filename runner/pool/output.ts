/**
 * From the bytes that a program writes to lines that can be kept: whole UTF-8, no NUL, no secrets, no line longer
 * than 64 KiB. Pure and incremental: how the bytes were cut into chunks makes no difference to the lines.
 *
 * - `\n` ends a line, and so does the end of the output; a last line without `\n` is kept.
 * - `\r` before the end of a line belongs to the line's end (`\r\n`).
 * - Any other `\r` starts the line anew, as on a terminal: of a progress bar only its last state is kept.
 * - Invalid UTF-8 and NUL become U+FFFD, because Postgres takes neither.
 * - A secret becomes `***`, the longest first, also where it lies across the border of two chunks or of two parts of
 *   a line that is split. A secret of several lines is masked line by line.
 */

/** Longest line in bytes of UTF-8; longer ones are split. */
export const maxLineBytes = 64 * 1024;

const newline = 0x0a;
const mask = '***';

/** Makes a function that replaces secrets by `***`; `undefined` when there is nothing to mask. */
export class SecretMasker {
  /** Length of the longest secret in UTF-16 code units. */
  readonly longest: number;
  readonly #pattern: RegExp;

  private constructor(secrets: readonly string[]) {
    this.longest = secrets[0]?.length ?? 0;
    this.#pattern = new RegExp(secrets.map(escapeForRegExp).join('|'), 'g');
  }

  /** `undefined` when there is nothing to mask. Empty secrets are ignored. */
  static create(secrets: readonly string[]): SecretMasker | undefined {
    const lines = new Set(secrets.flatMap(secret => secret.split(/[\r\n]+/)).map(clean));
    lines.delete('');
    if (lines.size === 0) return undefined;
    return new SecretMasker([...lines].sort((a, b) => b.length - a.length));
  }

  mask(text: string): string {
    return text.replace(this.#pattern, mask);
  }

  /**
   * Masks the secrets that start before `end`; `text` must go on for at least {@link longest} - 1 further code units,
   * or be complete. Returns the masked text, and how far of `text` it stands for.
   */
  maskUntil(text: string, end: number): { readonly masked: string; readonly used: number } {
    let masked = '';
    let used = 0;
    this.#pattern.lastIndex = 0;
    for (let match = this.#pattern.exec(text); match !== null; match = this.#pattern.exec(text)) {
      if (match.index >= end) break;
      masked += text.slice(used, match.index) + mask;
      used = match.index + match[0].length;
    }
    if (used < end) {
      masked += text.slice(used, end);
      used = end;
    }
    return { masked, used };
  }
}

export interface LineSplitterOptions {
  readonly masker?: SecretMasker | undefined;
  /** Takes complete lines, joined by `\n`: `''` is one empty line. */
  readonly onLines: (lines: string) => void;
}

/** Cuts a stream of bytes into lines. Keeps at most one line of 64 KiB in memory. */
export class LineSplitter {
  readonly #masker: SecretMasker | undefined;
  readonly #onLines: (lines: string) => void;
  /** The line that has begun: either its bytes, or, when it is long, what has been decoded of it. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #long: LongLine | undefined;

  constructor(options: LineSplitterOptions) {
    this.#masker = options.masker;
    this.#onLines = options.onLines;
  }

  /** Takes over `chunk`: it must not be changed afterwards. */
  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(newline);
    if (end === -1) {
      this.#begin(chunk);
      return;
    }
    let start = 0;
    if (this.#long !== undefined || this.#begunBytes > 0) {
      start = chunk.indexOf(newline) + 1;
      this.#begin(chunk.subarray(0, start - 1));
      this.#finishLine();
    }
    if (start <= end) this.#block(chunk.subarray(start, end));
    if (end + 1 < chunk.length) this.#begin(chunk.subarray(end + 1));
  }

  /** Hands out the last line if it did not end in `\n`. The splitter can be used again. */
  end(): void {
    if (this.#long !== undefined || this.#begunBytes > 0) this.#finishLine();
  }

  #begin(bytes: Buffer): void {
    if (this.#long !== undefined) {
      this.#long.push(bytes);
      return;
    }
    this.#begun.push(bytes);
    this.#begunBytes += bytes.length;
    if (this.#begunBytes <= maxLineBytes) return;
    this.#long = new LongLine(this.#masker, this.#onLines);
    for (const part of this.#begun) this.#long.push(part);
    this.#begun = [];
    this.#begunBytes = 0;
  }

  #finishLine(): void {
    if (this.#long !== undefined) {
      this.#long.end();
      this.#long = undefined;
      return;
    }
    const line = this.#begun.length === 1 ? (this.#begun[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunBytes = 0;
    this.#block(line);
  }

  /** Whole lines, without the last `\n`. Many lines at once: a string per line would cost more than the line. */
  #block(bytes: Buffer): void {
    if (mayHoldLongLine(bytes)) {
      this.#lineByLine(bytes);
      return;
    }
    let text = clean(bytes.toString());
    if (text.includes('\r')) {
      // What stands behind keeps both from being tried again at each character: that would be quadratic.
      text = text.replace(/(?<!\r)\r+(?=\n|$)/g, '');
      if (text.includes('\r')) text = text.replace(/(?<![^\n])[^\n]*\r/g, '');
    }
    this.#onLines(this.#masker === undefined ? text : this.#masker.mask(text));
  }

  #lineByLine(bytes: Buffer): void {
    for (let start = 0; start <= bytes.length;) {
      const found = bytes.indexOf(newline, start);
      const end = found === -1 ? bytes.length : found;
      const line = bytes.subarray(start, end);
      if (mayHoldLongLine(line)) {
        const long = new LongLine(this.#masker, this.#onLines);
        long.push(line);
        long.end();
      } else {
        this.#block(line);
      }
      start = end + 1;
    }
  }
}

/** One line that may have to be split. */
class LongLine {
  readonly #masker: SecretMasker | undefined;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** Decoded, but a secret may begin in it whose end has not come yet. */
  #raw = '';
  /** Masked, to be handed out. */
  #masked = '';
  #maskedBytes = 0;
  /** Carriage returns that may turn out to be the line's end. */
  #returned = false;
  #handedOut = false;

  constructor(masker: SecretMasker | undefined, onLine: (line: string) => void) {
    this.#masker = masker;
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    this.#text(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    this.#text(this.#decoder.decode());
    this.#settle(true);
    if (this.#masked !== '' || !this.#handedOut) this.#onLine(this.#masked);
  }

  #text(text: string): void {
    if (text === '') return;
    const parts = clean(text).split('\r');
    for (const [index, part] of parts.entries()) {
      if (index > 0) this.#returned = true;
      if (part === '') continue;
      if (this.#returned) {
        this.#returned = false;
        this.#raw = this.#masked = '';
        this.#maskedBytes = 0;
      }
      this.#raw += part;
      this.#settle(false);
    }
  }

  /** Moves what is certain from raw to masked, and hands out full parts. */
  #settle(complete: boolean): void {
    let masked = this.#raw;
    if (this.#masker !== undefined) {
      let end = complete ? this.#raw.length : this.#raw.length - (this.#masker.longest - 1);
      if (end <= 0) return;
      if (!complete && isHighSurrogate(this.#raw.charCodeAt(end - 1))) end--;
      const settled = this.#masker.maskUntil(this.#raw, end);
      masked = settled.masked;
      this.#raw = this.#raw.slice(settled.used);
    } else {
      this.#raw = '';
    }
    this.#masked += masked;
    this.#maskedBytes += Buffer.byteLength(masked);
    if (this.#maskedBytes > maxLineBytes) this.#handOut();
  }

  #handOut(): void {
    const bytes = Buffer.from(this.#masked);
    let start = 0;
    while (bytes.length - start > maxLineBytes) {
      let end = start + maxLineBytes;
      while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
      this.#onLine(bytes.toString('utf8', start, end));
      start = end;
    }
    this.#handedOut = true;
    this.#masked = bytes.toString('utf8', start);
    this.#maskedBytes = bytes.length - start;
  }
}

/** Whether a line could be longer than allowed once each bad byte has become the three bytes of U+FFFD. */
function mayHoldLongLine(bytes: Buffer): boolean {
  const safe = Math.floor(maxLineBytes / 3);
  let start = 0;
  while (start + safe < bytes.length) {
    const end = bytes.lastIndexOf(newline, start + safe);
    if (end < start) return true;
    start = end + 1;
  }
  return false;
}

function clean(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
