/** A process of its own that loads projects with the real loader and prints their graphs, one JSON text per line. */
import { toGraph } from '../../runner/api/graph.ts';
import { loadProject } from '../../runner/loader/load-project.ts';
import { analysisApi } from './analysis-api.ts';

for (const directory of process.argv.slice(2)) {
  let answer: unknown;
  try {
    using project = await loadProject({
      directory,
      api: analysisApi,
      captureLocations: true,
      environment: {},
    });
    answer = { graph: toGraph(project.root), problems: project.problems, files: project.files };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
// A promise or timer of a mutant may be left.
process.exit(0);
