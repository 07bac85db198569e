import { PipelineError } from '../api/errors.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Prints an error for the user and gives the exit code. What is expected has a message that says all; anything else is a
 * bug of Millrace and comes with its stack.
 */
export function reportError(error: unknown, stderr: NodeJS.WriteStream): number {
  const exitCode = expectedExitCode(error);
  if (exitCode !== undefined && error instanceof Error) {
    stderr.write(`millrace: ${error.message}\n`);
    return exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`millrace: internal error, please report it: ${detail}\n`);
  return exitCodes.failed;
}

/** Errors that Millrace means for the user carry their exit code. */
function expectedExitCode(error: unknown): number | undefined {
  if (error instanceof PipelineError) return exitCodes.usage;
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number')
    return error.exitCode;
  return undefined;
}
