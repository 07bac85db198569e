/** Runs command line clients, and hands on what they print. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { CommandFailure } from '../../api/command.ts';
import type { Processes } from '../../api/context.ts';
import type { ClientCall } from './client.ts';

/** A client that failed. The message begins with the database and holds what the client said last. */
export class ClientError extends CommandFailure {
  constructor(
    alias: string,
    program: string,
    end: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null },
    said: string,
  ) {
    super(end.exitCode, end.signal, said === '' ? `${alias}: ${program}` : `${alias}: ${said}\n${program}`);
  }
}

export interface ClientRun {
  /** What messages call the database. */
  readonly alias: string;
  readonly processes: Processes;
  /** Texts that no message may hold. */
  readonly secrets: readonly string[];
  /** Takes what the client says on standard error, whole lines. Default: it is only kept for the error. */
  readonly onError?: ((text: string) => void) | undefined;
  /** What matters of what the client says when it fails. Default: all of it. */
  readonly explain?: ((said: string) => string) | undefined;
  /** Aborting ends the program. */
  readonly signal?: AbortSignal | undefined;
}

/** So much of what a client says last is kept for the error, in characters. */
const KEPT = 4000;

/**
 * Runs a client to its end.
 *
 * @throws ClientError when it ends with another exit code than 0
 */
export async function runClient(
  run: ClientRun,
  call: ClientCall,
  onStdout?: (chunk: Buffer) => void | Promise<void>,
): Promise<void> {
  const stderr = new LastWords(run.onError);
  // Some clients write their errors where their results go.
  let printed = '';
  const end = await run.processes.run(call.program, call.args, {
    env: call.env,
    input: call.input,
    onStderr: chunk => {
      stderr.add(chunk);
    },
    ...(onStdout !== undefined && {
      onStdout: chunk => {
        if (printed.length < KEPT) printed += chunk.toString('utf8').slice(0, KEPT);
        return onStdout(chunk);
      },
    }),
    ...(run.signal !== undefined && { signal: run.signal }),
  });
  stderr.end();
  if (end.exitCode === 0) return;
  const said = (stderr.text.trim() === '' ? printed : stderr.text).trim();
  const told = run.explain?.(said) ?? said;
  throw new ClientError(run.alias, call.program, end, masked(told, run.secrets));
}

/** What a client prints, as it comes; the client waits while nobody takes it. Fails when the client does. */
export async function* clientOutput(run: ClientRun, call: ClientCall): AsyncGenerator<Buffer> {
  const output = new PassThrough({ highWaterMark: 1 << 18 });
  const stop = new AbortController();
  const signal = run.signal === undefined ? stop.signal : AbortSignal.any([run.signal, stop.signal]);
  const ended = runClient({ ...run, signal }, call, async chunk => {
    if (!output.write(chunk)) await once(output, 'drain', { signal });
  }).then(
    () => {
      output.end();
    },
    (error: unknown) => {
      output.destroy(error instanceof Error ? error : new Error(String(error)));
    },
  );
  try {
    for await (const chunk of output) yield chunk as Buffer;
  } finally {
    stop.abort(new Error('nobody takes the rows any more'));
    output.destroy();
    await ended;
  }
}

function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** Hands lines on, and keeps the last of them. */
class LastWords {
  text = '';
  readonly #onText: ((text: string) => void) | undefined;
  readonly #decoder = new TextDecoder();
  #line = '';

  constructor(onText: ((text: string) => void) | undefined) {
    this.#onText = onText;
  }

  add(chunk: Buffer): void {
    const text = this.#line + this.#decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf('\n');
    this.#line = text.slice(end + 1);
    if (end !== -1) this.#say(text.slice(0, end));
  }

  end(): void {
    if (this.#line !== '') this.#say(this.#line);
    this.#line = '';
  }

  #say(text: string): void {
    this.#onText?.(text);
    this.text = `${this.text}\n${text}`.slice(-KEPT);
  }
}
