/** Starts the command line: runs that go on without the editor, and short commands that answer. */
import { spawn } from 'node:child_process';
import { startInBackground } from '../../runner/background-run.ts';
import { type Log, messageOf } from '../events.ts';
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
  const { runtime, env, directory } = commandLine;
  const args = argumentsOf(commandLine, runArguments(what), log);
  let said = '';
  const start = await startInBackground({ execPath: runtime.execPath, args, directory, env }, text => {
    said += text;
  }).catch((error: unknown) => {
    throw cannotStart(runtime, error);
  });
  if (start.kind === 'begun') return { kind: 'started', runId: start.runId, notices: linesOf(said) };
  // What files print while they are loaded comes before the runner's own words.
  const words = linesOf(said.slice(Math.max(0, said.search(/^millrace: /m))));
  const message =
    words.length > 0
      ? words.join('\n')
      : t('The runner ended with exit code {0} and said nothing.', start.exitCode ?? -1);
  return { kind: 'refused', message };
}

function linesOf(said: string): string[] {
  return said
    .split('\n')
    .map(line => line.replace(/^millrace: /, '').trimEnd())
    .filter(line => line !== '');
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
  commandLine: CommandLine,
  args: readonly string[],
  log: Log,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const { runtime, env, directory } = commandLine;
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(runtime.execPath, argumentsOf(commandLine, args, log), {
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
    reject(error.name === 'AbortError' ? error : cannotStart(runtime, error));
  });
  child.once('close', code => {
    resolve({ code, stdout, stderr });
  });
  return promise;
}

function argumentsOf({ runtime, directory }: CommandLine, args: readonly string[], log: Log): string[] {
  // Values of parameters may be nobody's business.
  log.debug(`millrace ${args.map(arg => arg.replace(/=.*/s, '=…')).join(' ')} (in ${directory})`);
  return [cliFile(runtime), '--project', directory, '--no-color', ...args];
}

function cannotStart({ execPath }: Runtime, cause: unknown): Error {
  return new Error(
    t(
      'Millrace cannot be started with {0}: {1}. The setting millrace.nodePath names another Node.js.',
      execPath,
      messageOf(cause),
    ),
    { cause },
  );
}
