/** What an SQL script does, statement by statement, and what Postgres cannot parse in it. */
import { splitSql, type SqlStatement, SqlScriptError } from '../../../runner/databases/sql-script.ts';
import type { SqlMistake, SqlParser } from './parser.ts';
import {
  type Effects,
  type RoutineCall,
  type SchemaRename,
  statementFacts,
  type TableUse,
} from './statement-tables.ts';

/** What stands in SQL for a text that only running can tell. A name with it in it is no known name. */
export const UNKNOWN = 'millrace_unknown_';

export interface Routine extends Effects {
  readonly name: string;
}

/** Offsets are UTF-16 units from the start of the script. */
export interface ScriptFacts extends Effects {
  /** Routines that it makes: what they do is done when they are called. */
  readonly routines: readonly Routine[];
  readonly mistakes: readonly SqlMistake[];
}

interface Collected {
  readonly uses: TableUse[];
  readonly calls: RoutineCall[];
  readonly renames: SchemaRename[];
}

export function scriptFacts(parser: SqlParser, script: string): ScriptFacts {
  return new ScriptReader(parser).read(script);
}

class ScriptReader {
  readonly #parser: SqlParser;
  readonly #all: Collected = { uses: [], calls: [], renames: [] };
  readonly #routines: Routine[] = [];
  readonly #mistakes: SqlMistake[] = [];
  readonly #temporary = new Set<string>();
  #knowsSearchPath = true;

  constructor(parser: SqlParser) {
    this.#parser = parser;
  }

  read(script: string): ScriptFacts {
    for (const statement of this.#split(script)) this.#readStatement(statement);
    return { ...this.#all, routines: this.#routines, mistakes: this.#mistakes };
  }

  #split(script: string): readonly SqlStatement[] {
    try {
      return splitSql(script).statements;
    } catch (error) {
      if (!(error instanceof SqlScriptError)) throw error;
      const [first = '', ...rest] = error.message;
      this.#mistakes.push({ message: `${first.toUpperCase()}${rest.join('')}.`, offset: error.offset });
      return [];
    }
  }

  #readStatement({ text, offset }: SqlStatement): void {
    const parsed = this.#parser.parse(text);
    if ('mistake' in parsed) {
      const { message, offset: at } = parsed.mistake;
      // With something unknown in it, it may well be right.
      if (!text.includes(UNKNOWN) && !usesPsqlVariables(text))
        this.#mistakes.push({ message, offset: offset + at });
      return;
    }
    const toPlace = (bytes: number): number => offset + utf16Length(text, bytes);
    for (const tree of parsed.trees) {
      const facts = statementFacts(tree);
      if (facts.setsSearchPath) this.#knowsSearchPath = false;
      for (const name of facts.temporary) this.#temporary.add(name);
      const { routine } = facts;
      if (routine?.name === undefined) {
        this.#take(this.#all, facts, toPlace);
        if (routine !== undefined) this.#readBody(this.#all, text, routine, offset);
      } else {
        const own: Collected = { uses: [], calls: [], renames: [] };
        this.#take(own, facts, toPlace);
        this.#readBody(own, text, routine, offset);
        this.#routines.push({ name: routine.name, ...own });
      }
    }
  }

  #readBody(
    into: Collected,
    statement: string,
    { language, body }: { readonly language: string; readonly body: string | undefined },
    offset: number,
  ): void {
    const queries =
      language === 'plpgsql'
        ? this.#parser.plpgsqlQueries(statement)
        : language === 'sql' && body !== undefined
          ? [body]
          : [];
    for (const query of queries) {
      const parsed = this.#parser.parse(query);
      if ('mistake' in parsed) continue;
      for (const tree of parsed.trees) this.#take(into, statementFacts(tree), () => offset);
    }
  }

  #take(
    into: Collected,
    { uses, calls, renames, temporary }: ReturnType<typeof statementFacts>,
    toPlace: (bytes: number) => number,
  ): void {
    for (const name of temporary) this.#temporary.add(name);
    for (const use of uses) {
      if (use.table.includes(UNKNOWN)) continue;
      const hasSchema = use.table.includes('.');
      if (!hasSchema && (!this.#knowsSearchPath || this.#temporary.has(use.table))) continue;
      into.uses.push({ ...use, offset: toPlace(use.offset) });
    }
    for (const call of calls) into.calls.push({ ...call, offset: toPlace(call.offset) });
    for (const rename of renames) {
      if (!`${rename.from}${rename.to}`.includes(UNKNOWN))
        into.renames.push({ ...rename, offset: toPlace(rename.offset) });
    }
  }
}

/** `:name`, `:'name'` and `:"name"` mean something to psql only. */
function usesPsqlVariables(statement: string): boolean {
  return /(?<!:):['"]?[a-z_]/i.test(statement);
}

function utf16Length(text: string, bytes: number): number {
  if (/^[\x00-\x7f]*$/.test(text)) return bytes;
  return Buffer.from(text).subarray(0, bytes).toString().length;
}
