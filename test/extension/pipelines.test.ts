/** Pipelines in the side bar, in the source and in the problems, from the first look to a run that failed. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { eventually, openWindow, terminal, type Window, writeFiles } from './support/window.ts';

/** Waits for a file `go` before it ends, so that a test decides when. */
const gated = `import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';

export const gated = new Pipeline({ id: 'gated', description: 'Waits to be let go' });
gated.add(new Task({ id: 'wait', commands: [new RunBash('until [ -e go ]; do sleep 0.05; done; echo gone')] }));
for (const id of ['left', 'right']) gated.add(new Task({ id, commands: [new RunBash('echo ' + id)] }), ['wait']);
gated.add(new Task({ id: 'query', commands: [new ExecuteSQL({ sqlFile: 'query.sql' })] }), ['wait']);
`;

describe('pipelines in the editor', () => {
  let window: Window;
  let files: AsyncDisposable;
  const pipelines = (): string => window.api.describe().pipelines;
  const runs = (): string => window.api.describe().runs;
  const node = (...path: string[]) => ({ folder: window.folder, path });

  before(async () => {
    window = await openWindow();
    files = await writeFiles(window, {
      'gated.pipeline.ts': gated,
      'query.sql': 'SELECT 1;\n\nSELECT nothing\nFROM nowhere;\n',
    });
  });

  const closeGate = (): Promise<void> => rm(join(window.directory, 'go'), { force: true });
  beforeEach(closeGate);

  after(async () => {
    await files[Symbol.asyncDispose]();
    await closeGate();
  });

  it('appear in the tree, also those of files that were just written', async () => {
    const expected = [
      'type-hierarchy-sub demo',
      '  terminal ping_localhost',
      '  type-hierarchy-sub sub_pipeline',
      '    terminal ping_google',
      '    terminal ping_amazon',
      '    terminal ping_facebook',
      '    terminal ping_foo',
      '  terminal sleep',
      'type-hierarchy-sub gated',
      '  terminal wait',
      '  terminal left',
      '  terminal right',
      '  terminal query',
    ].join('\n');
    // Those of other tests may only be about to leave.
    await eventually(pipelines, text => text === expected);
    assert.equal(window.api.describe().state, 'ready');
    await eventually(
      () => window.api.describe().store,
      store => store === 'ready',
    );
  });

  it('have lenses, one for all nodes that a line makes', async () => {
    const uri = vscode.Uri.file(join(window.directory, 'gated.pipeline.ts'));
    await vscode.window.showTextDocument(uri);
    const lenses = await eventually(
      async () =>
        await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri),
      found => found.length > 0,
    );
    const titles = new Map<number, string[]>();
    for (const { range, command } of lenses)
      titles.set(range.start.line, [...(titles.get(range.start.line) ?? []), command?.title ?? '']);
    assert.deepEqual(
      [...titles].map(
        ([line, texts]) => `${String(line + 1)}: ${texts.join(' | ').replaceAll('\u00a0', ' ')}`,
      ),
      [
        '3: $(play) Run | $(type-hierarchy-sub) DAG',
        '4: $(play) Run | $(type-hierarchy-sub) DAG',
        '5: $(play) Run (2 nodes) | $(run-above) Run with upstreams | $(type-hierarchy-sub) DAG',
        '6: $(play) Run | $(run-above) Run with upstreams | $(type-hierarchy-sub) DAG',
      ],
    );
  });

  it('run, are followed, fail where they fail, and are made good', async () => {
    const runId = await vscode.commands.executeCommand<number>('millrace.run', node('gated'));
    assert.equal(typeof runId, 'number');
    await eventually(
      pipelines,
      text => text.includes('sync~spin gated [') && /sync~spin wait \[\d+s\]/.test(text),
    );
    await eventually(pipelines, text => text.includes('circle-large-outline left [queued]'));
    await eventually(
      () => window.api.describe().statusBar,
      text => text.startsWith('$(sync~spin) gated 0/4'),
    );
    await eventually(runs, text => text.includes(`sync~spin ${String(runId)} gated`));

    await writeFile(join(window.directory, 'go'), '');
    await eventually(runs, text => text.includes(`error ${String(runId)} gated`));
    await eventually(runs, text => text.includes('query: relation "nowhere" does not exist'));
    await eventually(pipelines, text => /pass left \[.*ago|pass left \[.*just now/.test(text));
    await eventually(pipelines, text => text.includes('error gated [failed, '));
    await eventually(
      () => window.api.describe().statusBar,
      text => text === '$(error) gated failed',
    );

    const source = vscode.Uri.file(join(window.directory, 'gated.pipeline.ts'));
    const sql = vscode.Uri.file(join(window.directory, 'query.sql'));
    const failuresIn = (uri: vscode.Uri): vscode.Diagnostic[] =>
      vscode.languages.getDiagnostics(uri).filter(({ code }) => code === `run ${String(runId)}`);
    await eventually(
      () => failuresIn(sql).map(({ message, range }) => `${String(range.start.line)} ${message}`),
      found => found.length === 1,
    );
    assert.equal(failuresIn(sql)[0]?.range.start.line, 3);
    assert.equal(failuresIn(sql)[0]?.message, 'relation "nowhere" does not exist');
    const [own] = failuresIn(source);
    assert.deepEqual(
      [own?.range.start.line, own?.relatedInformation?.[0]?.location.uri.fsPath],
      [5, sql.fsPath],
    );

    await writeFile(sql.fsPath, 'SELECT 1;\n');
    await vscode.commands.executeCommand('millrace.rerunFailed', { folder: window.folder, runId });
    await eventually(
      runs,
      text => text.includes(`goes on with ${String(runId)}`) && !text.includes('sync~spin'),
    );
    await eventually(
      () => failuresIn(sql).length + failuresIn(source).length,
      count => count === 0,
    );
    await eventually(pipelines, text => text.includes('pass gated ['));
  });

  it('show runs that a terminal has started, and runs that die', async () => {
    const child = terminal(window, ['run', 'gated/wait']);
    await eventually(runs, text => /sync~spin \d+ gated\/wait \[.*terminal\]/.test(text));
    child.kill('SIGKILL');
    await eventually(runs, text => /question \d+ gated\/wait \[lost: its runner died, terminal\]/.test(text));
    await eventually(pipelines, text => text.includes('question wait [lost'));
  });

  it('are stopped', async () => {
    const runId = await vscode.commands.executeCommand<number>('millrace.run', node('gated', 'wait'));
    await eventually(pipelines, text => text.includes('sync~spin wait'));
    await vscode.commands.executeCommand('millrace.stop', node('gated', 'wait'));
    await eventually(runs, text => text.includes(`circle-slash ${String(runId)} gated/wait`));
  });

  it('have their output as a document that grows', async () => {
    const runId = await vscode.commands.executeCommand<number>('millrace.run', node('gated', 'wait'));
    await eventually(pipelines, text => text.includes('sync~spin wait'));
    await vscode.commands.executeCommand('millrace.showOutput', { folder: window.folder, runId });
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.scheme, 'millrace-output');
    await writeFile(join(window.directory, 'go'), '');
    await eventually(
      () => document.getText(),
      text => /gated\/wait\s+gone\n/.test(text),
    );
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await eventually(runs, text => !text.includes('sync~spin'));
  });

  it('are offered as tasks, with a problem matcher', async () => {
    await eventually(
      async () =>
        (await vscode.tasks.fetchTasks({ type: 'millrace' }))
          .map(({ name, problemMatchers }) => `${name} ${problemMatchers.join()}`)
          .join('\n'),
      text => text === 'demo $millrace\ngated $millrace',
    );
  });

  it('say which files cannot be understood, and show the others', async () => {
    await using _broken = await writeFiles(window, {
      'broken.pipeline.ts': "import { Pipeline } from 'millrace';\nexport const = ;\n",
    });
    await eventually(pipelines, text => text.includes('(!) ') && text.includes('gated'));
  });

  it('come and go with their files', async () => {
    const text =
      "import { Pipeline } from 'millrace';\nexport const short = new Pipeline({ id: 'short_lived' });\n";
    const written = await writeFiles(window, { 'short.pipeline.ts': text });
    await eventually(pipelines, tree => tree.includes('short_lived'));
    await written[Symbol.asyncDispose]();
    await eventually(pipelines, tree => !tree.includes('short_lived'));
  });
});

describe('the project in the editor', () => {
  it('shows its effective configuration', async () => {
    const { folder } = await openWindow();
    await vscode.commands.executeCommand('millrace.showConfiguration', { folder });
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    assert.match(text, /^# Effective configuration of demo\n/);
    assert.match(text, /retentionDays +\d+ +default/);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });

  it('makes a sample that runs and whose types are there without a network', async () => {
    const window = await openWindow();
    const target = vscode.Uri.file(join(window.directory, 'sample'));
    const { createSample } = window.api;
    await createSample(target);
    const names = (await vscode.workspace.fs.readDirectory(target)).map(([name]) => name).sort();
    assert.deepEqual(names, [
      '.gitignore',
      '.millrace',
      'millrace.config.ts',
      'package.json',
      'pipelines',
      'tsconfig.json',
    ]);
    await vscode.workspace.fs.stat(vscode.Uri.joinPath(target, '.millrace/types/runner/api/index.d.ts'));
    await vscode.workspace.fs.delete(target, { recursive: true });
  });
});
