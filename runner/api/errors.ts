/** How mistakes in pipeline files and in the configuration are reported. */
import { distance } from 'fastest-levenshtein';
import type { SourceLocation } from '../model.ts';
import { callerLocation } from './location.ts';

/**
 * A mistake in a pipeline or in the project's configuration, thrown by the call that makes it. The message names the
 * pipeline, the id and the remedy.
 */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  /** Where the project made the mistake, if that is known. */
  readonly location: SourceLocation | undefined;

  constructor(
    message: string,
    options: { readonly location?: SourceLocation | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.location = options.location ?? callerLocation();
  }
}

/** Longest list of names that a message spells out. */
const maxListed = 12;

/** Shortest part of a name that says something about the whole. */
const shortestPart = 4;

/**
 * The candidate that is nearest to a mistyped name: other capitals, or at most two letters in five wrong, or else one
 * that contains the name or is a part of it; `undefined` when none is near enough. Of equally near ones, the first.
 */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let related: string | undefined;
  let bestDistance = Math.floor(wanted.length * 0.4) + 1;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    if (Math.min(wanted.length, other.length) >= shortestPart) {
      if (other.includes(wanted) || wanted.includes(other)) related ??= candidate;
    }
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue;
    const candidateDistance = distance(wanted, other);
    if (candidateDistance < bestDistance) {
      best = candidate;
      bestDistance = candidateDistance;
    }
  }
  return best ?? related;
}

/** `name` is not one of `candidates`: a sentence that helps, `Did you mean …?` or what there is. */
export function suggestion(name: string, candidates: Iterable<string>, whatThereIs: string): string {
  const known = [...candidates];
  const nearest = didYouMean(name, known);
  if (nearest !== undefined) return `Did you mean "${nearest}"?`;
  return `${whatThereIs}: ${listNames(known)}.`;
}

/** Names in quotation marks, shortened when there are many. */
export function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const listed = names.slice(0, maxListed).map(name => `"${name}"`);
  if (names.length > maxListed) listed.push(`… (${String(names.length)} in all)`);
  return listed.join(', ');
}

/**
 * Throws a {@link PipelineError} that lists all options that are not among the allowed ones.
 *
 * @param what the class or function whose options they are, as the user knows it
 */
export function checkOptions(what: string, options: object, allowedKeys: ReadonlySet<string>): void {
  // Callers without types can pass anything.
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new PipelineError(`${what} takes one object with options, not ${describeValue(given)}.`);
  }
  for (const key in given) {
    if (!allowedKeys.has(key)) throw unknownOptions(what, given, allowedKeys);
  }
}

function unknownOptions(what: string, options: object, allowedKeys: ReadonlySet<string>): PipelineError {
  const unknown = Object.keys(options)
    .filter(key => !allowedKeys.has(key))
    .map(key => ({ key, nearest: didYouMean(key, allowedKeys) }));
  const listed = unknown.map(({ key, nearest }) =>
    nearest === undefined ? `"${key}"` : `"${key}" (did you mean "${nearest}"?)`,
  );
  const id = 'id' in options && typeof options.id === 'string' ? ` "${options.id}"` : '';
  const noun = unknown.length === 1 ? 'an unknown option' : 'unknown options';
  const isHelped = unknown.every(({ nearest }) => nearest !== undefined);
  const known = isHelped ? '' : ` It takes: ${[...allowedKeys].join(', ')}.`;
  return new PipelineError(`${what}${id} has ${noun}: ${listed.join(', ')}.${known}`);
}

interface NumberRule {
  readonly min: number;
  readonly isInteger: boolean;
}

/** Longest time in seconds that a timer of Node can wait. */
const longestWait = 2_147_483;

/** Throws unless `value` is `undefined` or a whole number of at least `min`. */
export function checkCount(owner: () => string, option: string, value: unknown, min: 0 | 1): void {
  if (value !== undefined) checkNumber(owner, option, value, { min, isInteger: true });
}

/** Throws unless `value` is `undefined` or a number of seconds that can be waited for. */
export function checkSeconds(owner: () => string, option: string, value: unknown, allowZero: boolean): void {
  if (value === undefined) return;
  checkNumber(owner, option, value, { min: 0, isInteger: false });
  if (value === 0 && !allowZero) {
    throw new PipelineError(`${owner()}: ${option} must be more than 0 seconds. Leave it out for no limit.`);
  }
  if (Number(value) > longestWait) {
    throw new PipelineError(
      `${owner()}: ${option} must be at most ${String(longestWait)} seconds (24 days), not ${describeValue(value)}.`,
    );
  }
}

function checkNumber(
  owner: () => string,
  option: string,
  value: unknown,
  { min, isInteger }: NumberRule,
): void {
  const isValid =
    typeof value === 'number' &&
    value >= min &&
    (isInteger ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (isValid) return;
  const expected = `${isInteger ? 'a whole number' : 'a number'} of at least ${String(min)}`;
  throw new PipelineError(`${owner()}: ${option} must be ${expected}, not ${describeValue(value)}.`);
}

/** A value as a message about a wrong one shows it; never its contents, which may be secret or long. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 60 ? 'a long string' : JSON.stringify(value);
    case 'function':
      return isClass(value) ? `the class ${value.name}` : 'a function';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'an array';
      if (value instanceof Promise) return 'a promise';
      return `an object (${constructorName(value)})`;
    case 'symbol':
      return 'a symbol';
    case 'undefined':
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
  }
}

/** The name of an object's class; `Object` when it has none. */
export function constructorName(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'Object';
}

function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
