import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mysqlColumns } from '../../runner/databases/clients/mysql.ts';
import { decodeCopyText, encodeCopyText } from '../../runner/databases/rows/copy-text.ts';
import { csvText } from '../../runner/databases/rows/csv-text.ts';
import { csvDecoder } from '../../runner/databases/rows/csv-rows.ts';
import { insertScript } from '../../runner/databases/rows/insert-script.ts';
import { decodeJsonArray, decodeJsonLines } from '../../runner/databases/rows/json-rows.ts';
import { mysqlXmlDecoder } from '../../runner/databases/rows/mysql-xml.ts';
import type { Cell, RowBatch, RowDecoder } from '../../runner/databases/rows/row.ts';
import { decodeSqliteQuote } from '../../runner/databases/rows/sqlite-quote.ts';

/** Texts as they come in chunks of any size. */
async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) {
    await Promise.resolve();
    yield bytes.subarray(start, start + size);
  }
}

async function decode(decoder: RowDecoder, text: string, size: number): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for await (const batch of decoder(inPieces(text, size))) rows.push(...batch.rows.map(row => [...row]));
  return rows;
}

async function* oneBatch(rows: readonly (readonly Cell[])[]): AsyncGenerator<RowBatch> {
  yield await Promise.resolve({ columns: [], rows });
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '',
    'NULL',
    '\\N',
    '\\.',
    "''",
    '</row>',
    '&lt;',
    '\n',
    '\r\n',
    '\t',
    '"',
    '\\',
    '\u0001',
    '[{',
  ),
  fc
    .array(fc.constantFrom("'", '"', '\\', '\n', '\t', ',', '<', '&', '{', ']', 'ü', '🚀', 'n', 'N'))
    .map(parts => parts.join('')),
);
const cell = fc.option(text, { nil: null });
const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 });
const chunk = fc.integer({ min: 1, max: 64 });

describe('rows of clients', () => {
  it('COPY text', async () => {
    const columns = [
      { name: 'a', kind: 'text' as const },
      { name: 'b', kind: 'text' as const },
    ];
    await fc.assert(
      fc.asyncProperty(table, chunk, async (rows, size) => {
        const encoded = encodeCopyText({ columns: [], rows }, columns, 'bytes');
        assert.equal(encoded.split('\n').length, rows.length + 1);
        assert.deepEqual(await decode(decodeCopyText, encoded, size), rows);
      }),
    );
  });

  it('COPY text: bytes, however the source writes them', () => {
    const columns = [{ name: 'a', kind: 'bytes' as const }];
    const encode = (value: string | Buffer, binary: 'bytes' | 'hex' | 'base64'): string =>
      encodeCopyText({ columns: [], rows: [[value]] }, columns, binary);
    assert.equal(encode(Buffer.from([0, 255]), 'hex'), '\\\\x00ff\n');
    assert.equal(encode('00FF', 'hex'), '\\\\x00ff\n');
    assert.equal(encode('AP8=', 'base64'), '\\\\x00ff\n');
    assert.equal(encode('é', 'bytes'), '\\\\xc3a9\n');
  });

  it('XML of MySQL', async () => {
    const escape = (value: string): string =>
      value
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;');
    const field = (value: Cell): string =>
      value === null
        ? '\t<field name="a&lt;" xsi:nil="true" />\n'
        : `\t<field name="a&lt;">${escape(String(value))}</field>\n`;
    await fc.assert(
      fc.asyncProperty(table, text, chunk, async (rows, statement, size) => {
        const body = rows.map(row => `\n  <row>\n${row.map(field).join('')}  </row>\n`).join('');
        const xml = `<?xml version="1.0"?>\n\n<resultset statement="${escape(statement)}" xmlns:xsi="x">${body}</resultset>\n`;
        assert.deepEqual(await decode(mysqlXmlDecoder([]), xml, size), rows);
      }),
    );
  });

  it('XML of MySQL: bytes, and names', async () => {
    const batches: RowBatch[] = [];
    const xml =
      '<resultset x="">\n<row><field name="a&quot;">00FF</field><field name="b">x</field></row></resultset>';
    for await (const batch of mysqlXmlDecoder([true])(inPieces(xml, 1000))) batches.push(batch);
    assert.deepEqual(batches, [{ columns: ['a"', 'b'], rows: [[Buffer.from([0, 255]), 'x']] }]);
  });

  it('columns of MySQL', () => {
    const field = (name: string, type: string, collation: string): string =>
      `Field   1:  \`${name}\`\nCatalog:    \`def\`\nTable:      \`q\`\nType:       ${type}\nCollation:  ${collation}\nLength:     11\nFlags:      NUM \n\n`;
    assert.deepEqual(
      mysqlColumns(
        [
          field('a', 'LONG', 'binary (63)'),
          field('b', 'BLOB', 'binary (63)'),
          field('we`ird', 'BLOB', 'utf8mb4_general_ci (45)'),
          field('c', 'BIT', 'binary (63)'),
          field('d', 'GEOMETRY (type=point)', 'binary (63)'),
          field('e', 'DATETIME', 'binary (63)'),
        ].join(''),
      ).map(({ name, kind }) => `${name} ${kind}`),
      ['a text', 'b bytes', 'we`ird text', 'c bits', 'd bytes', 'e text'],
    );
  });

  it('literals of SQLite', async () => {
    const quote = (value: Cell): string =>
      value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`;
    await fc.assert(
      fc.asyncProperty(table, chunk, async (rows, size) => {
        const printed = [['a', 'b'], ...rows].map(row => `${row.map(quote).join(',')}\n`).join('');
        assert.deepEqual(await decode(decodeSqliteQuote, printed, size), rows);
      }),
    );
  });

  it('numbers, bytes and control characters of SQLite', async () => {
    assert.deepEqual(
      await decode(
        decodeSqliteQuote,
        `'a'\n9223372036854775807\n0.10000000000000000555\n1.0e+300\n-Inf\nX'00ff'\nunistr('it''s\\u000a\\\\')\n`,
        7,
      ),
      [['9223372036854775807'], ['0.1'], ['1e+300'], ['-Inf'], [Buffer.from([0, 255])], ["it's\n\\"]],
    );
    await assert.rejects(decode(decodeSqliteQuote, `'a'\n'x`, 3), {
      message: "the client printed a row that is cut off: 'x",
    });
  });

  it('arrays and lines of JSON', async () => {
    await fc.assert(
      fc.asyncProperty(table, chunk, fc.constantFrom(undefined, 2), async (rows, size, indent) => {
        const objects = rows.map(([a, b]) => ({ a, b }));
        assert.deepEqual(
          await decode(decodeJsonArray, `\n${JSON.stringify(objects, null, indent)}\n`, size),
          rows,
        );
        const lines = objects.map(object => `${JSON.stringify(object)}\r\n`).join('');
        assert.deepEqual(await decode(decodeJsonLines, `\n${lines}\n(2 rows affected)\n`, size), rows);
      }),
    );
    assert.deepEqual(
      await decode(decodeJsonArray, '[{"a":12345678901234567890,"b":{"c":[1.10]},"d":true}]', 5),
      [['12345678901234567890', '{"c":[1.10]}', 'true']],
    );
    assert.deepEqual(await decode(decodeJsonArray, '[]', 1), []);
  });

  it('CSV, out and in', async () => {
    await fc.assert(
      fc.asyncProperty(table, async rows => {
        let printed = 'a,b\n';
        let count = 0;
        for await (const piece of csvText(oneBatch(rows), more => void (count += more))) printed += piece;
        assert.equal(count, rows.length);
        // This decoder takes the marker for NULL also in quotes; the services that read it do not.
        const expected = rows.map(row => row.map(value => (value === '\\N' ? null : value)));
        assert.deepEqual(await decode(csvDecoder('\\N'), printed, 16), expected);
      }),
    );
  });

  it('a script of inserts commits at its very end only', async () => {
    const rows = Array.from({ length: 1100 }, (_, index) => [
      String(index),
      null,
      Buffer.from([index % 256]),
    ]);
    const dialect = { begin: 'BEGIN', text: (value: string) => `'${value}'` };
    let script = '';
    for await (const piece of insertScript('t', oneBatch(rows), dialect, () => undefined)) {
      assert(!script.includes('COMMIT'));
      script += piece;
    }
    assert(script.startsWith(`BEGIN;\nINSERT INTO t VALUES\n('0', NULL, X'00'),\n`));
    assert(script.endsWith(';\nCOMMIT;\n'));
    assert.equal(script.split('INSERT INTO').length - 1, 3);
  });
});
