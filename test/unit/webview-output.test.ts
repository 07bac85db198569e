import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OutputRecord } from '../../runner/records.ts';
import { parseAnsi, stripAnsi } from '../../webview/output/ansi.ts';
import { LineCache, PAGE_SIZE } from '../../webview/output/line-cache.ts';
import { findMarks, lineText, MAX_SHOWN } from '../../webview/output/line-text.ts';
import { findLinks } from '../../webview/output/links.ts';
import { lowerBound, matchBefore, matchFrom, OutputSearch } from '../../webview/output/search.ts';

const escape = '\u001b';

/** Text full of what could confuse a parser. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        escape,
        `${escape}[`,
        `${escape}[31`,
        `${escape}[31m`,
        `${escape}[38;5;200m`,
        `${escape}[48;2;1;2;3m`,
        `${escape}]0;title`,
        '\u0007',
        `${escape}\\`,
        '\u009b1m',
        ';',
        'm',
        '<img src=x onerror=alert(1)>',
        'a/b.ts:3:4',
        'https://example.com/a?b=(c)',
        '\ud83d\ude00',
        'İ',
      ),
    ),
  )
  .map(parts => parts.join(''));

describe('output: escape sequences of terminals', () => {
  const shown = (text: string): unknown[] =>
    parseAnsi(text).map(({ text: piece, style }) =>
      style === null
        ? piece
        : [
            piece,
            ...Object.entries<unknown>({ ...style }).flatMap<unknown>(([name, value]) =>
              value === true
                ? [name]
                : typeof value === 'object' && value !== null
                  ? [{ [name]: value }]
                  : [],
            ),
          ],
    );

  it('colours, of the theme and of programs, and weights', () => {
    assert.deepEqual(shown(`a${escape}[31mred${escape}[0m b`), [
      'a',
      ['red', { foreground: { kind: 'theme', index: 1 } }],
      ' b',
    ]);
    assert.deepEqual(shown(`${escape}[1;4;96mx${escape}[22;24;39my`), [
      ['x', 'bold', 'underline', { foreground: { kind: 'theme', index: 14 } }],
      'y',
    ]);
    assert.deepEqual(
      shown(`${escape}[38;5;196mcube${escape}[38;5;240mgrey${escape}[48;2;1;2;3mrgb${escape}[m.`),
      [
        ['cube', { foreground: { kind: 'rgb', red: 255, green: 0, blue: 0 } }],
        ['grey', { foreground: { kind: 'rgb', red: 88, green: 88, blue: 88 } }],
        [
          'rgb',
          { foreground: { kind: 'rgb', red: 88, green: 88, blue: 88 } },
          { background: { kind: 'rgb', red: 1, green: 2, blue: 3 } },
        ],
        '.',
      ],
    );
    assert.deepEqual(shown(`${escape}[3;7;9;2mx`), [['x', 'faint', 'italic', 'strike', 'inverse']]);
  });

  it('everything else is dropped, but never the text behind a broken sequence', () => {
    assert.equal(stripAnsi(`${escape}[2K${escape}[1Gdone${escape}[?25h`), 'done');
    assert.equal(stripAnsi(`${escape}]8;;https://example.com${escape}\\link${escape}]8;;\u0007.`), 'link.');
    assert.equal(stripAnsi(`${escape}]0;no end`), '0;no end');
    assert.equal(stripAnsi(`${escape}(B${escape}cx${escape}`), 'x');
    assert.equal(stripAnsi('a\tb\u0000c\rd\u009b31me'), 'a\tbcde');
    assert.equal(stripAnsi(`${escape}[99999999999999999999mx${escape}[38mz`), 'xz');
  });

  it('spans are never empty, and joined they are text without control characters', () => {
    fc.assert(
      fc.property(hostile, text => {
        const spans = parseAnsi(text);
        assert.ok(spans.every(span => span.text !== ''));
        assert.doesNotMatch(
          spans.map(span => span.text).join(''),
          /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/,
        );
      }),
    );
  });
});

describe('output: links', () => {
  const links = (text: string): unknown[] =>
    findLinks(text).map(({ start, end, target }) => [
      text.slice(start, end),
      target.kind === 'url' ? target.url : [target.file, target.line, target.column ?? null],
    ]);

  it('places in files, as programs write them', () => {
    assert.deepEqual(links('at github/transform_repo.sql:14'), [
      ['github/transform_repo.sql:14', ['github/transform_repo.sql', 14, null]],
    ]);
    assert.deepEqual(links('psql:load.sql:3: ERROR:  no'), [['load.sql:3', ['load.sql', 3, null]]]);
    assert.deepEqual(links('    at run (file:///w/my%20app/x.ts:10:5)'), [
      ['file:///w/my%20app/x.ts:10:5', ['/w/my app/x.ts', 10, 5]],
    ]);
    assert.deepEqual(links('(C:\\w\\x.ts:7)'), [['C:\\w\\x.ts:7', ['C:\\w\\x.ts', 7, null]]]);
    assert.deepEqual(links('  File "lib/etl.py", line 12, in <module>'), [
      ['File "lib/etl.py", line 12', ['lib/etl.py', 12, null]],
    ]);
    assert.deepEqual(links('größe/täglich.sql:2'), [['größe/täglich.sql:2', ['größe/täglich.sql', 2, null]]]);
  });

  it('addresses, without the punctuation around them', () => {
    assert.deepEqual(links('see https://example.com/a_(b)?c=d, or (http://x.org/y:12).'), [
      ['https://example.com/a_(b)?c=d', 'https://example.com/a_(b)?c=d'],
      ['http://x.org/y:12', 'http://x.org/y:12'],
    ]);
  });

  it('neither times, nor versions, hosts or other schemes', () => {
    for (const text of [
      '09:39:14',
      'db.example.com:5432',
      'v1.2.3:4',
      'a.b:c',
      'javascript:alert(1)',
      'x.ts:0',
      'host:80',
      'https://',
      'x.ts:12345678',
    ])
      assert.deepEqual(links(text), [], text);
  });

  it('never overlap, lie within the text, and are in order', () => {
    fc.assert(
      fc.property(hostile, text => {
        let end = 0;
        for (const link of findLinks(text)) {
          assert.ok(link.start >= end && link.end > link.start && link.end <= text.length);
          end = link.end;
        }
      }),
    );
  });
});

describe('output: the text of a line', () => {
  it('style, link and search meet', () => {
    const { pieces } = lineText(`${escape}[31mERROR${escape}[0m at a/b.sql:14`, 'b.SQL');
    assert.deepEqual(
      pieces.map(piece => [piece.text, piece.style !== null, piece.link !== null, piece.marked]),
      [
        ['ERROR', true, false, false],
        [' at ', false, false, false],
        ['a/', false, true, false],
        ['b.sql', false, true, true],
        [':14', false, true, false],
      ],
    );
  });

  it('long lines are cut and say by how much', () => {
    const { pieces, omitted } = lineText('x'.repeat(MAX_SHOWN + 17), '');
    assert.equal(omitted, 17);
    assert.equal(pieces.map(piece => piece.text).join('').length, MAX_SHOWN);
  });

  it('pieces joined are the text without sequences, whatever is looked for', () => {
    fc.assert(
      fc.property(hostile, fc.string(), (text, search) => {
        const { pieces } = lineText(text, search);
        assert.ok(pieces.every(piece => piece.text !== ''));
        assert.equal(pieces.map(piece => piece.text).join(''), stripAnsi(text.slice(0, MAX_SHOWN)));
      }),
    );
  });

  it('marks are found whatever their case', () => {
    assert.deepEqual(findMarks('aAbaa', 'AA'), [
      { start: 0, end: 2 },
      { start: 3, end: 5 },
    ]);
    assert.deepEqual(findMarks('İx', 'x'), [{ start: 1, end: 2 }]);
  });
});

describe('output: lines that are held', () => {
  const record = (seq: number): OutputRecord => ({
    nodeRunId: 1,
    nodePath: ['a'],
    attempt: 1,
    seq,
    at: seq,
    format: 'verbatim',
    isError: false,
    message: String(seq),
  });
  const records = (from: number, count: number): OutputRecord[] =>
    Array.from({ length: count }, (_, index) => record(from + index));

  it('reads whole pages, and of a page that grew only what is new', () => {
    const cache = new LineCache();
    assert.deepEqual(cache.missing(PAGE_SIZE - 10, PAGE_SIZE + 10), [
      { from: 0, count: PAGE_SIZE },
      { from: PAGE_SIZE, count: PAGE_SIZE },
    ]);
    assert.ok(cache.add(0, records(0, 30)));
    assert.deepEqual(cache.missing(0, 30), []);
    assert.deepEqual(cache.missing(0, 40), [{ from: 30, count: PAGE_SIZE - 30 }]);
    assert.ok(cache.add(30, records(30, 10)));
    assert.equal(cache.get(39)?.seq, 39);
    assert.equal(cache.add(60, records(60, 10)), false, 'beyond a gap');
    assert.equal(cache.add(0, records(0, 30)), false, 'nothing new');
  });

  it('gives every line at its index and stays small, wherever one scrolls', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000_000), { maxLength: 100 }), places => {
        const cache = new LineCache();
        for (const place of places) {
          for (const { from, count } of cache.missing(place, place + 40))
            cache.add(from, records(from, count));
          for (let index = place; index < place + 40; index += 1) assert.equal(cache.get(index)?.seq, index);
          assert.ok(cache.size <= 24 * PAGE_SIZE);
        }
      }),
    );
  });
});

describe('output: search', () => {
  it('collects slices, goes on when lines are added, and forgets answers to an older text', async () => {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const lines = ['ab', 'b', 'a', 'ab', 'c'];
    let known = 4;
    const search = new OutputSearch(
      (text, from) => {
        asked.push(`${text} ${from}`);
        const until = Math.min(from + 2, known);
        const indexes = lines.flatMap((line, index) =>
          index >= from && index < until && line.includes(text) ? [index] : [],
        );
        return new Promise(resolve => {
          waiting.push(() => {
            resolve({ indexes, next: until < known ? until : null });
          });
        });
      },
      () => undefined,
      error => {
        throw error;
      },
    );
    const answer = async (): Promise<void> => {
      waiting.shift()?.();
      await new Promise(setImmediate);
    };
    search.start('a', known);
    search.start('b', known);
    assert.ok(search.isBusy);
    await answer();
    assert.deepEqual(search.matches, [], 'the answer to "a"');
    await answer();
    await answer();
    assert.deepEqual(search.matches, [0, 1, 3]);
    assert.equal(search.isBusy, false);
    lines.push('bb');
    known = 6;
    search.grow(6);
    await answer();
    assert.deepEqual(search.matches, [0, 1, 3, 5]);
    assert.deepEqual(asked, ['a 0', 'b 0', 'b 2', 'b 4']);
  });

  it('finds the next and the previous match, around the ends', () => {
    const matches = [2, 5, 9];
    assert.deepEqual(
      [0, 2, 3, 9, 10].map(line => matchFrom(matches, line)),
      [0, 0, 1, 2, 0],
    );
    assert.deepEqual(
      [0, 2, 3, 9, 10].map(line => matchBefore(matches, line)),
      [2, 2, 0, 1, 2],
    );
    assert.equal(matchFrom([], 3), -1);
    assert.equal(matchBefore([], 3), -1);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000)), fc.nat(1000), (lines, line) => {
        const sorted = lines.sort((a, b) => a - b);
        assert.equal(lowerBound(sorted, line), sorted.filter(each => each < line).length);
      }),
    );
  });
});
