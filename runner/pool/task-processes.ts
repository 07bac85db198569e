/** The programs of one attempt. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProcessEnd, Processes, ProcessOptions } from '../api/context.ts';
import { type ProgramOutput, type RunningProgram, startProgram } from './program.ts';
import type { Shells } from './shells.ts';

export interface TaskProcessesOptions {
  readonly shells: Shells;
  /** Where programs run unless they say otherwise. */
  readonly basePath: string;
  /** Where the output goes. */
  readonly openOutput: () => ProgramOutput & { end(): void };
  readonly onGroup: (pgid: number, alive: boolean) => void;
}

/** Runs programs and stops them. */
export class TaskProcesses implements Processes {
  readonly #options: TaskProcessesOptions;
  readonly #running = new Set<RunningProgram>();
  #stopped: Error | undefined;
  /** How the last program of the attempt ended. */
  lastEnd: ProcessEnd | undefined;

  constructor(options: TaskProcessesOptions) {
    this.#options = options;
  }

  async shell(command: string, options: ProcessOptions = {}): Promise<ProcessEnd> {
    const { shells } = this.#options;
    return await this.#run(options, shared => shells.start(command, shared, options));
  }

  async run(program: string, args: readonly string[], options: ProcessOptions = {}): Promise<ProcessEnd> {
    const { shells } = this.#options;
    return await this.#run(options, shared =>
      startProgram(program, args, {
        ...shared,
        env: shells.environmentWith(options.env ?? {}, shared.cwd),
        pipes: shells.pipes,
        ...(options.input !== undefined && { input: options.input }),
      }),
    );
  }

  /** Signals everything that runs; from now on nothing starts. */
  stop(reason: Error, signal: NodeJS.Signals): void {
    this.#stopped ??= reason;
    for (const program of this.#running) program.signal(signal);
  }

  get active(): boolean {
    return this.#running.size > 0;
  }

  async #run(
    options: ProcessOptions,
    start: (shared: {
      cwd: string;
      output: ProgramOutput;
      onGroup: (pgid: number) => void;
    }) => RunningProgram,
  ): Promise<ProcessEnd> {
    if (this.#stopped !== undefined) throw this.#stopped;
    const cwd = resolve(this.#options.basePath, options.cwd ?? '.');
    if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new Error(`The directory ${cwd} does not exist, so nothing can be run in it.`);
    }
    const output = this.#options.openOutput();
    const { onStdout, onStderr, signal } = options;
    let group: number | undefined;
    const program = start({
      cwd,
      output: {
        stdout: onStdout ?? (chunk => output.stdout(chunk)),
        stderr: onStderr ?? (chunk => output.stderr(chunk)),
      },
      onGroup: pgid => {
        group = pgid;
        this.#options.onGroup(pgid, true);
      },
    });
    this.#running.add(program);
    const abort = (): void => {
      program.signal('SIGTERM');
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.lastEnd = await program.end;
      return this.lastEnd;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#running.delete(program);
      output.end();
      if (group !== undefined) this.#options.onGroup(group, false);
    }
  }
}
