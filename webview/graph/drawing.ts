/** What stands in the boxes of a picture: icons, titles, second lines; and how they change. All text is set as text. */
import { kindIcon } from '../parts/kinds.ts';
import { stateIcon } from '../parts/states.ts';
import { type Face, labelOf, lineOf } from './faces.ts';
import { allNodes, type GraphModel, type GraphNode } from './model.ts';
import { boxSizes } from './mermaid-layout.ts';
import type { GraphHandle } from './renderer.ts';
import { element, makeFitter, makeGlyphs } from './svg.ts';

interface Drawn {
  readonly node: GraphNode;
  readonly group: SVGGElement;
  readonly width: number;
  readonly icon: SVGTextElement | null;
  readonly line: SVGTextElement | null;
  readonly progress: SVGLineElement | null;
  readonly tooltip: SVGTitleElement;
  face: Face | null;
}

/** A title that needs a wider box is cut. */
const widest = 320;
const tab = 28;
const textStart = 38;

/** Widths of boxes whose title needs more room than others, by id. */
export function boxWidths(model: GraphModel, family: string): ReadonlyMap<string, number> {
  const { measure } = makeFitter();
  const widths = new Map<string, number>();
  for (const node of allNodes(model.nodes)) {
    if (node.isOpen) continue;
    const usual = boxSizes[node.kind]?.width ?? 0;
    if (node.kind === 'stub') {
      widths.set(node.id, Math.min(usual * 2, measure(node.title, `11px ${family}`) + 8));
      continue;
    }
    const needed =
      measure(node.title, `500 12px ${family}`) + textStart + (node.kind === 'pipeline' ? 36 : 12);
    if (needed > usual) widths.set(node.id, Math.min(widest, Math.ceil(needed)));
  }
  return widths;
}

/** Adds to the bare boxes and lines of a picture what the model says. */
export function drawGraph(svg: SVGSVGElement, model: GraphModel, name: string): GraphHandle {
  const { fit, measure } = makeFitter();
  const glyph = makeGlyphs();
  const family = getComputedStyle(document.body).fontFamily;
  const fonts = {
    title: `500 12px ${family}`,
    frame: `600 12px ${family}`,
    line: `11px ${family}`,
  };
  const drawn = new Map<string, Drawn>();

  const marker = `${name}-arrow`;
  svg.prepend(
    element(
      'defs',
      {},
      element(
        'marker',
        {
          id: marker,
          viewBox: '0 0 8 8',
          refX: '7',
          refY: '4',
          markerWidth: '8',
          markerHeight: '8',
          markerUnits: 'userSpaceOnUse',
          orient: 'auto',
        },
        element('path', { d: 'M0 0.5L8 4L0 7.5z', class: 'graph-arrow' }),
      ),
    ),
  );
  for (const path of svg.querySelectorAll<SVGPathElement>('[data-line]')) {
    const edge = model.edges[Number(path.dataset['line'])];
    if (edge === undefined) continue;
    path.setAttribute('class', `graph-edge ${edge.kind}`);
    path.dataset['from'] = edge.from;
    path.dataset['to'] = edge.to;
    if (edge.kind === 'depends') path.setAttribute('marker-end', `url(#${marker})`);
  }

  const nodes = new Map([...allNodes(model.nodes)].map(node => [node.id, node]));
  for (const group of svg.querySelectorAll<SVGGElement>('[data-node]')) {
    const node = nodes.get(group.dataset['node'] ?? '');
    if (node === undefined) continue;
    const width = Number(group.dataset['width']);
    const height = Number(group.dataset['height']);
    drawn.set(node.key, drawNode(node, group, width, height));
  }

  function drawNode(node: GraphNode, group: SVGGElement, width: number, height: number): Drawn {
    const box = group.querySelector('rect');
    box?.setAttribute('class', 'box');
    const tooltip = element('title');
    group.prepend(tooltip);
    group.dataset['key'] = node.key;
    const text = (x: number, y: number, kind: string, content = ''): SVGTextElement => {
      const made = element('text', { x: String(x), y: String(y), class: kind }, content);
      group.append(made);
      return made;
    };
    const base = { node, group, width, tooltip, face: null };
    if (node.kind === 'stub') {
      box?.remove();
      text(width / 2, height / 2 + 4, 'line stub-names', fit(node.title, fonts.line, width));
      return { ...base, icon: null, line: null, progress: null };
    }
    if (node.isOpen) {
      const icon = text(18, 22, 'icon');
      const title = fit(node.title, fonts.frame, Math.max(60, width - 140));
      text(32, 18, 'title', title);
      const line = text(width - 12, 18, 'line end');
      return { ...base, icon, line, progress: null };
    }
    if (node.kind === 'parallel')
      box?.before(
        element('rect', {
          class: 'behind',
          x: '5',
          y: '-5',
          width: String(width),
          height: String(height),
          rx: '4',
        }),
      );
    if (node.kind === 'pipeline')
      box?.before(
        element('rect', {
          class: 'around',
          x: '-4',
          y: '-4',
          width: String(width + 8),
          height: String(height + 8),
          rx: '6',
        }),
      );
    const middle = height / 2;
    group.append(
      element('path', {
        class: 'tab',
        d: `M4 0H${String(tab)}V${String(height)}H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z`,
      }),
    );
    const icon = text(tab / 2, middle + 6, 'icon');
    const isPipeline = node.kind === 'pipeline';
    const room = width - textStart - (isPipeline ? 34 : 8);
    text(textStart, middle - 3, 'title', fit(node.title, fonts.title, room));
    const line = text(textStart, middle + 12, 'line');
    if (isPipeline) {
      const opener = element(
        'g',
        { class: 'opener' },
        element('title', {}, 'Open here'),
        element('rect', { x: String(width - 30), y: '4', width: '26', height: String(height - 8), rx: '4' }),
      );
      opener.append(
        element(
          'text',
          { x: String(width - 17), y: String(middle + 6), class: 'icon kind' },
          glyph(kindIcon('pipeline')),
        ),
      );
      group.append(opener);
    }
    const progress = element('line', {
      class: 'progress',
      x1: String(tab + 2),
      x2: String(tab + 2),
      y1: String(height - 4),
      y2: String(height - 4),
    });
    group.append(progress);
    return { ...base, icon, line, progress };
  }

  const width = Number(svg.dataset['width']);
  const height = Number(svg.dataset['height']);
  svg.setAttribute('viewBox', svg.dataset['view'] ?? `0 0 ${String(width)} ${String(height)}`);

  function show(each: Drawn, face: Face): void {
    const { node, group, icon, line, progress, tooltip } = each;
    if (each.face?.state !== face.state) {
      group.setAttribute(
        'class',
        `graph-node ${node.kind} ${node.isOpen ? 'open' : 'closed'} state-${face.state}`,
      );
      if (icon !== null) {
        const name =
          face.state === 'none' ? kindIcon(node.kind === 'stub' ? 'task' : node.kind) : stateIcon(face.state);
        icon.textContent = glyph(name);
        icon.setAttribute('class', name.endsWith('~spin') ? 'icon spin' : 'icon');
      }
    }
    const before = each.face;
    const isSame = before?.line === face.line && before.kind === face.kind && before.error === face.error;
    if (line !== null && !isSame) {
      const room = node.isOpen
        ? each.width - 60
        : each.width - textStart - (node.kind === 'pipeline' ? 34 : 8);
      const wanted = lineOf(face, text => measure(text, fonts.line) <= room);
      line.textContent = fit(wanted, fonts.line, room);
    }
    if (progress !== null) {
      const end = tab + 2 + (each.width - tab - 8) * (face.progress ?? 0);
      progress.setAttribute('x2', String(Math.round(end * 10) / 10));
    }
    const full = labelOf(node, face);
    const tip = node.description === '' ? full : `${full}\n${node.description}`;
    if (tooltip.textContent !== tip) tooltip.textContent = tip;
    each.face = face;
  }

  return {
    svg,
    width,
    height,
    setFaces(faces) {
      for (const [key, face] of faces) {
        const each = drawn.get(key);
        if (each !== undefined) show(each, face);
      }
    },
    elementOf: key => drawn.get(key)?.group ?? null,
  };
}
