/** What a user reads of an error that user code has caused: the message, and where in the user's files it came from. */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { isOwnSource } from '../loader/own-source.ts';

export interface UserError {
  /** The message and the innermost place in the user's files. */
  readonly summary: string;
  /** Message, all frames of the user's files, and what caused it; `undefined` when that says no more than the summary. */
  readonly details: string | undefined;
}

/** Never throws, whatever was thrown. */
export function describeError(thrown: unknown): UserError {
  try {
    return describe(thrown);
  } catch {
    // An error whose own properties throw when they are read.
    return {
      summary: 'An error was thrown that cannot be shown: reading its message failed.',
      details: undefined,
    };
  }
}

function describe(thrown: unknown): UserError {
  if (!(thrown instanceof Error)) {
    return {
      summary: typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 3 }),
      details: undefined,
    };
  }
  const frames = userFrames(thrown);
  const message = messageOf(thrown);
  const [first] = frames;
  const summary = first === undefined ? message : `${message}\n${first}`;
  const details = [message, ...frames, ...causes(thrown)].join('\n');
  return { summary, details: details === summary ? undefined : details };
}

function causes(error: Error): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>([error]);
  let told = error.message;
  for (
    let { cause } = error;
    cause !== undefined && !seen.has(cause);
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    seen.add(cause);
    if (cause instanceof Error) {
      const frames = userFrames(cause);
      // The message of an error often holds that of its cause, for instance what the server said.
      if (frames.length > 0 || cause.message === '' || !told.includes(cause.message))
        lines.push(`Caused by: ${messageOf(cause)}`, ...frames);
      told = cause.message;
    } else lines.push(`Caused by: ${inspect(cause, { depth: 1 })}`);
  }
  return lines;
}

/** The name of the error's class helps with errors of JavaScript and of libraries, not with Millrace's own. */
function messageOf(error: Error): string {
  const inner =
    error instanceof AggregateError
      ? error.errors.map(each => (each instanceof Error ? messageOf(each) : inspect(each)))
      : [];
  const text = [error.message, ...inner].filter(part => part !== '').join('\n');
  if (error.name === 'Error' || error.name === 'AggregateError' || isOwn(error))
    return text === '' ? error.name : text;
  return text === '' ? error.name : `${error.name}: ${text}`;
}

/** Whether an error comes from Millrace's own code, and nothing of the project had a part in it. */
export function isOwnDefect(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    userFrames(thrown).length === 0 &&
    allFrames(thrown).some(frame => isOwnSource(fileOf(frame) ?? ''))
  );
}

function isOwn(error: Error): boolean {
  const first = allFrames(error)[0];
  const file = first === undefined ? undefined : fileOf(first);
  return file !== undefined && isOwnSource(file);
}

function userFrames(error: Error): string[] {
  return allFrames(error).filter(frame => {
    const file = fileOf(frame);
    return file !== undefined && !isOwnSource(file);
  });
}

function allFrames(error: Error): string[] {
  const { stack } = error;
  if (typeof stack !== 'string') return [];
  return stack.split('\n').filter(line => /^\s+at /.test(line));
}

/** `at [async] [function (]place[?query]:line:column[)]`, where the place is a URL of a file or an absolute path. */
const framePattern =
  /^\s+at (?:async )?(?:.* \()?((?:file:\/\/|\/|[A-Za-z]:[\\/]).*?)(?:\?[^/]*?)?:\d+:\d+\)?$/;

/** The absolute path that a frame names; `undefined` for frames of Node and of built-in functions. */
function fileOf(frame: string): string | undefined {
  const place = framePattern.exec(frame)?.[1];
  if (place === undefined) return undefined;
  try {
    const file = place.startsWith('file:') ? fileURLToPath(place) : place;
    return isAbsolute(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
