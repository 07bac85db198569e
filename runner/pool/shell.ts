/**
 * A bash that stays: starting a bash costs as much as a tiny command, so each worker keeps one as a co-process, which
 * runs the commands one after the other, each in a subshell that is its own process group.
 *
 * A command that is not plainly simple replaces its subshell by a fresh `bash -o pipefail -c`, so that whatever it
 * does behaves, and fails, exactly as with a shell of its own; only simple commands (shell-command.ts) run in the
 * subshell itself. Directory and changes of the environment travel through the pipe and are applied in the subshell.
 *
 * What a command leaves running in its group is terminated when the command ends; since it could write to the pipe
 * until then, the co-process is replaced in that case. A daemon that leaves the group and keeps the command's output
 * open writes into the output of whatever the worker runs next: redirect the output of daemons.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import type { ProcessEnd } from '../api/context.ts';
import type { PipeSupply } from './pipes.ts';
import { signalGroup } from './process-group.ts';
import { endLeftovers, type ProgramOutput, type RunningProgram, startError } from './program.ts';
import { commandForm } from './shell-command.ts';

/*
 * Descriptors: 3 brings requests, 4 takes reports away; 5 and 6 are the output of the commands; 2 is a report, too,
 * because that is where bash says whether a signal ended the job (`wait` gives 128 + n for both).
 * A request is fields that end in NUL: `d` directory, then any of `s` NAME=VALUE and `u` NAME, then the command as
 * `b` (builtin), `p` (program) or `x` (script). It must all be on one line: that is the line that messages name.
 * It must work in bash 3.2, and its variables are named so that nobody has them in the environment.
 */
const loop = [
  'set -m; exec 5>&1 6>&2 >/dev/null 2>&4;',
  'IFS= read -r -d "" -u 3 __millrace_marker || exit;',
  '__millrace_level=$((SHLVL - 1)); __millrace_count=0; IFS= read -r -d "" -u 3 __millrace_job;',
  'while IFS= read -r -d "" -u 3 __millrace_item; do case $__millrace_item in',
  'd*) __millrace_directory=${__millrace_item#d}; __millrace_changes=() ;;',
  's*|u*) __millrace_changes[${#__millrace_changes[@]}]=$__millrace_item ;;',
  '*) ( eval "$__millrace_job" ) </dev/null >&5 2>&6 3<&- 4>&- 5>&- 6>&- &',
  '__millrace_pid=$!; printf "=group %s\\n" "$__millrace_pid" >&4;',
  'wait "$__millrace_pid"; __millrace_status=$?;',
  'if kill -0 -- "-$__millrace_pid" 2>/dev/null; then __millrace_left=1; else __millrace_left=0; fi;',
  '__millrace_count=$((__millrace_count + 1));',
  'printf "\\000%s %s\\000" "$__millrace_marker" "$__millrace_count" >&5;',
  'printf "\\000%s %s\\000" "$__millrace_marker" "$__millrace_count" >&6;',
  'printf "=end %s %s\\n" "$__millrace_status" "$__millrace_left" >&4 ;; esac; done',
].join(' ');

/** What the subshell does. Not a function: in one, messages begin with another name than `bash`. */
const subshell = [
  'cd -- "$__millrace_directory" || exit 126; unset OLDPWD;',
  'for __millrace_change in "${__millrace_changes[@]}"; do case $__millrace_change in',
  's*) export "${__millrace_change#s}" ;; *) unset -v "${__millrace_change#u}" ;; esac; done;',
  'case $__millrace_item in b*) eval "${__millrace_item#b}" ;;',
  'p*) __millrace_item=${__millrace_item#p};',
  'if type -P -- "${__millrace_item%% *}" >/dev/null 2>&1; then eval "exec $__millrace_item";',
  'else eval "$__millrace_item"; fi ;;',
  '*) export SHLVL=$__millrace_level; exec bash -o pipefail -c "${__millrace_item#x}" ;; esac',
].join(' ');

/** Commands that take longer to read byte by byte than a bash takes to start go another way. */
const longestCommand = 8 * 1024;

/** Names that mean something to bash itself: a shell that stays must not be given or denied them. */
const ownNames =
  /^(?:BASH.*|SHELLOPTS|SHLVL|POSIXLY_CORRECT|ENV|IFS|PS4|E?UID|PPID|OLDPWD|PWD|_|__millrace.*)$/;

export interface ShellRequest {
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  /** Changes to the environment; `undefined` removes a variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: ProgramOutput;
  readonly onGroup: (pgid: number) => void;
}

interface Job {
  readonly request: ShellRequest;
  readonly ended: PromiseWithResolvers<ProcessEnd>;
  group: number | undefined;
  /** Signals that came before the group was known. */
  signals: NodeJS.Signals[];
  /** What bash said about the job. */
  remark: string;
  status: { readonly code: number; readonly left: boolean } | undefined;
}

/** One bash. When it has died, or has had to be given up, `usable` is false and the owner starts another. */
export class ShellCoprocess implements Disposable {
  readonly #bash: ChildProcess;
  readonly #requests: Writable;
  readonly #outputs: readonly [MarkedOutput, MarkedOutput];
  readonly #marker = `millrace ${randomBytes(12).toString('hex')}`;
  #count = 0;
  #job: Job | undefined;
  #usable = true;
  /** Why there is no bash. */
  #startError: Error | undefined;
  #report = '';

  /** Whether bash would keep anything of this environment to itself, or let it change the loop. */
  static canServe(environment: Readonly<Record<string, string | undefined>>): boolean {
    if (process.platform === 'win32') return false;
    return !Object.keys(environment).some(name =>
      /^(?:BASH_ENV|BASH_FUNC.*|BASHOPTS|SHELLOPTS|POSIXLY_CORRECT|__millrace.*)$/.test(name),
    );
  }

  /** Whether a command can be run by a co-process at all. */
  static canRun(command: string, env: Readonly<Record<string, string | undefined>>): boolean {
    if (Buffer.byteLength(command) > longestCommand || command.includes('\0')) return false;
    return Object.entries(env).every(
      ([name, value]) =>
        /^[A-Za-z_]\w*$/.test(name) && !ownNames.test(name) && value?.includes('\0') !== true,
    );
  }

  constructor(environment: Readonly<Record<string, string | undefined>>, pipes: PipeSupply) {
    const out = pipes.take();
    const err = pipes.take();
    this.#bash = spawn('bash', ['-c', loop], {
      cwd: '/',
      env: { ...environment },
      // Not detached: commands stay in the worker's session, by which they are found if the worker dies before it has
      // heard of their group.
      stdio: ['ignore', out?.writeEnd ?? 'pipe', err?.writeEnd ?? 'pipe', 'pipe', 'pipe'],
    });
    if (out !== undefined) closeSync(out.writeEnd);
    if (err !== undefined) closeSync(err.writeEnd);
    const [, , , requests, reports] = this.#bash.stdio;
    if (!(requests instanceof Writable) || !(reports instanceof Readable))
      throw new Error('bash has no pipes');
    this.#requests = requests;
    this.#requests.on('error', () => {
      this.#died();
    });
    const ended = (): void => {
      this.#advance();
    };
    this.#outputs = [
      new MarkedOutput(out?.reader ?? this.#bash.stdout ?? Readable.from([]), ended),
      new MarkedOutput(err?.reader ?? this.#bash.stderr ?? Readable.from([]), ended),
    ];
    reports.setEncoding('utf8');
    reports.on('data', (text: string) => {
      this.#onReport(text);
    });
    reports.on('error', () => {
      this.#died();
    });
    reports.on('close', () => {
      this.#died();
    });
    this.#bash.on('error', error => {
      this.#startError = startError('bash', error);
      this.#died();
    });
    this.#bash.unref();
    this.#requests.write(`${this.#marker}\0${subshell}\0`);
  }

  /** The process group of the bash itself, which must not outlive the worker either. */
  get pgid(): number | undefined {
    return this.#bash.pid;
  }

  get usable(): boolean {
    return this.#usable;
  }

  get busy(): boolean {
    return this.#job !== undefined;
  }

  /** One command at a time. */
  start(request: ShellRequest): RunningProgram {
    if (this.#job !== undefined || !this.#usable) throw new Error('the shell is not free');
    const job: Job = {
      request,
      ended: Promise.withResolvers(),
      group: undefined,
      signals: [],
      remark: '',
      status: undefined,
    };
    this.#job = job;
    this.#count++;
    const marker = Buffer.from(`\0${this.#marker} ${String(this.#count)}\0`);
    this.#outputs[0].begin(marker, chunk => request.output.stdout(chunk));
    this.#outputs[1].begin(marker, chunk => request.output.stderr(chunk));
    const changes = Object.entries(request.env).map(([name, value]) =>
      value === undefined ? `u${name}\0` : `s${name}=${value}\0`,
    );
    const kind = { builtin: 'b', program: 'p', script: 'x' }[commandForm(request.command)];
    this.#requests.write(`d${request.cwd}\0${changes.join('')}${kind}${request.command}\0`);
    return {
      end: job.ended.promise,
      signal: name => {
        if (this.#job !== job || job.status !== undefined) return;
        if (job.group === undefined) job.signals.push(name);
        else signalGroup(job.group, name);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#usable = false;
    this.#requests.end();
    for (const output of this.#outputs) output.destroy();
  }

  #onReport(text: string): void {
    const lines = (this.#report + text).split('\n');
    this.#report = lines.pop() ?? '';
    for (const line of lines) {
      const job = this.#job;
      if (job === undefined) continue;
      const [word, first, second] = line.split(' ');
      if (word === '=group') {
        const group = Number(first);
        job.group = group;
        job.request.onGroup(group);
        for (const name of job.signals) signalGroup(group, name);
      } else if (word === '=end') {
        job.status = { code: Number(first), left: second === '1' };
        this.#advance();
      } else {
        job.remark += `${line}\n`;
      }
    }
  }

  #advance(): void {
    const job = this.#job;
    if (job === undefined) return;
    const failure = this.#outputs.find(output => output.failure !== undefined)?.failure;
    if (failure !== undefined) {
      this.#giveUp(job, failure);
      return;
    }
    const { status, group } = job;
    if (status === undefined || !this.#outputs.every(output => output.complete)) return;
    this.#job = undefined;
    const end = processEnd(status.code, job.remark);
    if (!status.left || group === undefined) {
      job.ended.resolve(end);
      return;
    }
    this[Symbol.dispose]();
    endLeftovers(group).then(() => {
      job.ended.resolve(end);
    }, job.ended.reject);
  }

  #died(): void {
    this.#usable = false;
    const job = this.#job;
    if (job === undefined) return;
    const error = this.#startError ?? new Error('The shell was killed while it ran the command.');
    // That there is no such program is told last of all.
    if (this.#startError === undefined && this.#bash.pid === undefined) return;
    this.#giveUp(job, error);
  }

  #giveUp(job: Job, error: Error): void {
    this.#job = undefined;
    if (job.group !== undefined && job.status === undefined) signalGroup(job.group, 'SIGKILL');
    this[Symbol.dispose]();
    job.ended.reject(error);
  }
}

/** Bytes of one command up to its marker. */
class MarkedOutput {
  readonly #stream: Readable;
  readonly #onEnd: () => void;
  #marker: Buffer | undefined;
  #take: (chunk: Buffer) => void | Promise<void> = () => undefined;
  /** The end of what has come, if it could be the beginning of the marker. */
  #held: Buffer | undefined;
  failure: Error | undefined;

  constructor(stream: Readable, onEnd: () => void) {
    this.#stream = stream;
    this.#onEnd = onEnd;
    stream.on('data', (chunk: Buffer) => {
      this.#onData(chunk);
    });
    stream.on('error', () => undefined);
  }

  get complete(): boolean {
    return this.#marker === undefined;
  }

  begin(marker: Buffer, take: (chunk: Buffer) => void | Promise<void>): void {
    this.#marker = marker;
    this.#take = take;
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #onData(chunk: Buffer): void {
    const marker = this.#marker;
    // Nobody's output: a daemon that has outlived its command.
    if (marker === undefined) return;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    const found = bytes.indexOf(marker);
    if (found >= 0) {
      this.#marker = undefined;
      this.#hand(bytes.subarray(0, found));
      this.#onEnd();
      return;
    }
    const held = heldBack(bytes, marker);
    if (held > 0) this.#held = bytes.subarray(bytes.length - held);
    this.#hand(bytes.subarray(0, bytes.length - held));
  }

  #hand(bytes: Buffer): void {
    if (bytes.length === 0) return;
    try {
      const taken = this.#take(bytes);
      if (taken === undefined) return;
      this.#stream.pause();
      taken.then(
        () => this.#stream.resume(),
        (error: unknown) => {
          this.#fail(error);
        },
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.failure = error instanceof Error ? error : new Error(String(error));
    this.#onEnd();
  }
}

/** Length of the longest end of `bytes` with which `marker` begins. */
function heldBack(bytes: Buffer, marker: Buffer): number {
  let start = Math.max(0, bytes.length - marker.length + 1);
  for (;;) {
    start = bytes.indexOf(0, start);
    if (start < 0) return 0;
    if (bytes.subarray(start).equals(marker.subarray(0, bytes.length - start))) return bytes.length - start;
    start++;
  }
}

/** Bash gives 128 + n for a signal; its remark on the job tells that from an exit code of the same number. */
function processEnd(code: number, remark: string): ProcessEnd {
  if (code <= 128 || new RegExp(`\\b${String(code)}\\s+\\(`).test(remark))
    return { exitCode: code, signal: null };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined || remark === ''
    ? { exitCode: code, signal: null }
    : { exitCode: null, signal: asSignal(name) };
}

function asSignal(name: string): NodeJS.Signals {
  return name as NodeJS.Signals;
}
