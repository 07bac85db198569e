/** The core of `millrace sql ALIAS [-f FILE | -c SQL]`. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ClientConfig } from 'pg';
import { PipelineError } from '../api/errors.ts';
import { ClientDatabase } from './client-database.ts';
import { ClientError } from './clients/run-client.ts';
import { findDatabase, openDatabase, type ProjectDatabases } from './connect.ts';
import { ConnectionError } from './connection-error.ts';
import { runScript } from './script-runner.ts';
import { SqlError, type SqlSource } from './sql-error.ts';

/** Where the SQL comes from. */
export type SqlInput =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'text'; readonly sql: string }
  | { readonly kind: 'stdin' };

export interface SqlCommandOptions {
  readonly project: ProjectDatabases;
  readonly alias: string;
  readonly input: SqlInput;
  /** What a file's name is relative to. */
  readonly cwd: string;
  /** The script, or the data for a `COPY … FROM STDIN` that has none in the script. */
  readonly stdin: Readable;
  /** Results, and the data of `COPY … TO STDOUT`. */
  readonly stdout: Writable;
  /** Errors and notices. */
  readonly stderr: Writable;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly resolveEmbedded: () => Promise<ClientConfig>;
  /** What files of databases are relative to. Default: `cwd`. */
  readonly directory?: string | undefined;
}

const SUCCESS = 0;
const FAILED = 1;
const USAGE = 2;
const CANCELLED = 130;
/** Whoever read the output has gone: what a shell reports for a program that this stops. */
const BROKEN_PIPE = 141;

/** Runs SQL in a database of the project; gives the exit code. What fails is told on `stderr`. */
export async function runSqlCommand(options: SqlCommandOptions): Promise<number> {
  const { project, alias, signal, stdout, stderr, resolveEmbedded } = options;
  const stop = new AbortController();
  const onStdoutError = (error: Error): void => {
    stop.abort(error);
  };
  stdout.on('error', onStdoutError);
  try {
    const { definition } = findDatabase(project, alias);
    const source = await readSource(options);
    await using session = await openDatabase(alias, definition, {
      resolveEmbedded,
      signal: AbortSignal.any([signal, stop.signal]),
      directory: options.directory ?? options.cwd,
    });
    if (session instanceof ClientDatabase) {
      await session.runScript(
        { sql: source.script, echo: false },
        {
          output: chunk => writeTo(stdout, chunk, stop.signal),
          error: text => {
            stderr.write(`${text}\n`);
          },
        },
      );
      return SUCCESS;
    }
    const print = (text: string): void => {
      if (stdout.writable) stdout.write(`${text}\n`);
    };
    let copied = false;
    await runScript(
      session,
      source,
      {
        result: print,
        room: roomIn(stdout, stop.signal),
        notice: text => {
          stderr.write(`${text}\n`);
        },
        copyTarget: stdout,
        ...(options.input.kind !== 'stdin' && {
          copySource: () => {
            if (copied) throw new Error('standard input holds data for one COPY … FROM STDIN only');
            copied = true;
            return options.stdin;
          },
        }),
      },
      { maxRows: Infinity },
    );
    return SUCCESS;
  } catch (error) {
    if (signal.aborted) return CANCELLED;
    if (stop.signal.aborted) return BROKEN_PIPE;
    // What a client says has been shown already.
    if (error instanceof ClientError) return FAILED;
    if (!(error instanceof SqlError || error instanceof ConnectionError || error instanceof PipelineError))
      throw error;
    stderr.write(`${error.message}\n`);
    return error instanceof PipelineError ? USAGE : FAILED;
  } finally {
    stdout.off('error', onStdoutError);
  }
}

async function readSource({ input, cwd, stdin }: SqlCommandOptions): Promise<SqlSource> {
  switch (input.kind) {
    case 'text':
      return { name: 'sql', script: input.sql };
    case 'stdin':
      return { name: 'stdin', script: await text(stdin) };
    case 'file': {
      const path = resolve(cwd, input.file);
      try {
        return { name: input.file, script: await readFile(path, 'utf8') };
      } catch (error) {
        const reason =
          error instanceof Error && 'code' in error && error.code === 'ENOENT'
            ? 'it does not exist'
            : String(error);
        throw new PipelineError(`Cannot read ${path}: ${reason}.`, { cause: error });
      }
    }
  }
}

/** Settles when the stream takes more; `undefined` while it does. However often it is asked, one listener waits. */
function roomIn(stream: Writable, signal: AbortSignal): () => Promise<void> | undefined {
  let waiting: Promise<void> | undefined;
  return () => {
    if (!stream.writableNeedDrain) return undefined;
    waiting ??= once(stream, 'drain', { signal }).then(() => {
      waiting = undefined;
    });
    return waiting;
  };
}

async function writeTo(stream: Writable, chunk: Buffer, signal: AbortSignal): Promise<void> {
  if (stream.writable && !stream.write(chunk)) await once(stream, 'drain', { signal });
}
