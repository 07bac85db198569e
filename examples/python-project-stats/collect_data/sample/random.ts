/** Numbers that look random and are always the same ones. */

/** The generator mulberry32: numbers from 0 up to, but not including, 1. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed of its own for each combination of numbers. */
export function seedOf(...numbers: readonly number[]): number {
  return (
    numbers.reduce((seed, number) => Math.imul(seed ^ number, 0x9e3779b1) ^ (seed >>> 13), 0x811c9dc5) >>> 0
  );
}
