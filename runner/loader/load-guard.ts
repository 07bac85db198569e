/** Keeps user code that is being loaded from ending, or holding up, the process that loads it. */

/** User code called `process.exit()` while it was loaded. */
export class ExitWhileLoadingError extends Error {
  override readonly name = 'ExitWhileLoadingError';
}

/** User code waits at its top level for something that does not happen. */
export class NeverLoadedError extends Error {
  override readonly name = 'NeverLoadedError';
}

/** Seconds after which a file that still waits is given up, while something else keeps the process alive. */
const PATIENCE = 60;

export interface LoadGuard extends Disposable {
  /**
   * Runs a step of loading.
   *
   * @throws NeverLoadedError when nothing is left that could make it go on
   * @throws ExitWhileLoadingError when it calls `process.exit()`, even if it catches the error that this gives it
   */
  run<T>(step: () => Promise<T>): Promise<T>;
}

/** Guards until it is disposed of; there is one at a time in a process. */
export function guardLoading(onRejection: (reason: unknown) => void): LoadGuard {
  const calls: ExitWhileLoadingError[] = [];
  const originalExit = process.exit;
  process.exit = (code?: number | string | null): never => {
    const call = new ExitWhileLoadingError(
      `process.exit(${code === undefined || code === null ? '' : String(code)}) is called while the file is loaded. ` +
        'A pipeline file only describes what is to be done: take the call out, or move it into a command.',
    );
    calls.push(call);
    throw call;
  };
  process.on('unhandledRejection', onRejection);
  return {
    async run(step) {
      calls.length = 0;
      const result = await settle(step());
      const [call] = calls;
      if (call !== undefined) throw call;
      return result;
    },
    [Symbol.dispose]() {
      process.exit = originalExit;
      process.off('unhandledRejection', onRejection);
    },
  };
}

async function settle<T>(pending: Promise<T>): Promise<T> {
  const stuck = Promise.withResolvers<never>();
  const onBeforeExit = (): void => {
    stuck.reject(
      new NeverLoadedError(
        'The file never finishes loading: an await at its top level waits for something that does not happen.',
      ),
    );
    // The loop has run dry, but the loader has more to do.
    setImmediate(() => undefined);
  };
  const timer = setTimeout(() => {
    stuck.reject(
      new NeverLoadedError(
        `The file has not finished loading after ${String(PATIENCE)} seconds: an await at its top level still waits.`,
      ),
    );
  }, PATIENCE * 1000);
  timer.unref();
  process.on('beforeExit', onBeforeExit);
  try {
    return await Promise.race([pending, stuck.promise]);
  } finally {
    clearTimeout(timer);
    process.off('beforeExit', onBeforeExit);
  }
}
