/** Parts of what the page of a task shows about commands. */
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { Command } from '../api/command.ts';
import type { DocItem } from '../model.ts';
import { type FileBase, unreadable } from './files.ts';

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

/** A file's name and its content as it is now. */
export function fileContent(label: string, file: string, base: () => FileBase): DocItem[] {
  return [
    ...fileItems(label, [file]),
    docItem(`${label} content`, languages[extname(file)] ?? 'text', () => {
      const directory = base();
      try {
        return readFileSync(resolve(directory.directory, file), 'utf8');
      } catch (error) {
        throw unreadable(directory, file, error);
      }
    }),
  ];
}

/** What the page of a task shows of a command. A command that cannot say it shows why in that place; secrets are masked. */
export function commandDocs(command: Command, mask: (text: string) => string): DocItem[] {
  let items: readonly DocItem[];
  try {
    items = command.docs();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    items = [{ label: 'command', value: `cannot be shown: ${message}`, language: 'text' }];
  }
  return items.map(item => ({ ...item, value: mask(item.value) }));
}

const languages: Readonly<Record<string, DocItem['language']>> = {
  '.sql': 'sql',
  '.sh': 'bash',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.js': 'typescript',
  '.mjs': 'typescript',
  '.cjs': 'typescript',
  '.json': 'json',
};
