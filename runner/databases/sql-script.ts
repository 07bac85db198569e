/** Splits a Postgres SQL script into statements, in one pass and without a server. */

/** One statement of a script. */
export interface SqlStatement {
  /** What to send: no blanks or comments before it, no semicolon after it. */
  readonly text: string;
  /** Where {@link text} begins, in UTF-16 units from the start of the script. */
  readonly offset: number;
  /** Where {@link text} begins; lines and columns count from 1, columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** Whether the statement takes or gives data outside of the result: `COPY … FROM STDIN`, `COPY … TO STDOUT`. */
  readonly copy: 'in' | 'out' | null;
  /** The lines that follow a `COPY … FROM STDIN` in the script, up to `\.`; `null` when none follow. */
  readonly data: string | null;
  /** All of the script that belongs to the statement: what stands before it, itself, semicolon and data. */
  readonly source: string;
}

export interface SqlScript {
  readonly statements: readonly SqlStatement[];
  /** Blanks, comments and semicolons after the last statement. */
  readonly rest: string;
}

/** A script that cannot be split. The message says what and how to mend it, the fields say where. */
export class SqlScriptError extends Error {
  override readonly name = 'SqlScriptError';
  /** UTF-16 units from the start of the script. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;

  constructor(message: string, script: string, offset: number) {
    super(message);
    const place = placeInText(script, offset);
    this.offset = offset;
    this.line = place.line;
    this.column = place.column;
  }
}

/** Line and column (from 1, in UTF-16 units) of an offset in a text. */
export function placeInText(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', next + 1)) {
    line++;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/**
 * Splits a script at its semicolons, as psql does: those in quotes, comments, parentheses and the body of a routine
 * (`BEGIN ATOMIC … END`) do not count. Lines after a `COPY … FROM STDIN;` are its data.
 *
 * @throws SqlScriptError for a meta command of psql and for what is opened and never closed
 */
export function splitSql(script: string): SqlScript {
  return new Splitter(script).split();
}

const TAB = 9;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const SINGLE_QUOTE = 39;
const OPEN = 40;
const CLOSE = 41;
const STAR = 42;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const SEMICOLON = 59;
const BACKSLASH = 92;
const BYTE_ORDER_MARK = 0xfeff;

/** No word that matters here is longer. */
const LONGEST_KEYWORD = 9;
/** `create or replace function`: further words say nothing about what kind of statement it is. */
const KEYWORDS_AT_START = 4;

function isWordStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || (code >= 48 && code <= 57) || code === DOLLAR;
}

function isBlank(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN);
}

class Splitter {
  private readonly script: string;
  private readonly statements: SqlStatement[] = [];
  private position = 0;

  // The statement that is being read.
  private sourceStart = 0;
  private textStart = -1;
  private parentheses = 0;
  private atomicDepth = 0;
  private firstWords: string[] = [];
  /** The token before, if it was a word: in lower case, empty if it was something else or too long to matter. */
  private previousWord = '';
  private copy: 'in' | 'out' | null = null;

  // Lines are counted from statement to statement, so that all of it stays linear.
  private line = 1;
  private lineStart = 0;
  private nextNewline = -1;

  constructor(script: string) {
    this.script = script;
    this.nextNewline = script.indexOf('\n');
  }

  split(): SqlScript {
    const { script } = this;
    if (script.charCodeAt(0) === BYTE_ORDER_MARK) this.position = 1;
    while (this.position < script.length) {
      const code = script.charCodeAt(this.position);
      if (isBlank(code)) this.position++;
      else if (code === MINUS && script.charCodeAt(this.position + 1) === MINUS) this.skipLineComment();
      else if (code === SLASH && script.charCodeAt(this.position + 1) === STAR) this.skipBlockComment();
      else if (code === SEMICOLON && this.parentheses === 0 && this.atomicDepth === 0)
        this.endStatement(true);
      else this.readToken(code);
    }
    if (this.textStart !== -1) this.endStatement(false);
    return { statements: this.statements, rest: script.slice(this.sourceStart) };
  }

  private readToken(code: number): void {
    if (code === BACKSLASH) throw this.metaCommand();
    if (this.textStart === -1) this.textStart = this.position;
    if (isWordStart(code)) {
      this.readWord();
      return;
    }
    this.previousWord = '';
    if (code === SINGLE_QUOTE) this.skipQuoted("'", 'string');
    else if (code === DOUBLE_QUOTE) this.skipQuoted('"', 'quoted name');
    else if (code === DOLLAR) this.skipDollar();
    else {
      if (code === OPEN) this.parentheses++;
      else if (code === CLOSE && this.parentheses > 0) this.parentheses--;
      this.position++;
    }
  }

  private readWord(): void {
    const { script } = this;
    const start = this.position;
    let end = start + 1;
    while (end < script.length && isWordPart(script.charCodeAt(end))) end++;
    this.position = end;
    const length = end - start;
    const word = length <= LONGEST_KEYWORD ? script.slice(start, end).toLowerCase() : '';
    if (length === 1 && word === 'e' && script.charCodeAt(end) === SINGLE_QUOTE) {
      this.previousWord = '';
      this.skipEscapeString();
      return;
    }
    if (this.firstWords.length < KEYWORDS_AT_START) this.firstWords.push(word);
    if (this.parentheses === 0) {
      this.followRoutineBody(word, start);
      if (word === 'stdin' && this.previousWord === 'from' && this.firstWords[0] === 'copy') this.copy = 'in';
      if (word === 'stdout' && this.previousWord === 'to' && this.firstWords[0] === 'copy') this.copy = 'out';
    }
    this.previousWord = word;
  }

  private followRoutineBody(word: string, start: number): void {
    if (word === 'atomic') {
      if (this.previousWord === 'begin' && this.isRoutine()) this.atomicDepth++;
    } else if (this.atomicDepth > 0 && (word === 'case' || word === 'end')) {
      // A keyword can be a column's label (`as end`) or the name of a field (`t.end`).
      if (this.previousWord === 'as' || this.script.charCodeAt(start - 1) === DOT) return;
      this.atomicDepth += word === 'case' ? 1 : -1;
    }
  }

  private isRoutine(): boolean {
    const [first, second, third, fourth] = this.firstWords;
    const kind = second === 'or' && third === 'replace' ? fourth : second;
    return first === 'create' && (kind === 'function' || kind === 'procedure');
  }

  private skipLineComment(): void {
    const end = /[\n\r]/g;
    end.lastIndex = this.position;
    this.position = end.exec(this.script)?.index ?? this.script.length;
  }

  private skipBlockComment(): void {
    const { script } = this;
    const start = this.position;
    let depth = 0;
    let at = start;
    do {
      if (at >= script.length)
        throw new SqlScriptError('this comment is never closed: add */', script, start);
      const code = script.charCodeAt(at);
      const next = script.charCodeAt(at + 1);
      if (code === SLASH && next === STAR) {
        depth++;
        at += 2;
      } else if (code === STAR && next === SLASH) {
        depth--;
        at += 2;
      } else at++;
    } while (depth > 0);
    this.position = at;
  }

  /** A doubled quote needs no care: it ends one quoted part and begins the next. */
  private skipQuoted(quote: string, what: string): void {
    const end = this.script.indexOf(quote, this.position + 1);
    if (end === -1) throw this.neverClosed(what, quote);
    this.position = end + 1;
  }

  /** `e'…'`, in which a backslash takes the next character's meaning away. */
  private skipEscapeString(): void {
    const { script } = this;
    let at = this.position + 1;
    for (;;) {
      if (at >= script.length) throw this.neverClosed('string', "'");
      const code = script.charCodeAt(at);
      if (code === BACKSLASH) at += 2;
      else if (code !== SINGLE_QUOTE) at++;
      else if (script.charCodeAt(at + 1) === SINGLE_QUOTE) at += 2;
      else {
        const next = continuation(script, at + 1);
        if (next === -1) break;
        at = next + 1;
      }
    }
    this.position = at + 1;
  }

  private skipDollar(): void {
    const { script } = this;
    const start = this.position;
    let end = start + 1;
    if (isWordStart(script.charCodeAt(end))) {
      while (isWordPart(script.charCodeAt(end)) && script.charCodeAt(end) !== DOLLAR) end++;
    }
    if (script.charCodeAt(end) !== DOLLAR) {
      // A parameter such as $1, or a stray sign for the server to complain about.
      this.position = start + 1;
      return;
    }
    const delimiter = script.slice(start, end + 1);
    const close = script.indexOf(delimiter, end + 1);
    if (close === -1) throw this.neverClosed('string', delimiter);
    this.position = close + delimiter.length;
  }

  private endStatement(semicolon: boolean): void {
    const { script, textStart } = this;
    let textEnd = this.position;
    while (textEnd > textStart && isBlank(script.charCodeAt(textEnd - 1))) textEnd--;
    if (semicolon) this.position++;
    if (textStart === -1) return; // an empty statement becomes part of the next one's source
    this.countLines(textStart);
    const data = semicolon && this.copy === 'in' ? this.takeData() : null;
    this.statements.push({
      text: script.slice(textStart, textEnd),
      offset: textStart,
      line: this.line,
      column: textStart - this.lineStart + 1,
      copy: this.copy,
      data,
      source: script.slice(this.sourceStart, this.position),
    });
    this.sourceStart = this.position;
    this.textStart = -1;
    this.parentheses = 0;
    this.atomicDepth = 0;
    this.firstWords = [];
    this.previousWord = '';
    this.copy = null;
  }

  private countLines(upTo: number): void {
    while (this.nextNewline !== -1 && this.nextNewline < upTo) {
      this.line++;
      this.lineStart = this.nextNewline + 1;
      this.nextNewline = this.script.indexOf('\n', this.lineStart);
    }
  }

  /** The lines after the semicolon's line, up to one that is `\.`, or to the end; `null` when there are none. */
  private takeData(): string | null {
    const { script } = this;
    const lineEnd = script.indexOf('\n', this.position);
    const restOfLine = script.slice(this.position, lineEnd === -1 ? script.length : lineEnd);
    if (lineEnd === -1 || !/^\s*(--.*)?$/.test(restOfLine)) return null;
    const start = lineEnd + 1;
    if (start >= script.length) return null;
    const end = /^\\\.\r?$/gm;
    end.lastIndex = start;
    const found = end.exec(script);
    if (found === null) {
      this.position = script.length;
      return script.slice(start);
    }
    const afterMark = found.index + found[0].length;
    this.position = Math.min(script.length, afterMark + 1);
    return script.slice(start, found.index);
  }

  private neverClosed(what: string, delimiter: string): SqlScriptError {
    return new SqlScriptError(`this ${what} is never closed: add ${delimiter}`, this.script, this.position);
  }

  private metaCommand(): SqlScriptError {
    const name = /\\(?:[a-z_]+|.?)/iy;
    name.lastIndex = this.position;
    const found = name.exec(this.script)?.[0] ?? '\\';
    return new SqlScriptError(
      `${found} is a command of psql, not SQL: ${remedy(found)}`,
      this.script,
      this.position,
    );
  }
}

/**
 * SQL continues a string after a line break: where the next part of the same string opens, or -1.
 * Only strings with escapes care, because the next part has escapes as well.
 */
function continuation(script: string, from: number): number {
  const gap = /[^\S\n\r]*(?:--[^\n\r]*)?[\n\r](?:\s|--[^\n\r]*[\n\r])*'/y;
  gap.lastIndex = from;
  return gap.test(script) ? gap.lastIndex - 1 : -1;
}

function remedy(metaCommand: string): string {
  switch (metaCommand.toLowerCase()) {
    case '\\i':
    case '\\ir':
    case '\\include':
      return 'give each file an ExecuteSQL of its own';
    case '\\copy':
      return 'use ReadFile, or COPY … FROM STDIN with the data after it';
    case '\\set':
    case '\\gset':
      return "use the option 'replace' for values that vary";
    case '\\c':
    case '\\connect':
      return "name the database with the option 'db'";
    case '\\echo':
    case '\\qecho':
    case '\\timing':
      return 'remove it, statements and results are in the log anyway';
    case '\\.':
      return 'it ends the data of COPY … FROM STDIN, and there is none here';
    case '\\gexec':
      return 'use a DO block with EXECUTE';
    default:
      return 'remove it';
  }
}
