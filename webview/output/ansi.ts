/** What escape sequences of terminals mean for the text of one line: colours and weights. Everything else is dropped. */

/** One of the 16 colours of the theme, or one that the program chose itself. */
export type Colour =
  | { readonly kind: 'theme'; readonly index: number }
  | { readonly kind: 'rgb'; readonly red: number; readonly green: number; readonly blue: number };

export interface TextStyle {
  readonly bold: boolean;
  readonly faint: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
  readonly foreground: Colour | null;
  readonly background: Colour | null;
}

/** A piece of text that looks the same throughout; `null`: plain. */
export interface Span {
  readonly text: string;
  readonly style: TextStyle | null;
}

const PLAIN: TextStyle = {
  bold: false,
  faint: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
  foreground: null,
  background: null,
};

const ESCAPE = 0x1b;
const CSI = 0x9b;
/** Introduce a string that is not shown and ends with ST: DCS, SOS, OSC, PM, APC, with ESC before or as one character. */
const STRING_AFTER_ESCAPE = new Set(['P', 'X', ']', '^', '_'].map(letter => letter.charCodeAt(0)));
const STRING = new Set([0x90, 0x98, 0x9d, 0x9e, 0x9f]);

/** Splits a line into spans, in time linear in its length. No span is empty; joined they are the text that is shown. */
export function parseAnsi(text: string): Span[] {
  if (isPlain(text)) return text === '' ? [] : [{ text, style: null }];
  const spans: Span[] = [];
  let style: TextStyle | null = null;
  let shown = '';
  let from = 0;
  let at = 0;
  let stringEnds = true;
  const take = (): void => {
    shown += text.slice(from, at);
  };
  const flush = (): void => {
    if (shown !== '') spans.push({ text: shown, style });
    shown = '';
  };
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (!isControl(code)) {
      at += 1;
      continue;
    }
    take();
    const next = text.charCodeAt(at + 1);
    if (code === CSI || (code === ESCAPE && next === 0x5b)) {
      const sequence = readSequence(text, code === CSI ? at + 1 : at + 2);
      at = sequence.end;
      if (sequence.style !== null) {
        flush();
        style = applyStyle(style, sequence.style);
      }
    } else if (STRING.has(code) || (code === ESCAPE && STRING_AFTER_ESCAPE.has(next))) {
      // A string without an end would swallow the rest of the line: then only what introduces it goes.
      const start = code === ESCAPE ? at + 2 : at + 1;
      const end: number | null = stringEnds ? findStringEnd(text, start) : null;
      stringEnds = end !== null;
      at = end ?? start;
    } else if (code === ESCAPE) at = skipEscape(text, at + 1);
    else at += 1;
    from = at;
  }
  take();
  flush();
  return spans;
}

/** The text that is shown of one line: ends of lines go as well. */
export function stripAnsi(text: string): string {
  return isPlain(text)
    ? text
    : parseAnsi(text)
        .map(span => span.text)
        .join('');
}

function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09) || (code >= 0x7f && code < 0xa0);
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (isControl(text.charCodeAt(at))) return false;
  return true;
}

/** A control sequence after its introducer; `style`: its parameters when it is about looks. */
function readSequence(text: string, start: number): { end: number; style: readonly number[] | null } {
  let at = start;
  while (within(text.charCodeAt(at), 0x30, 0x3f)) at += 1;
  const parameters = text.slice(start, at);
  while (within(text.charCodeAt(at), 0x20, 0x2f)) at += 1;
  if (!within(text.charCodeAt(at), 0x40, 0x7e)) return { end: at, style: null };
  const isStyle = text[at] === 'm' && /^[\d;:]*$/.test(parameters);
  return {
    end: at + 1,
    style: isStyle ? parameters.split(/[;:]/).map(part => (part === '' ? 0 : Number(part))) : null,
  };
}

function findStringEnd(text: string, start: number): number | null {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x07 || code === 0x9c) return at + 1;
    if (code === ESCAPE && text[at + 1] === '\\') return at + 2;
  }
  return null;
}

function skipEscape(text: string, start: number): number {
  let at = start;
  while (within(text.charCodeAt(at), 0x20, 0x2f)) at += 1;
  return within(text.charCodeAt(at), 0x30, 0x7e) ? at + 1 : at;
}

function within(code: number, low: number, high: number): boolean {
  return code >= low && code <= high;
}

type Change = Partial<TextStyle>;

const CHANGES: Readonly<Record<number, Change>> = {
  1: { bold: true },
  2: { faint: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, faint: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { foreground: null },
  49: { background: null },
};

function applyStyle(before: TextStyle | null, codes: readonly number[]): TextStyle | null {
  let style: TextStyle = before ?? PLAIN;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { colour, used } = readColour(codes, at + 1);
      at += used;
      if (colour !== null)
        style = { ...style, ...(code === 38 ? { foreground: colour } : { background: colour }) };
      continue;
    }
    style = code === 0 ? PLAIN : { ...style, ...(CHANGES[code] ?? themeColour(code)) };
  }
  return isPlainStyle(style) ? null : style;
}

function themeColour(code: number): Change {
  if (within(code, 30, 37)) return { foreground: { kind: 'theme', index: code - 30 } };
  if (within(code, 90, 97)) return { foreground: { kind: 'theme', index: code - 82 } };
  if (within(code, 40, 47)) return { background: { kind: 'theme', index: code - 40 } };
  if (within(code, 100, 107)) return { background: { kind: 'theme', index: code - 92 } };
  return {};
}

/** What follows 38 or 48: `5;n` of 256 colours, or `2;r;g;b`. */
function readColour(codes: readonly number[], at: number): { colour: Colour | null; used: number } {
  if (codes[at] === 5) {
    const index = codes[at + 1];
    return { colour: index === undefined || index > 255 ? null : paletteColour(index), used: 2 };
  }
  if (codes[at] !== 2) return { colour: null, used: 1 };
  const [red, green, blue] = codes.slice(at + 1, at + 4);
  if (red === undefined || green === undefined || blue === undefined || Math.max(red, green, blue) > 255)
    return { colour: null, used: 4 };
  return { colour: { kind: 'rgb', red, green, blue }, used: 4 };
}

/** Of xterm's 256 colours: 16 of the theme, a cube of 6 × 6 × 6, 24 greys. */
function paletteColour(index: number): Colour {
  if (index < 16) return { kind: 'theme', index };
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return { kind: 'rgb', red: grey, green: grey, blue: grey };
  }
  const cube = index - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  return {
    kind: 'rgb',
    red: level(Math.floor(cube / 36)),
    green: level(Math.floor(cube / 6) % 6),
    blue: level(cube % 6),
  };
}

function isPlainStyle(style: TextStyle): boolean {
  const { foreground, background, ...flags } = style;
  return foreground === null && background === null && !Object.values(flags).some(Boolean);
}
