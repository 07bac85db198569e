/**
 * How millions of lines scroll. Browsers limit the height of an element (Chromium: 33 million px), and lines that wrap
 * are of different heights that nobody knows before they are drawn. So a place is a line and how much of it is above the
 * view; the scroll bar only shows, and takes, a share of the whole.
 */

/** Height in px of a line that has not been drawn. */
export const LINE_HEIGHT = 20;
/** The tallest that the element in the scroll bar becomes. */
export const MAX_HEIGHT = 4_000_000;

/** The line at the upper edge of the view, and how many px of it are above. */
export interface ScrollPlace {
  readonly index: number;
  readonly offset: number;
}

export interface ScrollExtent {
  readonly lines: number;
  /** Height of the view in px. */
  readonly view: number;
  /** Height of a line in px: as drawn, or a guess. */
  readonly heightOf: (index: number) => number;
}

export const START: ScrollPlace = { index: 0, offset: 0 };

/** The place at which the last line stands at the lower edge. */
export function endPlace({ lines, view, heightOf }: ScrollExtent): ScrollPlace {
  let room = view;
  for (let index = lines - 1; index >= 0; index -= 1) {
    const height = heightOf(index);
    if (height >= room) return { index, offset: height - room };
    room -= height;
  }
  return START;
}

/** The place so many px further down, or up; never beyond the ends. */
export function moveBy(extent: ScrollExtent, from: ScrollPlace, pixels: number): ScrollPlace {
  let { index } = from;
  let offset = from.offset + pixels;
  while (offset < 0 && index > 0) {
    index -= 1;
    offset += extent.heightOf(index);
  }
  while (index < extent.lines - 1 && offset >= extent.heightOf(index)) {
    offset -= extent.heightOf(index);
    index += 1;
  }
  return clamp(extent, { index, offset: Math.max(0, offset) });
}

/** The nearest place that there is. */
export function clamp(extent: ScrollExtent, place: ScrollPlace): ScrollPlace {
  const end = endPlace(extent);
  return isBefore(end, place) ? end : place;
}

/** Brings a line into view: not at all when it is in it, else into its middle. `bottom`: the last line in view. */
export function reveal(extent: ScrollExtent, from: ScrollPlace, bottom: number, index: number): ScrollPlace {
  const isVisible = (from.offset === 0 ? index >= from.index : index > from.index) && index < bottom;
  if (isVisible) return from;
  const above = Math.max(0, (extent.view - extent.heightOf(index)) / 2);
  return moveBy(extent, { index, offset: 0 }, -above);
}

export function isBefore(a: ScrollPlace, b: ScrollPlace): boolean {
  return a.index < b.index || (a.index === b.index && a.offset < b.offset);
}

/** Height in px of the element in the scroll bar. */
export function barHeight(extent: ScrollExtent): number {
  return Math.min(MAX_HEIGHT, Math.max(extent.view, extent.lines * LINE_HEIGHT));
}

/** Where the scroll bar stands at a place, in px from its top. */
export function barPosition(extent: ScrollExtent, place: ScrollPlace): number {
  const range = barHeight(extent) - extent.view;
  const end = position(extent, endPlace(extent));
  return end === 0 ? 0 : Math.min(1, position(extent, place) / end) * range;
}

/** The place where somebody pulled the scroll bar to. */
export function placeAt(extent: ScrollExtent, top: number): ScrollPlace {
  const range = barHeight(extent) - extent.view;
  const end = endPlace(extent);
  if (range <= 0 || top <= 0) return START;
  if (top >= range - 1) return end;
  const line = (top / range) * position(extent, end);
  const index = Math.min(extent.lines - 1, Math.floor(line));
  return { index, offset: (line - index) * extent.heightOf(index) };
}

function position(extent: ScrollExtent, place: ScrollPlace): number {
  const height = extent.heightOf(place.index);
  return place.index + (height === 0 ? 0 : Math.min(1, place.offset / height));
}
