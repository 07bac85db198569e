/** Scripts of the project whose standard output is read: those that produce records, and those that filter them. */
import { PassThrough } from 'node:stream';
import { describeValue, PipelineError } from '../api/errors.ts';
import type { CommandContext, ProcessEnd } from '../api/context.ts';
import { CommandFailure } from '../api/command.ts';
import { basePathOf, checkFile } from './files.ts';
import type { Input } from './input.ts';
import { type Interpreter, scriptExtensions, scriptInterpreter } from './script-interpreter.ts';

export interface Script {
  /** Relative to the base path. */
  readonly file: string;
  readonly interpreter: Interpreter;
}

export interface ScriptRun {
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: AsyncIterable<Buffer> | undefined;
}

/** So much may be waiting for whoever reads the output. */
const BUFFER = 1 << 18;

/**
 * @param what the command, for messages
 * @param option the option that names the script
 * @throws PipelineError when the value is no file name, or nothing is known that runs such a file
 */
export function checkScript(what: string, option: string, file: unknown): Script {
  if (typeof file !== 'string' || file === '') {
    throw new PipelineError(`${what}: ${option} must be the name of a script, not ${describeValue(file)}.`);
  }
  const interpreter = scriptInterpreter(file);
  if (interpreter !== undefined) return { file, interpreter };
  throw new PipelineError(
    `${what}: nothing is known that runs "${file}". Its name must end in one of ${scriptExtensions.join(' ')}.`,
  );
}

/**
 * Runs a script with the base path as its directory, and gives what it writes to standard output while it runs. What it
 * writes to standard error goes to the log.
 *
 * @throws CommandFailure at the end, when the script fails
 */
export async function* scriptOutput(
  context: CommandContext,
  { file, interpreter }: Script,
  { args = [], env, input }: ScriptRun = {},
): AsyncGenerator<Buffer> {
  const script = await checkFile(basePathOf(context.node, context.basePath), file);
  const stream = new PassThrough({ highWaterMark: BUFFER });
  const running = context.processes.run(interpreter.program, [...interpreter.args, script, ...args], {
    cwd: context.basePath,
    env: { ...interpreter.env, ...env },
    ...(input === undefined ? {} : { input: untilUnread(input, stream) }),
    onStdout(chunk) {
      // Ends the script.
      if (stream.destroyed) throw new Error('nobody reads the output any more');
      return stream.write(chunk) ? undefined : roomIn(stream);
    },
  });
  const ended = running.then(
    end => (stream.end(), end),
    (error: unknown) => {
      stream.destroy();
      throw error;
    },
  );
  ended.catch(() => undefined);
  let end: ProcessEnd;
  try {
    // Destroyed by a failure: what failed is known below.
    const chunks = stream.iterator({ destroyOnReturn: true }) as AsyncIterable<Buffer>;
    try {
      for await (const chunk of chunks) yield chunk;
    } catch (error) {
      await ended;
      throw error;
    }
    end = await ended;
  } finally {
    stream.destroy();
    // Nothing of it may be left when the next command begins.
    await ended.catch(() => undefined);
  }
  if (end.exitCode !== 0) {
    throw new CommandFailure(end.exitCode, end.signal, `${interpreter.name} ${file}`);
  }
}

/** Lets a script turn each part of an input, as its standard input, into what is read instead. */
export function scriptFilter(context: CommandContext, script: Script): (input: Input) => Input {
  return input =>
    async function* parts() {
      for await (const part of input()) {
        yield { name: part.name, chunks: () => scriptOutput(context, script, { input: part.chunks() }) };
      }
    };
}

/** Settles when the stream takes more, or is closed. */
async function roomIn(stream: PassThrough): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const settle = (): void => {
    stream.off('drain', settle);
    stream.off('close', settle);
    resolve(undefined);
  };
  stream.on('drain', settle);
  stream.on('close', settle);
  await promise;
}

/** Input for a script whose output nobody reads any more ends with an error, which ends the script. */
async function* untilUnread(input: AsyncIterable<Buffer>, output: PassThrough): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    if (output.destroyed) throw new Error('nobody reads the output any more');
    yield chunk;
  }
}
