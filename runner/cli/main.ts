/** The command line: runs the command that is asked for and gives its exit code (docs/cli.md). */
import { Console } from 'node:console';
import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { makeProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Runs the command line and gives the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  closeInheritedDescriptors(Number(process.env['MILLRACE_ANNOUNCE_FD'] ?? -1));
  // What files of the project print while they are loaded is no result: `--json` promises one JSON value.
  globalThis.console = new Console(process.stderr, process.stderr);
  // A run must not end because nobody can read it any more: not when a reader goes away (`millrace … | head`), not when
  // the terminal is closed, not when the disk is full.
  process.stderr.on('error', () => undefined);
  const unwritable = { isTold: false };
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'EIO' || unwritable.isTold) return;
    unwritable.isTold = true;
    process.stderr.write(`millrace: Standard output cannot be written any more: ${error.message}\n`);
  });
  let exitCode: number = exitCodes.success;
  const program = makeProgram(code => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return unwritable.isTold && exitCode === exitCodes.success ? exitCodes.failed : exitCode;
  } catch (error) {
    // Commander has printed its message already; help and the version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    return reportError(error, process.stderr);
  }
}
