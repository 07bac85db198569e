/** Where an arrow key leads in a picture, and how it is fitted into a window; pure. */
import type { Rectangle } from './layout.ts';

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

/**
 * The zoom at first: as wide as the page, but no smaller than what can be read (the second lines have 11 px). Pictures that
 * are a little too large are shown a little smaller.
 */
export function firstZoom(picture: { readonly width: number }, width: number): number {
  const whole = Math.min(1, width / picture.width);
  return whole >= 0.9 ? whole : 1;
}
