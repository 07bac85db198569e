/**
 * Where the boxes of a picture stand and how its edges go; pure. Pipelines are laid out from the inside out: an open one is
 * a box as large as what is in it. Between siblings the layers are dagre's; siblings without any edge stand in a grid.
 */
import { layout as dagre } from 'dagre-d3-es/src/dagre/index.js';
import { Graph } from 'dagre-d3-es/src/graphlib/index.js';

export interface Box {
  readonly id: string;
  /** Of a box without children; a frame is as large as it must be. */
  readonly width: number;
  readonly height: number;
  readonly children: readonly Box[];
}

export interface Line {
  readonly from: string;
  readonly to: string;
  /** Takes no part in the order: goes straight, under boxes that are in its way. */
  readonly isWeak: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Left upper corners. */
  readonly boxes: ReadonlyMap<string, Rectangle>;
  /** Points of each line, in the order of the lines; `null` for one whose ends are no siblings. */
  readonly lines: readonly (readonly Point[] | null)[];
}

const gap = { x: 16, y: 28 };
const frame = { top: 28, side: 12, bottom: 12, narrowest: 160 };

export function layoutBoxes(boxes: readonly Box[], lines: readonly Line[]): Layout {
  const parents = new Map<string, string>();
  const mark = (siblings: readonly Box[], parent: string): void => {
    for (const box of siblings) {
      parents.set(box.id, parent);
      mark(box.children, box.id);
    }
  };
  mark(boxes, '');
  const linesOf = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const parent = parents.get(line.from);
    if (parent === undefined || parent !== parents.get(line.to) || line.from === line.to) continue;
    const list = linesOf.get(parent);
    if (list === undefined) linesOf.set(parent, [index]);
    else list.push(index);
  }

  const placed = new Map<string, Rectangle>();
  const points: (readonly Point[] | null)[] = lines.map(() => null);

  const place = (siblings: readonly Box[], parent: string): { width: number; height: number } => {
    const sizes = new Map(
      siblings.map(box => {
        if (box.children.length === 0) return [box.id, { width: box.width, height: box.height }] as const;
        const inner = place(box.children, box.id);
        return [
          box.id,
          {
            width: Math.max(frame.narrowest, inner.width + 2 * frame.side),
            height: inner.height + frame.top + frame.bottom,
          },
        ] as const;
      }),
    );
    const own = (linesOf.get(parent) ?? []).flatMap(index => {
      const line = lines[index];
      return line === undefined ? [] : [{ index, line }];
    });
    const level = placeLevel(siblings, sizes, own);
    for (const [id, rectangle] of level.boxes) placed.set(id, rectangle);
    for (const [index, path] of level.lines) points[index] = path;
    return level;
  };

  const { width, height } = place(boxes, '');
  // So far, everything is placed within its parent.
  const shift = (siblings: readonly Box[], by: Point): void => {
    for (const { id, children } of siblings) {
      const here = placed.get(id);
      if (here === undefined) continue;
      const moved = { ...here, x: here.x + by.x, y: here.y + by.y };
      placed.set(id, moved);
      if (children.length === 0) continue;
      const inner = children.map(child => placed.get(child.id)).filter(each => each !== undefined);
      const innerWidth = Math.max(...inner.map(each => each.x + each.width));
      const start = {
        // Centred: a frame may be wider than what is in it.
        x: moved.x + Math.max(frame.side, (moved.width - innerWidth) / 2),
        y: moved.y + frame.top,
      };
      shift(children, start);
      for (const index of linesOf.get(id) ?? [])
        points[index] = points[index]?.map(({ x, y }) => ({ x: x + start.x, y: y + start.y })) ?? null;
    }
  };
  shift(boxes, { x: 0, y: 0 });
  return { width, height, boxes: placed, lines: points };
}

/**
 * Lines over so many layers that the order would take seconds to find, the longest first: each layer that a line passes
 * costs as much as a box.
 */
function tooLong(boxes: readonly Box[], lines: readonly PlacedLine[]): ReadonlySet<number> {
  const layers = new Map(boxes.map(({ id }) => [id, 0]));
  const below = new Map<string, string[]>(boxes.map(({ id }) => [id, []]));
  const open = new Map(boxes.map(({ id }) => [id, 0]));
  for (const { line } of lines) {
    below.get(line.from)?.push(line.to);
    open.set(line.to, (open.get(line.to) ?? 0) + 1);
  }
  // What is in a circle stays in the first layer.
  const order = boxes.map(({ id }) => id).filter(id => open.get(id) === 0);
  for (const id of order)
    for (const next of below.get(id) ?? []) {
      layers.set(next, Math.max(layers.get(next) ?? 0, (layers.get(id) ?? 0) + 1));
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) order.push(next);
    }
  const spans = lines
    .map(({ index, line }) => ({
      index,
      span: (layers.get(line.to) ?? 0) - (layers.get(line.from) ?? 0) - 1,
    }))
    .sort((a, b) => b.span - a.span);
  let sum = spans.reduce((total, { span }) => total + Math.max(0, span), 0);
  const found = new Set<number>();
  for (const { index, span } of spans) {
    if (sum <= mostLayersPassed || span < 1) break;
    found.add(index);
    sum -= span;
  }
  return found;
}

const mostLayersPassed = 1500;

interface PlacedLine {
  readonly index: number;
  readonly line: Line;
}

interface Level {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Rectangle>;
  readonly lines: ReadonlyMap<number, readonly Point[]>;
}

type Sizes = ReadonlyMap<string, { readonly width: number; readonly height: number }>;

function placeLevel(siblings: readonly Box[], sizes: Sizes, lines: readonly PlacedLine[]): Level {
  const connected = new Set(lines.flatMap(({ line }) => [line.from, line.to]));
  const layered = placeLayers(
    siblings.filter(({ id }) => connected.has(id)),
    sizes,
    lines,
  );
  const grid = placeGrid(
    siblings.filter(({ id }) => !connected.has(id)),
    sizes,
    layered.width,
  );
  // What waits for nothing stands below what has an order, in the middle.
  const top = layered.height > 0 && grid.height > 0 ? layered.height + gap.y : layered.height;
  const width = Math.max(layered.width, grid.width);
  const boxes = new Map<string, Rectangle>();
  const move = (from: Level, by: Point): void => {
    for (const [id, each] of from.boxes) boxes.set(id, { ...each, x: each.x + by.x, y: each.y + by.y });
  };
  const left = (width - layered.width) / 2;
  move(layered, { x: left, y: 0 });
  move(grid, { x: (width - grid.width) / 2, y: top });
  return {
    width,
    height: top + grid.height,
    boxes,
    lines: new Map(
      [...layered.lines].map(([index, path]) => [index, path.map(({ x, y }) => ({ x: x + left, y }))]),
    ),
  };
}

function placeLayers(boxes: readonly Box[], sizes: Sizes, lines: readonly PlacedLine[]): Level {
  if (boxes.length === 0) return { width: 0, height: 0, boxes: new Map(), lines: new Map() };
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: 'TB',
    nodesep: gap.x,
    ranksep: gap.y,
    edgesep: gap.x,
    // The best ranks take too long where there are many.
    ranker: boxes.length > 200 ? 'longest-path' : 'network-simplex',
  });
  for (const { id } of boxes) graph.setNode(id, { ...sizes.get(id) });
  const strong = lines.filter(({ line }) => !line.isWeak);
  const long = tooLong(boxes, strong);
  const isLaidOut = ({ index, line }: PlacedLine): boolean => !line.isWeak && !long.has(index);
  for (const { index, line } of lines)
    if (isLaidOut({ index, line }))
      graph.setEdge(line.from, line.to, { weight: 1, minlen: 1 }, String(index));
  dagre(graph, {});
  const placed = new Map<string, Rectangle>();
  for (const { id } of boxes) {
    const { x, y, width, height } = graph.node(id) as Rectangle;
    placed.set(id, { x: x - width / 2, y: y - height / 2, width, height });
  }
  const paths = new Map<number, readonly Point[]>();
  for (const { index, line } of lines) {
    const from = placed.get(line.from);
    const to = placed.get(line.to);
    if (from === undefined || to === undefined) continue;
    const points = !isLaidOut({ index, line })
      ? []
      : (graph.edge(line.from, line.to, String(index)) as { readonly points: readonly Point[] }).points;
    paths.set(index, attach(points, from, to));
  }
  const { width, height } = graph.graph() as { readonly width: number; readonly height: number };
  return { width, height, boxes: placed, lines: paths };
}

/** Lets a line leave its box below and enter the other above, near where it comes from. */
function attach(points: readonly Point[], from: Rectangle, to: Rectangle): readonly Point[] {
  const middle = points.slice(1, -1);
  const towards = (box: Rectangle, x: number): number => {
    const centre = box.x + box.width / 2;
    const reach = Math.min(box.width / 2 - 16, box.width / 4);
    return centre + Math.max(-reach, Math.min(reach, (x - centre) / 4));
  };
  const isDown = from.y + from.height <= to.y;
  const start = {
    x: towards(from, middle[0]?.x ?? to.x + to.width / 2),
    y: isDown ? from.y + from.height : from.y,
  };
  const end = {
    x: towards(to, middle.at(-1)?.x ?? from.x + from.width / 2),
    y: isDown ? to.y : to.y + to.height,
  };
  return [start, ...middle, end];
}

function placeGrid(boxes: readonly Box[], sizes: Sizes, atLeast: number): Level {
  const placed = new Map<string, Rectangle>();
  const widest = Math.max(0, ...boxes.map(({ id }) => sizes.get(id)?.width ?? 0));
  const columns = Math.max(
    Math.min(3, boxes.length),
    Math.floor((atLeast + gap.x) / (widest + gap.x)),
    Math.ceil(Math.sqrt(boxes.length / 3)),
  );
  let width = 0;
  let y = 0;
  for (let from = 0; from < boxes.length; from += columns) {
    const row = boxes.slice(from, from + columns);
    let x = 0;
    let tallest = 0;
    for (const { id } of row) {
      const size = sizes.get(id) ?? { width: 0, height: 0 };
      placed.set(id, { x, y, ...size });
      x += size.width + gap.x;
      tallest = Math.max(tallest, size.height);
    }
    width = Math.max(width, x - gap.x);
    y += tallest + gap.x;
  }
  return { width, height: Math.max(0, y - gap.x), boxes: placed, lines: new Map() };
}

/** A smooth path through points, upright at each of them. */
export function curve(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (first === undefined) return '';
  const number = (value: number): string => String(Math.round(value * 10) / 10);
  let at = first;
  let path = `M${number(at.x)} ${number(at.y)}`;
  for (const point of others) {
    const middle = (at.y + point.y) / 2;
    path +=
      Math.abs(point.x - at.x) < 0.5
        ? `L${number(point.x)} ${number(point.y)}`
        : `C${number(at.x)} ${number(middle)} ${number(point.x)} ${number(middle)} ${number(point.x)} ${number(point.y)}`;
    at = point;
  }
  return path;
}
