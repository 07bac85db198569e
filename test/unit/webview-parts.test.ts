import assert from 'node:assert/strict';
import fc from 'fast-check';
import { arrangeDocs, faultIn, replacementMarks } from '../../webview/pages/node/command-docs.ts';
import {
  gridStep,
  hasEnough,
  rowsOf,
  seriesOf,
  timeTicks,
} from '../../webview/pages/node/run-times-model.ts';
import { lineStyles } from '../../webview/pages/node/run-times-styles.ts';
import { flattenRows, nextSort, sortRows } from '../../webview/parts/table-rows.ts';
import { formatAge, formatMoment } from '../../webview/parts/times.ts';
import { type CodeLanguage, markTokens, tokenize, tokenLines } from '../../webview/parts/tokens.ts';

const languages: readonly CodeLanguage[] = ['sql', 'bash', 'typescript', 'json', 'text'];

describe('colours of code', () => {
  it('lose nothing of a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...languages), (text, language) => {
        const tokens = tokenize(text, language);
        assert.equal(tokens.map(token => token.text).join(''), text);
        const lines = tokenLines(tokens).map(line => line.map(token => token.text).join(''));
        assert.deepEqual(
          lines,
          text.split('\n').map(line => line.replace(/\r$/, '')),
        );
      }),
    );
  });

  it('tell words, strings and comments of SQL apart', () => {
    assert.deepEqual(
      tokenize("SELECT count(a) -- it's\nFROM t WHERE b = 'it''s' AND c = 12", 'sql')
        .filter(({ kind }) => kind !== 'plain')
        .map(({ kind, text }) => `${kind} ${text}`),
      [
        'keyword SELECT',
        'name count',
        "comment -- it's",
        'keyword FROM',
        'keyword WHERE',
        "string 'it''s'",
        'keyword AND',
        'number 12',
      ],
    );
  });

  it('cut tokens where marks begin and end', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.nat(40), fc.nat(40), (text, a, b) => {
        const mark = { start: Math.min(a, b), end: Math.max(a, b), kind: 'replaced' as const };
        const pieces = markTokens(tokenize(text, 'sql'), [mark]);
        assert.equal(pieces.map(piece => piece.text).join(''), text);
        const marked = pieces.filter(piece => piece.mark !== null).map(piece => piece.text);
        assert.equal(marked.join(''), text.slice(mark.start, mark.end));
      }),
    );
  });
});

describe('documentation of commands', () => {
  it('is settings first, then code, and code before and after replacement together', () => {
    const parts = arrangeDocs([
      { label: 'db', value: 'dwh', language: 'text' },
      { label: 'sql', value: 'select @x@', language: 'sql' },
      { label: 'sql after replacement', value: 'select 1', language: 'sql' },
      { label: 'command', value: 'psql', language: 'bash' },
      { label: 'file dependency', value: 'a.sql', language: 'file' },
    ]);
    assert.deepEqual(
      parts.map(part =>
        part.kind === 'settings'
          ? part.items.map(({ label }) => label)
          : part.kind === 'replaced'
            ? [part.before.value, part.after.value]
            : [part.kind, part.item.value],
      ),
      [
        ['db', 'file dependency'],
        ['select @x@', 'select 1'],
        ['shell', 'psql'],
      ],
    );
  });

  it('says what was replaced by what', () => {
    assert.deepEqual(
      [...replacementMarks("drop @s@.t;\nx\nat '@a@' and '@b@'", "drop dwh.t;\nx\nat '2026-01-02' and '3'")],
      [
        [1, [{ start: 5, end: 8, kind: 'replaced', title: '@s@' }]],
        [
          3,
          [
            { start: 4, end: 14, kind: 'replaced', title: '@a@' },
            { start: 21, end: 22, kind: 'replaced', title: '@b@' },
          ],
        ],
      ],
    );
    assert.deepEqual([...replacementMarks('a\nb', 'a')], []);
  });

  it('marks lie within their line, in order, and are what differs', () => {
    const placeholders = fc.array(
      fc.oneof(fc.constantFrom('select ', ' from ', ', ', "'", '.t '), fc.constantFrom('@a@', '@b@')),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(placeholders, parts => {
        const before = parts.join('');
        const after = before.replaceAll('@a@', 'xyz_1').replaceAll('@b@', '2026-01-01');
        for (const mark of replacementMarks(before, after).get(1) ?? []) {
          assert.ok(mark.start < mark.end && mark.end <= after.length);
          assert.match(after.slice(mark.start, mark.end), /xyz_1|2026/);
        }
      }),
    );
  });

  it('finds the place of an error in the SQL that it is about', () => {
    const error =
      'github/x.sql:14:7: ERROR: column a.b does not exist\nLINE 14: x\n   ^\nHINT: Perhaps you meant a.c.';
    assert.deepEqual(faultIn(error, ['github/x.sql']), {
      line: 14,
      column: 7,
      message: 'column a.b does not exist. Perhaps you meant a.c.',
    });
    assert.equal(faultIn(error, ['other.sql']), null);
    assert.equal(faultIn('exit code 1', ['sql']), null);
    assert.equal(faultIn(null, ['sql']), null);
  });
});

describe('rows of a table', () => {
  it('are sorted stably, what has no value last in either order', () => {
    const rows = [3, null, 1, 2];
    assert.deepEqual(
      sortRows(rows, row => row, 'ascending'),
      [1, 2, 3, null],
    );
    assert.deepEqual(
      sortRows(rows, row => row, 'descending'),
      [3, 2, 1, null],
    );
    assert.deepEqual(
      sortRows(['t10', 't9'], row => row, 'ascending'),
      ['t9', 't10'],
    );
  });

  it('come right after their parent when it is open', () => {
    const tree: Readonly<Record<string, readonly string[]>> = { a: ['a/x', 'a/y'], b: ['b/x'] };
    const flat = flattenRows(['a', 'b'], {
      keyOf: row => row,
      childrenOf: row => tree[row] ?? [],
      expanded: new Set(['a']),
      valueOf: row => row,
      direction: 'descending',
    });
    assert.deepEqual(
      flat.map(({ key, depth, isExpanded, position, siblings }) => [
        key,
        depth,
        isExpanded,
        position,
        siblings,
      ]),
      [
        ['b', 0, false, 1, 2],
        ['a', 0, true, 2, 2],
        ['a/y', 1, null, 1, 2],
        ['a/x', 1, null, 2, 2],
      ],
    );
  });

  it('are turned round by a second click', () => {
    const first = nextSort(null, 'cost', 'descending');
    assert.deepEqual(first, { column: 'cost', direction: 'descending' });
    assert.deepEqual(nextSort(first, 'cost', 'descending'), { column: 'cost', direction: 'ascending' });
    assert.deepEqual(nextSort(first, 'id', 'ascending'), { column: 'id', direction: 'ascending' });
  });
});

describe('points in time', () => {
  const at = (text: string): number => new Date(text).getTime();
  it('are told as people tell them', () => {
    const now = at('2026-11-20T09:39:00');
    assert.equal(formatMoment(at('2026-11-20T06:00:00'), now), 'today 06:00');
    assert.equal(formatMoment(at('2026-11-19T23:59:58'), now, 'seconds'), 'yesterday 23:59:58');
    assert.equal(formatMoment(at('2026-11-11T06:01:00'), now), '11 Nov 06:01');
    assert.equal(formatMoment(at('2025-11-11T06:01:00'), now), '11 Nov 2025 06:01');
    assert.equal(formatAge(now - 240_000, now), '4 m ago');
    assert.equal(formatAge(now + 1000, now), 'just now');
  });
});

describe('run times', () => {
  const point = (runId: number, duration: number | null, status: 'succeeded' | 'failed' | 'skipped') => ({
    runId,
    at: runId * 1000,
    duration,
    status,
  });
  const times = [
    { path: ['p'], points: [point(1, 10, 'succeeded'), point(2, 3, 'failed'), point(3, null, 'skipped')] },
    { path: ['p', 'a'], points: [point(2, 1, 'succeeded')] },
  ];

  it('are a line of what succeeded, and failures at their own duration', () => {
    const [own, child] = seriesOf(times, 'root');
    assert.deepEqual(
      [own?.name, own?.line.map(({ y }) => y), own?.failures.map(({ y }) => y), child?.name],
      ['p', [10], [3], 'a'],
    );
    assert.equal(hasEnough(seriesOf(times, '')), true);
    assert.equal(hasEnough(seriesOf([{ path: [], points: [point(1, 2, 'succeeded')] }], '')), false);
    assert.equal(hasEnough([]), false);
  });

  it('are the same as a table, newest first', () => {
    assert.deepEqual(
      rowsOf(times).map(({ runId, points }) => [runId, ...points.map(each => each?.status ?? null)]),
      [
        [3, 'skipped', null],
        [2, 'failed', 'succeeded'],
        [1, 'succeeded', null],
      ],
    );
  });

  it('have a grid of round steps, and lines that are not alike', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e7, noNaN: true }), highest => {
        const step = gridStep(highest, 4);
        assert.ok(highest / step <= 4.0001);
      }),
    );
    const styles = Array.from({ length: 9 }, (_, index) => JSON.stringify(lineStyles(index)));
    assert.equal(new Set(styles).size, 9);
    assert.deepEqual(timeTicks(0, 8, 5), [0, 2, 4, 6, 8]);
    assert.deepEqual(timeTicks(5, 5, 5), [5]);
  });
});
