/** `millrace run --detach`: the run goes on in a process of its own; this one ends when the run has begun. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { exitCodes } from './exit-codes.ts';
import { say, type Terminal } from './terminal.ts';

/** Names the descriptor on which a detached run tells its id. */
export const announceVariable = 'MILLRACE_ANNOUNCE_FD';

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
      env: { ...process.env, [announceVariable]: String(announceDescriptor) },
    },
  );
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => {
      resolve(code ?? exitCodes.failed);
    });
  });
  const announced = firstLine(child.stdio[announceDescriptor] as Readable);
  // What it has to say before it begins is for the user: files that cannot be loaded, or why it does not begin at all.
  const errors = child.stdio[2] as Readable;
  errors.on('data', (chunk: Buffer) => {
    terminal.stderr.write(chunk);
  });
  const runId = await Promise.race([announced, exited.then(() => '')]);
  if (runId === '') {
    if (!errors.readableEnded) await once(errors, 'end');
    return exited;
  }
  terminal.stdout.write(`${runId}\n`);
  say(terminal, `Run ${runId} goes on in the background; follow it with: millrace logs ${runId} --follow`);
  errors.destroy();
  child.stdio[announceDescriptor]?.destroy();
  child.unref();
  return exitCodes.success;
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
