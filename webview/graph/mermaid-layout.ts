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

export function layoutLoader(): LayoutLoaderDefinition {
  return {
    name: layoutName,
    loader: () =>
      Promise.resolve({
        render: (data, svg) => {
          const root = svg.node();
          if (root instanceof SVGSVGElement) draw(data, root);
          return Promise.resolve();
        },
      }),
  };
}

function draw(data: LayoutData, svg: SVGSVGElement): void {
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
    const children = node.isGroup === true ? (childrenOf.get(node.id) ?? []).map(box) : [];
    return { id: node.id, ...size, children };
  };
  const edges = data.edges.flatMap(({ start, end, pattern }) =>
    start === undefined || end === undefined ? [] : [{ from: start, to: end, isWeak: pattern === 'dotted' }],
  );
  const layout = layoutBoxes((childrenOf.get('') ?? []).map(box), edges);

  const frames = element('g');
  const lines = element('g');
  const boxes = element('g');
  for (const [index, points] of layout.lines.entries())
    if (points !== null) lines.append(element('path', { 'data-line': String(index), d: curve(points) }));
  for (const node of data.nodes) {
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
    (node.isGroup === true ? frames : boxes).append(group);
  }
  svg.append(frames, lines, boxes);
  svg.setAttribute('data-width', String(layout.width + 2 * margin));
  svg.setAttribute('data-height', String(layout.height + 2 * margin));
  svg.setAttribute(
    'data-view',
    [-margin, -margin, layout.width + 2 * margin, layout.height + 2 * margin].join(' '),
  );
}
