import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  BackupReader,
  countRows,
  formatEnd,
  formatHeader,
  formatTableStart,
  parseEnd,
  parseHeader,
  parseTableStart,
  tableEnd,
} from '../../runner/store/backup-format.ts';

const header = {
  format: 1,
  schema: '0001_initial',
  runnerVersion: '1.2.3',
  createdAt: '2026-03-01',
  lastRunId: 4,
};

/** Rows of COPY's text format: backslashes are doubled, so that none is the end of a table. */
const row = fc
  .string({ unit: fc.constantFrom('\\\\', '.', 'a', '\t', '\\N', '\\n', '語') })
  .filter(text => text !== '\\.');

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

describe('the file of a backup', () => {
  it('is read as it was written, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row), { maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        async (tables, size) => {
          const counts = Object.fromEntries(tables.map((rows, index) => [`t${String(index)}`, rows.length]));
          const bodies = tables.map(rows => rows.map(each => `${each}\n`).join(''));
          const text =
            formatHeader(header) +
            bodies
              .map((body, index) => formatTableStart(`t${String(index)}`, ['a', 'b']) + body + tableEnd)
              .join('') +
            formatEnd(counts);
          const reader = new BackupReader(pieces(text, size));
          assert.deepEqual(parseHeader((await reader.line()) ?? ''), header);
          for (const [index, body] of bodies.entries()) {
            assert.deepEqual(parseTableStart((await reader.line()) ?? ''), {
              table: `t${String(index)}`,
              columns: ['a', 'b'],
            });
            const read: Buffer[] = [];
            for await (const piece of reader.rows()) read.push(Buffer.from(piece));
            assert.equal(Buffer.concat(read).toString(), body);
            assert.equal(
              read.reduce((sum, piece) => sum + countRows(piece), 0),
              tables[index]?.length,
            );
          }
          assert.deepEqual(parseEnd((await reader.line()) ?? ''), counts);
          assert.equal(await reader.line(), null);
        },
      ),
    );
  });

  it('is known to be damaged when a table does not end', async () => {
    const reader = new BackupReader(pieces('a\nb\n\\.', 3));
    await assert.rejects(
      async () => {
        for await (const piece of reader.rows()) assert.ok(piece.length > 0);
      },
      { name: 'DamageError', message: 'it ends too early' },
    );
  });

  it('lets nothing but names into a statement', () => {
    assert.equal(parseTableStart('COPY millrace.run; DROP TABLE run (a) FROM stdin;'), null);
    assert.equal(parseTableStart('COPY millrace.run (a") FROM stdin;'), null);
    assert.equal(parseTableStart('COPY other.run (a) FROM stdin;'), null);
    assert.equal(parseHeader('-- millrace backup {"format":1}'), null);
    assert.equal(parseHeader('-- millrace backup {'), null);
    assert.equal(parseEnd('-- end [1]'), null);
  });
});
