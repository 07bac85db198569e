import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LineSplitter, maxLineBytes, SecretMasker } from '../../runner/pool/output.ts';

function split(chunks: readonly (string | Buffer)[], secrets: readonly string[] = []): string[] {
  const lines: string[] = [];
  const masker = SecretMasker.create(secrets);
  const splitter = new LineSplitter({ masker, onLines: text => lines.push(...text.split('\n')) });
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map(place => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** What the splitter must do to output without long lines, said as simply as possible. */
function reference(bytes: Buffer, secrets: readonly string[]): string[] {
  const text = bytes.toString();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const pattern = [...secrets]
    .sort((a, b) => b.length - a.length)
    .map(secret => secret.replace(/[^\w]/g, '\\$&'));
  return lines.map(line => {
    const clean = (line.replace(/\r+$/, '').split('\r').at(-1) ?? '').replaceAll('\0', '\ufffd');
    return secrets.length === 0 ? clean : clean.replace(new RegExp(pattern.join('|'), 'g'), '***');
  });
}

/** The parts that a long line is cut into, code point by code point. */
function parts(line: string): string[] {
  const found: string[] = [''];
  let size = 0;
  for (const character of line) {
    const bytes = Buffer.byteLength(character);
    if (size + bytes > maxLineBytes) {
      found.push('');
      size = 0;
    }
    found.push((found.pop() ?? '') + character);
    size += bytes;
  }
  return found;
}

describe('output: lines', () => {
  it('ends lines at \\n and at the end of the output', () => {
    assert.deepEqual(split(['a\nb\n']), ['a', 'b']);
    assert.deepEqual(split(['a\n', 'b']), ['a', 'b']);
    assert.deepEqual(split(['a', 'b', '\n\nc']), ['ab', '', 'c']);
    assert.deepEqual(split(['']), []);
    assert.deepEqual(split(['\n']), ['']);
  });

  it('takes \\r\\n as the end of a line and keeps the last state of a progress bar', () => {
    assert.deepEqual(split(['a\r', '\nb\r\r\n']), ['a', 'b']);
    assert.deepEqual(split(['10%\r50%', '\r100%\ndone\r']), ['100%', 'done']);
  });

  it('replaces NUL and invalid UTF-8, and keeps characters that are cut by chunks', () => {
    assert.deepEqual(split([Buffer.from('a\0b\n'), Buffer.from([0x63, 0xff, 0x64, 0x0a])]), [
      'a\ufffdb',
      'c\ufffdd',
    ]);
    const bytes = Buffer.from('grüße 😀\n');
    assert.deepEqual(split([...bytes].map(byte => Buffer.from([byte]))), ['grüße 😀']);
    assert.deepEqual(split([Buffer.from([0xf0, 0x9f])]), ['\ufffd']);
  });

  it('keeps a line of exactly 64 KiB whole and splits longer ones between characters', () => {
    assert.deepEqual(
      split(['x'.repeat(maxLineBytes), '\n']).map(line => line.length),
      [maxLineBytes],
    );
    assert.deepEqual(
      split([`${'x'.repeat(maxLineBytes + 1)}\n`]).map(line => line.length),
      [maxLineBytes, 1],
    );
    const lines = split([`x${'ü'.repeat(maxLineBytes)}`]);
    assert.deepEqual(
      lines.map(line => Buffer.byteLength(line)),
      [maxLineBytes - 1, maxLineBytes, 2],
    );
    assert.equal(lines.join(''), `x${'ü'.repeat(maxLineBytes)}`);
  });

  it('counts the bytes of replaced characters', () => {
    const lines = split([Buffer.alloc(maxLineBytes - 1), '\n']);
    assert.ok(lines.every(line => Buffer.byteLength(line) <= maxLineBytes));
    assert.equal(lines.join('').length, maxLineBytes - 1);
  });

  it('masks secrets, the longest first, line by line', () => {
    assert.deepEqual(split(['abc abcdef\n'], ['abc', 'abcdef']), ['*** ***']);
    assert.deepEqual(split(['one\ntwo three\n'], ['one\ntwo']), ['***', '*** three']);
    assert.deepEqual(split(['a.c abc\n'], ['a.c', '']), ['*** abc']);
  });

  it('masks a secret that lies across the place where a line is split, or comes in pieces', () => {
    const secret = 'correct horse battery staple';
    for (const before of [maxLineBytes - 10, maxLineBytes - 1, maxLineBytes - secret.length]) {
      const text = `${'x'.repeat(before)}${secret}${'y'.repeat(1000)}`;
      const lines = split(cut(Buffer.from(text), [10, before + 3, before + 7]), [secret, 'correct horse']);
      assert.equal(lines.join(''), text.replace(secret, '***'));
    }
  });

  it('is the reference, however the bytes are cut', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r', '\r\n', '\0', 'ab', 'abc', 'ü', '😀', '\ud83d', ' '),
      fc.uint8Array({ maxLength: 3 }).map(bytes => Buffer.from(bytes)),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const secrets = fc.subarray(['abc', 'ab', 'bca', 'üü']);
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        secrets,
        (pieces, places, masked) => {
          const bytes = Buffer.concat(pieces.map(part => Buffer.from(part)));
          assert.deepEqual(split(cut(bytes, places), masked), reference(bytes, masked));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('splits long lines alike, however the bytes are cut', () => {
    const length = fc.integer({ min: maxLineBytes - 40, max: maxLineBytes + 40 });
    const unit = fc.constantFrom('x', 'ü', '€', '😀', 'secret', 'sesecret', 's\u00e4');
    fc.assert(
      fc.property(
        length,
        fc.array(unit, { maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (filler, tail, places) => {
          const line = 'f'.repeat(filler) + tail.join('');
          const bytes = Buffer.from(`${line}\nnext\n`);
          const expected = [...parts(line.replace(/sesecret|secret/g, '***')), 'next'];
          assert.deepEqual(split(cut(bytes, places), ['secret', 'sesecret']), expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('forgets what a carriage return has overwritten alike, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.constantFrom('\r', 'secret', '😀')), {
          maxLength: 6,
        }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (pieces, places) => {
          const bytes = Buffer.from(pieces.map(([count, end]) => 'z'.repeat(count) + end).join(''));
          assert.deepEqual(split(cut(bytes, places), ['secret']), split([bytes], ['secret']));
        },
      ),
      { numRuns: 100 },
    );
  });
});
