/** Values of Parquet columns as text for Postgres. */
import type { SchemaElement, SchemaTree } from 'hyparquet';
import type { TableColumn } from './json-lines.ts';

/** What a value is, beyond how it is stored; as the file says it. */
export type Annotation = Pick<SchemaElement, 'converted_type' | 'logical_type' | 'scale'>;

/** Says what the values of a leaf of the schema are. */
export type Annotations = ReadonlyMap<string, Annotation>;

export interface ParquetColumn {
  readonly tree: SchemaTree;
  readonly annotations: Annotations;
  readonly target: TableColumn;
}

/** A function that writes a value for the column of the table that gets it; `null` is NULL. */
export function columnWriter({
  tree,
  annotations,
  target,
}: ParquetColumn): (value: unknown) => string | null {
  const isNested = tree.children.length > 0 || tree.element.repetition_type === 'REPEATED';
  if (!isNested) {
    const write = leafWriter(tree, annotations, target.type);
    return value => (isAbsent(value) ? null : write(value));
  }
  const isArray = target.type.endsWith('[]');
  const write = isArray
    ? (value: unknown) => arrayText(value, tree, annotations)
    : (value: unknown) => jsonText(value, tree, annotations);
  return value => (isAbsent(value) ? null : write(value));
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function leafWriter(
  { element, path }: SchemaTree,
  annotations: Annotations,
  target: string,
): (value: unknown) => string {
  const annotation = annotations.get(path.join('.')) ?? {};
  const converted = annotation.converted_type;
  const logical = annotation.logical_type;
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') {
    const scale = logical?.type === 'DECIMAL' ? logical.scale : (annotation.scale ?? 0);
    return value => decimalText(integerOf(value), scale);
  }
  if (logical?.type === 'TIMESTAMP') {
    const { unit, isAdjustedToUTC } = logical;
    return value => timestampText(integerOf(value) * nanoseconds[unit], isAdjustedToUTC);
  }
  if (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') {
    const unit = converted === 'TIMESTAMP_MILLIS' ? nanoseconds.MILLIS : nanoseconds.MICROS;
    return value => timestampText(integerOf(value) * unit, true);
  }
  // Without a zone: what wrote it decided what it means.
  if (element.type === 'INT96') return value => timestampText(integerOf(value), false);
  if (logical?.type === 'TIME') {
    const { unit } = logical;
    return value => timeText(integerOf(value) * nanoseconds[unit]);
  }
  if (converted === 'TIME_MILLIS' || converted === 'TIME_MICROS') {
    const unit = converted === 'TIME_MILLIS' ? nanoseconds.MILLIS : nanoseconds.MICROS;
    return value => timeText(integerOf(value) * unit);
  }
  if (logical?.type === 'DATE' || converted === 'DATE') return value => dateText(integerOf(value));
  if (converted === 'UINT_64' || (logical?.type === 'INTEGER' && !logical.isSigned)) {
    const bits = element.type === 'INT64' ? 64 : 32;
    return value => BigInt.asUintN(bits, integerOf(value)).toString();
  }
  if (converted === 'UINT_32') return value => BigInt.asUintN(32, integerOf(value)).toString();
  if (logical?.type === 'UUID') return value => hexOf(value);
  if (logical?.type === 'FLOAT16') return value => String(float16(bytesOf(value)));
  if (converted === 'INTERVAL' || logical?.type === 'INTERVAL') return value => intervalText(bytesOf(value));
  if (target === 'bytea') return value => `\\x${hexOf(value)}`;
  if (target === 'geometry' || target === 'geography') return value => hexOf(value);
  return value => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value));
}

const nanoseconds = { MILLIS: 1_000_000n, MICROS: 1000n, NANOS: 1n } as const;

/** Parents of leaves; a leaf that is repeated is a list by itself. */
function elementTree(tree: SchemaTree): SchemaTree {
  const [repeated] = tree.children;
  if (repeated === undefined || tree.element.repetition_type === 'REPEATED') return tree;
  const [only] = repeated.children;
  return repeated.children.length === 1 && only !== undefined ? only : repeated;
}

function jsonText(value: unknown, tree: SchemaTree, annotations: Annotations): string {
  if (isAbsent(value)) return 'null';
  if (isList(value)) {
    const inner = elementTree(tree);
    return `[${Array.from(value, each => jsonText(each, inner, annotations)).join(',')}]`;
  }
  if (tree.children.length === 0) return jsonLeaf(value, tree, annotations);
  const isMap = isMapTree(tree);
  const members = Object.entries(value).map(([key, each]) => {
    const inner = isMap
      ? tree.children[0]?.children[1]
      : tree.children.find(({ element }) => element.name === key);
    const text = inner === undefined ? JSON.stringify(each) : jsonText(each, inner, annotations);
    return `${JSON.stringify(key)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

function jsonLeaf(value: unknown, tree: SchemaTree, annotations: Annotations): string {
  const text = leafWriter(tree, annotations, 'text')(value);
  if (typeof value === 'boolean') return text;
  const { converted_type: converted, logical_type: logical } = annotations.get(tree.path.join('.')) ?? {};
  if (converted === 'JSON' || logical?.type === 'JSON') return text;
  // Numbers as they are, however long; JSON has no infinity.
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/.test(text) && !isText(tree, value)
    ? text
    : JSON.stringify(text);
}

function isText({ element }: SchemaTree, value: unknown): boolean {
  return typeof value === 'string' || element.type === 'BYTE_ARRAY';
}

/** An array of Postgres: `{1,NULL,"a \"b\""}`. */
function arrayText(value: unknown, tree: SchemaTree, annotations: Annotations): string {
  if (!isList(value)) return jsonText(value, tree, annotations);
  const inner = elementTree(tree);
  const elements = Array.from(value, (each: unknown) => {
    if (isAbsent(each)) return 'NULL';
    if (isList(each)) return arrayText(each, inner, annotations);
    const text =
      inner.children.length > 0
        ? jsonText(each, inner, annotations)
        : leafWriter(inner, annotations, 'text')(each);
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${elements.join(',')}}`;
}

/** Lists of numbers can be typed arrays; bytes are one value. */
function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array));
}

function isMapTree({ element, children }: SchemaTree): boolean {
  return (
    (element.converted_type === 'MAP' || element.logical_type?.type === 'MAP') &&
    children[0]?.children.length === 2
  );
}

function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value));
}

function hexOf(value: unknown): string {
  return bytesOf(value).toString('hex');
}

/** Whole numbers, also those that are stored as bytes, the highest first. */
function integerOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(value);
  const bytes = bytesOf(value);
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return unscaled.toString();
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const NANOSECONDS_PER_DAY = 86_400_000_000_000n;

function timestampText(sinceEpoch: bigint, isUtc: boolean): string {
  const days = floorDivide(sinceEpoch, NANOSECONDS_PER_DAY);
  const { date, era } = calendar(days);
  const time = timeText(sinceEpoch - days * NANOSECONDS_PER_DAY);
  return `${date} ${time}${isUtc ? '+00' : ''}${era}`;
}

function dateText(days: bigint): string {
  const { date, era } = calendar(days);
  return date + era;
}

function calendar(days: bigint): { readonly date: string; readonly era: string } {
  const day = new Date(Number(days) * 86_400_000);
  const year = day.getUTCFullYear();
  const rest = day.toISOString().slice(-20, -14);
  // The year before 1 is 1 BC.
  return year > 0
    ? { date: `${String(year).padStart(4, '0')}${rest}`, era: '' }
    : { date: `${String(1 - year).padStart(4, '0')}${rest}`, era: ' BC' };
}

function timeText(nanosecondsOfDay: bigint): string {
  const seconds = Number(nanosecondsOfDay / 1_000_000_000n);
  const fraction = String(nanosecondsOfDay % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const time = parts.map(part => String(part).padStart(2, '0')).join(':');
  return fraction === '' ? time : `${time}.${fraction}`;
}

function intervalText(bytes: Buffer): string {
  const [months, days, milliseconds] = [0, 4, 8].map(offset => bytes.readUInt32LE(offset));
  return `${String(months)} months ${String(days)} days ${String(milliseconds)} milliseconds`;
}

function float16(bytes: Buffer): number {
  const bits = bytes.readUInt16LE(0);
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}
