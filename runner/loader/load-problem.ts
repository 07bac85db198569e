/** What is wrong with a project's files, in the form in which people and editors read it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { PipelineError } from '../api/errors.ts';
import type { FailedImport } from './hooks.ts';
import { LoadGuardError } from './load-guard.ts';
import { describeMissingExport, describeUndeclared } from './missing-export.ts';
import { isOwnSource } from './own-source.ts';
import { isInstalled } from './resolution.ts';
import { lineExcerpt, placeOf, SourceError } from './source-error.ts';

export interface LoadProblem {
  /** With a warning the project is complete, but something is probably not meant so. */
  readonly severity: 'error' | 'warning';
  /** The file that holds the mistake, absolute. */
  readonly file: string;
  /** Counted from 1; absent where only the file is known. */
  readonly line?: number;
  readonly column?: number;
  /** Without the place. */
  readonly message: string;
  /** For an error that user code threw. */
  readonly stack?: string;
  /** The pipeline file that could not be loaded because of it, when it is another one. */
  readonly pipelineFile?: string;
}

/** `demo.pipeline.ts:3:7: error: …`, with the file relative to the project, then the line and a caret below it. */
export function formatLoadProblem(problem: LoadProblem, directory: string): string {
  const { file, line, column, severity, message, pipelineFile } = problem;
  const place = [relative(directory, file), line, column].filter(part => part !== undefined).join(':');
  const needed = pipelineFile === undefined ? '' : ` (needed by ${relative(directory, pipelineFile)})`;
  const excerpt = line === undefined ? '' : excerptOf(file, line, column);
  return `${place}: ${severity}: ${message}${needed}${excerpt}`;
}

function excerptOf(file: string, line: number, column: number | undefined): string {
  const text = readText(file).split(/\r?\n/)[line - 1];
  if (text === undefined || text.trim() === '') return '';
  return `\n${column === undefined ? text : lineExcerpt(text, column)}`;
}

/** What is known about the circumstances of an error. */
export interface ErrorContext {
  /** The project's directory as the user names it, and as Node does, with links resolved. */
  readonly directory: string;
  readonly realDirectory: string;
  /** The pipeline file that was being loaded. */
  readonly pipelineFile: string;
  readonly failedImport: FailedImport | undefined;
  /** The file that Node loaded last. */
  readonly lastLoaded: string | undefined;
}

/** Turns what a file threw while it was loaded, which may be anything, into a problem. */
export function problemOf(error: unknown, context: ErrorContext): LoadProblem {
  const place = placeOfError(error, context);
  const file = place === undefined ? context.pipelineFile : asNamed(place.file, context);
  const stack = error instanceof Error ? error.stack : undefined;
  // What an installed package throws has no place in the project.
  const [foreign] = place === undefined ? userFrames(stack ?? '') : [];
  const origin = foreign === undefined ? '' : ` (thrown at ${foreign.file}:${String(foreign.line)})`;
  return {
    severity: 'error',
    file,
    ...(place?.line === undefined ? {} : { line: place.line }),
    ...(place?.column === undefined ? {} : { column: place.column }),
    message: messageOf(error, context.failedImport) + origin,
    ...(stack === undefined ? {} : { stack }),
    ...(file === context.pipelineFile ? {} : { pipelineFile: context.pipelineFile }),
  };
}

/** Whether an error points to a file of the project. */
export function isFromProject(error: unknown, context: ErrorContext): boolean {
  return placeOfError(error, context) !== undefined;
}

function messageOf(error: unknown, failedImport: FailedImport | undefined): string {
  if (failedImport !== undefined) return describeFailedImport(failedImport.specifier, error);
  if (error instanceof SourceError) return error.reason;
  if (!(error instanceof Error))
    return `The file throws something that is not an error: ${inspect(error, { depth: 1 })}`;
  const missing = /^The requested module '(.*)' does not provide an export named '(.*)'$/s.exec(
    error.message,
  );
  if (missing !== null) {
    const [, specifier = '', name = ''] = missing;
    return describeMissingExport(specifier, name);
  }
  const isPlain = error instanceof PipelineError || error instanceof LoadGuardError || error.name === 'Error';
  if (isPlain) return error.message;
  const undeclared = /^(\w+) is not defined$/.exec(error.message)?.[1];
  const help = undeclared === undefined ? '' : describeUndeclared(undeclared);
  return `${error.name}: ${error.message}${help}`;
}

function describeFailedImport(specifier: string, error: unknown): string {
  if (/^[./]|^file:|^[A-Za-z]:\\/.test(specifier))
    return `Cannot find "${specifier}", which is imported here.`;
  if (specifier.startsWith('#'))
    return `"imports" in package.json does not lead from "${specifier}" to a file.`;
  const [scope = '', name = ''] = specifier.split('/');
  const packageName = scope.startsWith('@') ? `${scope}/${name}` : scope;
  if (error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    return `The package "${packageName}" has nothing that can be imported as "${specifier}".`;
  }
  return `Cannot find the package "${packageName}". If its name is right, install it: npm install ${packageName}`;
}

interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

function placeOfError(error: unknown, context: ErrorContext): Place | undefined {
  const { failedImport } = context;
  if (failedImport !== undefined) return placeOfImport(failedImport);
  if (error instanceof SourceError) return error.location;
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PipelineError && error.location !== undefined) return error.location;
  const stack = error.stack ?? '';
  const isSyntaxError = error.name === 'SyntaxError';
  const place = (isSyntaxError ? placeOfSyntaxError(stack) : undefined) ?? placeInStack(stack, context);
  if (place !== undefined || !isSyntaxError || context.lastLoaded === undefined) return place;
  return /\.[mc]?js$/.test(context.lastLoaded) ? checkJavaScript(context.lastLoaded) : undefined;
}

function placeOfImport({ importer, specifier }: FailedImport): Place {
  const source = readText(importer);
  const offset = [`'${specifier}'`, `"${specifier}"`]
    .map(text => source.indexOf(text))
    .find(index => index >= 0);
  if (offset === undefined) return { file: importer };
  const { line, column } = placeOf(source, offset);
  return { file: importer, line, column };
}

/** Node puts the place of what it cannot compile or link above the error: file and line, the line, a caret. */
function placeOfSyntaxError(stack: string): Place | undefined {
  const [, name, line, before = ''] = /^(\S.*?):(\d+)\n.*\n(\s*)\^/.exec(stack) ?? [];
  return name === undefined
    ? undefined
    : { file: toPath(name), line: Number(line), column: before.length + 1 };
}

/** For JavaScript that an `import` cannot compile, Node says nowhere where the mistake is, unless it is asked again. */
function checkJavaScript(file: string): Place {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 10_000 });
  return placeOfSyntaxError(stderr) ?? { file };
}

const FRAME = /^\s+at (?:.*\()?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?$/;

/** The innermost frame in a file of the project. */
function placeInStack(stack: string, { realDirectory }: ErrorContext): Place | undefined {
  return userFrames(stack).find(({ file }) => file.startsWith(realDirectory + sep) && !isInstalled(file));
}

function userFrames(stack: string): Required<Place>[] {
  return stack.split('\n').flatMap(text => {
    const [, name, line, column] = FRAME.exec(text) ?? [];
    if (name === undefined) return [];
    const file = toPath(name);
    return isOwnSource(file) ? [] : [{ file, line: Number(line), column: Number(column) }];
  });
}

/** A file of the project as the user names the project. */
function asNamed(file: string, { directory, realDirectory }: ErrorContext): string {
  return file.startsWith(realDirectory + sep) ? join(directory, file.slice(realDirectory.length + 1)) : file;
}

function toPath(name: string): string {
  return name.startsWith('file:') ? fileURLToPath(name.replace(/[?#].*$/, '')) : name;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Only a help for the reader; the problem itself is reported anyway.
    return '';
  }
}
