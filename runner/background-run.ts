/**
 * A run in a process of its own, which goes on when whoever started it ends: both ends of the line on which it tells its
 * id. For `millrace run --detach`, and for the editor.
 */
import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { errorCode } from './store/errors.ts';

/** Which descriptor that line has in the new process. */
const descriptor = 3;

export interface BackgroundCommand {
  /** The Node that runs it. */
  readonly execPath: string;
  /** The file of the command line and `run …`, without `--detach`. */
  readonly args: readonly string[];
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
}

export type BackgroundStart =
  | { readonly kind: 'begun'; readonly runId: number }
  /** There is no run; what the process wrote says why. `exitCode` is `null` when a signal ended it. */
  | { readonly kind: 'ended'; readonly exitCode: number | null };

/**
 * Starts the process and waits until it has begun its run, or has ended without.
 *
 * @param onErrors Gets what it writes to standard error until then: what could not be loaded, or why there is no run.
 * @throws the error of the system when there is no such program
 */
export async function startInBackground(
  { execPath, args, directory, env }: BackgroundCommand,
  onErrors: (text: string) => void,
): Promise<BackgroundStart> {
  const child = spawn(execPath, args, {
    cwd: directory,
    // No signal that is meant for the group of this process reaches it.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...env, MILLRACE_ANNOUNCE_FD: String(descriptor) },
  });
  const ended = Promise.withResolvers<BackgroundStart>();
  ended.promise.catch(() => undefined); // awaited below, after the line has closed
  child.once('error', ended.reject);
  child.once('close', exitCode => {
    ended.resolve({ kind: 'ended', exitCode });
  });
  const [, , errors, announcement] = child.stdio;
  if (!(errors instanceof Readable) || !(announcement instanceof Readable)) return await ended.promise;
  errors.setEncoding('utf8').on('data', onErrors);
  const runId = await firstLine(announcement);
  // Without an id the process is about to end, and so is what it has to say.
  if (runId === '') return await ended.promise;
  // What it said before is here within this turn of the event loop.
  await new Promise(resolve => setImmediate(resolve));
  errors.destroy();
  announcement.destroy();
  child.unref();
  return { kind: 'begun', runId: Number(runId) };
}

/**
 * The other end: tells the id of the run to whoever started this process in the background, if anybody did. Programs
 * that the run starts must not take the line for theirs: it is taken out of the environment.
 */
export function takeAnnouncement(): (runId: number | null) => void {
  const given = Number(process.env['MILLRACE_ANNOUNCE_FD'] ?? Number.NaN);
  delete process.env['MILLRACE_ANNOUNCE_FD'];
  return runId => {
    if (Number.isNaN(given)) return;
    try {
      writeSync(given, `${String(runId)}\n`);
    } catch (error) {
      // Whoever has started the run has ended meanwhile: it goes on all the same.
      if (errorCode(error) !== 'EPIPE') throw error;
    } finally {
      closeSync(given);
    }
  };
}

/** Empty when the stream closes before there is one. */
function firstLine(stream: Readable): Promise<string> {
  let received = '';
  return new Promise(resolve => {
    stream.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\n');
      if (end >= 0) resolve(received.slice(0, end));
    });
    stream.once('close', () => {
      resolve('');
    });
    stream.on('error', () => undefined); // it closes then
  });
}
