/** Interleaved rounds: everything that is compared runs in turn, so that what else the machine does hits all alike. */
import { cpus, totalmem } from 'node:os';

/** One way of doing the work; gives its measure, normally seconds. */
export type Contestant = () => Promise<number>;

export interface Comparison {
  readonly title: string;
  /** The others are divided by the first. */
  readonly contestants: Readonly<Record<string, Contestant>>;
  readonly rounds: number;
  /** What the ratios should be, in words. */
  readonly goal: string;
}

/** Runs the rounds and prints median, minimum and the ratios of medians and minima to the first contestant. */
export async function compare({ title, contestants, rounds, goal }: Comparison): Promise<void> {
  const results = new Map<string, number[]>(Object.keys(contestants).map(name => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) results.get(name)?.push(await run());
  }
  console.log(`\n${title}   (${rounds} rounds; goal: ${goal})`);
  console.log(`  ${'seconds'.padEnd(38)}  median      min   ratio of medians   of minima`);
  const [first] = results.values();
  for (const [name, values] of results) {
    const ratio = (of: (values: readonly number[]) => number): string =>
      first === undefined || values === first ? '' : (of(values) / of(first)).toFixed(2);
    console.log(
      `  ${name.padEnd(38)} ${median(values).toFixed(3).padStart(7)}  ${minimum(values).toFixed(3).padStart(7)}` +
        `   ${ratio(median).padStart(16)}   ${ratio(minimum).padStart(9)}`.trimEnd(),
    );
  }
}

/** Prints one figure of several rounds. */
export function printFigure(name: string, values: readonly number[], goal?: string): void {
  const figure = (value: number): string => value.toFixed(3).padStart(7);
  console.log(
    `  ${name.padEnd(58)} median ${figure(median(values))}  min ${figure(minimum(values))}${goal === undefined ? '' : `   goal: ${goal}`}`,
  );
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function minimum(values: readonly number[]): number {
  return Math.min(...values);
}

/** Seconds that something takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} × ${model}, ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
}
