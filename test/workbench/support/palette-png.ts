/** Makes PNGs small: one byte for each pixel, by a palette of the 256 colours that a picture of an interface needs. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Three bytes for each pixel. */
  readonly colours: Uint8Array;
}

/** @param png as Chromium writes it: eight bits for each of three or four channels, not interlaced */
export function withPalette(png: Uint8Array): Buffer {
  const { width, height, colours } = decode(png);
  const palette = choosePalette(colours);
  const nearest = new Map<number, number>();
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    // Each row begins with its filter: none, which suits palettes.
    for (let x = 0; x < width; x += 1) {
      const colour = colourAt(colours, y * width + x);
      let index = nearest.get(colour);
      if (index === undefined) {
        index = nearestOf(palette, colour);
        nearest.set(colour, index);
      }
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(channels))),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function decode(png: Uint8Array): Picture {
  const file = Buffer.from(png);
  const data: Buffer[] = [];
  let [width, height, size] = [0, 0, 0];
  for (let at = signature.length; at < file.length;) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 8, at + 8 + length);
    switch (file.toString('latin1', at + 4, at + 8)) {
      case 'IHDR':
        [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
        size = body[9] === 6 ? 4 : 3;
        if (body[8] !== 8 || (body[9] !== 6 && body[9] !== 2) || body[12] !== 0)
          throw new Error('the picture has another form than Chromium gives it');
        break;
      case 'IDAT':
        data.push(body);
    }
    at += length + 12;
  }
  return { width, height, colours: unfilter(inflateSync(Buffer.concat(data)), width, height, size) };
}

/** Undoes the filters of the rows, and leaves out the fourth channel: screenshots are opaque. */
function unfilter(rows: Buffer, width: number, height: number, size: number): Uint8Array {
  const length = width * size;
  const colours = new Uint8Array(width * height * 3);
  let above = new Uint8Array(length);
  for (let y = 0; y < height; y += 1) {
    const start = y * (length + 1);
    const filter = rows[start] ?? 0;
    const row = new Uint8Array(rows.subarray(start + 1, start + 1 + length));
    for (let i = 0; i < length; i += 1) {
      const left = row[i - size] ?? 0;
      const up = above[i] ?? 0;
      const corner = i < size ? 0 : (above[i - size] ?? 0);
      row[i] = (row[i] ?? 0) + predicted(filter, left, up, corner);
    }
    for (let x = 0; x < width; x += 1) colours.set(row.subarray(x * size, x * size + 3), (y * width + x) * 3);
    above = row;
  }
  return colours;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      return 0;
  }
}

function colourAt(colours: Uint8Array, pixel: number): number {
  const at = pixel * 3;
  return ((colours[at] ?? 0) << 16) | ((colours[at + 1] ?? 0) << 8) | (colours[at + 2] ?? 0);
}

function channels(colour: number): [red: number, green: number, blue: number] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function distance(one: number, other: number): number {
  const [a, b] = [channels(one), channels(other)];
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

function nearestOf(palette: readonly number[], colour: number): number {
  let best = 0;
  let least = Infinity;
  for (const [index, candidate] of palette.entries()) {
    const far = distance(candidate, colour);
    if (far < least) [best, least] = [index, far];
  }
  return best;
}

/**
 * The colour that is most missed comes next: how far it is from what there is, times how often it occurs (damped, so that
 * a small red icon counts against large areas of grey).
 */
function choosePalette(colours: Uint8Array): number[] {
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < colours.length / 3; pixel += 1) {
    const colour = colourAt(colours, pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const candidates = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 20_000)
    .map(([colour, count]) => ({ colour, weight: Math.sqrt(count), missing: Infinity }));
  const palette: number[] = [];
  let next = candidates[0];
  while (next !== undefined && palette.length < 256) {
    const chosen = next.colour;
    palette.push(chosen);
    let most = 0;
    next = undefined;
    for (const candidate of candidates) {
      candidate.missing = Math.min(candidate.missing, distance(candidate.colour, chosen));
      const score = candidate.missing * candidate.weight;
      if (score > most) [next, most] = [candidate, score];
    }
  }
  return palette;
}
