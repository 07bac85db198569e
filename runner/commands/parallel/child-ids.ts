/** Ids of children, made from what they work on. */
import { createHash } from 'node:crypto';

/** Longest readable part of an id. */
const MAX_LENGTH = 60;

/**
 * Gives each parameter an id that depends on nothing but the parameter: short and readable where that says all of it, with
 * a hash at the end where it does not. The same parameter given again gets a number at the end.
 */
export class ChildIds {
  readonly #used = new Set<string>();

  /** @param json the parameter as JSON, which tells it apart from others */
  next(parameter: unknown, json: string): string {
    const id = idOf(parameter, json);
    let free = id;
    // Ids that say all may still be the same for values of different types, such as 1 and "1".
    if (this.#used.has(free)) free = id.endsWith(hash(json)) ? id : `${id}_${hash(json)}`;
    for (let number = 2; this.#used.has(free); number++) free = `${id}_${String(number)}`;
    this.#used.add(free);
    return free;
  }
}

/** Text that ends in a hash of all that is meant, for instance `orders_2026_csv_3fa9c1b204`. */
export function hashedId(text: string, meant: string): string {
  const readable = slug(text);
  return readable === '' ? hash(meant) : `${readable}_${hash(meant)}`;
}

function idOf(parameter: unknown, json: string): string {
  const values: readonly unknown[] = Array.isArray(parameter) ? parameter : [parameter];
  const exact = values.map(value => exactText(value, values.length > 1));
  const readable = exact.join('_');
  if (values.length > 0 && exact.every(text => text !== undefined) && readable.length <= MAX_LENGTH)
    return readable;
  return hashedId(textOf(parameter), json);
}

/** The value as it may stand in an id, if nothing of it is lost; in a row of several, `_` separates them. */
function exactText(value: unknown, isOneOfMany: boolean): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  if (typeof value !== 'string') return undefined;
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return value.replaceAll('-', '_');
  if (isOneOfMany) return /^[a-z0-9]+$/.test(value) ? value : undefined;
  // A day with `_` would look like one with `-`.
  return /^[a-z0-9_]+$/.test(value) && !/^\d{4}_\d\d_\d\d$/.test(value) ? value : undefined;
}

function textOf(parameter: unknown): string {
  if (Array.isArray(parameter)) return parameter.map(textOf).join('_');
  if (typeof parameter === 'object' && parameter !== null)
    return Object.values(parameter).map(textOf).join('_');
  return String(parameter);
}

function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, MAX_LENGTH)
    .replace(/^_+|_+$/g, '');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
