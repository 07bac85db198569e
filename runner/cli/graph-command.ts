/** `millrace graph`: the graph as the project's code declares it. */
import { toGraph } from '../api/graph.ts';
import { findNode } from '../engine/plan.ts';
import { masker, secretsOf } from '../engine/masks.ts';
import { parsePath } from '../model.ts';
import { exitCodes } from './exit-codes.ts';
import { toDot, toMermaid } from './graph-formats.ts';
import { isIncomplete, openProject, projectDirectory } from './open-project.ts';
import type { Terminal } from './terminal.ts';

export interface GraphCommandOptions {
  readonly format: 'json' | 'mermaid' | 'dot';
  readonly locations: boolean;
}

export async function graphCommand(
  terminal: Terminal,
  path: string | undefined,
  options: GraphCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  const project = await openProject(terminal, directory, { captureLocations: options.locations });
  const node = findNode(project.root, parsePath(path ?? ''));
  const graph = toGraph(node, { mask: masker(secretsOf(project.config)) });
  switch (options.format) {
    case 'json':
      terminal.stdout.write(`${JSON.stringify({ root: graph }, null, 2)}\n`);
      break;
    case 'mermaid':
      terminal.stdout.write(toMermaid(graph));
      break;
    case 'dot':
      terminal.stdout.write(toDot(graph));
      break;
  }
  // A graph with files missing is no answer that a script may rely on.
  return isIncomplete(project) ? exitCodes.failed : exitCodes.success;
}
