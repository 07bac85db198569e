/** Parts of what the page of a task shows about commands. */
import type { DocItem } from '../model.ts';

/** An item whose value may fail to be made: then the failure stands in its place. */
export function docItem(label: string, language: DocItem['language'], value: () => string): DocItem {
  try {
    return { label, value: value(), ...(language === undefined ? {} : { language }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { label, value: `cannot be shown: ${message}`, language: 'text' };
  }
}

/** One item for each setting that is given. */
export function settingItems(
  settings: Readonly<Record<string, string | number | boolean | undefined>>,
): DocItem[] {
  return Object.entries(settings).flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, value: String(value), language: 'text' as const }],
  );
}

/** Items for the files that a command depends on. */
export function fileItems(label: string, files: readonly string[] | undefined): DocItem[] {
  return (files ?? []).map(file => ({ label, value: file, language: 'file' as const }));
}
