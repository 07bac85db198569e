import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeLines, type LineSource } from '../../runner/service/merge-lines.ts';
import { OutputIndex } from '../../runner/service/output-index.ts';
import type { LineTimes } from '../../runner/store/output-lines.ts';
import { postgresMicros } from '../../runner/store/output-lines.ts';

interface Line {
  readonly attempt: number;
  readonly seq: number;
  readonly isError: boolean;
}

/** Lines of up to four attempts, in any order of the attempts. */
const lines = fc
  .array(fc.record({ attempt: fc.nat(3), skip: fc.constantFrom(0, 0, 0, 1, 5), isError: fc.boolean() }))
  .map(steps => {
    const next = [1, 1, 1, 1];
    return steps.map(({ attempt, skip, isError }): Line => {
      const seq = (next[attempt] ?? 1) + skip;
      next[attempt] = seq + 1;
      return { attempt, seq, isError };
    });
  });

function indexOf(all: readonly Line[]): OutputIndex {
  const index = new OutputIndex();
  for (const { attempt, seq, isError } of all) index.append(attempt, seq, isError);
  return index;
}

describe('output index', () => {
  it('knows each line by its place', () => {
    fc.assert(
      fc.property(lines, fc.nat(60), fc.nat(60), fc.boolean(), (all, from, count, trimmed) => {
        const index = indexOf(all);
        if (trimmed) index.trim();
        const found = index
          .stretches(from, count)
          .flatMap(({ attempt, first, count: length }) =>
            Array.from({ length }, (_, offset) => ({ attempt, seq: first + offset })),
          );
        assert.deepEqual(
          found,
          all.slice(from, from + count).map(({ attempt, seq }) => ({ attempt, seq })),
        );
        assert.equal(index.lines, all.length);
        assert.equal(index.errors, all.filter(line => line.isError).length);
      }),
    );
  });

  it('finds the next and the previous error', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: -1, max: 60 }), (all, from) => {
        const index = indexOf(all);
        const errors = all.flatMap((line, at) => (line.isError ? at : []));
        assert.equal(index.nextError(from), errors.find(at => at > from) ?? null);
        assert.equal(index.previousError(from), errors.findLast(at => at < from) ?? null);
      }),
    );
  });

  it('takes 16 bytes a line at most, and nothing for lines that follow one another', () => {
    const worst = new OutputIndex();
    for (let line = 0; line < 100_000; line++) worst.append(line % 2, line >> 1, line % 2 === 0);
    worst.trim();
    assert.equal(worst.bytes, 100_000 * 16);
    const best = new OutputIndex();
    for (let line = 0; line < 100_000; line++) best.append(0, line + 1, false);
    assert.equal(best.bytes, 64 * 12 + 16 * 8);
  });
});

describe('merging lines', () => {
  /** Attempts with their start and the times of their lines, in milliseconds. */
  const attempts = fc.array(
    fc.record({ startedAt: fc.nat(20), steps: fc.array(fc.nat(3), { maxLength: 1_200 }) }),
    { maxLength: 6 },
  );

  it('brings lines into the order of time and keeps those of an attempt in theirs', async () => {
    await fc.assert(
      fc.asyncProperty(attempts, async given => {
        const sources = given
          .map(({ startedAt, steps }, number) => {
            let time = startedAt;
            return { number, startedAt, read: 0, times: steps.map(step => (time += step)) };
          })
          .sort((a, b) => a.startedAt - b.startedAt);
        const seen: { number: number; seq: number; time: number }[] = [];
        const page = (source: LineSource, limit: number): LineTimes | null => {
          const times = sources.find(({ number }) => number === source.number)?.times ?? [];
          const rest = times.slice(source.read, source.read + limit);
          if (rest.length === 0) return null;
          return {
            length: rest.length,
            seq: Uint32Array.from(rest, (_, offset) => source.read + offset + 1),
            at: Float64Array.from(rest, postgresMicros),
            isError: new Uint8Array(rest.length),
          };
        };
        await mergeLines(
          sources,
          {
            read: (wanted, limit) =>
              Promise.resolve(
                new Map(
                  wanted.flatMap(source => {
                    const found = page(source, limit);
                    return found === null ? [] : [[source.number, found]];
                  }),
                ),
              ),
          },
          (number, seq) => {
            const time = sources.find(source => source.number === number)?.times[seq - 1] ?? -1;
            seen.push({ number, seq, time });
          },
          () => Promise.resolve(true),
        );
        assert.equal(
          seen.length,
          sources.reduce((sum, { times }) => sum + times.length, 0),
        );
        for (const [at, line] of seen.entries()) {
          const before = seen[at - 1];
          if (before !== undefined) assert.ok(before.time <= line.time, 'in the order of time');
        }
        for (const { number, times } of sources)
          assert.deepEqual(
            seen.filter(line => line.number === number).map(line => line.seq),
            times.map((_, offset) => offset + 1),
          );
      }),
      { numRuns: 40 },
    );
  });
});
