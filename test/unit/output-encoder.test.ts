import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OutputBatch } from '../../runner/events.ts';
import { OutputEncoder } from '../../runner/store/output-encoder.ts';

/** What the server would read. */
function decode(chunks: readonly Buffer[]): unknown[][] {
  const bytes = Buffer.concat(chunks);
  const rows: unknown[][] = [];
  for (let at = 0; at < bytes.length;) {
    const fields: Buffer[] = [];
    const count = bytes.readInt16BE(at);
    at += 2;
    for (let field = 0; field < count; field++) {
      const length = bytes.readInt32BE(at);
      fields.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    const [id, seq, time, format, isError, message] = fields;
    rows.push([
      Number(id?.readBigInt64BE()),
      seq?.readInt32BE(),
      Number(time?.readBigInt64BE()) / 1000 + Date.UTC(2000, 0),
      format?.toString(),
      isError?.[0] === 1,
      message?.toString(),
    ]);
  }
  return rows;
}

const line = fc
  .string({ unit: 'grapheme', maxLength: 200 })
  .map(text => text.replaceAll(/[\n\0]/g, ' ').toWellFormed());
const batch: fc.Arbitrary<OutputBatch> = fc.record({
  nodePath: fc.constant(['a']),
  attempt: fc.constant(1),
  nodeRunId: fc.integer({ min: 1, max: 2 ** 52 }),
  firstSeq: fc.integer({ min: 1, max: 2 ** 30 }),
  time: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  format: fc.constantFrom('standard', 'verbatim', 'italics'),
  isError: fc.boolean(),
  text: fc.array(line, { minLength: 1, maxLength: 20 }).map(texts => texts.join('\n')),
});

describe('OutputEncoder', () => {
  it('gives back every line once and in order, however it is taken', () => {
    fc.assert(
      fc.property(
        fc.array(batch),
        fc.integer({ min: 1, max: 100_000 }),
        fc.nat(5),
        (batches, limit, takeEvery) => {
          const encoder = new OutputEncoder();
          const chunks: Buffer[] = [];
          const ids = new Set<number>();
          const take = (): boolean => {
            const rows = encoder.take(limit);
            chunks.push(...(rows?.chunks ?? []));
            for (const id of rows?.nodeRunIds ?? []) ids.add(id);
            return rows !== null;
          };
          for (const [index, each] of batches.entries()) {
            encoder.add(each);
            if (index % (takeEvery + 1) === takeEvery) take();
          }
          while (take());
          assert.equal(encoder.bytes, 0);
          assert.deepEqual(ids, new Set(batches.map(each => each.nodeRunId)));
          assert.deepEqual(
            decode(chunks),
            batches.flatMap(each =>
              each.text
                .split('\n')
                .map((text, i) => [
                  each.nodeRunId,
                  each.firstSeq + i,
                  each.time,
                  each.format,
                  each.isError,
                  text,
                ]),
            ),
          );
        },
      ),
    );
  });

  it('keeps the order over chunks: many lines, and lines longer than a chunk', () => {
    const encoder = new OutputEncoder();
    const texts = [
      'short',
      'x'.repeat(300_000),
      ...Array.from({ length: 5_000 }, (_, i) => `${i} ${'y'.repeat(100)}`),
    ];
    for (const [index, text] of texts.entries()) {
      encoder.add({
        nodePath: [],
        attempt: 1,
        nodeRunId: 1,
        firstSeq: index + 1,
        time: 0,
        format: 'standard',
        isError: false,
        text,
      });
    }
    const chunks: Buffer[] = [];
    for (let rows = encoder.take(100_000); rows !== null; rows = encoder.take(100_000))
      chunks.push(...rows.chunks);
    assert.ok(chunks.length > 2);
    assert.deepEqual(
      decode(chunks).map(row => row[5]),
      texts,
    );
  });
});
