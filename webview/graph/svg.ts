/** Helpers to make SVG. */

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

/** Cuts text to a width in pixels, with `…` at its end. */
export function makeFitter(): (text: string, font: string, width: number) => string {
  const context = document.createElement('canvas').getContext('2d');
  return (text, font, width) => {
    if (context === null) return text;
    if (context.font !== font) context.font = font;
    if (context.measureText(text).width <= width) return text;
    let low = 0;
    let high = text.length;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
      else high = middle - 1;
    }
    return `${text.slice(0, low).trimEnd()}…`;
  };
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
