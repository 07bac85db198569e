/**
 * The thin layer between the analysis and the parser: everything else asks for syntax here, so that the parser can be
 * exchanged. Nobody asks ts-morph for types, symbols or programs, which cost 100 times as much as parsing.
 */
import { dirname } from 'node:path';
import { ts } from 'ts-morph';
import type { SourceLocation } from '../../runner/model.ts';

export { ts };
export type SyntaxNode = ts.Node;
export type SourceFile = ts.SourceFile;
export const Kind = ts.SyntaxKind;

/** A mistake in the grammar of a file. */
export interface SyntaxMistake {
  readonly message: string;
  readonly start: number;
  readonly length: number;
}

/** Parses a file. Comments of documentation stay comments. */
export function parse(path: string, text: string): SourceFile {
  return ts.createSourceFile(
    path,
    text,
    { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode: ts.JSDocParsingMode.ParseNone },
    true,
  );
}

/** The grammar's mistakes in a file, in the order of the text. */
export function syntaxMistakes(file: SourceFile): readonly SyntaxMistake[] {
  // The parser keeps them on the tree, though not in its public type.
  const { parseDiagnostics = [] } = file as unknown as {
    parseDiagnostics?: readonly ts.DiagnosticWithLocation[];
  };
  return parseDiagnostics.map(({ messageText, start, length }) => ({
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    start,
    length,
  }));
}

/** Where a node stands, without the comments and blanks before it. */
export function locationOf(node: SyntaxNode): Required<SourceLocation> {
  const file = node.getSourceFile();
  return rangeOf(file, node.getStart(file), node.end);
}

/** A stretch of a file's text as lines and columns that count from 1. */
export function rangeOf(file: SourceFile, start: number, end: number): Required<SourceLocation> {
  const from = file.getLineAndCharacterOfPosition(start);
  const to = file.getLineAndCharacterOfPosition(end);
  return {
    file: file.fileName,
    line: from.line + 1,
    column: from.character + 1,
    endLine: to.line + 1,
    endColumn: to.character + 1,
  };
}

/** The text of a node as messages quote it: on one line, and not long. */
export function quoteSource(node: SyntaxNode): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

export function isTypeScriptFile(path: string): boolean {
  return /\.[mc]?ts$/.test(path) && !/\.d\.[mc]?ts$/.test(path);
}

/** Where a tsconfig.json, with those that it extends, says that imports may lie. */
export interface CompilerPaths {
  readonly paths: Record<string, string[]> | undefined;
  /** Absolute. */
  readonly baseUrl: string | undefined;
  /** The directory that {@link paths} are relative to without {@link baseUrl}. */
  readonly pathsBase: string | undefined;
}

/** Reads a tsconfig.json like the compiler; mistakes in it are ignored. */
export function readCompilerPaths(
  file: string,
  text: string,
  files: {
    readonly readFile: (path: string) => string | undefined;
    readonly isFile: (path: string) => boolean;
    readonly realPath: (path: string) => string;
  },
): CompilerPaths {
  const parsed: { readonly config?: unknown } = ts.parseConfigFileTextToJson(file, text);
  const { options } = ts.parseJsonConfigFileContent(
    parsed.config ?? {},
    {
      useCaseSensitiveFileNames: true,
      readFile: files.readFile,
      fileExists: files.isFile,
      readDirectory: () => [],
      realpath: files.realPath,
    },
    dirname(file),
    undefined,
    file,
  );
  const { paths, pathsBasePath } = options;
  // New projects have none, old ones still do.
  const baseUrl: unknown = Reflect.get(options, 'baseUrl');
  return {
    paths,
    baseUrl: typeof baseUrl === 'string' ? baseUrl : undefined,
    pathsBase: typeof pathsBasePath === 'string' ? pathsBasePath : undefined,
  };
}
