/** The queue of ready tasks against a model that looks at all of them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Group, type QueueItem } from '../../runner/scheduler/ready-queue.ts';

class Item implements QueueItem<Item> {
  heapIndex = -1;
  readonly group: Group<Item>;
  readonly groups: readonly number[];
  readonly rank: number;
  readonly id: number;

  constructor(id: number, rank: number, group: Group<Item>, groups: readonly number[]) {
    this.id = id;
    this.rank = rank;
    this.group = group;
    this.groups = groups;
  }
}

const compare = (left: Item, right: Item) => left.rank - right.rank || left.id - right.id;

const limitArbitrary = fc.integer({ min: 0, max: 3 });
const actionArbitrary = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('add'), group: fc.nat(), rank: fc.nat({ max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('take') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('free'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('remove'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('limit'), group: fc.nat(), limit: limitArbitrary }) },
);

describe('scheduler: ready queue', () => {
  it('always takes the best task that no limit holds back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ parent: fc.nat(), limit: limitArbitrary }), { minLength: 1, maxLength: 6 }),
        fc.array(actionArbitrary, { maxLength: 150, size: 'max' }),
        (groupDrafts, actions) => {
          const chains: number[][] = [];
          const groups: Group<Item>[] = [];
          const limits = groupDrafts.map(({ limit }) => limit);
          for (const [index, { parent, limit }] of groupDrafts.entries()) {
            const above = index === 0 ? undefined : groups[parent % index];
            chains.push([index, ...(index === 0 ? [] : (chains[parent % index] ?? []))]);
            groups.push(above === undefined ? new Group<Item>(null, limit, compare) : above.subgroup(limit));
          }
          const waiting: Item[] = [];
          const running: Item[] = [];
          const isFree = (item: Item) =>
            item.groups.every(
              group => running.filter(other => other.groups.includes(group)).length < (limits[group] ?? 0),
            );
          for (const [id, action] of actions.entries()) {
            if (action.type === 'add') {
              const index = action.group % groups.length;
              const group = groups[index];
              assert.ok(group);
              const item = new Item(id, action.rank, group, chains[index] ?? []);
              waiting.push(item);
              group.add(item);
            } else if (action.type === 'take') {
              const expected = waiting.filter(isFree).sort(compare)[0] ?? null;
              assert.equal(groups[0]?.take(), expected);
              if (expected !== null) running.push(...waiting.splice(waiting.indexOf(expected), 1));
            } else if (action.type === 'free') {
              const [item] = running.splice(action.which % Math.max(1, running.length), 1);
              item?.group.free();
            } else if (action.type === 'remove') {
              const [item] = waiting.splice(action.which % Math.max(1, waiting.length), 1);
              item?.group.remove(item);
            } else {
              const index = action.group % groups.length;
              const group = groups[index];
              assert.ok(group);
              limits[index] = action.limit;
              group.limit = action.limit;
            }
          }
        },
      ),
    );
  });
});
