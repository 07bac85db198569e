/** Colours for code: cuts it into keywords, strings, numbers, names of functions and comments. Pure. */

export type CodeLanguage = 'sql' | 'bash' | 'typescript' | 'json' | 'text';
export type TokenKind = 'keyword' | 'string' | 'number' | 'name' | 'comment' | 'plain';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const sqlKeywords =
  'add all alter analyze and any array as asc between begin both by call cascade case cast check cluster collate column commit concurrently conflict constraint copy create cross current_date current_timestamp database default delete desc distinct do drop else end except exists explain extension false fetch filter first following for foreign from full function grant group having if ilike in index inner insert intersect interval into is join key language last lateral leading left like limit local materialized merge natural no not nothing null nulls of offset on only or order outer over owner partition preceding primary procedure range references refresh rename replace restrict returning returns revoke right rollback row rows schema select sequence set similar start table tablespace temp temporary then ties to trailing trigger true truncate type unbounded union unique unlogged update using vacuum values view when where window with without';
const bashKeywords =
  'case do done elif else esac export fi for function if in local readonly return set shift then time trap unset until while';
const typescriptKeywords =
  'abstract as async await break case catch class const continue default delete do else enum export extends false finally for from function get if implements import in instanceof interface keyof let new null of private protected public readonly return satisfies set static super switch this throw true try type typeof undefined using var void while yield';

interface Grammar {
  /** Named groups are kinds of tokens; `word` may be a keyword, or the name of a function if a bracket follows. */
  readonly pattern: RegExp;
  readonly keywords: ReadonlySet<string>;
  readonly ignoresCase: boolean;
  readonly hasCalls: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const number = String.raw`(?<number>(?<![\w$])\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b)`;

const grammars: Readonly<Record<Exclude<CodeLanguage, 'text'>, Grammar>> = {
  sql: {
    pattern: new RegExp(
      String.raw`(?<comment>--[^\n]*|/\*[\s\S]*?(?:\*/|$))|(?<string>[eE]?'(?:[^']|'')*(?:'|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))|(?<plain>"(?:[^"]|"")*"?)|${number}|(?<word>[\p{L}_][\p{L}\p{N}_$]*)`,
      'gu',
    ),
    keywords: words(sqlKeywords),
    ignoresCase: true,
    hasCalls: true,
  },
  bash: {
    pattern: new RegExp(
      String.raw`(?<comment>(?<![^\s;&|(])#[^\n]*)|(?<string>'[^']*(?:'|$)|"(?:[^"\\]|\\[\s\S])*(?:"|$))|(?<name>\$\{[^}\n]*\}|\$\w+|\$[?#@*!$-])|(?<plain>[\w./@:=,+%~^-]*[./@:=,+%~^-][\w./@:=,+%~^-]*)|(?<keyword>\|\||&&|[|<>]+)|${number}|(?<word>\w+)`,
      'gu',
    ),
    keywords: words(bashKeywords),
    ignoresCase: false,
    hasCalls: false,
  },
  typescript: {
    pattern: new RegExp(
      String.raw`(?<comment>//[^\n]*|/\*[\s\S]*?(?:\*/|$))|(?<string>'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?|\x60(?:[^\x60\\]|\\[\s\S])*\x60?)|${number}|(?<word>[\p{L}_$][\p{L}\p{N}_$]*)`,
      'gu',
    ),
    keywords: words(typescriptKeywords),
    ignoresCase: false,
    hasCalls: true,
  },
  json: {
    pattern: new RegExp(
      String.raw`(?<name>"(?:[^"\\\n]|\\.)*"(?=\s*:))|(?<string>"(?:[^"\\\n]|\\.)*"?)|(?<number>-?\d[\d.eE+-]*)|(?<word>\w+)`,
      'gu',
    ),
    keywords: words('true false null'),
    ignoresCase: false,
    hasCalls: false,
  },
};

/** Longer texts are shown without colours. */
const longest = 200_000;

/** The tokens of a text; put together they are the text again. */
export function tokenize(text: string, language: CodeLanguage): readonly Token[] {
  if (language === 'text' || text.length > longest) return text === '' ? [] : [{ kind: 'plain', text }];
  const { pattern, keywords, ignoresCase, hasCalls } = grammars[language];
  const tokens: Token[] = [];
  let plain = '';
  let end = 0;
  const flush = (): void => {
    if (plain !== '') tokens.push({ kind: 'plain', text: plain });
    plain = '';
  };
  for (const match of text.matchAll(pattern)) {
    plain += text.slice(end, match.index);
    end = match.index + match[0].length;
    const kind = kindOf(match.groups ?? {});
    if (kind === 'plain') {
      plain += match[0];
      continue;
    }
    flush();
    tokens.push({ kind, text: match[0] });
  }
  plain += text.slice(end);
  flush();
  return tokens;

  function kindOf(groups: Readonly<Record<string, string | undefined>>): TokenKind {
    const word = groups['word'];
    if (word !== undefined) {
      if (keywords.has(ignoresCase ? word.toLowerCase() : word)) return 'keyword';
      return hasCalls && text[end] === '(' ? 'name' : 'plain';
    }
    for (const kind of ['comment', 'string', 'name', 'keyword', 'number'] as const)
      if (groups[kind] !== undefined) return kind;
    return 'plain';
  }
}

/** Cuts tokens where lines end; the line ends themselves are left out. At least one line. */
export function tokenLines(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const lines: Token[][] = [[]];
  for (const { kind, text } of tokens)
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) lines.push([]);
      const whole = part.endsWith('\r') ? part.slice(0, -1) : part;
      if (whole !== '') lines.at(-1)?.push({ kind, text: whole });
    }
  return lines;
}

/** A stretch of a line that is marked, counted from 0. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly kind: 'replaced' | 'squiggle';
  readonly title?: string;
}

export interface Piece extends Token {
  readonly mark: Mark | null;
}

/** Cuts the tokens of a line where marks begin and end. Marks must not overlap and must be in order. */
export function markTokens(tokens: readonly Token[], marks: readonly Mark[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { kind, text } of tokens) {
    const end = at + text.length;
    let from = at;
    for (const mark of marks) {
      if (mark.end <= from || mark.start >= end) continue;
      if (mark.start > from) pieces.push({ kind, text: text.slice(from - at, mark.start - at), mark: null });
      const start = Math.max(mark.start, from);
      const stop = Math.min(mark.end, end);
      if (stop > start) pieces.push({ kind, text: text.slice(start - at, stop - at), mark });
      from = Math.max(from, stop);
    }
    if (from < end) pieces.push({ kind, text: text.slice(from - at), mark: null });
    at = end;
  }
  return pieces;
}
