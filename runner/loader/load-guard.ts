/** Keeps user code that is being loaded from ending, or holding up, the process that loads it. */

/** User code called `process.exit()` while it was loaded, or waits for something that does not happen. */
export class LoadGuardError extends Error {
  override readonly name = 'LoadGuardError';
}

/** Seconds after which a file that still waits is given up, while something else keeps the process alive. */
const PATIENCE = 60;

export interface LoadGuard extends Disposable {
  /**
   * Runs a step of loading.
   *
   * @throws LoadGuardError when nothing is left that could make it go on, and when it calls `process.exit()`, even if
   *   it catches the error that this gives it
   */
  run<T>(step: () => Promise<T>): Promise<T>;
}

/** Guards until it is disposed of; there is one at a time in a process. */
export function guardLoading(onRejection: (reason: unknown) => void): LoadGuard {
  const calls: LoadGuardError[] = [];
  const originalExit = process.exit;
  process.exit = (code?: number | string | null): never => {
    const call = new LoadGuardError(
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
      const [settled] = await Promise.allSettled([settle(step())]);
      // That nobody handles a rejection is known only when the promises under way are done.
      await new Promise(resolve => setImmediate(resolve));
      const [call] = calls;
      if (call !== undefined) throw call;
      if (settled.status === 'rejected') throw settled.reason;
      return settled.value;
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
      new LoadGuardError(
        'The file never finishes loading: an await at its top level waits for something that does not happen.',
      ),
    );
    // The loop has run dry, but the loader has more to do.
    setImmediate(() => undefined);
  };
  const timer = setTimeout(() => {
    stuck.reject(
      new LoadGuardError(
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
