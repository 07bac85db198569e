/** JSON without loss: numbers stay as they were written. */
import type { Cell } from './row.ts';

/** What the types of this TypeScript do not know yet. */
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}

/** `JSON.parse` that keeps numbers which JavaScript would round or write differently. */
export function parseExactly(text: string): unknown {
  // Few texts hold such numbers, and looking at every value costs several times as much as parsing.
  if (!/\d{16}|\d\.\d{14}|\.\d*0(?!\d)|\de[+-]?\d/i.test(text)) return JSON.parse(text) as unknown;
  const json = JSON as unknown as JsonWithSource;
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

/** Whether {@link parseExactly} kept a number as it was written. */
export function isRawNumber(value: object): boolean {
  return (JSON as unknown as JsonWithSource).isRawJSON(value);
}

/** A value of an object as the text that a database reads; objects and arrays stay JSON. */
export function jsonCell(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}
