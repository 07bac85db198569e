/** What code of the project does in the runner's process after it was loaded: by timers, sockets, promises. */
import { describeError, isOwnDefect } from '../pool/user-error.ts';

/** Code of the project has called `process.exit()` in the runner. */
class LateExit extends Error {
  override readonly name = 'LateExit';
}

/**
 * Keeps it from ending the runner, which has tasks to care for and a record to complete, until it is disposed of.
 *
 * @param tell gets what to say to the user
 */
export function guardAgainstLateCode(tell: (text: string) => void): Disposable {
  const { exit } = process;
  const onError = (error: unknown): void => {
    if (isOwnDefect(error)) {
      // As if nobody had listened: whoever finds it should see all of it.
      end();
      setImmediate(() => {
        throw error;
      });
      return;
    }
    tell(
      `Code of the project failed outside of any task, after it was loaded; the run goes on: ${describeError(error).summary}`,
    );
  };
  const end = (): void => {
    process.exit = exit;
    process.off('uncaughtException', onError);
    process.off('unhandledRejection', onError);
  };
  process.exit = (code?: number | string | null): never => {
    throw new LateExit(`process.exit(${String(code ?? '')}) was called, which would end the runner.`);
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return { [Symbol.dispose]: end };
}
