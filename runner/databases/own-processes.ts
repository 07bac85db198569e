/** Programs of this process, for work outside of a task. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ProcessEnd, Processes, ProcessOptions } from '../api/context.ts';

/** Runs programs that end when the signal is aborted. What nobody takes of their output goes to this process's own. */
export function ownProcesses(signal: AbortSignal | undefined): Processes {
  const run = async (
    program: string,
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<ProcessEnd> => {
    const { cwd, env, input, onStdout, onStderr } = options;
    const signals = [signal, options.signal].filter(each => each !== undefined);
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: [
        input === undefined ? 'ignore' : 'pipe',
        onStdout === undefined ? 'inherit' : 'pipe',
        onStderr === undefined ? 'inherit' : 'pipe',
      ],
      ...(cwd !== undefined && { cwd }),
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    });
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [[exitCode, endSignal]] = await Promise.all([
      ended,
      take(child.stdout, onStdout),
      take(child.stderr, onStderr),
      feed(child.stdin, input).catch((error: unknown) => {
        // What was fed so far must not be taken for the whole.
        child.kill('SIGKILL');
        throw error;
      }),
    ]);
    return { exitCode, signal: endSignal };
  };
  return { run, shell: (command, options) => run('bash', ['-o', 'pipefail', '-c', command], options) };
}

async function take(stream: Readable | null, taker: ProcessOptions['onStdout']): Promise<void> {
  if (stream === null || taker === undefined) return;
  for await (const chunk of stream) await taker(chunk as Buffer);
}

async function feed(stdin: NodeJS.WritableStream | null, input: ProcessOptions['input']): Promise<void> {
  if (stdin === null || input === undefined) return;
  try {
    await pipeline(typeof input === 'string' ? Readable.from([input]) : input, stdin);
  } catch (error) {
    // A program may end without reading all of its input.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EPIPE' && code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
