/** Runs commands outside of a worker, in a context that remembers what they do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Command } from '../../runner/api/command.ts';
import type { CommandContext, Database, ProcessEnd, ProcessOptions } from '../../runner/api/context.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';

export interface TestContext extends CommandContext {
  /** The log: `>` before what is run, `!` before errors. */
  readonly lines: string[];
  readonly reasons: string[];
  readonly stored: Map<string, string>;
  rows: number;
}

export interface TestContextOptions {
  readonly basePath: string;
  readonly dataDir?: string;
  readonly firstDate?: string;
  readonly lastDate?: string;
  readonly signal?: AbortSignal;
  readonly stored?: Map<string, string>;
  readonly params?: CommandContext['params'];
  readonly db?: (alias?: string) => Promise<Database>;
}

/** A task of the pipeline `shop` that holds the command. */
export function taskWith(command: Command, basePath: string): Task {
  const task = new Task({ id: 'load', commands: [command] });
  new Pipeline({ id: 'shop', basePath }).add(task);
  return task;
}

export function testContext(command: Command, options: TestContextOptions): TestContext {
  const { basePath, signal = new AbortController().signal, stored = new Map<string, string>() } = options;
  const lines: string[] = [];
  const reasons: string[] = [];
  const log = (prefix: string) => (message: string) => {
    lines.push(...message.split('\n').map(line => prefix + line));
  };
  const run = async (
    program: string,
    args: readonly string[],
    given: ProcessOptions = {},
  ): Promise<ProcessEnd> => {
    const child = spawn(program, args, {
      cwd: given.cwd ?? basePath,
      env: { ...process.env, ...given.env },
      stdio: [given.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      signal: given.signal === undefined ? signal : AbortSignal.any([signal, given.signal]),
    });
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [stdout, stderr, [exitCode, endedBy]] = await Promise.all([
      given.onStdout === undefined ? read(child.stdout) : hand(child.stdout, given.onStdout),
      given.onStderr === undefined ? read(child.stderr) : hand(child.stderr, given.onStderr),
      ended,
      given.input === undefined || child.stdin === null ? undefined : feed(child.stdin, given.input),
    ]).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    if (stdout !== '') log('')(stdout.trimEnd());
    if (stderr !== '') log('!')(stderr.trimEnd());
    return { exitCode, signal: endedBy };
  };
  return {
    lines,
    reasons,
    stored,
    rows: 0,
    log: {
      info: log(''),
      command: log('> '),
      verbatim: log(''),
      error: log('!'),
      write(message, { isError }) {
        log(isError ? '!' : '')(message);
      },
    },
    signal,
    node: command.parent ?? taskWith(command, basePath),
    params: options.params ?? {},
    basePath,
    run: { id: 1, startedAt: new Date(0), attempt: 1 },
    project: {
      dataDir: options.dataDir ?? basePath,
      firstDate: options.firstDate ?? '2000-01-01',
      lastDate: options.lastDate ?? '3000-01-01',
    },
    processes: { run, shell: (command, given) => run('bash', ['-o', 'pipefail', '-c', command], given) },
    state: {
      fileDependency: type => Promise.resolve(stored.get(type) ?? null),
      setFileDependency: (type, hash) => Promise.resolve(void stored.set(type, hash)),
      deleteFileDependency: type => Promise.resolve(void stored.delete(type)),
      copyWatermark: source => Promise.resolve(stored.get(source) ?? null),
      setCopyWatermark: (source, value) => Promise.resolve(void stored.set(source, value)),
      deleteCopyWatermark: source => Promise.resolve(void stored.delete(source)),
    },
    db: options.db ?? (() => Promise.reject(new Error('this test has no database'))),
    addRows(count) {
      this.rows += count;
    },
    unchanged(reason) {
      reasons.push(reason);
    },
  };
}

/** The message of what is thrown. */
export async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'nothing was thrown';
}

async function read(stream: Readable | null): Promise<string> {
  return stream === null ? '' : await text(stream);
}

async function hand(stream: Readable | null, take: (chunk: Buffer) => void | Promise<void>): Promise<string> {
  for await (const chunk of stream ?? []) await take(chunk as Buffer);
  return '';
}

async function feed(stdin: Writable, input: string | AsyncIterable<Buffer | string>): Promise<void> {
  try {
    await pipeline(typeof input === 'string' ? [input] : input, stdin);
  } catch (error) {
    // The program has ended without reading all of it.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}
