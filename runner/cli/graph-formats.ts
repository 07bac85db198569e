/** The graph as text for Mermaid and Graphviz. Nested pipelines become subgraphs; edges connect what the code connects. */
import type { NodeGraph } from '../model.ts';

/** A flowchart in Mermaid's language. Ids are made up, so that no id of a user can be a word of the language. */
export function toMermaid(root: NodeGraph): string {
  const lines = ['flowchart LR'];
  const ids = nodeIds(root);
  const idOf = (node: NodeGraph): string => ids.get(node) ?? '';
  const visit = (node: NodeGraph, indent: string): void => {
    const label = mermaidText(node.id);
    if (node.kind === 'pipeline') {
      lines.push(`${indent}subgraph ${idOf(node)}["${label}"]`);
      for (const child of node.nodes) visit(child, `${indent}  `);
      if (node.nodes.length === 0) lines.push(`${indent}  ${idOf(node)}_empty[" "]`);
      lines.push(`${indent}end`);
    } else {
      const [open, close] =
        node.kind === 'parallel' ? ['[["', '"]]'] : node.kind === 'dynamic' ? ['{{"', '"}}'] : ['["', '"]'];
      lines.push(`${indent}${idOf(node)}${open}${label}${close}`);
    }
  };
  for (const child of root.nodes) visit(child, '  ');
  if (root.nodes.length === 0 && root.kind !== 'pipeline') visit(root, '  ');
  for (const [up, down] of edges(root)) lines.push(`  ${idOf(up)} --> ${idOf(down)}`);
  return `${lines.join('\n')}\n`;
}

/** A digraph in Graphviz's language; edges of nested pipelines are clipped at their frames. */
export function toDot(root: NodeGraph): string {
  const lines = [
    `digraph ${quote(root.id)} {`,
    '  rankdir=LR;',
    '  compound=true;',
    '  node [shape=box, style=rounded];',
  ];
  const ids = nodeIds(root);
  const idOf = (node: NodeGraph): string => ids.get(node) ?? '';
  const visit = (node: NodeGraph, indent: string): void => {
    if (node.kind === 'pipeline') {
      lines.push(`${indent}subgraph cluster_${idOf(node)} {`, `${indent}  label=${quote(node.id)};`);
      // A frame needs something inside that edges can be drawn to.
      if (node.nodes.length === 0) lines.push(`${indent}  ${idOf(node)} [shape=point, style=invis];`);
      for (const child of node.nodes) visit(child, `${indent}  `);
      lines.push(`${indent}}`);
    } else {
      const shape =
        node.kind === 'parallel'
          ? ', peripheries=2'
          : node.kind === 'dynamic'
            ? ', style="rounded,dashed"'
            : '';
      lines.push(
        `${indent}${idOf(node)} [label=${quote(node.id)}, tooltip=${quote(node.description)}${shape}];`,
      );
    }
  };
  for (const child of root.nodes) visit(child, '  ');
  if (root.nodes.length === 0 && root.kind !== 'pipeline') visit(root, '  ');
  for (const [up, down] of edges(root)) {
    const tail = up.kind === 'pipeline' ? `ltail=cluster_${idOf(up)}` : '';
    const head = down.kind === 'pipeline' ? `lhead=cluster_${idOf(down)}` : '';
    const attributes = [tail, head].filter(part => part !== '').join(', ');
    const from = idOf(up.kind === 'pipeline' ? lastLeaf(up) : up);
    const to = idOf(down.kind === 'pipeline' ? firstLeaf(down) : down);
    lines.push(`  ${from} -> ${to}${attributes === '' ? '' : ` [${attributes}]`};`);
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function nodeIds(root: NodeGraph): Map<NodeGraph, string> {
  const ids = new Map<NodeGraph, string>();
  const visit = (node: NodeGraph): void => {
    ids.set(node, `n${String(ids.size)}`);
    node.nodes.forEach(visit);
  };
  visit(root);
  return ids;
}

function* edges(parent: NodeGraph): Generator<readonly [NodeGraph, NodeGraph]> {
  const byId = new Map(parent.nodes.map(node => [node.id, node]));
  for (const node of parent.nodes) {
    for (const id of node.upstreams) {
      const upstream = byId.get(id);
      if (upstream !== undefined) yield [upstream, node];
    }
    yield* edges(node);
  }
}

function firstLeaf(node: NodeGraph): NodeGraph {
  const child = node.nodes[0];
  return child === undefined ? node : firstLeaf(child);
}

function lastLeaf(node: NodeGraph): NodeGraph {
  const child = node.nodes.at(-1);
  return child === undefined ? node : lastLeaf(child);
}

function mermaidText(text: string): string {
  return text.replace(/[#"&<>]/g, sign => `#${String(sign.charCodeAt(0))};`);
}

function quote(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
