/** How a command line client of a database is used. */
import type { BinaryText, RowDecoder } from '../rows/row.ts';
import type { InsertDialect } from '../rows/insert-script.ts';

/** A program with all that it needs. Nothing in `args` is secret: everybody on the machine can read it. */
export interface ClientCall {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment; the place for passwords. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input. */
  readonly input: string | AsyncIterable<Buffer | string>;
}

export interface ScriptRequest {
  readonly sql: string;
  /** Whether the client shows statements as it runs them. */
  readonly echo: boolean;
  readonly timezone: string | undefined;
}

export interface QueryRequest {
  /** One query, without a semicolon at its end. */
  readonly sql: string;
  readonly timezone: string | undefined;
}

/** A call that prints the rows of a query. */
export interface QueryCall extends ClientCall {
  readonly decode: RowDecoder;
  /** How it prints values of binary columns. */
  readonly binary: BinaryText;
}

/** A call whose answer decides how the rows are asked for. */
export interface QueryPlan {
  readonly describe: ClientCall;
  query(answer: string): QueryCall;
}

/** One type of database, through its client. All functions are pure. */
export interface Client<Definition> {
  /** The client's names: the first one that is found is used. */
  readonly programs: readonly [string, ...string[]];
  /** How to get it: completes "Install …". */
  readonly install: string;
  /** Runs a script and stops at the first error. */
  script(program: string, database: Definition, request: ScriptRequest): ClientCall;
  /** Whether a session has a time zone that can be set. */
  readonly hasTimezone: boolean;
  /** Whether the client shows statements itself when it is asked to; else the whole script is shown before. */
  readonly echoes: boolean;
  /** Prints the rows of a query; absent where the client has no output that keeps all values. */
  query?(program: string, database: Definition, request: QueryRequest): QueryCall | QueryPlan;
  /** A text as a literal of the database's SQL, with a type if one is given. */
  literal(text: string, type: string | undefined): string;
  /** What matters of what the client says when it fails. Default: all of it. */
  error?(said: string): string;
  /** Set where rows are loaded by a script of INSERT statements. */
  readonly insert?: InsertDialect;
}

/** `type 'text'`, with quotes doubled, as standard SQL has it. */
export function standardLiteral(text: string, type: string | undefined): string {
  return `${type === undefined ? '' : `${type} `}'${text.replaceAll("'", "''")}'`;
}

/** The options of a command line, in pairs; those without a value are left out. */
export function options(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [name, String(value)],
  );
}

/** The same as `--name=value`. */
export function longOptions(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${String(value)}`],
  );
}

/** A query without what ends a statement. */
export function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/(?:\s*;)+$/, '');
}
