/** How wide a label of the timeline is, in px. */

/** Icon, gap and padding. */
const AROUND = 14 + 4 + 8 + 2;

/** Takes the font of the page as it is now. */
export function labelMeasure(): (text: string, container: boolean) => number {
  const context = document.createElement('canvas').getContext('2d');
  const family = getComputedStyle(document.body).fontFamily;
  const widths = [new Map<string, number>(), new Map<string, number>()] as const;
  return (text, container) => {
    const known = widths[container ? 1 : 0];
    let width = known.get(text);
    if (width === undefined) {
      if (context !== null) context.font = `${container ? 600 : 400} 11.5px ${family}`;
      width = Math.ceil(context?.measureText(text).width ?? text.length * 7) + AROUND;
      known.set(text, width);
    }
    return width;
  };
}
