/** Helpers to make SVG, and to read it. */
import type { Rectangle } from './layout.ts';

export function element<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** Where a box of the picture was put. */
export function placeOf(box: SVGGElement | null): Rectangle {
  const [x = 0, y = 0] = (box?.getAttribute('transform') ?? '').match(/-?[\d.]+/g)?.map(Number) ?? [];
  return { x, y, width: Number(box?.dataset['width']), height: Number(box?.dataset['height']) };
}

/** Measures text, and cuts it to a width in pixels, with `…` at its end. */
export function makeFitter(): {
  readonly measure: (text: string, font: string) => number;
  readonly fit: (text: string, font: string, width: number) => string;
} {
  const context = document.createElement('canvas').getContext('2d');
  let current = '';
  const measure = (text: string, font: string): number => {
    if (context === null) return text.length * 7;
    if (current !== font) context.font = font;
    current = font;
    return context.measureText(text).width;
  };
  const fit = (text: string, font: string, width: number): string => {
    if (measure(text, font) <= width) return text;
    let low = 0;
    let high = text.length;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (measure(`${text.slice(0, middle)}…`, font) <= width) low = middle;
      else high = middle - 1;
    }
    return `${text.slice(0, low).trimEnd()}…`;
  };
  return { measure, fit };
}

/** Characters of codicons, as the style sheet of the icons has them. */
export function makeGlyphs(): (icon: string) => string {
  const known = new Map<string, string>();
  return icon => {
    const name = icon.split('~')[0] ?? '';
    const before = known.get(name);
    if (before !== undefined) return before;
    const probe = document.createElement('span');
    probe.className = `codicon codicon-${name}`;
    document.body.append(probe);
    const glyph = getComputedStyle(probe, '::before').content.replace(/^"|"$/g, '');
    probe.remove();
    known.set(name, glyph);
    return glyph;
  };
}
