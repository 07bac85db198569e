import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Analysis, StaticNodeGraph } from '../../extension/analysis/analysis.ts';
import { analyzeProject, analyzeProjectAndSql } from '../../extension/analysis/analysis-project.ts';
import { corpusPrograms, corpusProjects, layOut } from '../support/analysis-corpus.ts';
import { compareGraphs, type Loaded, loadProjects } from '../support/compare-graphs.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temp.ts';

/** Programs that hold something that only running can tell, and every reason that the analysis gives for it. */
const unknownIn = JSON.parse(
  readFileSync(new URL('../fixtures/analysis/unknown.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly string[]>>;

describe('static analysis against the loader', function () {
  this.timeout(120_000);

  const programs = corpusPrograms();
  let home: TemporaryFolder;
  const analyses = new Map<string, Analysis>();
  const loaded = new Map<string, Loaded>();

  before(async () => {
    home = await temporaryFolder();
    const directories = programs.map(program => layOut(join(home.path, program.set, program.name), program));
    const answers = await loadProjects(directories);
    for (const [index, { name }] of programs.entries()) {
      const [directory, answer] = [directories[index], answers[index]];
      if (directory === undefined || answer === undefined) throw new Error(`${name} was not loaded`);
      loaded.set(name, answer);
      analyses.set(name, analyzeProject({ directory }));
    }
  });

  after(async () => {
    await home[Symbol.asyncDispose]();
  });

  for (const { name } of programs) {
    it(name, () => {
      const [analysis, answer] = [analyses.get(name), loaded.get(name)];
      assert(analysis !== undefined && answer !== undefined);
      assert.deepEqual(compareGraphs(analysis, answer).wrong, []);
      assert.deepEqual(reasonsIn(analysis), unknownIn[name] ?? []);
    });
  }

  const examples = ['demo', 'python-project-stats', 'repo-stats'].map(name =>
    fileURLToPath(new URL(`../../examples/${name}`, import.meta.url)),
  );
  for (const directory of [...corpusProjects(), ...examples]) {
    it(directory.split('/').slice(-2).join('/'), async () => {
      const [answer] = await loadProjects([directory]);
      assert(answer !== undefined);
      const analysis = analyzeProject({ directory });
      const { wrong, exact, flagged } = compareGraphs(analysis, answer);
      assert.deepEqual(wrong, []);
      assert.equal(flagged, 0);
      assert(exact > 0);
      if (examples.includes(directory))
        assert.deepEqual((await analyzeProjectAndSql({ directory })).diagnostics, []);
    });
  }
});

/** Everything that the analysis says it does not know, as `path: reason`. */
function reasonsIn({ root }: Analysis): string[] {
  const reasons: string[] = [];
  const visit = (node: StaticNodeGraph): void => {
    const path = node.path.join('/');
    if (node.reason !== undefined) reasons.push(`${path}: ${node.reason}`);
    for (const { option, reason } of node.unknown ?? []) reasons.push(`${path}, ${option}: ${reason}`);
    for (const { kind, reason } of node.commands ?? []) {
      if (reason !== undefined) reasons.push(`${path}, ${kind}: ${reason}`);
    }
    node.nodes.forEach(visit);
  };
  visit(root);
  return reasons;
}
