/** How the lines of the chart look, told apart by dashes as well as by colour. */

export interface LineStyle {
  /** Name of a variable of the style sheet. */
  readonly colour: string;
  readonly width: number;
  readonly dash: readonly number[];
}

const colours = ['--series-1', '--series-2', '--series-3', '--series-4'];
const dashes = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

/** The first line is the node itself; colours and dashes are combined so that no two of the others are alike. */
export function lineStyles(index: number): LineStyle {
  if (index === 0) return { colour: '--fg', width: 2.5, dash: [] };
  const number = index - 1;
  return {
    colour: colours[number % 4] ?? '',
    width: 1.75,
    dash: dashes[(number + Math.floor(number / 4)) % 4] ?? [],
  };
}
