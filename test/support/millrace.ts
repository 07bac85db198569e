/** Runs the real command line, with the state folder of this test process. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { resources, temporaryHome } from './store.ts';
import { waitUntil } from './wait.ts';

export interface MillraceEnd {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MillraceOptions {
  /** The project, or a directory in it. */
  readonly cwd: string;
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** It leads a process group of its own, which signals are sent to, as a terminal does it. */
  readonly ownGroup?: true;
}

/** A command that is going on; `await using` kills it when the test ends before it does. */
export interface RunningMillrace extends AsyncDisposable {
  readonly pid: number;
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** The same at one moment. */
  output(): Pick<MillraceEnd, 'stdout' | 'stderr'>;
  readonly end: Promise<MillraceEnd>;
  signal(signal: NodeJS.Signals): void;
  /** Waits for the condition; an error when the command ends before it holds. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
}

export type StartedMillrace = RunningMillrace;

/** What starts the command line from the sources. */
export const launchFile = join(resources, 'runner', 'cli', 'launch.ts');

/** `millrace ARGS`, started from the sources, to its end. */
export async function runMillrace(args: readonly string[], options: MillraceOptions): Promise<MillraceEnd> {
  const running = await startMillrace(args, options);
  return await running.end;
}

/** `millrace ARGS`, started from the sources. */
export async function startMillrace(
  args: readonly string[],
  { cwd, env = {}, input = '', ownGroup }: MillraceOptions,
): Promise<RunningMillrace> {
  const home = await temporaryHome();
  const end = Promise.withResolvers<MillraceEnd>();
  const child = spawn(process.execPath, [launchFile, ...args], {
    cwd,
    detached: ownGroup === true,
    // The environment of whoever runs the tests must not lead them to a real store.
    env: {
      ...process.env,
      MILLRACE_HOME: home,
      MILLRACE_STORE_URL: undefined,
      NO_COLOR: '1',
      ...env,
    },
  });
  const { pid } = child;
  let stdout = '';
  let stderr = '';
  let ended = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.on('error', end.reject);
  child.on('close', exitCode => {
    ended = true;
    end.resolve({ exitCode, stdout, stderr });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  if (pid === undefined) {
    await end.promise;
    throw new Error('the command has no process');
  }
  return {
    pid,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    output: () => ({ stdout, stderr }),
    end: end.promise,
    signal(signal) {
      if (ownGroup === true) process.kill(-pid, signal);
      else child.kill(signal);
    },
    async until(condition) {
      await waitUntil(async () => {
        if (await condition()) return true;
        if (ended) throw new Error(`millrace ${args.join(' ')} ended too early:\n${stdout}${stderr}`);
        return false;
      });
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill('SIGKILL');
      await end.promise;
    },
  };
}
