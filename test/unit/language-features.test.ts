import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DocumentLink, DocumentSymbol, WorkspaceEdit } from 'vscode-languageserver/node';
import type { Lens } from '../../extension/language/protocol.ts';
import { readGraph } from '../../extension/runner/graph-loader.ts';
import { corpusPrograms } from '../support/analysis-corpus.ts';
import { TestEditor } from '../support/language-server.ts';
import { runMillrace } from '../support/millrace.ts';
import { mutate, randomNumbers } from '../support/mutants.ts';
import { temporaryFolder } from '../support/temp.ts';
import { readFileSync } from 'node:fs';

const head = "import { ExecuteSQL, Pipeline, RunBash, RunScript, Task } from 'millrace';\n";
const steps = `${head}export const step = (id: string, file: string) => new Task({ id, commands: [new RunScript({ file })] });\n`;
const shop = `import { step } from '../lib/steps.ts';
${head}
const shop = new Pipeline({ id: 'shop' });
const load = new Pipeline({ id: 'load', description: 'From the CRM' });
for (const name of ['orders', 'items']) load.add(new Task({ id: name }));
shop.add(load);
shop.add(step('check', 'check.py'), ['load']);
shop.add(step('report', 'report.py'), ['check']);
shop.add(new Task({ id: 'sql', commands: [new ExecuteSQL({ sqlFile: 'sql/shop.sql' })] }));
export default shop;
`;
const project = {
  'package.json': '{ "type": "module" }',
  'lib/steps.ts': steps,
  'shop/shop.pipeline.ts': shop,
  'shop/sql/shop.sql': 'select 1',
  'shop/check.py': '',
  'shop/report.py': '',
};
const file = 'shop/shop.pipeline.ts';

describe('features of the language server', function () {
  this.timeout(120_000);

  it('gives lenses for every line that makes nodes', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    const lenses = await editor.ask<Lens[]>('millrace/lenses', { uri: editor.uri(file) });
    assert.deepEqual(
      lenses.map(({ range, paths, kind }) => [range.start.line + 1, kind, paths.map(path => path.join('/'))]),
      [
        [4, 'pipeline', ['shop']],
        [5, 'pipeline', ['shop/load']],
        [6, 'task', ['shop/load/orders', 'shop/load/items']],
        [8, 'task', ['shop/check']],
        [9, 'task', ['shop/report']],
        [10, 'task', ['shop/sql']],
      ],
    );
    const factory = await editor.ask<Lens[]>('millrace/lenses', { uri: editor.uri('lib/steps.ts') });
    assert.deepEqual(
      factory.map(({ range, paths }) => [range.start.line + 1, paths]),
      [
        [
          2,
          [
            ['shop', 'check'],
            ['shop', 'report'],
          ],
        ],
      ],
    );
    const at = await editor.ask('millrace/nodesAt', {
      uri: editor.uri(file),
      position: { line: 4, character: 20 },
    });
    assert.deepEqual(at, [['shop', 'load']]);
  });

  it('gives the tree of a document, and links to files', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    const textDocument = { uri: editor.uri(file) };
    const outline = (symbols: readonly DocumentSymbol[]): unknown =>
      symbols.map(({ name, children = [] }) => (children.length === 0 ? name : [name, outline(children)]));
    const symbols = await editor.ask<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument });
    assert.deepEqual(outline(symbols), [['shop', [['load', ['orders', 'items']], 'check', 'report', 'sql']]]);
    const links = await editor.ask<DocumentLink[]>('textDocument/documentLink', { textDocument });
    assert.deepEqual(
      links.map(({ range, target }) => [range.start.line + 1, range.start.character + 1, target]),
      [[10, 70, editor.uri('shop/sql/shop.sql')]],
    );
  });

  it('renames across files', async () => {
    await using folder = await temporaryFolder(project);
    await using editor = await TestEditor.open(folder.path);
    const prepared = await editor.askAt('textDocument/prepareRename', file, { line: 8, character: 41 });
    assert.deepEqual(prepared, {
      range: { start: { line: 8, character: 40 }, end: { line: 8, character: 45 } },
      placeholder: 'check',
    });
    const edit = await editor.askAt<WorkspaceEdit>(
      'textDocument/rename',
      file,
      { line: 8, character: 41 },
      {
        newName: 'verify',
      },
    );
    const places = Object.entries(edit.changes ?? {}).map(([uri, edits]) => [
      uri,
      edits.map(({ range, newText }) => [range.start.line + 1, range.start.character + 1, newText]),
    ]);
    assert.deepEqual(places, [
      [
        editor.uri(file),
        [
          [8, 16, 'verify'],
          [9, 41, 'verify'],
        ],
      ],
    ]);
    await assert.rejects(
      editor.askAt('textDocument/rename', file, { line: 8, character: 41 }, { newName: 'report' }),
      { message: 'Pipeline "shop" already has a node with the id "report", so "check" cannot have it too.' },
    );
    assert.equal(await editor.askAt('textDocument/prepareRename', file, { line: 3, character: 8 }), null);
  });

  it('keeps the projects of several folders apart', async () => {
    await using one = await temporaryFolder(project);
    await using two = await temporaryFolder({
      'package.json': '{}',
      'b.pipeline.ts': `${head}export default new Pipeline({ id: 'b' });\n`,
    });
    await using editor = await TestEditor.open(one.path);
    await editor.ready();
    const uri = pathToFileURL(two.path).href;
    await editor.notify('workspace/didChangeWorkspaceFolders', {
      event: { added: [{ uri, name: 'two' }], removed: [] },
    });
    await editor.until(() =>
      editor.messages.some(({ folder, order }) => folder === uri && order.includes('b')),
    );
    assert.ok(!editor.messages.some(({ folder, order }) => folder === uri && order.includes('shop')));
    await editor.notify('workspace/didChangeWorkspaceFolders', {
      event: { added: [], removed: [{ uri, name: 'two' }] },
    });
    assert.equal(await editor.askAt('textDocument/hover', '../x', { line: 0, character: 0 }), null);
  });

  it('fills placeholders from the loaded graph until the file is edited, in trusted workspaces only', async () => {
    const text = `${head}const a = new Pipeline({ id: 'a' });
a.add(new Task({ id: 'x' }));
if (process.env.REGION !== undefined) a.add(new Task({ id: 'region' }));
export default a;
`;
    const leaf = (id: string): object => ({
      ...{
        id,
        path: ['a', id],
        kind: 'task',
        description: '',
        labels: {},
        upstreams: [],
        nodes: [],
        commands: [],
      },
    });
    const root = (tasks: readonly string[]): object => ({
      ...{ id: 'root', path: [], kind: 'pipeline', description: '', labels: {}, upstreams: [], commands: [] },
      nodes: [
        {
          ...{
            id: 'a',
            path: ['a'],
            kind: 'pipeline',
            description: '',
            labels: {},
            upstreams: [],
            commands: [],
          },
          onFailure: 'stop',
          nodes: tasks.map(leaf),
        },
      ],
    });
    await using folder = await temporaryFolder({ 'package.json': '{}', 'a.pipeline.ts': text });
    const kinds = (editor: TestEditor): unknown =>
      editor.nodes()[0]?.nodes.map(({ id, kind }) => `${id} ${kind}`);
    await using editor = await TestEditor.open(folder.path, { trusted: true });
    await editor.open('a.pipeline.ts');
    await editor.ready();
    assert.deepEqual(kinds(editor), ['x task', 'region dynamic']);
    await editor.notify('millrace/loadedGraph', {
      folder: editor.folder,
      root: root(['x', 'region']),
      errors: [],
    });
    await editor.until(() => String(kinds(editor)) === 'x task,region task');
    assert.deepEqual(editor.logs, []);
    await editor.change('a.pipeline.ts', text.replace("'x'", "'y'"));
    await editor.until(() => String(kinds(editor)) === 'y task,region dynamic');
    await editor.change('a.pipeline.ts', text);
    await editor.until(() => String(kinds(editor)) === 'x task,region dynamic');
    await editor.notify('millrace/loadedGraph', {
      folder: editor.folder,
      root: root(['x', 'z', 'region']),
      errors: [],
    });
    await editor.until(
      () => String(kinds(editor)) === 'x task,z loaded,region task' || editor.paths().includes('a/z'),
    );
    await editor.notify('millrace/loadedGraph', { folder: editor.folder, root: root([]), errors: [] });
    await editor.until(() => editor.logs.length > 0);
    const name = folder.path.split('/').at(-1) ?? '';
    assert.deepEqual(editor.logs, [
      `Bug report: in ${name}, the static analysis and the loaded graph differ. The loaded graph is shown. Please report it with the source:\n"a/x" is not in the loaded graph`,
    ]);

    await using untrusted = await TestEditor.open(folder.path);
    await untrusted.ready();
    await untrusted.notify('millrace/loadedGraph', {
      folder: untrusted.folder,
      root: root(['q']),
      errors: [],
    });
    await untrusted.open('a.pipeline.ts', text.replace("'x'", "'w'"));
    await untrusted.until(() => untrusted.paths().includes('a/w'));
    assert.ok(!untrusted.paths().includes('a/q'));
  });

  it('reads the loaded graph as the runner prints it, in pieces', async () => {
    const text = `${head}const a = new Pipeline({ id: 'a' });
if (process.env.MILLRACE_TEST_REGION !== 'none') a.add(new Task({ id: 'region' }));
export default a;
`;
    await using folder = await temporaryFolder({ 'package.json': '{}', 'a.pipeline.ts': text });
    const { stdout, stderr } = await runMillrace(['graph', '--format', 'json'], { cwd: folder.path });
    const graph = readGraph(stdout, stderr);
    assert.deepEqual(graph, { text: stdout, errors: [] });
    await using editor = await TestEditor.open(folder.path, { trusted: true });
    await editor.ready();
    const kinds = (): unknown => editor.nodes()[0]?.nodes.map(({ id, kind }) => `${id} ${kind}`);
    assert.deepEqual(kinds(), ['region dynamic']);
    const send = (offset: number, end: number, errors: readonly string[] | null): Promise<void> =>
      editor.notify('millrace/loadedGraphText', {
        folder: editor.folder,
        offset,
        text: graph.text.slice(offset, end),
        errors,
      });
    await send(0, 10, null);
    // A newer one takes its place; what is left of the old one comes to nothing.
    await send(0, 20, null);
    await send(10, Infinity, []);
    await send(20, 30, null);
    await send(30, Infinity, []);
    await editor.until(() => String(kinds()) === 'region task');
    assert.deepEqual(editor.logs, []);
  });

  it('gives up what is about an old text', async () => {
    // Most of the time it would compute graphs that nobody wants any more.
    const slow = `${head}const a = new Pipeline({ id: 'a' });
let sum = 0;
for (let i = 0; i < 60_000; i++) sum += i;
a.add(new Task({ id: 'x' }));
export default a;
`;
    await using folder = await temporaryFolder({ 'package.json': '{}', 'a.pipeline.ts': slow });
    await using editor = await TestEditor.open(folder.path);
    await editor.open('a.pipeline.ts');
    await editor.ready();
    const before = editor.messages.length;
    // All of them are there when it comes to read, however slow the sender is.
    process.kill(editor.pid, 'SIGSTOP');
    for (let n = 1; n <= 40; n++) await editor.change('a.pipeline.ts', slow.replace("'x'", `'x${n}'`));
    process.kill(editor.pid, 'SIGCONT');
    await editor.until(() => editor.paths().includes('a/x40'));
    assert.ok(editor.messages.length - before < 40, `${editor.messages.length - before} graphs`);
  });

  it('survives whatever is typed', async () => {
    const random = randomNumbers(7);
    const programs = corpusPrograms();
    await using folder = await temporaryFolder({ 'package.json': '{}', 'a.pipeline.ts': '' });
    await using editor = await TestEditor.open(folder.path);
    await editor.open('a.pipeline.ts');
    await editor.ready();
    const questions = [
      'hover',
      'completion',
      'definition',
      'prepareRename',
      'documentSymbol',
      'documentLink',
    ];
    for (let round = 0; round < 60; round++) {
      const program = programs[Math.floor(random() * programs.length)];
      const text = mutate(readFileSync(program?.file ?? '', 'utf8'), random);
      await editor.change('a.pipeline.ts', text);
      const lines = text.split('\n');
      const line = Math.floor(random() * lines.length);
      const character = Math.floor(random() * ((lines[line]?.length ?? 0) + 1));
      const question = questions[round % questions.length] ?? '';
      try {
        await editor.askAt(
          `textDocument/${question}`,
          'a.pipeline.ts',
          { line, character },
          { newName: 'other' },
        );
      } catch (error) {
        assert.match(String(error), /put together by the program/);
      }
    }
    await editor.change('a.pipeline.ts', `${head}export default new Pipeline({ id: 'alive' });\n`);
    await editor.until(() => editor.paths().join() === 'alive');
    assert.deepEqual([editor.logs, editor.stderr], [[], '']);
    assert.equal(await editor.end(), 0);
  });

  it('talks over the channel of Node too, and ends with its editor', async () => {
    await using folder = await temporaryFolder(project);
    const server = fork(
      fileURLToPath(new URL('../../extension/language/main.ts', import.meta.url)),
      ['--node-ipc'],
      {
        stdio: 'ignore',
      },
    );
    const answer = once(server, 'message');
    server.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { processId: null, capabilities: {}, rootUri: pathToFileURL(join(folder.path)).href },
    });
    const [{ result }] = (await answer) as [{ result: { serverInfo: object } }];
    assert.deepEqual(result.serverInfo, { name: 'millrace' });
    server.disconnect();
    await once(server, 'exit');
  });
});
