/** `millrace run --detach`: the run goes on in a process of its own; this one ends when the run has begun. */
import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { exitCodes } from './exit-codes.ts';
import { say, type Terminal } from './terminal.ts';

const announceDescriptor = 3;

export async function detach(terminal: Terminal): Promise<number> {
  const [script = '', ...parameters] = process.argv.slice(1);
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, ...parameters.filter(parameter => parameter !== '--detach')],
    {
      cwd: terminal.directory,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // Names the descriptor on which the run tells its id.
      env: { ...process.env, MILLRACE_ANNOUNCE_FD: String(announceDescriptor) },
    },
  );
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      resolve(code ?? exitCodes.failed);
    });
  });
  const [, , errors, announcement] = child.stdio;
  if (!(errors instanceof Readable) || !(announcement instanceof Readable)) return exited;
  // What it has to say before it begins is for the user: files that cannot be loaded, or why it does not begin at all.
  errors.on('data', (chunk: Buffer) => {
    terminal.stderr.write(chunk);
  });
  // Its end without an id is the end of the process, which is then told by its exit code.
  const runId = await firstLine(announcement);
  if (runId === '') return exited;
  terminal.stdout.write(`${runId}\n`);
  say(terminal, `Run ${runId} goes on in the background; follow it with: millrace logs ${runId} --follow`);
  errors.destroy();
  announcement.destroy();
  child.unref();
  return exitCodes.success;
}

/**
 * Tells the id of the run to whoever detached this process, by a descriptor that it left open. Programs that the run
 * starts must not take it for theirs: it is taken out of the environment.
 */
export function takeAnnouncement(): (runId: number | null) => void {
  const descriptor = Number(process.env['MILLRACE_ANNOUNCE_FD'] ?? Number.NaN);
  delete process.env['MILLRACE_ANNOUNCE_FD'];
  return runId => {
    if (Number.isNaN(descriptor)) return;
    writeSync(descriptor, `${String(runId)}\n`);
    closeSync(descriptor);
  };
}

async function firstLine(stream: Readable): Promise<string> {
  let received = '';
  for await (const chunk of stream) {
    received += String(chunk);
    const end = received.indexOf('\n');
    if (end >= 0) return received.slice(0, end);
  }
  return '';
}
