/** Where code lenses go: above every line that makes nodes. */
import type { LanguageProject } from './language-project.ts';
import type { IndexedNode } from './node-index.ts';
import { contains, rangeOfLocation } from './place.ts';
import type { Lens } from './protocol.ts';

/**
 * One entry for each line that makes nodes. A line that makes several (a loop, a factory) has all of them; where a
 * factory makes them, each line that adds them has its own as well.
 */
export function lensesOf(project: LanguageProject, file: string): Lens[] {
  const { index } = project;
  const made = index.made(file);
  const ofFactories = index.added(file).filter(({ range, nodes }) => {
    const own = nodes.filter(node => !isMadeIn(node, file, range));
    return own.length > 0 && own.some(node => madeTogether(project, node) > nodes.length);
  });
  const lines = new Map<number, { range: Lens['range']; nodes: Map<string, IndexedNode> }>();
  for (const { range, nodes } of [...made, ...ofFactories]) {
    const { line } = range.start;
    let entry = lines.get(line);
    if (entry === undefined) lines.set(line, (entry = { range, nodes: new Map() }));
    for (const node of nodes) entry.nodes.set(node.path.join('/'), node);
  }
  return [...lines.values()]
    .map(({ range, nodes }) => {
      const known = [...nodes.values()].filter(isKnown);
      return { range, paths: known.map(({ path }) => path), kind: kindOf(known) };
    })
    .filter(({ paths }) => paths.length > 0)
    .sort((a, b) => a.range.start.line - b.range.start.line);
}

/** Nothing can be run of what has no known id. */
function isKnown({ path }: IndexedNode): boolean {
  return path.every(id => !id.includes('…'));
}

/** Whether the expression that makes a node is a part of a range. */
function isMadeIn({ node: { location } }: IndexedNode, file: string, range: Lens['range']): boolean {
  return location === undefined || (location.file === file && contains(range, rangeOfLocation(location)));
}

/** How many nodes the expression makes that has made a node. */
function madeTogether({ index }: LanguageProject, { node: { location } }: IndexedNode): number {
  return location === undefined ? 0 : index.madeAt(location.file, rangeOfLocation(location)).length;
}

function kindOf(nodes: readonly IndexedNode[]): Lens['kind'] {
  const kinds = new Set(nodes.map(({ node }) => (node.kind === 'dynamic' ? 'task' : node.kind)));
  const [kind = 'task'] = kinds;
  return kinds.size > 1 ? 'mixed' : kind;
}
