/** A process of its own that loads projects with the real loader and prints their graphs, one JSON text per line. */
import * as api from '../../runner/api/index.ts';
import { toGraph } from '../../runner/api/graph.ts';

import { setPreviewSettings } from '../../runner/commands/preview-settings.ts';
import { masker, secretsOf } from '../../runner/engine/masks.ts';
import { loadProject } from '../../runner/loader/load-project.ts';

for (const directory of process.argv.slice(2)) {
  let answer: unknown;
  try {
    using project = await loadProject({
      directory,
      api,
      captureLocations: true,
      environment: {},
    });
    setPreviewSettings(project.config);
    const mask = masker(secretsOf(project.config));
    answer = { graph: toGraph(project.root, { mask }), problems: project.problems, files: project.files };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
// A promise or timer of a mutant may be left.
process.exit(0);
