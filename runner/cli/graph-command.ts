/** `millrace graph`: the graph as the project's code declares it. */
import { toGraph } from '../api/graph.ts';
import { setPreviewSettings } from '../commands/preview-settings.ts';
import { masker, secretsOf } from '../engine/masks.ts';
import { findNode } from '../engine/plan.ts';
import { type NodeGraph, parsePath } from '../model.ts';
import { exitCodes } from './exit-codes.ts';
import { toDot, toMermaid } from './graph-formats.ts';
import { findInGraph } from './graph-nodes.ts';
import { isIncomplete, openProject, projectDirectory } from './open-project.ts';
import { analyzeStatically } from './static-analysis.ts';
import { say, type Terminal } from './terminal.ts';

export interface GraphCommandOptions {
  readonly format: 'json' | 'mermaid' | 'dot';
  readonly locations: boolean;
  /** As the static analysis sees it, without running the project's code. */
  readonly static?: true;
}

export async function graphCommand(
  terminal: Terminal,
  path: string | undefined,
  options: GraphCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  if (options.static === true) return await staticGraph(terminal, directory, path, options);
  const project = await openProject(terminal, directory, { captureLocations: options.locations });
  const { defaultDatabase, dataDir } = project.config;
  setPreviewSettings({ defaultDatabase, dataDir });
  const node = findNode(project.root, parsePath(path ?? ''));
  const graph = toGraph(node, { mask: masker(secretsOf(project.config)) });
  print(terminal, graph, options);
  // A graph with files missing is no answer that a script may rely on.
  return isIncomplete(project) ? exitCodes.failed : exitCodes.success;
}

async function staticGraph(
  terminal: Terminal,
  directory: string,
  path: string | undefined,
  options: GraphCommandOptions,
): Promise<number> {
  const { root, files, mistakes } = await analyzeStatically(directory);
  const graph = findInGraph(root, parsePath(path ?? ''));
  print(terminal, options.locations ? graph : withoutLocations(graph), options);
  const errors = mistakes.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    const what = errors === 1 ? 'is 1 error' : `are ${String(errors)} errors`;
    say(terminal, `There ${what} in the source: see millrace check.`);
  }
  return files.some(({ status }) => status === 'failed') ? exitCodes.failed : exitCodes.success;
}

function print(terminal: Terminal, graph: NodeGraph, { format }: GraphCommandOptions): void {
  switch (format) {
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
}

/** Everything but where it stands, which the analysis says of more than nodes. */
function withoutLocations(node: NodeGraph): NodeGraph {
  const places = new Set(['location', 'addedAt', 'edges']);
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) => (places.has(key) ? undefined : value)),
  ) as NodeGraph;
}
