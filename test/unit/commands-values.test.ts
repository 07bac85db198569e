import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareValues, isSameValue } from '../../runner/commands/checked-value.ts';
import { dropFooter } from '../../runner/commands/csv-footer.ts';

describe('values of checks', () => {
  it('compare numbers by size, however they are written', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), fc.nat({ max: 20 }), (a, b, zeros) => {
        const written = `${String(a)}.${'0'.repeat(zeros)}`;
        const sign = a < b ? -1 : a > b ? 1 : 0;
        assert.equal(compareValues(written, b), sign);
        assert.equal(compareValues(b, `${String(a)}e0`), -sign + 0);
        assert.equal(isSameValue(written, String(b)), a === b);
      }),
    );
  });

  it('take texts that are no numbers for texts', () => {
    assert.equal(compareValues('10 a', '9 a'), -1);
    assert.equal(compareValues('10', '9'), 1);
    assert.ok(!isSameValue('', 0));
    assert.ok(!isSameValue('1e9999999', '1e9999998'));
  });
});

describe('a footer', () => {
  it('is the last line, however the text arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', '\n', '\n', 'cd\r\n'), { maxLength: 30 }),
        async pieces => {
          const text = pieces.join('');
          const kept: Buffer[] = [];
          async function* chunks(): AsyncGenerator<Buffer> {
            for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece));
          }
          for await (const chunk of dropFooter(chunks())) kept.push(chunk);
          const end = text.lastIndexOf('\n', text.length - 2);
          const expected = text.length < 2 ? '' : text.slice(0, end + 1);
          assert.equal(Buffer.concat(kept).toString(), expected);
        },
      ),
    );
  });
});
