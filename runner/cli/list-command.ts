/** `millrace list`. */
import { findNode } from '../engine/plan.ts';
import { parsePath } from '../model.ts';
import { exitCodes } from './exit-codes.ts';
import { colourOf, firstLine, formatSpan, formatDuration, formatTable, symbolOf } from './format.ts';
import { type ListedNode, listNodes, readNodeHistory } from './node-list.ts';
import { isIncomplete, openHistory, openProject, projectDirectory } from './open-project.ts';
import type { Style } from './style.ts';
import type { Terminal } from './terminal.ts';

export async function listCommand(
  terminal: Terminal,
  path: string | undefined,
  options: { readonly json?: true },
): Promise<number> {
  const directory = projectDirectory(terminal);
  const project = await openProject(terminal, directory);
  const node = findNode(project.root, parsePath(path ?? ''));
  await using store = await openHistory(terminal, directory, project.config.store);
  const listed = listNodes(project, node, await readNodeHistory(store, node.path));
  if (options.json === true) terminal.stdout.write(`${JSON.stringify({ root: listed }, null, 2)}\n`);
  else if (node.path.length > 0 || listed.nodes.length > 0 || !isIncomplete(project)) {
    const width = terminal.stdout.isTTY ? terminal.stdout.columns : Infinity;
    const lines = drawTree(listed, { now: store.clock(), width, style: terminal.style });
    terminal.stdout.write(`${lines.join('\n')}\n`);
  }
  return isIncomplete(project) ? exitCodes.failed : exitCodes.success;
}

export interface TreeOptions {
  /** Milliseconds since the epoch, by the store's clock. */
  readonly now: number;
  /** Columns of the terminal. */
  readonly width: number;
  readonly style: Style;
}

/** The tree as a table; the root is not drawn when it has nodes, because it stands for the project. */
export function drawTree(root: ListedNode, { now, width, style }: TreeOptions): string[] {
  const rows: { readonly branch: string; readonly node: ListedNode }[] = [];
  const visit = (node: ListedNode, branch: string, below: string): void => {
    rows.push({ branch, node });
    node.nodes.forEach((child, index) => {
      const isLast = index === node.nodes.length - 1;
      visit(child, `${below}${isLast ? '└─ ' : '├─ '}`, `${below}${isLast ? '   ' : '│  '}`);
    });
  };
  if (root.path.length > 0) visit(root, '', '');
  else for (const node of root.nodes) visit(node, '', '');
  if (rows.length === 0) return ['The project has no pipelines yet. "millrace init" makes a first one.'];
  return formatTable(
    [
      { title: 'node' },
      { title: 'kind', style: cell => style('dim', cell) },
      { title: 'average', right: true },
      { title: 'cost', right: true, style: cell => style('dim', cell) },
      {
        title: 'last',
        style: (cell, row) => style(colourOf(rows[row]?.node.last?.status ?? 'skipped'), cell),
      },
      { title: 'description', style: cell => style('dim', cell) },
    ],
    rows.map(({ branch, node }) => [
      `${branch}${node.id}`,
      node.kind,
      node.averageDuration === null ? '–' : formatDuration(node.averageDuration),
      // A task that took no measurable time has a cost, of 0; one that never ran has none.
      node.cost === 0 && node.averageRunTime === null ? '–' : formatDuration(node.cost),
      describeLast(node, now),
      firstLine(node.description),
    ]),
    width,
  );
}

function describeLast({ last }: ListedNode, now: number): string {
  if (last === null) return '–';
  const word = `${symbolOf(last.status)} ${last.status}`;
  const since = last.endedAt ?? last.startedAt;
  if (since === null) return word;
  const span = formatSpan((now - Date.parse(since)) / 1000);
  return last.status === 'running' ? `${word} for ${span}` : `${word}, ${span} ago`;
}
