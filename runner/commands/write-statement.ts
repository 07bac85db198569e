/** Turns a query of Postgres into a statement that gives its rows in the format of a file. */
import { copyOptions, type TextFormat } from './formats.ts';

/** A statement around a query. */
export interface WrappedQuery {
  readonly text: string;
  /** Where the query begins in it, in UTF-16 units. */
  readonly offset: number;
}

/** The statement that gives the rows of a query in a format. */
export function writeStatement(query: string, format: TextFormat): WrappedQuery {
  // The last line of the query may be a comment.
  if (format.kind === 'csv') {
    const before = 'COPY (';
    return {
      text: `${before}${query}\n) TO STDOUT WITH (${copyOptions(format)})`,
      offset: before.length,
    };
  }
  // Line breaks stand in values of type json, between tokens. JSON has no control characters, so nothing is quoted.
  const before = "COPY (SELECT translate(row_to_json(record)::text, E'\\n\\r', '  ') FROM (";
  return {
    text: `${before}${query}\n) AS record) TO STDOUT WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')`,
    offset: before.length,
  };
}
