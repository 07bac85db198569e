import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ChildIds } from '../../runner/commands/parallel/child-ids.ts';

function idsOf(parameters: readonly unknown[]): string[] {
  const ids = new ChildIds();
  return parameters.map(parameter => ids.next(parameter, JSON.stringify(parameter)));
}

describe('ids of children', () => {
  it('are the parameter itself where that says all', () => {
    assert.deepEqual(
      idsOf(['de', 'new_york', 7, ['a', 'b'], ['de', 2026], '2026-01-31', ['x', '2026-01-31']]),
      ['de', 'new_york', '7', 'a_b', 'de_2026', '2026_01_31', 'x_2026_01_31'],
    );
  });

  it('end in a hash where something is lost', () => {
    assert.deepEqual(idsOf(['São Paulo', 'DE', '', -1, null, { a: 'x', b: [1] }, ['new_york', 'b']]), [
      'sao_paulo_d319a19d8e',
      'de_47ea5efa31',
      '12ae32cb1e',
      '1_1bad6b8cf9',
      'null_74234e98af',
      'x_1_6c17667416',
      'new_york_b_7eb3c6b3bc',
    ]);
  });

  it('are valid, unique, and depend on nothing but the parameter', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom('a', 'A', 'a_b', '1', 1, '2026-01-01', '2026_01_01'),
    );
    const parameter = fc.oneof(value, fc.array(value), fc.dictionary(fc.string(), value));
    fc.assert(
      fc.property(fc.array(parameter), parameters => {
        const ids = idsOf(parameters);
        assert.equal(new Set(ids).size, parameters.length);
        for (const id of ids) assert.match(id, /^[a-z0-9_]{1,80}$/);
        const distinct = [...new Set(parameters.map(item => JSON.stringify(item)))].map(
          text => JSON.parse(text) as unknown,
        );
        const alone = distinct.map(item => idsOf([item])[0]);
        const counts = Map.groupBy(alone, id => id);
        for (const [index, id] of idsOf(distinct).entries()) {
          if (counts.get(alone[index])?.length === 1) assert.equal(id, alone[index]);
        }
      }),
    );
  });
});
