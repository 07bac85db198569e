/** Where an arrow key leads in a picture, and how it is fitted into a window; pure. */
import type { Rectangle } from './layout.ts';
import type { GraphNode } from './model.ts';

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The key of the nearest box in a direction, the next row or what is in the same row first. `null`: there is none. */
export function nearest(
  boxes: ReadonlyMap<string, Rectangle>,
  from: string,
  direction: Direction,
): string | null {
  const start = boxes.get(from);
  if (start === undefined) return null;
  const centre = (box: Rectangle) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  const here = centre(start);
  let best: { readonly key: string; readonly distance: number } | null = null;
  for (const [key, box] of boxes) {
    if (key === from) continue;
    const there = centre(box);
    const dx = there.x - here.x;
    const dy = there.y - here.y;
    const [ahead, aside] =
      direction === 'up'
        ? [-dy, dx]
        : direction === 'down'
          ? [dy, dx]
          : direction === 'left'
            ? [-dx, dy]
            : [dx, dy];
    // In the same row or column nothing is ahead.
    if (ahead <= 1) continue;
    const isVertical = direction === 'up' || direction === 'down';
    const distance = isVertical ? 3 * ahead + Math.abs(aside) : ahead + 3 * Math.abs(aside);
    if (best === null || distance < best.distance) best = { key, distance };
  }
  return best?.key ?? null;
}

/**
 * The key of the open pipeline to close first so that a picture gets less wide: the widest of the rows that reach its
 * sides, or one in it. `null`: closing makes no difference.
 */
export function frameToClose(
  nodes: readonly GraphNode[],
  placeOf: (key: string) => Rectangle,
): string | null {
  const placed = nodes.map(node => ({ node, ...placeOf(node.key) }));
  const left = Math.min(...placed.map(({ x }) => x));
  const right = Math.max(...placed.map(({ x, width }) => x + width));
  const outermost = placed.filter(({ x, width }) => x <= left + 1 || x + width >= right - 1);
  const [widest] = placed
    .filter(
      ({ node, y, height }) =>
        node.isOpen && outermost.some(other => other.y < y + height && y < other.y + other.height),
    )
    .sort((a, b) => b.width - a.width);
  if (widest === undefined) return null;
  return frameToClose(widest.node.children, placeOf) ?? widest.node.key;
}

/** Zooms: the smallest shows all of a large picture, the largest its details. */
export const zoomLimits = { smallest: 0.1, largest: 3 };

export function limitZoom(zoom: number): number {
  return Math.min(zoomLimits.largest, Math.max(zoomLimits.smallest, zoom));
}

/** The zoom at which all is seen; never larger than life. */
export function fitZoom(
  picture: { readonly width: number; readonly height: number },
  window: { readonly width: number; readonly height: number },
): number {
  return limitZoom(Math.min(1, window.width / picture.width, window.height / picture.height));
}

/** Whether all of a picture can be read at once: as wide as the page, its second lines have about 11 px. */
export function isReadable(picture: { readonly width: number }, width: number): boolean {
  return width / picture.width >= 0.9;
}

/** The zoom at first: as wide as the page, but no smaller than what can be read. */
export function firstZoom(picture: { readonly width: number }, width: number): number {
  return isReadable(picture, width) ? Math.min(1, width / picture.width) : 1;
}
