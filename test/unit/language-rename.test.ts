import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LanguageProject } from '../../extension/language/language-project.ts';
import type { IndexedNode } from '../../extension/language/node-index.ts';
import { rename, type Rename, RenameError } from '../../extension/language/rename.ts';
import { formatPath, type NodeGraph } from '../../runner/model.ts';
import { corpusPrograms, corpusProjects, layOut } from '../support/analysis-corpus.ts';
import { loadProjects } from '../support/compare-graphs.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temp.ts';

function openProject(directory: string): LanguageProject {
  return new LanguageProject({ folder: 'file:///test', directory });
}

/** Renames the first text that gives the id of a node; `undefined` where none gives it. */
function renameNode(project: LanguageProject, { path }: IndexedNode, newId: string): Rename | undefined {
  const [use] = project.names.usesOf([path]).uses.filter(({ role }) => role === 'id');
  if (use === undefined) return undefined;
  return rename(project, project.names, { file: use.file, offset: use.start }, newId);
}

/** Writes what a rename changes into a copy of a project. */
function apply(project: LanguageProject, { stretches, newId }: Rename, copy: string): void {
  for (const [file, text] of project.names.edited(stretches, newId))
    writeFileSync(file.replace(project.directory, copy), text);
}

/** A loaded graph as it has to be when some nodes have another id. */
function expected(
  node: NodeGraph,
  renamed: ReadonlySet<string>,
  newId: string,
  path: readonly string[] = [],
): unknown {
  const idOf = ({ path: at, id }: NodeGraph): string => (renamed.has(formatPath(at)) ? newId : id);
  const ids = new Map(node.nodes.map(child => [child.id, idOf(child)]));
  const { location: _, nodes, commands, ...rest } = node;
  return {
    ...rest,
    id: path.at(-1) ?? node.id,
    path,
    commands:
      commands?.map(({ kind, summary }) => ({ kind, summary: summary?.replace(/\b\d{13}\b/, 'now') })) ??
      null,
    nodes: nodes.map(child => {
      const copy = { ...child, upstreams: child.upstreams.map(id => ids.get(id) ?? id) };
      return expected(copy, renamed, newId, [...path, idOf(child)]);
    }),
  };
}

describe('rename', function () {
  this.timeout(180_000);

  it('gives the same graph but for the id, over the corpus', async () => {
    await using home = await temporaryFolder();
    const { jobs, refusals } = await renameCorpus(home);
    assert.ok(jobs.length > 100, `${jobs.length} renames`);
    // A process loads a file only once.
    const directories = [...new Set(jobs.flatMap(({ original, copy }) => [original, copy]))];
    const answers = await loadProjects(directories);
    const loaded = new Map(directories.map((directory, index) => [directory, answers[index]]));
    for (const { name, original, copy, renamed, newId } of jobs) {
      const [before, after] = [loaded.get(original), loaded.get(copy)];
      assert.ok(before !== undefined && after !== undefined, name);
      const problems = (text: string | undefined, directory: string): string | undefined =>
        text?.replaceAll(directory, '');
      assert.deepEqual(
        after.problems?.map(({ message }) => problems(message, copy)).length,
        before.problems?.map(({ message }) => problems(message, original)).length,
        name,
      );
      if (before.graph === undefined || after.graph === undefined) continue;
      const seen = JSON.parse(
        JSON.stringify(expected(after.graph, new Set(), newId)).replaceAll(copy, original),
      ) as unknown;
      assert.deepEqual(seen, JSON.parse(JSON.stringify(expected(before.graph, renamed, newId))), name);
    }
    // Whoever is refused gets a reason.
    for (const message of refusals)
      assert.match(message, /^(?:The id "|"[a-z0-9_]+" cannot be renamed|What |Pipeline ")/);
  });

  interface Job {
    readonly name: string;
    readonly original: string;
    readonly copy: string;
    readonly renamed: ReadonlySet<string>;
    readonly newId: string;
  }

  async function renameCorpus(home: TemporaryFolder): Promise<{ jobs: Job[]; refusals: string[] }> {
    const jobs: Job[] = [];
    const refusals: string[] = [];
    const directories = [
      ...corpusPrograms().map(program =>
        layOut(join(home.path, 'programs', program.set, program.name), program),
      ),
      ...corpusProjects().map(directory => {
        const copy = join(home.path, 'projects', basename(directory));
        cpSync(directory, copy, { recursive: true });
        return copy;
      }),
    ];
    for (const original of directories) {
      const project = openProject(original);
      const nodes = [...project.index.all].filter(({ node: { id } }) => !id.includes('…'));
      const picked = new Set([nodes[Math.floor(nodes.length / 2)], nodes.at(-1)]);
      for (const node of picked) {
        if (node === undefined) continue;
        const newId = `${node.node.id}_renamed`;
        try {
          const done = renameNode(project, node, newId);
          if (done === undefined) continue;
          const { targets } = project.names.usesOf([node.path]);
          const copy = join(home.path, 'copies', String(jobs.length));
          cpSync(original, copy, { recursive: true });
          apply(project, done, copy);
          const name = `${basename(original)}: ${formatPath(node.path)}`;
          jobs.push({ name, original, copy, renamed: new Set(targets.map(formatPath)), newId });
        } catch (error) {
          if (!(error instanceof RenameError)) throw error;
          refusals.push(error.message);
        }
      }
    }
    await Promise.resolve();
    return { jobs, refusals };
  }

  const head = "import { Pipeline, RunBash, Task } from 'millrace';\n";

  /** What a file is after a rename at the mark `‸`; other files by name. */
  async function renamed(
    text: string,
    newId: string,
    others: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, string>> {
    const offset = text.indexOf('‸');
    await using folder = await temporaryFolder({ 'a.pipeline.ts': text.replace('‸', ''), ...others });
    const project = openProject(folder.path);
    const file = join(folder.path, 'a.pipeline.ts');
    const { stretches } = rename(project, project.names, { file, offset }, newId);
    return Object.fromEntries(
      [...project.names.edited(stretches, newId)].map(([name, edited]) => [
        name.slice(folder.path.length + 1),
        edited,
      ]),
    );
  }

  async function refused(text: string, newId: string, message: string): Promise<void> {
    await assert.rejects(renamed(text, newId), { name: 'RenameError', message });
  }

  it('renames a node of one pipeline, not its namesake in another', async () => {
    const text = `${head}const a = new Pipeline({ id: 'a' });
a.add(new Task({ id: 'lo‸ad', description: 'load', commands: [new RunBash('load')] }));
a.add(new Task({ id: 'check' }), ['load']);
a.add(new Task({ id: 'last' }));
a.addDependency('load', 'last');
const b = new Pipeline({ id: 'b' });
b.add(new Task({ id: 'load' })).add(new Task({ id: 'check' }), ['load']);
export { a, b };
`;
    assert.deepEqual(await renamed(text, 'fetch'), {
      'a.pipeline.ts': text
        .replace("'lo‸ad'", "'fetch'")
        .replace("id: 'check' }), ['load']);\na.add", "id: 'check' }), ['fetch']);\na.add")
        .replace("a.addDependency('load'", "a.addDependency('fetch'"),
    });
  });

  it('follows ids through constants, functions, lists, paths, and other files', async () => {
    const ids = "export const first = 'load';\nexport const others = ['check', 'load'];\n";
    const text = `import { first, others } from './ids.ts';
${head}const a = new Pipeline({ id: 'a' });
const part = new Pipeline({ id: 'part' });
const make = (id: string) => new Task({ id });
part.add(make(first));
part.add(make('report'), [others[1] ?? '']);
a.add(part);
a.add(new Task({ id: a.find('part/lo‸ad') === undefined ? 'no' : 'yes' }));
export default a;
`;
    assert.deepEqual(await renamed(text, 'fetch', { 'ids.ts': ids }), {
      'a.pipeline.ts': text.replace('lo‸ad', 'fetch'),
      'ids.ts': ids.replace("'load'", "'fetch'").replace("'load'", "'fetch'"),
    });
  });

  it('renames what a factory makes in all pipelines at once', async () => {
    const text = `${head}function stage(id: string) {
  const pipeline = new Pipeline({ id });
  pipeline.add(new Task({ id: 'lo‸ad' }));
  return pipeline.add(new Task({ id: 'check' }), ['load']);
}
export default new Pipeline({ id: 'a' }).add(stage('x')).add(stage('y'));
`;
    assert.deepEqual(await renamed(text, 'fetch'), {
      'a.pipeline.ts': text.replace('lo‸ad', 'fetch').replace("['load']", "['fetch']"),
    });
  });

  it('refuses what would change more than the id', async () => {
    await refused(
      `${head}const a = new Pipeline({ id: 'a' });
for (const name of ['or‸ders', 'items']) a.add(new Task({ id: name, commands: [new RunBash(\`load \${name}\`)] }));
export default a;
`,
      'sales',
      '"orders" cannot be renamed to "sales", because more than the id depends on it: a command of "a/orders" would change. Change the code by hand.',
    );
  });

  it('refuses ids that the program puts together', async () => {
    await refused(
      `${head}const a = new Pipeline({ id: 'a' });
for (const n of [1, 2]) a.add(new Task({ id: \`lo‸ad_\${n}\` }));
export default a;
`,
      'fetch',
      'The id "load_1" is put together by the program (a.pipeline.ts:3), so it cannot be renamed. Change the code that makes it.',
    );
  });

  it('refuses ids that are not valid or taken', async () => {
    const text = `${head}export default new Pipeline({ id: 'a' }).add(new Task({ id: 'x‸' })).add(new Task({ id: 'y' }));\n`;
    await refused(text, 'Load it', '"Load it" is no valid id. Use lower-case letters, digits and "_".');
    await refused(text, 'y', 'Pipeline "a" already has a node with the id "y", so "x" cannot have it too.');
  });
});
