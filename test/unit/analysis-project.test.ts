import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Analysis } from '../../extension/analysis/analysis.ts';
import { AnalysisProject } from '../../extension/analysis/analysis-project.ts';
import { diskFileSystem, OverlayFileSystem } from '../../extension/analysis/file-system.ts';
import { temporaryFolder } from '../support/temp.ts';

const head = "import { Pipeline, Task } from 'millrace';\n";

function pipelineFile(id: string, tasks: readonly string[], before = ''): string {
  const adds = tasks.map(task => `.add(new Task({ id: '${task}' }))`).join('');
  return `${before}${head}export default new Pipeline({ id: '${id}' })${adds};\n`;
}

describe('analysis of a project that is edited', () => {
  it('sees what is typed, and what is on the disk again once that is closed', async () => {
    await using folder = await temporaryFolder({ 'a.pipeline.ts': pipelineFile('a', ['x']) });
    const file = join(folder.path, 'a.pipeline.ts');
    const project = new AnalysisProject({ directory: folder.path });
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x']);
    project.update(file, pipelineFile('a', ['x', 'y']));
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x', 'a/y']);
    project.update(file, undefined);
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x']);
  });

  it('evaluates again what depends on a change, and only that', async () => {
    await using folder = await temporaryFolder({
      'ids.ts': "export const ids = ['one'];\n",
      'a.pipeline.ts': `import { ids } from './ids.ts';\n${head}export const a = new Pipeline({ id: 'a' }).addAll(ids.map(id => new Task({ id })));\n`,
      'b.pipeline.ts': pipelineFile('b', ['x']),
    });
    const project = new AnalysisProject({ directory: folder.path });
    const before = project.analysis();
    project.update(join(folder.path, 'ids.ts'), "export const ids = ['one', 'two'];\n");
    const after = project.analysis();
    assert.deepEqual(paths(after), ['a', 'a/one', 'a/two', 'b', 'b/x']);
    assert.equal(after.root.nodes[1], before.root.nodes[1]);
    assert.notEqual(after.root.nodes[0], before.root.nodes[0]);
  });

  it('evaluates files together that see the same objects', async () => {
    await using folder = await temporaryFolder({
      'registry.ts': 'export const ids: string[] = [];\n',
      'a.pipeline.ts': pipelineFile(
        'a',
        ['x'],
        "import { ids } from './registry.ts';\nids.push('from_a');\n",
      ),
      'b.pipeline.ts': `import { ids } from './registry.ts';\n${head}export const b = new Pipeline({ id: 'b' }).addAll(ids.map(id => new Task({ id })));\n`,
    });
    const project = new AnalysisProject({ directory: folder.path });
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x', 'b', 'b/from_a']);
    project.update(
      join(folder.path, 'a.pipeline.ts'),
      pipelineFile('a', ['x'], "import { ids } from './registry.ts';\nids.push('again');\n"),
    );
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x', 'b', 'b/again']);
  });

  it('notices files that come and go', async () => {
    await using folder = await temporaryFolder({ 'a.pipeline.ts': pipelineFile('a', ['x']) });
    const project = new AnalysisProject({ directory: folder.path });
    project.analysis();
    project.update(join(folder.path, 'new.pipeline.ts'), pipelineFile('new', []));
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x', 'new']);
    project.update(join(folder.path, 'new.pipeline.ts'), undefined);
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x']);
  });

  it('notices files that are opened before anybody says that they have come', async () => {
    await using folder = await temporaryFolder({
      'a.pipeline.ts': `import { ids } from './ids.ts';\n${head}export const a = new Pipeline({ id: 'a' }).addAll(ids.map(id => new Task({ id })));\n`,
      'other.ts': '',
    });
    const project = new AnalysisProject({ directory: folder.path });
    assert.deepEqual(paths(project.analysis()), ['a', 'a/…']);
    const open = async (name: string, text: string): Promise<void> => {
      await folder.write({ [name]: text });
      project.update(join(folder.path, name), text);
    };
    await open('new.pipeline.ts', pipelineFile('new', []));
    assert.deepEqual(paths(project.analysis()), ['a', 'a/…', 'new']);
    await open('ids.ts', "export const ids = ['one'];\n");
    assert.deepEqual(paths(project.analysis()), ['a', 'a/one', 'new']);
    const file = join(folder.path, 'new.pipeline.ts');
    await rm(file);
    project.update(file, undefined);
    assert.deepEqual(paths(project.analysis()), ['a', 'a/one']);
    await open('new.pipeline.ts', pipelineFile('again', []));
    const before = project.analysis();
    assert.deepEqual(paths(before), ['a', 'a/one', 'again']);
    // One that was there all the time and that nothing needs is no reason to evaluate anything.
    project.update(join(folder.path, 'other.ts'), '// edited');
    assert.equal(project.analysis().root.nodes[0], before.root.nodes[0]);
  });

  it('gives up when it is told to, and goes on afterwards', async () => {
    await using folder = await temporaryFolder({ 'a.pipeline.ts': pipelineFile('a', ['x']) });
    const project = new AnalysisProject({ directory: folder.path });
    const controller = new AbortController();
    controller.abort(new Error('stale'));
    assert.throws(() => project.analysis(controller.signal), { message: 'stale' });
    assert.deepEqual(paths(project.analysis()), ['a', 'a/x']);
  });

  it('knows the environment that it is given', async () => {
    await using folder = await temporaryFolder({
      'a.pipeline.ts': `${head}export const a = new Pipeline({ id: \`load_\${process.env.STAGE ?? 'dev'}\` });\n`,
    });
    const options = { directory: folder.path };
    assert.deepEqual(paths(new AnalysisProject(options).analysis()), ['load_…']);
    assert.deepEqual(paths(new AnalysisProject({ ...options, environment: { STAGE: 'prod' } }).analysis()), [
      'load_prod',
    ]);
  });

  it('works on files that are nowhere but in memory', () => {
    const fileSystem = new OverlayFileSystem(
      { ...diskFileSystem, readFile: () => undefined, readDirectory: () => undefined, stat: () => undefined },
      [['/nowhere/deep/a.pipeline.ts', pipelineFile('a', ['x'])]],
    );
    assert.deepEqual(paths(new AnalysisProject({ directory: '/nowhere', fileSystem }).analysis()), [
      'a',
      'a/x',
    ]);
  });

  it('shows SQL and resolves imports by what is typed, not by what is on the disk', async () => {
    await using folder = await temporaryFolder({
      'a.sql': 'select @day@',
      'tsconfig.json': '{}',
      'lib/steps.ts': "export const id = 'x';\n",
      'a.pipeline.ts':
        "import { ExecuteSQL, Pipeline, Task } from 'millrace';\nimport { id } from '@lib/steps.ts';\n" +
        "export default new Pipeline({ id: 'a' }).add(new Task({ id, commands: [new ExecuteSQL({ sqlFile: 'a.sql', replace: { '@day@': 1 } })] }));\n",
    });
    const project = new AnalysisProject({ directory: folder.path });
    assert.deepEqual(
      project.analysis().diagnostics.map(({ code }) => code),
      ['missing-import'],
    );
    project.update(
      join(folder.path, 'tsconfig.json'),
      '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
    );
    const summary = (): unknown => project.analysis().root.nodes[0]?.nodes[0]?.commands?.[0]?.summary;
    assert.deepEqual(project.analysis().diagnostics, []);
    assert.equal(summary(), "millrace sql dwh -c 'select 1'");
    project.update(join(folder.path, 'a.sql'), 'select 2 * @day@');
    assert.equal(summary(), "millrace sql dwh -c 'select 2 * 1'");
  });

  it('changes nothing that is built in, whatever a program tries', async () => {
    await using folder = await temporaryFolder({
      'a.pipeline.ts': `${head}Array.prototype.at = () => 'changed';\nexport const a = new Pipeline({ id: 'a' });\n`,
      'b.pipeline.ts': `${head}Object.assign(Pipeline.prototype, { add: null });\nexport const b = new Pipeline({ id: 'b' });\n`,
    });
    const { files } = new AnalysisProject({ directory: folder.path }).analysis();
    assert.deepEqual(
      files.map(({ status, reason }) => [status, reason]),
      [
        ['dynamic', 'it changes what is built in'],
        ['dynamic', 'it changes what is built in'],
      ],
    );
    assert.equal([1].at(0), 1);
  });
});

function paths({ root }: Analysis): string[] {
  const found: string[] = [];
  const visit = ({ path, nodes }: Analysis['root']): void => {
    if (path.length > 0) found.push(path.join('/'));
    nodes.forEach(visit);
  };
  visit(root);
  return found;
}
