/** How the documentation of a command is arranged; pure. */
import type { DocItem } from '../../../runner/model.ts';
import type { Mark } from '../../parts/tokens.ts';

/** A part of a command's documentation, in order. */
export type DocPart =
  /** Short values, one line each. */
  | { readonly kind: 'settings'; readonly items: readonly DocItem[] }
  | { readonly kind: 'code'; readonly item: DocItem }
  /** Code before and after its placeholders are replaced. */
  | { readonly kind: 'replaced'; readonly before: DocItem; readonly after: DocItem }
  | { readonly kind: 'shell'; readonly item: DocItem };

const afterSuffix = ' after replacement';

export function arrangeDocs(items: readonly DocItem[]): readonly DocPart[] {
  const settings: DocItem[] = [];
  const others: DocPart[] = [];
  for (const item of items) {
    if (item.label.endsWith(afterSuffix)) {
      const label = item.label.slice(0, -afterSuffix.length);
      const index = others.findIndex(part => part.kind === 'code' && part.item.label === label);
      const part = others[index];
      if (part?.kind === 'code') {
        others[index] = { kind: 'replaced', before: part.item, after: item };
        continue;
      }
    }
    const language = item.language ?? 'text';
    if (language === 'bash') others.push({ kind: 'shell', item });
    else if (language === 'file') settings.push(item);
    else if (language === 'text' && !item.value.includes('\n')) settings.push(item);
    else if (
      language !== 'text' &&
      language !== 'sql' &&
      item.value.length < 80 &&
      !item.value.includes('\n')
    )
      settings.push(item);
    else others.push({ kind: 'code', item });
  }
  return settings.length === 0 ? others : [{ kind: 'settings', items: settings }, ...others];
}

/**
 * Marks what is different after replacement, by line, with what stood there before. Nothing where the lines do not
 * correspond.
 */
export function replacementMarks(before: string, after: string): ReadonlyMap<number, readonly Mark[]> {
  const old = before.split('\n');
  const now = after.split('\n');
  const marks = new Map<number, readonly Mark[]>();
  if (old.length !== now.length) return marks;
  for (const [index, line] of now.entries()) {
    const original = old[index] ?? '';
    if (original === line) continue;
    const found = differences(words(original), words(line)).map(({ start, end, was }) => ({
      start,
      end,
      kind: 'replaced' as const,
      title: was,
    }));
    if (found.length > 0) marks.set(index + 1, found);
  }
  return marks;
}

function words(text: string): readonly string[] {
  return text.match(/@[\w-]+@|[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

/** Longest common subsequence of words; what is between its parts was replaced. Offsets are those of `now`. */
function differences(
  old: readonly string[],
  now: readonly string[],
): readonly { readonly start: number; readonly end: number; readonly was: string }[] {
  const width = now.length + 1;
  if (old.length * width > 1_000_000) return [];
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const found: { start: number; end: number; was: string }[] = [];
  let [i, j, offset] = [0, 0, 0];
  let open: { start: number; was: string } | null = null;
  const close = (): void => {
    if (open !== null && offset > open.start) found.push({ start: open.start, end: offset, was: open.was });
    open = null;
  };
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      close();
      offset += now[j]?.length ?? 0;
      i += 1;
      j += 1;
      continue;
    }
    open ??= { start: offset, was: '' };
    if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      open.was += old[i] ?? '';
      i += 1;
    } else {
      offset += now[j]?.length ?? 0;
      j += 1;
    }
  }
  close();
  return found;
}

/**
 * Where in SQL a task failed, as its error says: `github/x.sql:14:7: ERROR: …`. Line and column are those before
 * replacement. `null` when the error is about something else.
 *
 * @param names what the SQL is called: its file, or `sql`
 */
export function faultIn(
  error: string | null,
  names: readonly string[],
): { readonly line: number; readonly column: number; readonly message: string } | null {
  const [first = '', ...others] = (error ?? '').split('\n');
  const found = /^(.+?):(\d+):(\d+): (?:[A-Z]+: )?(.*)$/.exec(first);
  const [, name = '', line, column, message = ''] = found ?? [];
  if (found === null || !names.includes(name)) return null;
  const hint = others.find(each => each.startsWith('HINT: '))?.slice('HINT: '.length);
  return {
    line: Number(line),
    column: Number(column),
    message: hint === undefined ? message : `${message}. ${hint}`,
  };
}
