/** How long the benchmark graphs take on a virtual clock. */
import assert from 'node:assert/strict';
import {
  RANDOM_LAYERS_SEEDS,
  lowerBound,
  mulberry32,
  randomLayers,
  shortTasksBeforeChain,
} from '../bench/workloads.ts';
import { firstInFirstOut, historyOf, makespan } from '../support/simulated-workload.ts';

describe('scheduler: makespan', () => {
  it('reaches the ideal critical-path schedules of the benchmark graphs', () => {
    const makespans = [2, 4].map(slots =>
      RANDOM_LAYERS_SEEDS.map(seed => {
        const tasks = randomLayers(seed);
        return makespan(tasks, slots, historyOf(tasks)).toFixed(2);
      }),
    );
    assert.deepEqual(makespans, [
      ['10.42', '11.62', '12.95'],
      ['6.79', '9.16', '8.19'],
    ]);
  });

  it('is never worse than first in, first out, and near the lower bound', () => {
    for (const tasks of [shortTasksBeforeChain(), ...RANDOM_LAYERS_SEEDS.map(randomLayers)]) {
      for (const slots of [2, 4]) {
        const seconds = makespan(tasks, slots, historyOf(tasks));
        assert.ok(seconds <= firstInFirstOut(tasks, slots));
        assert.ok(seconds <= 1.03 * lowerBound(tasks, slots));
      }
    }
  });

  it('starts a long chain early even without history', () => {
    const tasks = shortTasksBeforeChain();
    for (const slots of [2, 4]) assert.ok(makespan(tasks, slots) <= 1.15 * lowerBound(tasks, slots));
  });

  it('loses at most 1 % on average when durations are 30 % off', () => {
    for (const tasks of RANDOM_LAYERS_SEEDS.map(randomLayers)) {
      for (const slots of [2, 4]) {
        const rounds = 50;
        let sum = 0;
        for (let round = 0; round < rounds; round++) {
          const random = mulberry32(round);
          const off = tasks.map(({ id, durationSeconds }): [string, number] => [
            id,
            durationSeconds * (0.7 + 0.6 * random()),
          ]);
          sum += makespan(tasks, slots, new Map(off));
        }
        assert.ok(sum / rounds <= 1.01 * makespan(tasks, slots, historyOf(tasks)));
      }
    }
  });
});
