import assert from 'node:assert/strict';
import { Pipeline, type PipelineOptions } from '../../runner/api/pipeline.ts';

describe('api: parameters of a pipeline', () => {
  it('are defined in full or by their default', () => {
    const { params } = new Pipeline({
      id: 'p',
      params: {
        days: 7,
        full: false,
        mode: { type: 'string', default: 'fast', choices: ['fast', 'slow'] },
        name: 'x',
        since: { type: 'date', default: '2024-02-29', description: 'First day' },
      },
    });
    assert.deepEqual(params, {
      days: { type: 'number', default: 7 },
      full: { type: 'boolean', default: false },
      mode: { type: 'string', default: 'fast', choices: ['fast', 'slow'] },
      name: { type: 'string', default: 'x' },
      since: { type: 'date', default: '2024-02-29', description: 'First day' },
    });
    assert.deepEqual(new Pipeline({ id: 'p' }).params, {});
  });

  const mistakes: readonly (readonly [string, unknown, string])[] = [
    ['no object', ['a'], 'Pipeline "p": params must be an object with parameters by name, not an array.'],
    [
      'a wrong name',
      { 'first-day': 1 },
      'Pipeline "p": "first-day" cannot be the name of a parameter. Use letters, digits and "_", not beginning with a digit.',
    ],
    [
      'a wrong type',
      { a: { type: 'int' } },
      'Pipeline "p", parameter "a": type must be one of string, number, boolean, date, not "int".',
    ],
    [
      'a default of another type',
      { a: { type: 'number', default: '7' } },
      'Pipeline "p", parameter "a": default must be a number, not "7".',
    ],
    [
      'a day that is not',
      { a: { type: 'date', default: '2023-02-29' } },
      'Pipeline "p", parameter "a": default must be a date like "2024-12-31", not "2023-02-29".',
    ],
    ['not a number', { a: NaN }, 'Pipeline "p", parameter "a": default must be a number, not NaN.'],
    [
      'no choice',
      { a: { type: 'string', choices: [] } },
      'Pipeline "p", parameter "a": choices must be an array with at least one value.',
    ],
    [
      'a choice of another type',
      { a: { type: 'string', choices: ['x', 1] } },
      'Pipeline "p", parameter "a": the choice 1 is not a string.',
    ],
    [
      'a default that is no choice',
      { a: { type: 'string', choices: ['x', 'y'], default: 'z' } },
      'Pipeline "p", parameter "a": the default "z" is not among the choices "x", "y".',
    ],
    [
      'an unknown key',
      { a: { type: 'string', defualt: 'x' } },
      'Pipeline "p", parameter "a" has an unknown option: "defualt" (did you mean "default"?).',
    ],
    [
      'two that are one variable in the environment',
      { first_day: 1, First_Day: 2, other: 3 },
      'Pipeline "p": the parameters "first_day" and "First_Day" are the same environment variable, MILLRACE_PARAM_FIRST_DAY. Give one of them another name.',
    ],
    ['null', { a: null }, 'Pipeline "p", parameter "a" takes one object with options, not null.'],
  ];
  for (const [name, params, message] of mistakes) {
    it(`mistake: ${name}`, () => {
      const options: unknown = { id: 'p', params };
      assert.throws(() => new Pipeline(options as PipelineOptions), { name: 'PipelineError', message });
    });
  }
});
