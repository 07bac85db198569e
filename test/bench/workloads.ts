/** The generated workloads of the benchmarks as plain data, the same on every machine. */

export interface WorkloadTask {
  readonly id: string;
  /** Ids of tasks that are declared earlier. */
  readonly upstreams: readonly string[];
  readonly durationSeconds: number;
}

/** Numbers from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** The pseudo-random generator of all workloads. */
export function mulberry32(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** W1, W8: tasks that wait for nothing. */
export function independent(count: number, durationSeconds = 0): WorkloadTask[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `t${String(index)}`,
    upstreams: [],
    durationSeconds,
  }));
}

/** W2: each task waits for the one before. */
export function chain(count: number, durationSeconds = 0, prefix = 't'): WorkloadTask[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${String(index)}`,
    upstreams: index === 0 ? [] : [`${prefix}${String(index - 1)}`],
    durationSeconds,
  }));
}

/** W3 (20 layers of 25, seed 42) and W8: each task waits for `fanIn` random tasks of the layer before. */
export function layered(layers: number, width: number, fanIn = 3, seed = 42): WorkloadTask[] {
  const random = mulberry32(seed);
  return grid(layers, width, (layer, position) => ({
    id: `t${String(layer)}_${String(position)}`,
    upstreams:
      layer === 0 ? [] : pick(random, fanIn, width).map(index => `t${String(layer - 1)}_${String(index)}`),
    durationSeconds: 0,
  }));
}

/** W5a: a long chain that is declared after many short tasks. */
export function shortTasksBeforeChain(): WorkloadTask[] {
  return [...independent(60, 0.1), ...chain(10, 0.5, 'c')];
}

/** Seeds of W5r1 to W5r3. */
export const RANDOM_LAYERS_SEEDS = [1001, 1002, 1003];

/**
 * W5r: 8 layers of 6 tasks on 1 to 3 tasks of the layer before, with lognormal durations (μ = ln 0.25, σ = 1) between
 * 0.05 and 3 s. Task by task, the duration is drawn first (two numbers, Box-Muller), then the number of upstreams, then
 * the upstreams, drawn again when one comes twice.
 */
export function randomLayers(seed: number): WorkloadTask[] {
  const random = mulberry32(seed);
  return grid(8, 6, (layer, position) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const durationSeconds = Math.min(3, Math.max(0.05, Math.exp(Math.log(0.25) + normal)));
    const picked = layer === 0 ? [] : pick(random, 1 + Math.floor(random() * 3), 6);
    return {
      id: `t${String(layer)}_${String(position)}`,
      upstreams: picked.map(index => `t${String(layer - 1)}_${String(index)}`),
      durationSeconds,
    };
  });
}

/** No schedule on so many slots is shorter: the critical path, or the work divided by the slots. */
export function lowerBound(tasks: readonly WorkloadTask[], slots: number): number {
  const ends = new Map<string, number>();
  let longest = 0;
  let total = 0;
  for (const { id, upstreams, durationSeconds } of tasks) {
    const start = upstreams.reduce((latest, upstream) => Math.max(latest, ends.get(upstream) ?? 0), 0);
    ends.set(id, start + durationSeconds);
    longest = Math.max(longest, start + durationSeconds);
    total += durationSeconds;
  }
  return Math.max(longest, total / slots);
}

function grid<T>(layers: number, width: number, make: (layer: number, position: number) => T): T[] {
  return Array.from({ length: layers * width }, (_, index) => make(Math.floor(index / width), index % width));
}

/** Different whole numbers below `below`. */
function pick(random: Random, count: number, below: number): number[] {
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(random() * below));
  return [...picked];
}
