/** A picture as text for Mermaid; pure. */
import type { GraphModel, GraphNode } from './model.ts';

/**
 * The flowchart. With `titles`, for people to paste elsewhere; without, only the structure, so that no text of a project
 * gets into Mermaid at all.
 */
export function mermaidText(model: GraphModel, { titles }: { readonly titles: boolean }): string {
  const lines = ['flowchart TB'];
  const add = (node: GraphNode, indent: string): void => {
    if (node.isOpen) {
      lines.push(`${indent}subgraph ${node.id}["${titles ? escapeLabel(node.title) : node.id}"]`);
      for (const child of node.children) add(child, `${indent}  `);
      lines.push(`${indent}end`);
      return;
    }
    if (!titles) {
      lines.push(`${indent}${node.id}:::${node.kind}`);
      return;
    }
    const [open, close] = shapes[node.kind];
    lines.push(`${indent}${node.id}${open}"${escapeLabel(node.title)}"${close}`);
  };
  for (const node of model.nodes) add(node, '  ');
  for (const { from, to, kind } of model.edges) {
    // For the layout, what leaves the picture has its place in the order; for people it looks different.
    const isDotted = kind === 'implied' || (titles && kind === 'stub');
    lines.push(`  ${from} ${isDotted ? '-.->' : '-->'} ${to}`);
  }
  return `${lines.join('\n')}\n`;
}

const shapes: Readonly<Record<GraphNode['kind'], readonly [open: string, close: string]>> = {
  task: ['[', ']'],
  parallel: ['[[', ']]'],
  pipeline: ['([', '])'],
  dynamic: ['{{', '}}'],
  stub: ['>', ']'],
};

/** Everything that could mean something to Mermaid or to HTML becomes an entity. */
export function escapeLabel(text: string): string {
  const escaped = text.replace(/[^\p{L}\p{N}_.\- ]/gu, character => `#${String(character.codePointAt(0))};`);
  return escaped === '' ? '#160;' : escaped;
}
