/** Parameters of a pipeline: what is asked for before a run. */
import type { ParameterDefinition, ParameterValue } from '../model.ts';
import { checkOptions, describeValue, PipelineError } from './errors.ts';

/**
 * Parameters by name. A plain value is short for a definition with that type and default:
 * `{ days: 7 }` is `{ days: { type: 'number', default: 7 } }`.
 */
export type ParameterOptions = Readonly<Record<string, ParameterDefinition | ParameterValue>>;

/** What the names of environment variables with parameters begin with. */
export const parameterVariablePrefix = 'MILLRACE_PARAM_';

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const types: readonly string[] = [
  'string',
  'number',
  'boolean',
  'date',
] satisfies ParameterDefinition['type'][];
const definitionKeys: ReadonlySet<string> = new Set([
  'type',
  'default',
  'description',
  'choices',
] satisfies (keyof ParameterDefinition)[]);

const noParameters: Readonly<Record<string, ParameterDefinition>> = Object.freeze({});

/**
 * Definitions in full for what a pipeline was given.
 *
 * @param owner names the pipeline in messages
 * @throws PipelineError when a name is not valid, or a default or choice is not of the parameter's type
 */
export function defineParameters(
  owner: string,
  params: ParameterOptions | undefined,
): Readonly<Record<string, ParameterDefinition>> {
  if (params === undefined) return noParameters;
  const given: unknown = params;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new PipelineError(
      `${owner}: params must be an object with parameters by name, not ${describeValue(given)}.`,
    );
  }
  const definitions: Record<string, ParameterDefinition> = {};
  for (const [name, value] of Object.entries(params)) {
    if (!namePattern.test(name)) {
      throw new PipelineError(
        `${owner}: "${name}" cannot be the name of a parameter. Use letters, digits and "_", not beginning with a digit.`,
      );
    }
    definitions[name] = defineParameter(`${owner}, parameter "${name}"`, value);
  }
  for (const { names, variable } of sharedVariables(Object.keys(definitions))) {
    throw new PipelineError(`${owner}: ${inSameVariable(names, variable)}`);
  }
  return Object.freeze(definitions);
}

/** The environment variable in which programs find a parameter: `MILLRACE_PARAM_FIRST_DAY` for `first_day`. */
export function parameterVariable(name: string): string {
  return `${parameterVariablePrefix}${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** Parameters that programs would find in the same environment variable. */
export function sharedVariables(
  names: readonly string[],
): readonly { readonly names: readonly string[]; readonly variable: string }[] {
  const byVariable = Map.groupBy(names, parameterVariable);
  return [...byVariable]
    .filter(([, [, second]]) => second !== undefined)
    .map(([variable, found]) => ({ names: found, variable }));
}

/** A sentence about {@link sharedVariables}. */
export function inSameVariable(names: readonly string[], variable: string): string {
  const listed = names.map(name => `"${name}"`).join(' and ');
  return `the parameters ${listed} are the same environment variable, ${variable}. Give one of them another name.`;
}

/** Whether a value can be given for a parameter of this type. Dates are texts like `2024-12-31`. */
export function isParameterValue(type: ParameterDefinition['type'], value: unknown): value is ParameterValue {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return typeof value === 'string' && isDate(value);
  }
}

function defineParameter(what: string, value: ParameterDefinition | ParameterValue): ParameterDefinition {
  if (typeof value === 'string') return { type: 'string', default: value };
  if (typeof value === 'number') return checkDefinition(what, { type: 'number', default: value });
  if (typeof value === 'boolean') return { type: 'boolean', default: value };
  checkOptions(what, value, definitionKeys);
  return checkDefinition(what, { ...value });
}

function checkDefinition(what: string, definition: ParameterDefinition): ParameterDefinition {
  const { type, choices, default: defaultValue, description } = definition;
  if (!types.includes(type)) {
    throw new PipelineError(`${what}: type must be one of ${types.join(', ')}, not ${describeValue(type)}.`);
  }
  if (description !== undefined && typeof description !== 'string') {
    throw new PipelineError(`${what}: description must be a string, not ${describeValue(description)}.`);
  }
  const expected = type === 'date' ? 'a date like "2024-12-31"' : `a ${type}`;
  if (choices !== undefined) {
    if (!Array.isArray(choices) || choices.length === 0) {
      throw new PipelineError(`${what}: choices must be an array with at least one value.`);
    }
    const wrong: unknown = choices.find(choice => !isParameterValue(type, choice));
    if (wrong !== undefined) {
      throw new PipelineError(`${what}: the choice ${describeValue(wrong)} is not ${expected}.`);
    }
  }
  if (defaultValue === undefined) return definition;
  if (!isParameterValue(type, defaultValue)) {
    throw new PipelineError(`${what}: default must be ${expected}, not ${describeValue(defaultValue)}.`);
  }
  if (choices !== undefined && !choices.includes(defaultValue)) {
    throw new PipelineError(
      `${what}: the default ${describeValue(defaultValue)} is not among the choices ` +
        `${choices.map(describeValue).join(', ')}.`,
    );
  }
  return definition;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  // A day that the month does not have would have rolled over into the next month.
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}
