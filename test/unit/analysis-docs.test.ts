import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { analyzeProjectAndSql } from '../../extension/analysis/analysis-project.ts';
import { diagnosticCodes, diagnosticKind } from '../../extension/analysis/diagnostic-codes.ts';
import { temporaryFolder } from '../support/temp.ts';

const page = readFileSync(new URL('../../docs/diagnostics.md', import.meta.url), 'utf8');
const head =
  "import { ExecuteSQL, Pipeline, replaceSchema, Task } from 'millrace';\nexport const shop = new Pipeline({ id: 'shop' });\n";

/** The sections of the page by their headings, with the code in them. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map(section => [
      section.slice(0, section.indexOf('\n')),
      [...section.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code),
    ]),
);

async function codesIn(example: string): Promise<string[]> {
  await using folder = await temporaryFolder({
    'shop.pipeline.ts': example.includes("from 'millrace'") ? example : head + example,
    'steps.ts': "import { Task } from 'millrace';\nexport const step = (id: string) => new Task({ id });\n",
    'orders.sql': 'select 1;\n',
  });
  const { diagnostics } = await analyzeProjectAndSql({ directory: folder.path });
  return diagnostics.map(({ code }) => code);
}

describe('docs/diagnostics.md', () => {
  it('has a section for every code, in their order', () => {
    assert.deepEqual([...sections.keys()], diagnosticCodes);
  });

  for (const code of diagnosticCodes) {
    it(`${code}: an example with the mistake, and one without`, async () => {
      const [wrong = '', right = ''] = sections.get(code) ?? [];
      assert.deepEqual([...new Set(await codesIn(wrong))], [code]);
      assert.deepEqual(await codesIn(right), []);
      assert.equal(diagnosticKind(code).anchor, `docs/diagnostics.md#${code}`);
    });
  }
});
