/**
 * Our layout, registered with Mermaid: boxes of a size by their class, so that Mermaid need not measure any text. It draws
 * bare boxes and lines into Mermaid's picture; what stands in them is ours to add (drawing.ts).
 */
import type { LayoutData, LayoutLoaderDefinition } from 'mermaid';
import { type Box, curve, layoutBoxes } from './layout.ts';
import { element } from './svg.ts';

/** Sizes of boxes without children, by class. */
export const boxSizes: Readonly<Record<string, { readonly width: number; readonly height: number }>> = {
  task: { width: 216, height: 44 },
  parallel: { width: 216, height: 44 },
  pipeline: { width: 216, height: 48 },
  dynamic: { width: 216, height: 44 },
  stub: { width: 180, height: 20 },
};

export const layoutName = 'millrace';

/** What is around the picture, so that outlines are not cut. */
const margin = 8;

/** @param widths of boxes that need another width than others of their class, by id */
export function layoutLoader(widths: ReadonlyMap<string, number>): LayoutLoaderDefinition {
  return {
    name: layoutName,
    loader: () =>
      Promise.resolve({
        render: (data, svg) => {
          const root = svg.node();
          if (root instanceof SVGSVGElement) draw(data, root, widths);
          return Promise.resolve();
        },
      }),
  };
}

function draw(data: LayoutData, svg: SVGSVGElement, widths: ReadonlyMap<string, number>): void {
  const childrenOf = new Map<string, LayoutData['nodes']>();
  for (const node of data.nodes) {
    const parent = node.parentId ?? '';
    const list = childrenOf.get(parent);
    if (list === undefined) childrenOf.set(parent, [node]);
    else list.push(node);
  }
  const box = (node: LayoutData['nodes'][number]): Box => {
    const kind = node.cssClasses?.split(' ').find(name => name in boxSizes) ?? 'task';
    const size = boxSizes[kind] ?? { width: 0, height: 0 };
    const children = node.isGroup ? (childrenOf.get(node.id) ?? []).map(box) : [];
    return { id: node.id, ...size, width: widths.get(node.id) ?? size.width, children };
  };
  const edges = data.edges.flatMap(({ start, end, pattern }) =>
    start === undefined || end === undefined ? [] : [{ from: start, to: end, isWeak: pattern === 'dotted' }],
  );
  const layout = layoutBoxes((childrenOf.get('') ?? []).map(box), edges);

  const parentOf = new Map(data.nodes.map(node => [node.id, node.parentId ?? '']));
  const linesOf = new Map<string, SVGPathElement[]>();
  for (const [index, points] of layout.lines.entries()) {
    if (points === null) continue;
    const line = element('path', { 'data-line': String(index), d: curve(points) });
    const parent = parentOf.get(edges[index]?.from ?? '') ?? '';
    const list = linesOf.get(parent);
    if (list === undefined) linesOf.set(parent, [line]);
    else list.push(line);
  }
  // Lines lie under the boxes that they may cross, frames under what is in them.
  const add = (parent: string): void => {
    svg.append(...(linesOf.get(parent) ?? []));
    for (const node of childrenOf.get(parent) ?? []) {
      const place = layout.boxes.get(node.id);
      if (place === undefined) continue;
      const { x, y, width, height } = place;
      const group = element('g', {
        'data-node': node.id,
        'data-width': String(width),
        'data-height': String(height),
        transform: `translate(${String(x)} ${String(y)})`,
      });
      group.append(element('rect', { width: String(width), height: String(height), rx: '4' }));
      svg.append(group);
      add(node.id);
    }
  };
  add('');
  svg.setAttribute('data-width', String(layout.width + 2 * margin));
  svg.setAttribute('data-height', String(layout.height + 2 * margin));
  svg.setAttribute(
    'data-view',
    [-margin, -margin, layout.width + 2 * margin, layout.height + 2 * margin].join(' '),
  );
}
