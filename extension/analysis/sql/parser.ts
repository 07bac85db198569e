/**
 * Postgres's own parser, compiled to WebAssembly: import this file by `import()` when SQL is looked at for the first time.
 */
import { hasSqlDetails, loadModule, parsePlPgSQLSync, parseSync } from 'libpg-query';
import { isObject, type SyntaxTree } from './tree.ts';

/** What is wrong with a text that is not SQL. */
export interface SqlMistake {
  /** A sentence. */
  readonly message: string;
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
}

export interface SqlParser {
  /** The statements of a text. */
  parse(sql: string): { readonly trees: readonly SyntaxTree[] } | { readonly mistake: SqlMistake };
  /** The queries and expressions in the PL/pgSQL of a statement that makes a routine or runs a block; none when it is not valid. */
  plpgsqlQueries(sql: string): readonly string[];
}

let loading: Promise<SqlParser> | undefined;

/**
 * The parser.
 *
 * @throws Error when `libpg-query.wasm` does not lie beside the code that loads it
 */
export async function loadSqlParser(): Promise<SqlParser> {
  loading ??= load();
  return await loading;
}

async function load(): Promise<SqlParser> {
  try {
    await loadModule();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The SQL parser cannot be loaded, so SQL is not checked: ${reason}`, { cause: error });
  }
  return {
    parse(sql) {
      try {
        const { stmts = [] } = parseSync(sql);
        return { trees: stmts.map(({ stmt }) => stmt as SyntaxTree).filter(isObject) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
        return {
          mistake: {
            message: `Postgres cannot parse this: ${message}.`,
            offset: utf16Offset(sql, position),
          },
        };
      }
    },
    plpgsqlQueries(sql) {
      try {
        return queriesIn(parsePlPgSQLSync(sql));
      } catch {
        // Postgres says what is wrong with a body when the routine is made, more exactly than this could.
        return [];
      }
    },
  };
}

/** The parser counts characters, JavaScript counts surrogates as two. */
function utf16Offset(text: string, characters: number): number {
  if (/^[\x00-\uD7FF]*$/.test(text)) return Math.min(characters, text.length);
  let offset = 0;
  let count = 0;
  for (const character of text) {
    if (count++ === characters) break;
    offset += character.length;
  }
  return offset;
}

/** How the body of a routine means a text, by Postgres's `RawParseMode`. */
const STATEMENT = 0;
const TYPE_NAME = 1;
const EXPRESSION = 2;

function queriesIn(value: unknown): string[] {
  const queries: string[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    if (!isObject(part)) return;
    const { query, parseMode } = part;
    if (typeof query === 'string') {
      if (parseMode === STATEMENT || parseMode === undefined) queries.push(query);
      else if (parseMode === EXPRESSION) queries.push(`SELECT ${query}`);
      else if (parseMode !== TYPE_NAME) queries.push(`SELECT ${query.replace(/^[^=]*?:?=/, '')}`);
    }
    for (const key in part) visit(part[key]);
  };
  visit(value);
  return queries;
}
