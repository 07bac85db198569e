/** Runs one program in a process group of its own and hands out what it writes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ProcessEnd } from '../api/context.ts';
import type { PipeSupply } from './pipes.ts';
import { groupEnded, signalGroup } from './process-group.ts';

/** Takes what a program writes; while a promise is pending, the program waits when its pipe is full. */
export interface ProgramOutput {
  stdout(chunk: Buffer): void | Promise<void>;
  stderr(chunk: Buffer): void | Promise<void>;
}

export interface ProgramOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: string | AsyncIterable<Buffer | string>;
  readonly output: ProgramOutput;
  readonly pipes: PipeSupply;
  /** The process group has begun; it has ended when `end` is settled. */
  readonly onGroup: (pgid: number) => void;
}

/** A program that runs. */
export interface RunningProgram {
  /** Settled when the program has ended and its output has been handed out; rejected when it could not be started. */
  readonly end: Promise<ProcessEnd>;
  /** Signals its whole group, as soon as there is one. */
  signal(signal: NodeJS.Signals): void;
}

/** How long what a program leaves behind in its group has for its end, in seconds. */
export const leftoverSeconds = 1;

/**
 * How long a pipe that something outside of the group keeps open (a daemon) is read without anything coming,
 * in milliseconds.
 */
const quietTime = 500;

/**
 * Starts a program. Other processes in its group (`… &`) end with it: SIGTERM, after a second SIGKILL.
 * A daemon that has left the group goes on; what it writes later is not kept.
 */
export function startProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): RunningProgram {
  const { output, pipes } = options;
  const outPipe = pipes.take();
  const errPipe = pipes.take();
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        outPipe?.writeEnd ?? 'pipe',
        errPipe?.writeEnd ?? 'pipe',
      ],
    });
  } catch (error) {
    // NUL bytes in an argument, an argument list that is too long.
    outPipe?.reader.destroy();
    errPipe?.reader.destroy();
    return { end: Promise.reject(startError(program, error)), signal: () => undefined };
  } finally {
    if (outPipe !== undefined) closeSync(outPipe.writeEnd);
    if (errPipe !== undefined) closeSync(errPipe.writeEnd);
  }
  const group = child.pid;
  let ended = false;
  if (group !== undefined) options.onGroup(group);
  const signal = (name: NodeJS.Signals): void => {
    if (group !== undefined && !ended) signalGroup(group, name);
  };
  const readers = [
    new OutputReader(outPipe?.reader ?? child.stdout ?? Readable.from([]), chunk => output.stdout(chunk)),
    new OutputReader(errPipe?.reader ?? child.stderr ?? Readable.from([]), chunk => output.stderr(chunk)),
  ];
  for (const reader of readers)
    reader.failed.catch(() => {
      signal('SIGKILL');
    });

  const run = async (): Promise<ProcessEnd> => {
    const [exitCode, exitSignal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', error => {
          reject(startError(program, error));
        });
        child.once('exit', (code, name) => {
          resolve([code, name]);
        });
      },
    ).catch((error: unknown) => {
      for (const reader of readers) reader.destroy();
      throw error;
    });
    if (group !== undefined && process.platform !== 'win32') await endLeftovers(group);
    ended = true;
    await Promise.all(readers.map(reader => reader.finish()));
    return { exitCode, signal: exitSignal };
  };
  const input =
    options.input === undefined || child.stdin === null
      ? Promise.resolve()
      : feed(child.stdin, options.input);
  const end = Promise.all([
    run(),
    input.catch((error: unknown) => (signal('SIGKILL'), Promise.reject(asError(error)))),
  ]);
  return { end: end.then(([result]) => result), signal };
}

/** Ends what the leader of a group has left behind in it. */
export async function endLeftovers(pgid: number): Promise<void> {
  if (!signalGroup(pgid, 'SIGTERM')) return;
  if (!(await groupEnded(pgid, leftoverSeconds))) signalGroup(pgid, 'SIGKILL');
}

/** Reads one pipe to its end, as fast as the taker allows. */
class OutputReader {
  readonly #stream: Readable;
  readonly #closed = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #waiting = 0;
  #lastData = 0;

  constructor(stream: Readable, take: (chunk: Buffer) => void | Promise<void>) {
    this.#stream = stream;
    this.#closed.promise.catch(() => undefined);
    stream.on('data', (chunk: Buffer) => {
      this.#lastData = performance.now();
      let taken: void | Promise<void>;
      try {
        taken = take(chunk);
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (taken === undefined) return;
      this.#waiting++;
      stream.pause();
      taken.then(
        () => {
          this.#waiting--;
          this.#lastData = performance.now();
          stream.resume();
        },
        (error: unknown) => {
          this.#fail(error);
        },
      );
    });
    // A pipe whose other end is gone is a pipe that has ended.
    stream.once('error', () => {
      this.#closed.resolve();
    });
    stream.once('close', () => {
      this.#closed.resolve();
    });
  }

  /** Rejected when the taker throws. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** The program has ended: reads what is left in the pipe. */
  async finish(): Promise<void> {
    this.#lastData = performance.now();
    const watch = setInterval(() => {
      if (this.#waiting === 0 && performance.now() - this.#lastData > quietTime) this.destroy();
    }, 50);
    try {
      await Promise.race([this.#closed.promise, this.#failed.promise]);
    } finally {
      clearInterval(watch);
    }
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #fail(error: unknown): void {
    this.#failed.reject(asError(error));
    this.destroy();
  }
}

async function feed(stdin: Writable, input: string | AsyncIterable<Buffer | string>): Promise<void> {
  try {
    await pipeline(typeof input === 'string' ? Readable.from([input]) : input, stdin);
  } catch (error) {
    // A program may end without reading all of its input.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EPIPE' && code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** What is said of a program that could not be started. */
export function startError(program: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why =
    code === 'ENOENT'
      ? `the program "${program}" was not found. Is it installed, and on the PATH?`
      : code === 'EACCES'
        ? `the program "${program}" is not executable. Try "chmod +x".`
        : code === 'E2BIG'
          ? `the arguments of "${program}" are too long for this system. Pass them in a file or as input.`
          : `the program "${program}" could not be started: ${error instanceof Error ? error.message : String(error)}`;
  return new Error(why.charAt(0).toUpperCase() + why.slice(1), { cause: error });
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
