import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompletionItem, Hover, Location } from 'vscode-languageserver/node';
import { marked, TestEditor } from '../support/language-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const shop = `import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';

const shop = new Pipeline({ id: 'shop', description: 'Loads the shop' });
shop.add(new Task({ id: 'download', description: 'From the CRM', commands: [new RunBash('curl x')] }));
shop.add(new Task({ id: 'load', commands: [new ExecuteSQL({ sqlFile: 'load.sql', db: 'dwh' })] }), ['download']);
for (const name of ['orders', 'items']) shop.add(new Task({ id: name }), ['load']);
shop.add(new Task({ id: \`report_\${1 + 1}\` }), ['orders', 'items']);
export default shop;
`;

const project = { 'package.json': '{ "type": "module" }', 'shop.pipeline.ts': shop, 'load.sql': 'select 1' };

describe('language server', function () {
  this.timeout(60_000);

  it('tells the graph at once, and ends when it is told to', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    await editor.ready();
    assert.deepEqual(editor.paths(), [
      'shop',
      'shop/download',
      'shop/load',
      'shop/orders',
      'shop/items',
      'shop/report_2',
    ]);
    assert.equal(editor.latest?.folder, editor.folder);
    assert.equal(editor.latest.directory, folder.path);
    assert.deepEqual(editor.latest.databases, ['dwh']);
    assert.deepEqual(editor.latest.files, [
      { uri: editor.uri('shop.pipeline.ts'), status: 'exact', pipelines: ['shop'] },
    ]);
    assert.deepEqual(editor.nodes()[0]?.nodes[1], {
      id: 'load',
      kind: 'task',
      description: '',
      labels: {},
      upstreams: ['download'],
      nodes: [],
      commands: editor.nodes()[0]?.nodes[1]?.commands,
      origin: 'static',
      location: {
        file: join(folder.path, 'shop.pipeline.ts'),
        line: 5,
        column: 10,
        endLine: 5,
        endColumn: 98,
      },
      addedAt: {
        file: join(folder.path, 'shop.pipeline.ts'),
        line: 5,
        column: 1,
        endLine: 5,
        endColumn: 113,
      },
      edges: [
        {
          upstream: 'download',
          location: {
            file: join(folder.path, 'shop.pipeline.ts'),
            line: 5,
            column: 101,
            endLine: 5,
            endColumn: 111,
          },
        },
      ],
    });
    assert.equal(await editor.end(), 0);
    assert.equal(editor.stderr, '');
  });

  it('follows what is typed, and the disk again once that is closed', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path, { documentation: 'file:///docs' });
    await editor.ready();
    await editor.open('shop.pipeline.ts');
    const text = shop.replace("['download']);", "['downlaod']);");
    await editor.change('shop.pipeline.ts', text);
    await editor.until(() => editor.mistakes('shop.pipeline.ts').length > 0);
    assert.deepEqual(editor.mistakes('shop.pipeline.ts'), [
      '5:101-5:111 error unknown-upstream: Pipeline "shop" has no node "downlaod" (wanted as an upstream of "load"). Did you mean "download"?',
    ]);
    const [diagnostic] = editor.diagnostics('shop.pipeline.ts');
    assert.equal(diagnostic?.source, 'millrace');
    assert.equal(diagnostic.codeDescription?.href, 'file:///docs/diagnostics.md#unknown-upstream');
    const actions = await editor.ask<{ title: string; edit: unknown }[]>('textDocument/codeAction', {
      textDocument: { uri: editor.uri('shop.pipeline.ts') },
      range: { start: { line: 4, character: 102 }, end: { line: 4, character: 102 } },
      context: { diagnostics: [] },
    });
    assert.deepEqual(
      actions.map(({ title, edit }) => ({ title, edit })),
      [
        {
          title: 'Change to "download"',
          edit: {
            changes: {
              [editor.uri('shop.pipeline.ts')]: [
                {
                  range: { start: { line: 4, character: 100 }, end: { line: 4, character: 110 } },
                  newText: "'download'",
                },
              ],
            },
          },
        },
      ],
    );
    await editor.edit(
      'shop.pipeline.ts',
      { line: 4, character: 100 },
      { line: 4, character: 110 },
      "'download'",
    );
    await editor.until(() => editor.mistakes('shop.pipeline.ts').length === 0);
    await editor.change('shop.pipeline.ts', shop.replace("'items'", "'items', 'more'"));
    await editor.until(() => editor.paths().includes('shop/more'));
    await editor.close('shop.pipeline.ts');
    await editor.until(() => !editor.paths().includes('shop/more'));
  });

  it('notices files that come, change and go', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    await editor.ready();
    await folder.write({
      'new.pipeline.ts':
        "import { Pipeline } from 'millrace';\nexport default new Pipeline({ id: 'fresh' });\n",
    });
    await editor.changedOnDisk('new.pipeline.ts', 1);
    await editor.until(() => editor.paths().includes('fresh'));
    await writeFile(
      join(folder.path, 'shop.pipeline.ts'),
      shop.replace("id: 'load'", "id: 'loaded'").replaceAll("['load']", "['loaded']"),
    );
    await editor.changedOnDisk('shop.pipeline.ts');
    await editor.until(() => editor.paths().includes('shop/loaded'));
  });

  interface Asked<Answer> extends AsyncDisposable {
    readonly answer: Answer;
    readonly editor: TestEditor;
  }

  async function ask<Answer>(text: string, method: string, more: object = {}): Promise<Asked<Answer>> {
    const folder = await temporaryFolder(project);
    const { text: whole, position } = marked(text);
    const editor = await TestEditor.open(folder.path);
    await editor.open('shop.pipeline.ts', whole);
    await editor.ready();
    const answer = await editor.askAt<Answer>(method, 'shop.pipeline.ts', position, more);
    return {
      answer,
      editor,
      async [Symbol.asyncDispose]() {
        await editor[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  const labels = (items: readonly CompletionItem[]): string[] =>
    items.toSorted((a, b) => ((a.sortText ?? '') < (b.sortText ?? '') ? -1 : 1)).map(({ label }) => label);

  it('finds mistakes in SQL files as they are typed', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    await editor.ready();
    await editor.open('load.sql', 'select from where');
    await editor.until(() => editor.mistakes('load.sql').length > 0);
    assert.deepEqual(editor.mistakes('load.sql'), [
      '1:13-1:18 error sql-syntax: Postgres cannot parse this: syntax error at or near "where".',
    ]);
    await editor.change('load.sql', 'select 1');
    await editor.until(() => editor.mistakes('load.sql').length === 0);
  });

  describe('completion', () => {
    const completing = async (text: string): Promise<string[]> => {
      await using asked = await ask<CompletionItem[]>(text, 'textDocument/completion');
      return labels(asked.answer);
    };

    it('offers the siblings that are there already, the last one first', async () => {
      assert.deepEqual(await completing(shop.replace(", ['orders', 'items']", ", ['‸']")), [
        'items',
        'orders',
        'load',
        'download',
      ]);
    });

    it('offers none twice', async () => {
      assert.deepEqual(await completing(shop.replace(", ['orders', 'items']", ", ['orders', '‸items']")), [
        'items',
        'load',
        'download',
      ]);
    });

    it('works in an unclosed string', async () => {
      assert.deepEqual(await completing(shop.replace("['download']);", "['do‸")), ['download']);
    });

    it('offers what closes no cycle', async () => {
      assert.deepEqual(
        await completing(shop.replace('export default', "shop.addDependency('load', '‸');\nexport default")),
        ['report_2', 'items', 'orders'],
      );
    });

    it('offers databases', async () => {
      assert.deepEqual(await completing(shop.replace("db: 'dwh'", "db: '‸'")), ['dwh']);
    });

    it('offers nothing elsewhere', async () => {
      assert.deepEqual(await completing(shop.replace('Loads the shop', 'Loads ‸the shop')), []);
    });
  });

  describe('definition, references, hover', () => {
    it('finds where an id is given', async () => {
      await using asked = await ask<Location[]>(
        shop.replace("['download']", "['down‸load']"),
        'textDocument/definition',
      );
      assert.deepEqual(asked.answer, [
        {
          uri: asked.editor.uri('shop.pipeline.ts'),
          range: { start: { line: 3, character: 25 }, end: { line: 3, character: 33 } },
        },
      ]);
    });

    it('finds all texts, also of ids that a loop makes', async () => {
      await using asked = await ask<Location[]>(
        shop
          .replace("['orders', 'items']) {", "['ord‸ers', 'items']) {")
          .replace("of ['orders'", "of ['ord‸ers'"),
        'textDocument/references',
        { context: { includeDeclaration: true } },
      );
      assert.deepEqual(
        asked.answer.map(({ range: { start, end } }) => [start.line, start.character, end.character]),
        [
          [5, 21, 27],
          [6, 48, 54],
        ],
      );
    });

    it('says what a node is', async () => {
      await using folder = await temporaryFolder(project);
      await using editor = await TestEditor.open(folder.path);
      await editor.open('shop.pipeline.ts');
      await editor.ready();
      await editor.notify('millrace/outcomes', {
        folder: editor.folder,
        nodes: [
          {
            path: ['shop', 'download'],
            status: 'succeeded',
            endedAt: '2026-03-01T06:00:04.220Z',
            duration: 4.1,
            averageDuration: 5,
            cost: 125,
          },
        ],
      });
      const hover = await editor.askAt<Hover>('textDocument/hover', 'shop.pipeline.ts', {
        line: 4,
        character: 103,
      });
      assert.deepEqual(hover, {
        contents: {
          kind: 'markdown',
          value: `**shop / download** — task

From the CRM

- Last run: ✓ succeeded in 4.1 s, 2026-03-01 06:00 UTC · average 5 s · cost 2 min
- Is waited for by: \`load\`

1. RunBash \`curl x\``,
        },
        range: { start: { line: 4, character: 101 }, end: { line: 4, character: 109 } },
      });
    });
  });
});
