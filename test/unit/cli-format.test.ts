import assert from 'node:assert/strict';
import fc from 'fast-check';
import { textWidth } from '../../runner/databases/text-width.ts';
import {
  cutStart,
  cutText,
  firstLine,
  formatBytes,
  formatCounts,
  formatDuration,
  formatSpan,
  formatTable,
  harmlessText,
  plural,
} from '../../runner/cli/format.ts';

describe('what the terminal shows', () => {
  it('durations', () => {
    const cases = {
      0: '0ms',
      0.1204: '120ms',
      0.9996: '1.0s',
      5.55: '5.5s',
      59.96: '1:00m',
      70: '1:10m',
      3960: '1:06h',
    };
    for (const [seconds, text] of Object.entries(cases)) assert.equal(formatDuration(Number(seconds)), text);
  });

  it('spans of time', () => {
    const cases = {
      '-1': '0 s',
      0.9: '0 s',
      59: '59 s',
      60: '1 min',
      3599: '59 min',
      3600: '1 h',
      86400: '1 d',
      9e6: '104 d',
    };
    for (const [seconds, text] of Object.entries(cases)) assert.equal(formatSpan(Number(seconds)), text);
  });

  it('sizes', () => {
    const cases = {
      0: '0 B',
      999: '999 B',
      1000: '1.0 kB',
      123_456: '123 kB',
      999_999: '1.0 MB',
      3.2e9: '3.2 GB',
    };
    for (const [bytes, text] of Object.entries(cases)) assert.equal(formatBytes(Number(bytes)), text);
  });

  it('numbers of things', () => {
    assert.equal(plural(1, 'run'), '1 run');
    assert.equal(plural(0, 'run'), '0 runs');
    assert.equal(plural(1_234_567, 'line'), '1,234,567 lines');
    const none = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 };
    assert.equal(formatCounts(none), 'nothing to do');
    assert.equal(formatCounts({ ...none, skipped: 2, failed: 1 }), '1 failed, 2 skipped');
  });

  it('tables with wide characters, cut where the terminal ends', () => {
    const columns = [{ title: 'name' }, { title: 'n', right: true }, { title: 'text' }] as const;
    const rows = [
      ['日本', '1', 'short'],
      ['a', '200', 'a text that is too long'],
    ];
    assert.deepEqual(formatTable(columns, rows, 24), [
      'name    n  text',
      '日本    1  short',
      'a     200  a text that…',
    ]);
    assert.deepEqual(formatTable(columns, []), ['name  n  text']);
  });

  it('the first line with something on it', () => {
    assert.equal(firstLine('\n  \n\u001b[31mred\u001b[0m\tand\u0007 more\nnext'), 'red and more');
    assert.equal(firstLine(''), '');
  });

  it('cut texts are never wider than they may be, and whole when they fit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 30 }), (random, width) => {
        const text = random.replace(/\p{Cc}/gu, '');
        for (const cut of [cutText(text, width), cutStart(text, width)]) {
          assert.ok(textWidth(cut) <= Math.max(width, 0), JSON.stringify({ text, cut, width }));
          if (textWidth(text) <= width) assert.equal(cut, text);
        }
      }),
    );
    assert.equal(cutText('日本語', 5), '日本…');
    assert.equal(cutStart('a/b/customers', 8), '…stomers');
    assert.equal(cutStart('日本語', 4), '…語');
  });

  it('output keeps its colours and cannot steer the terminal', () => {
    assert.equal(harmlessText('plain'), 'plain');
    assert.equal(harmlessText('a\tb'), 'a\tb');
    assert.equal(harmlessText('\u001b[31mred'), '\u001b[31mred\u001b[0m');
    assert.equal(harmlessText('10%\r50%\r100%'), '100%');
    assert.equal(harmlessText('line\r'), 'line');
    assert.equal(
      harmlessText('\u001b[2J\u001b[Hgone\u001b[1A\u001b]0;title\u0007\u001b(B\u001bc\u0007'),
      'gone',
    );
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('\u001b', '[', ']', '3', '1', 'm', 'J', ';', '\r', '\u0007', 'x', '\u009b'),
        }),
        text => {
          const rest = harmlessText(text).replace(/\u001b\[[\d;:]*m/g, '');
          assert.doesNotMatch(rest, /(?!\t)\p{Cc}/u);
        },
      ),
    );
  });
});
