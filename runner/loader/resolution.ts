/** Which file an import of a project's file means, by the rules of TypeScript rather than of Node. */
import { statSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Tried for a specifier without extension, in TypeScript's order. */
const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'] as const;

/** What an import of an emitted file means in a source file. */
const SOURCE_OF: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.cjs': '.cts' };

const TYPESCRIPT = /\.[mc]?ts$/;
const DECLARATION = /\.d\.[mc]?ts$/;

/** Whether it is a file that must be translated before Node can run it. */
export function isTypeScript(path: string): boolean {
  return TYPESCRIPT.test(path) && !DECLARATION.test(path);
}

/** Whether a path lies in an installed package: there Node's own rules hold. */
export function isInstalled(path: string): boolean {
  return path.includes('/node_modules/') || path.includes('\\node_modules\\');
}

/** Whether a specifier names a file by its path, relative or absolute. */
export function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|[A-Za-z]:[\\/])/.test(specifier);
}

/** Whether a specifier can only mean a directory: `.`, `..`, `./lib/`. */
export function isDirectoryPath(specifier: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(specifier);
}

/** The index file of a directory, or `undefined`. */
export function findIndexFile(directory: string): string | undefined {
  return withExtension(join(directory, 'index'));
}

/**
 * The existing file that `path` (absolute) means, or `undefined`: itself, with an extension, the TypeScript source of an
 * emitted file (`x.js` → `x.ts`), or the index file of a directory.
 *
 * @param fromTypeScript whether a TypeScript file asks: then `x.js` means `x.ts` even if an emitted `x.js` lies beside.
 */
export function findSourceFile(path: string, fromTypeScript: boolean): string | undefined {
  const extension = extname(path);
  const sourceExtension = SOURCE_OF[extension];
  const source =
    sourceExtension === undefined ? undefined : path.slice(0, -extension.length) + sourceExtension;
  if (fromTypeScript && source !== undefined && isFile(source)) return source;
  if (isFile(path)) return path;
  if (source !== undefined && isFile(source)) return source;
  return withExtension(path) ?? findIndexFile(path);
}

function withExtension(path: string): string | undefined {
  return EXTENSIONS.map(extension => path + extension).find(isFile);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
