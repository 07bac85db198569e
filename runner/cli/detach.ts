/** `millrace run --detach`: the run goes on in a process of its own; this one ends when the run has begun. */
import { startInBackground } from '../background-run.ts';
import { exitCodes } from './exit-codes.ts';
import { say, type Terminal } from './terminal.ts';

export async function detach(terminal: Terminal): Promise<number> {
  const [script = '', ...parameters] = process.argv.slice(1);
  const start = await startInBackground(
    {
      execPath: process.execPath,
      args: [...process.execArgv, script, ...parameters.filter(parameter => parameter !== '--detach')],
      directory: terminal.directory,
      env: process.env,
    },
    text => {
      terminal.stderr.write(text);
    },
  );
  if (start.kind === 'ended') return start.exitCode ?? exitCodes.failed;
  const runId = String(start.runId);
  terminal.stdout.write(`${runId}\n`);
  say(terminal, `Run ${runId} goes on in the background; follow it with: millrace logs ${runId} --follow`);
  return exitCodes.success;
}
