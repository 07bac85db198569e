/** Places in files and addresses, found in a line of output. */

export type LinkTarget =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column?: number }
  | { readonly kind: 'url'; readonly url: string };

export interface TextLink {
  /** Where it stands in the text: from `start` up to, not including, `end`. */
  readonly start: number;
  readonly end: number;
  readonly target: LinkTarget;
}

const URL_PATTERN = /\bhttps?:\/\/[^\s<>"'`\\^{|}]+/gi;
/** Python's way to name a place. */
const PYTHON_PATTERN = /\bFile "([^"\n]{1,1024})", line (\d{1,7})/g;
const PLACE_PATTERN = /:(\d{1,7})(?::(\d{1,5}))?(?![\w/]|[.:]\d)/g;
const FILE_CHARACTER = /[\p{L}\p{N}_.\-/\\@+~$%#=[\]]/u;
/** Longer names are not looked at. */
const MAX_FILE_LENGTH = 1024;

/** Without a folder in front only these endings count, so that `db.example.com:5432` is not taken for a file. */
const ENDINGS = new Set(
  (
    'ts tsx mts cts js jsx mjs cjs sql psql ddl py pyi ipynb sh bash zsh r rb pl php lua go rs java kt scala c h cc cpp hpp cs ' +
    'json jsonl ndjson yaml yml toml ini cfg conf env csv tsv txt md log html htm css xml parquet ps1 bat tf proto graphql'
  ).split(' '),
);

/** Finds links in the order in which they stand; they do not overlap. Linear in the length of the text. */
export function findLinks(text: string): TextLink[] {
  const found: TextLink[] = [];
  for (const match of text.matchAll(URL_PATTERN)) {
    const url = trimUrl(match[0]);
    if (url.length > 'https://'.length)
      found.push({ start: match.index, end: match.index + url.length, target: { kind: 'url', url } });
  }
  for (const match of text.matchAll(PYTHON_PATTERN)) {
    const [whole, file = '', line] = match;
    found.push({
      start: match.index,
      end: match.index + whole.length,
      target: { kind: 'file', file, line: Number(line) },
    });
  }
  let floor = 0;
  for (const match of text.matchAll(PLACE_PATTERN)) {
    const start = findFileStart(text, match.index, floor);
    floor = match.index + match[0].length;
    const file = fileName(text.slice(start, match.index));
    const line = Number(match[1]);
    if (file === null || line === 0) continue;
    const column = Number(match[2] ?? 0);
    found.push({ start, end: floor, target: { kind: 'file', file, line, ...(column > 0 && { column }) } });
  }
  found.sort((a, b) => a.start - b.start);
  const links: TextLink[] = [];
  for (const link of found) if (link.start >= (links.at(-1)?.end ?? 0)) links.push(link);
  return links;
}

/** Goes back over what can belong to a name of a file, with a drive's letter or `file://` before it. */
function findFileStart(text: string, end: number, floor: number): number {
  const lowest = Math.max(floor, end - MAX_FILE_LENGTH);
  let start = end;
  while (start > lowest && FILE_CHARACTER.test(text[start - 1] ?? '')) start -= 1;
  while (start < end && /[[\]=]/.test(text[start] ?? '')) start += 1;
  if (text[start - 1] !== ':') return start;
  const isDrive =
    start - 2 >= lowest && /[a-z]/i.test(text[start - 2] ?? '') && /[\\/]/.test(text[start] ?? '');
  if (isDrive && !/\w/.test(text[start - 3] ?? ' ')) return start - 2;
  const scheme = start - 'file:'.length;
  return scheme >= lowest && text.slice(scheme, start) === 'file:' && text.startsWith('//', start)
    ? scheme
    : start;
}

function fileName(text: string): string | null {
  if (text.startsWith('file://')) return decode(text.slice('file://'.length).replace(/^\/(?=[a-z]:)/i, ''));
  if (text.startsWith('//')) return null;
  const ending = /(?:^|[^.])\.([a-z][a-z0-9]{0,9})$/i.exec(text)?.[1];
  if (ending === undefined) return null;
  return /[\\/]/.test(text) || ENDINGS.has(ending.toLowerCase()) ? text : null;
}

function decode(text: string): string | null {
  try {
    return decodeURI(text);
  } catch {
    return text === '' ? null : text;
  }
}

/** Without the punctuation of the sentence around it; a closing bracket stays when it was opened inside. */
function trimUrl(url: string): string {
  const round = url.indexOf('(');
  const square = url.indexOf('[');
  let end = url.length;
  for (;;) {
    const last = url[end - 1] ?? '';
    const isOpened = last === ')' ? within(round, end) : last === ']' ? within(square, end) : true;
    if (isOpened && !/[.,;:!?*]/.test(last)) return url.slice(0, end);
    end -= 1;
  }
}

function within(index: number, end: number): boolean {
  return index >= 0 && index < end;
}
