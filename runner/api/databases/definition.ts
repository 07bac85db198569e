/** What the definitions of all types of databases have in common. */
import { checkOptions, describeValue, PipelineError } from '../errors.ts';

/** A database of the project. It holds no connection: making one touches nothing. */
export interface DatabaseBase<Type extends string> {
  readonly type: Type;
  /** One line for people, without any secret. */
  describe(): string;
  /** The texts that must never be shown. */
  secrets(): readonly string[];
  /** Everything but the secrets. */
  toJSON(): Readonly<Record<string, unknown>>;
}

/** A database that is reached through its command line client. */
export interface ClientDatabaseBase<Type extends string, Options> extends DatabaseBase<Type> {
  /** May hold secrets: not enumerable, so that they do not end up in a log by accident. */
  readonly options: Options;
}

/** What an option may be: a text, a secret text, the number of a port, true or false, or one of some words. */
export type OptionRule = 'text' | 'secret' | 'port' | 'flag' | readonly string[];

export interface DefinitionRules<Type extends string, Options> {
  readonly type: Type;
  /** The function that users call, for messages. */
  readonly factory: string;
  readonly rules: Readonly<Record<keyof Options & string, OptionRule>>;
  /** Options that must be given. */
  readonly required: readonly (keyof Options & string)[];
  readonly describe: (options: Options) => string;
}

/** @throws PipelineError when an option is unknown, missing or wrong; no message holds a secret */
export function defineDatabase<Type extends string, Options extends object>(
  { type, factory, rules, required, describe }: DefinitionRules<Type, Options>,
  options: Options,
): ClientDatabaseBase<Type, Options> {
  const what = `${factory}()`;
  const byKey: Readonly<Record<string, OptionRule>> = rules;
  checkOptions(what, options, new Set(Object.keys(byKey)));
  const given: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(options));
  for (const [key, rule] of Object.entries(byKey)) checkOption(what, key, given[key], rule);
  for (const key of required) {
    if (given[key] !== undefined) continue;
    throw new PipelineError(
      `${what}: ${key} is missing. If it comes from an environment variable, set that, for example in the file .env of the project.`,
    );
  }
  const kept = Object.freeze({ ...options });
  const secretKeys = Object.keys(byKey).filter(key => byKey[key] === 'secret');
  const definition: ClientDatabaseBase<Type, Options> = {
    type,
    options: kept,
    describe: () => describe(kept),
    secrets: () => distinctSecrets(secretKeys.map(key => given[key] as string | undefined)),
    toJSON: () => ({ type, connection: describe(kept) }),
  };
  return Object.freeze(Object.defineProperty(definition, 'options', { enumerable: false }));
}

/** Secrets as they are and as they stand in a URL, each once; and texts that stand in one already. */
export function distinctSecrets(
  texts: readonly (string | undefined)[],
  ...encoded: readonly string[]
): readonly string[] {
  const given = texts.filter(text => text !== undefined);
  return [...new Set([...given, ...given.map(encodeURIComponent), ...encoded])].filter(text => text !== '');
}

/** @throws PipelineError unless the value is `undefined` or one of the words */
export function oneOf(what: string, option: string, value: unknown, words: readonly string[]): void {
  if (value === undefined || (typeof value === 'string' && words.includes(value))) return;
  throw new PipelineError(
    `${what}: ${option} must be one of ${words.join(', ')}, not ${describeValue(value)}.`,
  );
}

/** `type://user@host:port/name`, of what is given. */
export function describeServer(
  scheme: string,
  place: {
    readonly user?: string | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly name?: string | undefined;
  },
): string {
  const { user, host = 'localhost', port, name } = place;
  const who = user === undefined ? '' : `${user}@`;
  const where = port === undefined ? host : `${host}:${String(port)}`;
  return `${scheme}://${who}${where}${name === undefined ? '' : `/${name}`}`;
}

function checkOption(what: string, key: string, value: unknown, rule: OptionRule): void {
  if (value === undefined) return;
  switch (rule) {
    case 'secret':
      if (typeof value !== 'string') throw new PipelineError(`${what}: ${key} must be a string.`);
      return;
    case 'text':
      if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
      throw new PipelineError(
        `${what}: ${key} must be a string that is not empty, not ${describeValue(value)}.`,
      );
    case 'port':
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return;
      throw new PipelineError(
        `${what}: ${key} must be a whole number from 1 to 65535, not ${describeValue(value)}.`,
      );
    case 'flag':
      if (typeof value === 'boolean') return;
      throw new PipelineError(`${what}: ${key} must be true or false, not ${describeValue(value)}.`);
    default:
      oneOf(what, key, value, rule);
  }
}
