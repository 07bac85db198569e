import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Analysis } from '../../extension/analysis/analysis.ts';
import { analyzeProject } from '../../extension/analysis/analysis-project.ts';
import { corpusPrograms, layOut } from '../support/analysis-corpus.ts';
import { compareGraphs, loadProjects } from '../support/compare-graphs.ts';
import { mutate, randomNumbers } from '../support/mutants.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Reasons to stop at a bound: the loader would go on for ever, or until nothing is left of the machine. */
const outOfBounds = /too many|too deeply|very long|repeats a repetition/;

/** `MILLRACE_FUZZ=seed:count` tries other mutants. */
const [seed = 1, count = 60] = (process.env['MILLRACE_FUZZ'] ?? '').split(':').filter(Boolean).map(Number);

describe('static analysis of broken programs', function () {
  this.timeout(120_000 + count * 1000);

  it(`never crashes, and never contradicts the loader (seed ${String(seed)})`, async () => {
    await using home = await temporaryFolder();
    const programs = corpusPrograms();
    const random = randomNumbers(seed);
    const mutants: { readonly directory: string; readonly text: string; readonly analysis: Analysis }[] = [];
    for (let index = 0; index < count; index++) {
      const program = programs[Math.floor(random() * programs.length)];
      assert(program !== undefined);
      const text = mutate(readFileSync(program.file, 'utf8'), random);
      const directory = layOut(join(home.path, String(index)), program, text);
      const analysis = analyzeProject({
        directory,
        bounds: { steps: 200_000, depth: 200, nodes: 1000 },
      });
      // Whatever loops for ever here would do so in the loader too.
      if (!analysis.files.some(({ reason }) => reason !== undefined && outOfBounds.test(reason)))
        mutants.push({ directory, text, analysis });
    }
    const loaded = await loadProjects(mutants.map(({ directory }) => directory));
    assert.equal(loaded.length, mutants.length);
    const wrong = mutants.flatMap(({ text, analysis }, index) => {
      const answer = loaded[index];
      assert(answer !== undefined);
      const found = compareGraphs(analysis, answer).wrong;
      return found.length === 0 ? [] : [`${text}\n${found.join('\n')}`];
    });
    assert.deepEqual(wrong, []);
  });
});
