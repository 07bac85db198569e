/** How the records of a file are written. */
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';

export interface CsvOptions {
  /** The character between two values. Default: `,`. */
  readonly delimiter?: string | undefined;
  /** Whether the first line holds names; it is passed over. With `'match'` they must be the table's. Default: false. */
  readonly header?: boolean | 'match' | undefined;
  /** Whether the last line is a summary and no record; it is passed over. Default: false. */
  readonly footer?: boolean | undefined;
  /** The character around values that hold a delimiter or a line break; doubled within them. Default: `"`. */
  readonly quote?: string | undefined;
  /** An unquoted value that stands for NULL. Default: the empty text. */
  readonly nullValue?: string | undefined;
}

/** Comma separated values; made by {@link csv}. */
export interface CsvFormat {
  readonly kind: 'csv';
  readonly delimiter: string;
  readonly header: boolean | 'match';
  readonly footer: boolean;
  readonly quote: string;
  readonly nullValue: string;
}

/** One JSON object per line; made by {@link jsonl}. */
export interface JsonLinesFormat {
  readonly kind: 'jsonl';
}

/** Columns of Parquet; made by {@link parquet}. */
export interface ParquetFormat {
  readonly kind: 'parquet';
}

/** Formats that are text and can be read from any stream. */
export type TextFormat = CsvFormat | JsonLinesFormat;

export type FileFormat = TextFormat | ParquetFormat;

const csvKeys: ReadonlySet<string> = new Set([
  'delimiter',
  'header',
  'footer',
  'quote',
  'nullValue',
] satisfies (keyof CsvOptions)[]);

/**
 * Comma separated values, as Postgres reads them: one value per column of the table, in the table's order.
 *
 * @example csv({ header: true, delimiter: ';' })
 * @throws PipelineError when an option is unknown or not valid
 */
export function csv(options: CsvOptions = {}): CsvFormat {
  checkOptions('csv()', options, csvKeys);
  const { delimiter = ',', header = false, footer = false, quote = '"', nullValue = '' } = options;
  checkCharacter('delimiter', delimiter);
  checkCharacter('quote', quote);
  if (delimiter === quote)
    throw new PipelineError('csv(): delimiter and quote must not be the same character.');
  const given: unknown = header;
  if (typeof given !== 'boolean' && given !== 'match') {
    throw new PipelineError(`csv(): header must be true, false or "match", not ${describeValue(given)}.`);
  }
  const givenFooter: unknown = footer;
  if (typeof givenFooter !== 'boolean') {
    throw new PipelineError(`csv(): footer must be true or false, not ${describeValue(givenFooter)}.`);
  }
  if (typeof nullValue !== 'string' || /[\r\n]/.test(nullValue)) {
    throw new PipelineError(
      `csv(): nullValue must be a string without line breaks, not ${describeValue(nullValue)}.`,
    );
  }
  return Object.freeze({ kind: 'csv', delimiter, header, footer, quote, nullValue });
}

/**
 * One JSON object per line. Its keys name columns of the table; a column whose key a line lacks is NULL there, and one
 * that no line names gets its default. Objects and arrays are loaded as JSON.
 */
export function jsonl(): JsonLinesFormat {
  return Object.freeze({ kind: 'jsonl' });
}

/**
 * Parquet files: their columns are matched with the table's by name, their types are turned into the table's. Nested
 * columns go into columns of JSON, lists also into arrays.
 */
export function parquet(): ParquetFormat {
  return Object.freeze({ kind: 'parquet' });
}

/** @throws PipelineError when a value was not made by {@link csv}, {@link jsonl} or {@link parquet} */
export function checkFormat(what: string, format: unknown): asserts format is FileFormat {
  const kind = kindOf(format);
  if (kind === 'csv' || kind === 'jsonl' || kind === 'parquet') return;
  throw new PipelineError(
    `${what}: format must be csv(), jsonl() or parquet(), not ${describeValue(format)}.`,
  );
}

/** @throws PipelineError when a value was not made by {@link csv} or {@link jsonl} */
export function checkTextFormat(what: string, format: unknown): asserts format is TextFormat {
  const kind = kindOf(format);
  if (kind === 'csv' || kind === 'jsonl') return;
  const given = kind === 'parquet' ? 'parquet()' : describeValue(format);
  throw new PipelineError(`${what}: format must be csv() or jsonl(), not ${given}.`);
}

/** The format that the ending of a file's name tells, with or without the ending of a compression. */
export function formatByName(file: string): FileFormat {
  const name = file.replace(/\.(?:gz|zip|tgz|tar\.gz)$/i, '');
  if (/\.(?:jsonl|ndjson)$/i.test(name)) return jsonl();
  return /\.(?:parquet|pq)$/i.test(name) ? parquet() : csv();
}

/** A format as it is written in a pipeline, with what differs from the defaults. */
export function formatText(format: FileFormat): string {
  if (format.kind !== 'csv') return `${format.kind}()`;
  const defaults: Readonly<Record<string, unknown>> = { ...csv() };
  const given = Object.entries(format).filter(([key, value]) => value !== defaults[key]);
  if (given.length === 0) return 'csv()';
  return `csv({ ${given.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')} })`;
}

function kindOf(format: unknown): unknown {
  return typeof format === 'object' && format !== null && 'kind' in format ? format.kind : undefined;
}

/** The options of `COPY … FROM STDIN` for a format of CSV, without those that are defaults of Postgres. */
export function copyOptions({ delimiter, header, quote, nullValue }: CsvFormat): string {
  const options = ['FORMAT csv'];
  if (delimiter !== ',') options.push(`DELIMITER ${literal(delimiter)}`);
  if (header !== false) options.push(header === 'match' ? 'HEADER match' : 'HEADER');
  if (quote !== '"') options.push(`QUOTE ${literal(quote)}`);
  if (nullValue !== '') options.push(`NULL ${literal(nullValue)}`);
  return options.join(', ');
}

function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\').replaceAll('\t', '\\t')}'`;
  return quoted.includes('\\') ? `E${quoted}` : quoted;
}

function checkCharacter(option: string, value: unknown): void {
  // Postgres takes one byte.
  if (typeof value === 'string' && /^[^\r\n\0\u0080-\uffff]$/.test(value)) return;
  throw new PipelineError(`csv(): ${option} must be one ASCII character, not ${describeValue(value)}.`);
}
