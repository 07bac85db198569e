/** A picture as a file of its own: with the colours that it has now, and without anything that only a page has. */

const properties = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linecap',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'opacity',
] as const;

/** Signs instead of codicons, which other programs do not have. */
const signs: Readonly<Record<string, string>> = {
  succeeded: '✓',
  unchanged: '=',
  failed: '✗',
  running: '▷',
  queued: '○',
  waiting: '◷',
  skipped: '»',
  cancelled: '⊘',
  lost: '?',
  none: '',
};

export function svgFile(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const originals = [svg, ...svg.querySelectorAll('*')];
  const copies = [copy, ...copy.querySelectorAll('*')];
  for (const [index, original] of originals.entries()) {
    const target = copies[index];
    if (target === undefined || !(original instanceof SVGElement) || original === svg) continue;
    const style = getComputedStyle(original);
    if (
      target.tagName === 'rect' ||
      target.tagName === 'path' ||
      target.tagName === 'line' ||
      target.tagName === 'text'
    )
      for (const property of properties) target.setAttribute(property, style.getPropertyValue(property));
  }
  for (const icon of copy.querySelectorAll('text.icon')) {
    const state =
      /\bstate-(\w+)/.exec(icon.closest('.graph-node')?.getAttribute('class') ?? '')?.[1] ?? 'none';
    icon.textContent = icon.classList.contains('kind') ? '' : (signs[state] ?? '');
    icon.setAttribute('font-family', 'sans-serif');
  }
  for (const element of copy.querySelectorAll('style, .opener title')) element.remove();
  for (const element of [copy, ...copy.querySelectorAll('*')])
    for (const { name } of [...element.attributes])
      if (name === 'class' || name === 'style' || name === 'tabindex' || name.startsWith('data-'))
        element.removeAttribute(name);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const [x = '0', y = '0', width = '0', height = '0'] = (svg.getAttribute('viewBox') ?? '').split(' ');
  copy.setAttribute('width', width);
  copy.setAttribute('height', height);
  const background = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries({ x, y, width, height })) background.setAttribute(name, value);
  background.setAttribute('fill', getComputedStyle(document.body).backgroundColor);
  copy.prepend(background);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}
