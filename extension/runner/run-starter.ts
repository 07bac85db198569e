/** Starts the command line: runs that go on without the editor, and short commands that answer. */
import { spawn } from 'node:child_process';
import type { Log } from '../events.ts';
import { t } from '../l10n.ts';
import { cliFile, type Runtime } from './environment.ts';
import { type RunKind, runArguments } from './run-arguments.ts';

export interface CommandLine {
  readonly runtime: Runtime;
  readonly env: Readonly<Record<string, string>>;
  /** The project's directory, absolute. */
  readonly directory: string;
}

export type RunStart =
  /** `notices`: what the runner had to say before it began, for example which files it could not load. */
  | { readonly kind: 'started'; readonly runId: number; readonly notices: readonly string[] }
  /** The run does not begin; the message says why, in the runner's words. */
  | { readonly kind: 'refused'; readonly message: string };

/** Begins a run in a process of its own, which goes on when the editor ends. */
export async function startRun(commandLine: CommandLine, what: RunKind, log: Log): Promise<RunStart> {
  const { code, stdout, stderr } = await runCommand(commandLine, [...runArguments(what), '--detach'], log);
  const runId = Number(stdout.trim().split('\n')[0]);
  const notices = stderr
    .split('\n')
    .map(line => line.replace(/^millrace: /, '').trimEnd())
    .filter(line => line !== '' && !/^Run \d+ goes on in the background/.test(line));
  if (code === 0 && Number.isSafeInteger(runId) && runId > 0) return { kind: 'started', runId, notices };
  const message = notices.join('\n');
  return {
    kind: 'refused',
    message:
      message === '' ? t('The runner ended with exit code {0} and said nothing.', code ?? -1) : message,
  };
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the command line to its end.
 *
 * @param signal Ends it.
 * @throws an error for people when the runtime cannot be started
 */
export function runCommand(
  { runtime, env, directory }: CommandLine,
  args: readonly string[],
  log: Log,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  // Values of parameters may be nobody's business.
  log.debug(`millrace ${args.map(arg => arg.replace(/=.*/s, '=…')).join(' ')} (in ${directory})`);
  const child = spawn(runtime.execPath, [cliFile(runtime), '--project', directory, '--no-color', ...args], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    ...(signal === undefined ? {} : { signal }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.once('error', error => {
    if (error.name === 'AbortError') reject(error);
    else
      reject(
        new Error(
          t(
            'Millrace cannot be started with {0}: {1}. The setting millrace.nodePath names another Node.js.',
            runtime.execPath,
            error.message,
          ),
          { cause: error },
        ),
      );
  });
  child.once('close', code => {
    resolve({ code, stdout, stderr });
  });
  return promise;
}
