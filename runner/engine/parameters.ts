/** Parameters of a run: what the pipelines declare, and the values that a user gives for them. */
import { suggestion } from '../api/errors.ts';
import { inSameVariable, isParameterValue, sharedVariables } from '../api/parameters.ts';
import type { ParameterDefinition, ParameterValue } from '../model.ts';
import { UsageError } from './errors.ts';

export type ParameterDefinitions = Readonly<Record<string, ParameterDefinition>>;

/**
 * Fills in defaults and converts texts to the declared types.
 *
 * @param given Values as the user wrote them (`--param key=value`) or as an earlier run stored them.
 * @throws {UsageError} that names every unknown, missing and ill-typed parameter at once.
 */
export function resolveParameters(
  definitions: ParameterDefinitions,
  given: Readonly<Record<string, ParameterValue>>,
): Record<string, ParameterValue> {
  const problems: string[] = [];
  const values: Record<string, ParameterValue> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(definitions, name)) {
      problems.push(
        `There is no parameter "${name}". ${suggestion(name, Object.keys(definitions), 'There are')}`,
      );
    }
  }
  for (const [name, definition] of Object.entries(definitions)) {
    const value = Object.hasOwn(given, name) ? given[name] : definition.default;
    if (value === undefined) {
      problems.push(`The parameter "${name}" has no value: give it with --param ${name}=…`);
      continue;
    }
    const converted = convert(value, definition.type);
    if (converted === undefined) {
      problems.push(`The parameter "${name}" must be ${expectations[definition.type]}, not "${value}".`);
    } else if (definition.choices !== undefined && !definition.choices.includes(converted)) {
      problems.push(
        `The parameter "${name}" must be one of ${definition.choices.join(', ')}, not "${value}".`,
      );
    } else {
      values[name] = converted;
    }
  }
  // One pipeline has no such parameters; two may.
  for (const { names, variable } of sharedVariables(Object.keys(definitions))) {
    const sentence = inSameVariable(names, variable);
    problems.push(sentence.charAt(0).toUpperCase() + sentence.slice(1));
  }
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return values;
}

const expectations = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date as YYYY-MM-DD',
} as const;

function convert(value: ParameterValue, type: ParameterDefinition['type']): ParameterValue | undefined {
  switch (type) {
    case 'string':
      return String(value);
    case 'number': {
      const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
      return typeof value === 'boolean' || !Number.isFinite(number) ? undefined : number;
    }
    case 'boolean':
      if (typeof value === 'boolean') return value;
      return value === 'true' ? true : value === 'false' ? false : undefined;
    case 'date':
      return isParameterValue('date', value) ? value : undefined;
  }
}
