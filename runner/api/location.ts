/** Where in the project something was made; recorded only while a graph with locations is loaded. */
import { realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourceLocation } from '../model.ts';

interface Capture {
  /** As it was given, so that locations are spelled as the caller spells the project. */
  readonly projectDirectory: string;
  /** With links resolved, as module names in stacks are. */
  readonly realDirectory: string;
  /** Locations by where the frames of the stack are: a loop makes thousands of nodes in one place. */
  readonly known: Map<string, SourceLocation | undefined>;
}

interface Frame {
  readonly functionName: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Enough for the constructors of deep class hierarchies and the helpers of a package between them and the project. */
const framesToRead = 40;

const framePattern =
  /^\s*at (?:async )?(?:(.*?) \((?:async )?)?((?:file:\/\/|\/|[A-Za-z]:[\\/]|\\\\).*?):(\d+):(\d+)\)?$/;

let capture: Capture | undefined;

/**
 * Switches recording on for code of a project, or off again. It is off at first, because reading a stack costs much
 * more than making a node.
 */
export function setLocationCapture(options: { readonly projectDirectory: string } | undefined): void {
  capture =
    options === undefined
      ? undefined
      : {
          projectDirectory: options.projectDirectory,
          realDirectory: realpathSync(options.projectDirectory),
          known: new Map(),
        };
}

/**
 * The innermost call in a file of the project (neither Millrace itself nor anything in `node_modules`);
 * `undefined` when recording is off or the project did not make the call.
 *
 * @param made the object under construction: constructors of its own class and of its superclasses are passed over,
 *   so that a node is located where it is made and not in the class that the project defines for it.
 */
export function callerLocation(made?: object): SourceLocation | undefined {
  if (capture === undefined) return undefined;
  const { known } = capture;
  const positions = readPositions();
  if (known.has(positions)) return known.get(positions);
  const location = locate(capture, made);
  known.set(positions, location);
  return location;
}

function locate(capture: Capture, made: object | undefined): SourceLocation | undefined {
  const lines = readStack().split('\n');
  const constructors = made === undefined ? new Set<string>() : constructorNames(made);
  let own: string | undefined;
  let inConstructors = true;
  let fallback: SourceLocation | undefined;
  for (const line of lines) {
    const frame = parseFrame(line);
    if (frame === undefined) continue;
    // The first frame of the stack is a function of this file: that is how Millrace's own files are known, be they
    // sources or a bundle.
    own ??= ownDirectory(frame.file);
    if (frame.file.startsWith(own)) continue;
    const location = inProject(frame, capture);
    const isConstructor = inConstructors && constructors.has(frame.functionName);
    if (!isConstructor) inConstructors = false;
    if (location === undefined) continue;
    if (!isConstructor) return location;
    fallback = location;
  }
  return fallback;
}

function readStack(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = framesToRead;
  try {
    return new Error().stack ?? '';
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The stack as it is in compiled code: reading it costs a small part of what finding the places in the source does. */
function readPositions(): string {
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (_error, sites) =>
    sites
      .map(
        site =>
          `${site.getFileName() ?? ''}:${String(site.getLineNumber())}:${String(site.getColumnNumber())}`,
      )
      .join('\n');
  try {
    return readStack();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}

function parseFrame(line: string): Frame | undefined {
  if (line.includes('<anonymous>:')) return undefined;
  const match = framePattern.exec(line);
  if (match === null) return undefined;
  const [, functionName = '', place = '', lineNumber = '', column = ''] = match;
  return { functionName, file: toPath(place), line: Number(lineNumber), column: Number(column) };
}

function toPath(place: string): string {
  if (!place.startsWith('file:')) return place;
  // The loader may add a query to a module's name, to load it afresh.
  const query = place.indexOf('?');
  return fileURLToPath(query < 0 ? place : place.slice(0, query));
}

function ownDirectory(file: string): string {
  const directory = dirname(file);
  const isSource = directory.endsWith(join('runner', 'api'));
  return `${isSource ? dirname(directory) : directory}${sep}`;
}

function inProject(frame: Frame, { projectDirectory, realDirectory }: Capture): SourceLocation | undefined {
  const root = [realDirectory, projectDirectory].find(directory =>
    frame.file.startsWith(withSeparator(directory)),
  );
  if (root === undefined) return undefined;
  const name = relative(root, frame.file);
  if (name.split(sep).includes('node_modules')) return undefined;
  return { file: join(projectDirectory, name), line: frame.line, column: frame.column };
}

function withSeparator(directory: string): string {
  return directory.endsWith(sep) ? directory : `${directory}${sep}`;
}

/** The names by which the constructors of an object's classes stand in a stack. */
function constructorNames(made: object): Set<string> {
  const names = new Set<string>();
  let prototype: unknown = Object.getPrototypeOf(made);
  while (prototype !== null && typeof prototype === 'object' && prototype !== Object.prototype) {
    const { name } = prototype.constructor;
    names.add(`new ${name === '' ? '<anonymous>' : name}`);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}
