/** Values that checks compare: as databases give them, or as a pipeline writes them. */

/** A single value; `null` is NULL. Of other types of a database it is what their text says. */
export type CheckedValue = string | number | bigint | boolean | null;

/** Numbers are the same however they are written, truth in any spelling of a database; NULL is NULL only. */
export function isSameValue(a: CheckedValue, b: CheckedValue): boolean {
  if (a === null || b === null) return a === b;
  if (typeof a === 'boolean' || typeof b === 'boolean') return truth(a) === truth(b);
  return compareValues(a, b) === 0;
}

/** Below 0, 0 or above, as for sorting: numbers by size, everything else by its characters. */
export function compareValues(a: Exclude<CheckedValue, null>, b: Exclude<CheckedValue, null>): number {
  const [left, right] = [decimal(a), decimal(b)];
  if (left === undefined || right === undefined) {
    const [first, second] = [String(a), String(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  }
  const scale = Math.max(left.scale, right.scale);
  const difference = scaled(left, scale) - scaled(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** How far two numbers are apart; `NaN` when one is none. */
export function distance(a: CheckedValue, b: CheckedValue): number {
  return Math.abs(numberOf(a) - numberOf(b));
}

/** The same as a part of the greater one, whatever their signs. */
export function relativeDistance(a: CheckedValue, b: CheckedValue): number {
  const apart = distance(a, b);
  return apart === 0 ? 0 : apart / Math.max(Math.abs(numberOf(a)), Math.abs(numberOf(b)));
}

export function showValue(value: CheckedValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' && decimal(value) === undefined ? `'${value}'` : String(value);
}

/** A number as written: `digits` × 10^-`scale`. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** More digits than this are no number that a database gives. */
const LONGEST_EXPONENT = 1000;

function decimal(value: Exclude<CheckedValue, null>): Decimal | undefined {
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  if (typeof value === 'boolean') return undefined;
  const found = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(String(value).trim());
  if (found === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = found;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > LONGEST_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function scaled({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale);
}

function numberOf(value: CheckedValue): number {
  return value === null || typeof value === 'boolean' || String(value).trim() === '' ? NaN : Number(value);
}

/** Its text for what is neither true nor false. */
function truth(value: Exclude<CheckedValue, null>): boolean | string {
  const text = String(value).toLowerCase();
  if (['true', 't', '1'].includes(text)) return true;
  return ['false', 'f', '0'].includes(text) ? false : text;
}
