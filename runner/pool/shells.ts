/** How a worker runs shell commands: with a bash that stays where that makes no difference, else with a fresh shell. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ProcessOptions } from '../api/context.ts';
import { PipeSupply } from './pipes.ts';
import { type ProgramOutput, type RunningProgram, startProgram } from './program.ts';
import { ShellCoprocess } from './shell.ts';

/** The setting `shell` when nothing is set. */
export const defaultShell = '/usr/bin/env bash -o pipefail';

/** Longest single argument that Linux takes is 128 KiB; longer commands go through a pipe. */
const longestArgument = 100 * 1024;

/** Variables of the worker that are no business of the programs it runs. */
const workerVariables: ReadonlySet<string> = new Set([
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
  // How an editor's own runtime runs the runner; other programs of that kind are to start as they are.
  'ELECTRON_RUN_AS_NODE',
  'MILLRACE_WORKER',
  'OLDPWD',
]);

export interface ShellsOptions {
  /** As the configuration has it: a program and its arguments, separated by blanks. */
  readonly shell?: string | undefined;
  /** The process group of a bash that stays. */
  readonly onGroup: (pgid: number, alive: boolean) => void;
}

type Changes = Readonly<Record<string, string | undefined>>;

export class Shells implements Disposable {
  readonly pipes = new PipeSupply();
  readonly #shell: string;
  readonly #onGroup: (pgid: number, alive: boolean) => void;
  /** As it is when the project has been loaded: what a task does to `process.env` stays with that task's function. */
  readonly #environment: Changes;
  readonly #mayStay: boolean;
  #coprocess: ShellCoprocess | undefined;

  constructor(options: ShellsOptions) {
    this.#shell = options.shell ?? defaultShell;
    this.#onGroup = options.onGroup;
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !workerVariables.has(name)),
    );
    this.#environment = environment;
    this.#mayStay = this.#shell === defaultShell && ShellCoprocess.canServe(environment);
  }

  /** The environment of a program. `PWD` fits its directory, as a shell would see to. */
  environmentWith(changes: Changes, cwd: string): Changes {
    return { ...this.#environment, PWD: cwd, ...changes };
  }

  start(
    command: string,
    shared: {
      readonly cwd: string;
      readonly output: ProgramOutput;
      readonly onGroup: (pgid: number) => void;
    },
    options: ProcessOptions,
  ): RunningProgram {
    const env = options.env ?? {};
    if (this.#mayStay && options.input === undefined && ShellCoprocess.canRun(command, env)) {
      const coprocess = this.#staying();
      if (!coprocess.busy) return coprocess.start({ command, env, ...shared });
    }
    const whole = { ...shared, env: this.environmentWith(env, shared.cwd), pipes: this.pipes };
    const isDefault = this.#shell === defaultShell;
    if (
      process.platform !== 'win32' &&
      isDefault &&
      Buffer.byteLength(command) > longestArgument &&
      options.input === undefined
    ) {
      // Read by `cat`, because `read` takes one byte at a time. The command finds its standard input empty.
      const args = ['-o', 'pipefail', '-c', 'eval "exec </dev/null; $(cat)"'];
      return startProgram('bash', args, { ...whole, input: command });
    }
    const { program, args } = isDefault ? freshBash(command) : shellArguments(this.#shell, command);
    return startProgram(program, args, {
      ...whole,
      ...(options.input !== undefined && { input: options.input }),
    });
  }

  [Symbol.dispose](): void {
    this.#coprocess?.[Symbol.dispose]();
    this.pipes[Symbol.dispose]();
  }

  #staying(): ShellCoprocess {
    if (this.#coprocess?.usable === true) return this.#coprocess;
    const old = this.#coprocess?.pgid;
    if (old !== undefined) this.#onGroup(old, false);
    const coprocess = new ShellCoprocess(this.#environment, this.pipes);
    if (coprocess.pgid !== undefined) this.#onGroup(coprocess.pgid, true);
    this.#coprocess = coprocess;
    return coprocess;
  }
}

function freshBash(command: string): { readonly program: string; readonly args: readonly string[] } {
  const args = ['-o', 'pipefail', '-c', command];
  if (process.platform !== 'win32') return { program: 'bash', args };
  const programs = [process.env['ProgramFiles'], process.env['ProgramW6432'], process.env['LocalAppData']];
  const candidates = programs.flatMap(folder =>
    folder === undefined ? [] : [join(folder, 'Git', 'bin', 'bash.exe')],
  );
  // The bash.exe in System32 is that of WSL, which sees other paths and another environment; Git's is preferred.
  return { program: candidates.find(file => existsSync(file)) ?? 'bash', args };
}

/** How to run a command with a shell that the configuration names, for example `zsh` or `/usr/bin/env bash -e`. */
function shellArguments(
  shell: string,
  command: string,
): { readonly program: string; readonly args: readonly string[] } {
  const [program = 'bash', ...args] = shell.split(/\s+/).filter(part => part !== '');
  const isCmd = /^cmd(?:\.exe)?$/i.test(basename(program));
  return { program, args: [...args, ...(isCmd ? ['/d', '/s', '/c'] : ['-c']), command] };
}
